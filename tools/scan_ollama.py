"""Hold the Catalogue to Ollama's source: print every difference, as a reader has to settle it.

    python -m tools.scan_ollama CHECKOUT [--json]

CHECKOUT is a git repository of Ollama with its tags, or that of a mirror. Nothing in it is run:
the files of each tag are read from git, each distinct one once. What is compared:

- releases: the final tags, against `releases.toml`
- variables: the first and the last release whose code reads an `OLLAMA_` name
- defaults: what `envconfig` names as the default of a number
- lists: the architectures with flash attention, without it, and with one slot
- libraries: the CUDA architectures of each build
- llama.cpp: the build that a release is pinned to

Exit code 1: there are differences.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.hardware import Library
from generator.catalogue.models import OneSlot
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue

ENGINE: Final = "ollama"
_TAG: Final = re.compile(r"v\d+\.\d+\.\d+(-rc\d+)?")
_CODE: Final = re.compile(r".*\.(go|c|cc|cpp|h|m|mm|swift)|scripts/install\.sh")
_NO_CODE: Final = re.compile(r".*_test\.go|(.*/)?(integration|testdata|docs|examples)/.*")
_NAME: Final = r"(OLLAMA_[A-Z0-9_]+)"
_GO: Final = r"\b(?:\w*[Ee]nv\w*|clean|Var|String|Bool|BoolWithDefault|Uint(?:64)?)"
_READ: Final = re.compile(rf"{_GO}\(\s*\"{_NAME}\"|\$\{{?{_NAME}\b")
_CONSTANT: Final = re.compile(rf"\b(\w+)\s*=\s*\"{_NAME}\"")
_READ_CONSTANT: Final = re.compile(rf"{_GO}\(\s*(?:\w+\.)?(\w+)\b")
_NUMBER: Final = re.compile(rf"\bUint(?:64)?\(\"{_NAME}\",\s*(\d+)\)")
_WORD: Final = re.compile(r'"([a-z0-9_.-]+)"')
_LISTS: Final = {
    "one slot": (
        "server/sched.go",
        re.compile(
            r"Contains\((?:\[\]string\{[^}]*\}, [\w.]*ModelFamily|[\w.]*ModelFamilies, [^)]*)\)"
            r" && numParallel"
        ),
    ),
    "flash attention": (
        "fs/ggml/ggml.go",
        re.compile(r"\) FlashAttention\(\) bool \{\s*return slices\.Contains\(\[\]string\{[^}]*"),
    ),
    "no flash attention": (
        "fs/ggml/ggml.go",
        re.compile(r"Contains\(\[\]string\{[^}]*\}, arch\) \{\s*return false"),
    ),
}
_OF_PROJECTORS: Final = re.compile(r"len\([\w.]*ProjectorPaths\) > 0 && numParallel")
"""Where the scheduler gives one slot to every model with a projector: `vision` in the Catalogue."""
_SETTLED: Final = {
    "OLLAMA_AGENT_DISABLE_WEBSEARCH": "not read by 0.31.2 alone, as its note says",
    "OLLAMA_LAUNCH_DSH_API_KEY": "a constant, which a program that is launched gets",
    "mllama": "named by a function of its own up to 0.6.8",
    "OLLAMA_MAX_VRAM": "not read from 0.2.8 to 0.3.1; it had lost its effect before",
}
"""Differences that somebody has looked at, and why they stay."""
_PRESETS: Final = ("llama/server/CMakePresets.json", "CMakePresets.json")


@dataclass(frozen=True, slots=True)
class Difference:
    """What the Catalogue and the source say of `name` in some `releases`; `-`: nothing."""

    table: str
    name: str
    releases: str
    catalogue: str
    source: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the source of one release says: names that it reads, defaults, lists, builds."""

    reads: frozenset[str]
    defaults: Mapping[str, str]
    lists: Mapping[str, frozenset[str]]
    libraries: Mapping[str, frozenset[int]]
    llama_cpp: str
    vision: frozenset[str] = frozenset()
    """What stands for all models with a projector, where these get one slot."""


class Checkout:
    """A git repository: its release tags, and their files. Each text is read once."""

    def __init__(self, folder: Path) -> None:
        self._git = ["git", "-C", str(folder)]
        self._batch = subprocess.Popen(
            [*self._git, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def releases(self) -> dict[Release, str]:
        """Return the tag of each release, in the order of releases."""
        tags = self._run("tag", "--list").split()
        found = {Release.parse(tag[1:]): tag for tag in tags if _TAG.fullmatch(tag)}
        return dict(sorted(found.items()))

    def files(self, tag: str) -> dict[str, str]:
        """Return the id of each file of a tag, by path."""
        rows = self._run("ls-tree", "-r", "-z", tag).split("\0")
        parted = (row.split(maxsplit=3) for row in rows if row)
        return {path: name for _, kind, name, path in parted if kind == "blob"}

    def text(self, name: str) -> str:
        """Return the text of a file by its id."""
        into, out = self._batch.stdin, self._batch.stdout
        if into is None or out is None:
            raise RuntimeError("git has no pipes")
        into.write(f"{name}\n".encode())
        into.flush()
        size = int(out.readline().split()[2])
        return out.read(size + 1)[:size].decode(errors="replace")

    def text_at(self, files: Mapping[str, str], path: str) -> str:
        """Return the text of a path among the files of a tag; empty: it is not there."""
        return self.text(files[path]) if path in files else ""

    def close(self) -> None:
        """End the program that reads the files."""
        self._batch.communicate()

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [*self._git, *arguments], check=True, capture_output=True, text=True
        ).stdout


def scan(checkout: Checkout, say: Callable[[str], None]) -> dict[Release, Seen]:
    """Return what the source of every release says, candidates included."""
    names: dict[str, frozenset[str]] = {}
    seen = {}
    for release, tag in checkout.releases().items():
        say(tag)
        files = checkout.files(tag)
        code = {f for path, f in files.items() if _CODE.fullmatch(path)} - {
            f for path, f in files.items() if _NO_CODE.fullmatch(path)
        }
        for file in code - names.keys():
            names[file] = _names(checkout.text(file))
        reads = frozenset[str]().union(*(names[file] for file in code))
        seen[release] = _seen(checkout, files, reads)
    return seen


def _seen(checkout: Checkout, files: Mapping[str, str], reads: frozenset[str]) -> Seen:
    settings = checkout.text_at(files, "envconfig/config.go")
    scheduler = checkout.text_at(files, "server/sched.go")
    presets = next((checkout.text_at(files, p) for p in _PRESETS if p in files), "")
    return Seen(
        reads=reads,
        defaults=dict(_NUMBER.findall(settings)),
        lists={
            name: _words(pattern, checkout.text_at(files, path))
            for name, (path, pattern) in _LISTS.items()
        },
        libraries=_libraries(presets),
        llama_cpp=checkout.text_at(files, "LLAMA_CPP_VERSION").strip(),
        vision=frozenset({"vision"} if _OF_PROJECTORS.search(scheduler) else ()),
    )


def _words(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(word for match in pattern.finditer(text) for word in _WORD.findall(match[0]))


def _names(text: str) -> frozenset[str]:
    """Return the variables that a file reads, by a constant of the same file as well."""
    found = {name for match in _READ.finditer(text) for name in match.groups() if name}
    constants = dict(_CONSTANT.findall(text))
    if constants:
        found |= {constants[name] for name in _READ_CONSTANT.findall(text) if name in constants}
    return frozenset(found)


def _libraries(presets: str) -> dict[str, frozenset[int]]:
    """Return the CUDA architectures of each build for Linux, by the directory it is put into."""
    if not presets:
        return {}
    every = {preset["name"]: preset for preset in json.loads(presets)["configurePresets"]}
    found: dict[str, frozenset[int]] = {}
    for name in every:
        values = _inherited(name, every)
        listed = values.get("CMAKE_CUDA_ARCHITECTURES", "")
        if listed and "windows" not in name and "jetpack" not in name.lower():
            numbers = (int(n) for n in re.findall(r"\b(\d+)[af]?(?:-\w+)?\b", listed))
            directory = values.get("OLLAMA_RUNNER_DIR") or name.lower().replace("cuda ", "cuda_v")
            found[directory] = frozenset(numbers)
    return found


def _inherited(name: str, every: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    preset = every[name]
    parents = preset.get("inherits", [])
    values: dict[str, str] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        values |= _inherited(parent, every)
    values |= preset.get("cacheVariables", {})
    return values


def differences(seen: Mapping[Release, Seen], catalogue: Catalogue) -> Iterator[Difference]:
    """Yield where the Catalogue and the source do not agree, table by table.

    Compared are the final releases from the oldest known one on, and the candidates of the next.
    """
    final = [release for release in seen if release.final]
    oldest = next(release for release in final if catalogue.knows(release))
    releases = [r for r in seen if r >= oldest and (r.final or r > final[-1])]
    for release in releases:
        if release.final and not catalogue.knows(release):
            yield Difference("releases", str(release), "", "not listed", "a tag")
    for table, compared in _TABLES.items():
        names: set[str] = set()
        both: dict[Release, tuple[dict[str, str], dict[str, str]]] = {}
        for release in releases:
            both[release] = compared(catalogue, release, seen[release])
            names |= both[release][0].keys() | both[release][1].keys()
        for name in sorted(names - _SETTLED.keys()):
            told = {r: (a.get(name, "-"), b.get(name, "-")) for r, (a, b) in both.items()}
            yield from _apart(table, name, told)


def _apart(table: str, name: str, told: Mapping[Release, tuple[str, str]]) -> Iterator[Difference]:
    """Yield each run of releases in which the two differ in the same way."""
    for (ours, theirs), run in itertools.groupby(told, key=told.__getitem__):
        first, *more = map(str, run)
        if ours != theirs:
            yield Difference(table, name, " to ".join((first, *more[-1:])), ours, theirs)


_NEVER: Final = Release(sys.maxsize, 0, 0)
_Both = tuple[dict[str, str], dict[str, str]]
"""What the Catalogue, and what the source, says of each name in one release."""


def _variables(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    variables = catalogue.at(ENGINE, release).variables.values()
    known = (v.name for v in variables if v.since <= release < (v.removed or _NEVER))
    ours = {name: "read" for name in known if name.startswith("OLLAMA_")}
    return ours, dict.fromkeys(seen.reads, "read")


def _defaults(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    facts = catalogue.at(ENGINE, release)
    known = {name: facts.variables.get(name) for name in seen.defaults}
    ours = {name: v.default_entry.value for name, v in known.items() if v and v.default_entry}
    # 0 stands in the source for a default that is worked out elsewhere, or for none.
    return ours, {
        n: ours.get(n, "-") if value == "0" else value for n, value in seen.defaults.items()
    }


def _one_slot(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    every = (e for e in catalogue.all("one_slot", OneSlot) if e.covers(release))
    entries = [e.architecture for e in every if e.architecture != "embedding"]
    named = seen.lists["one slot"] | seen.vision
    # `qwen35` stands for `qwen35moe`, too.
    ours = {next((n for n in sorted(named) if n.startswith(e)), e) for e in entries}
    ours |= {n for n in named if n.startswith(tuple(entries))}
    return dict.fromkeys(ours, "one slot"), dict.fromkeys(named, "one slot")


def _flash(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    facts = catalogue.at(ENGINE, release)
    known = facts.architectures.values()
    ours = {each.name for each in known if each.flash_by_itself}
    # From 0.30 on llama-server decides, and the list is not asked.
    theirs = seen.lists["flash attention"] if facts.era.until else ours
    return dict.fromkeys(ours, "by itself"), dict.fromkeys(theirs, "by itself")


def _no_flash(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    facts = catalogue.at(ENGINE, release)
    ours = {each.name for each in facts.architectures.values() if each.never_flash}
    theirs = seen.lists["no flash attention"]
    return dict.fromkeys(ours, "never"), dict.fromkeys(theirs, "never")


def _libraries_of(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    if not seen.libraries:  # Before 0.5.8 they stood in scripts.
        return {}, {}
    ours: dict[str, set[int]] = {}
    for library in catalogue.all("library", Library):
        if library.covers(release):
            ours.setdefault(library.name, set()).update(library.architectures)
    named = {name: numbers for name, numbers in seen.libraries.items() if name in ours}
    return (
        {name: _listed(numbers) for name, numbers in ours.items() if name in named},
        {name: _listed(numbers) for name, numbers in named.items()},
    )


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(map(str, sorted(numbers)))


def _llama_cpp(catalogue: Catalogue, release: Release, seen: Seen) -> _Both:
    name = "the pinned build"
    pins = catalogue.tables["llama_cpp"].items()
    ours = [build for since, build in pins if Release.parse(since) <= release]
    theirs = {name: seen.llama_cpp} if seen.llama_cpp else {}
    return {name: ours[-1]} if ours else {}, theirs


_TABLES: Final[Mapping[str, Callable[[Catalogue, Release, Seen], _Both]]] = {
    "variables": _variables,
    "defaults": _defaults,
    "one slot": _one_slot,
    "flash attention": _flash,
    "no flash attention": _no_flash,
    "libraries": _libraries_of,
    "llama.cpp": _llama_cpp,
}


def _progress(tag: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{tag}\033[K")
        sys.stderr.flush()


def _as_json(found: Sequence[Difference]) -> str:
    return json.dumps([asdict(each) for each in found], indent=2) + "\n"


def _as_text(each: Difference) -> str:
    told = f"  catalogue: {each.catalogue}\n  source:    {each.source}\n"
    return f"{each.table}: {each.name} {each.releases}\n{told}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; return 1 where there are some."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkout", type=Path, help="git repository of Ollama, with its tags")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args(arguments)
    checkout = Checkout(options.checkout)
    seen = scan(checkout, _progress)
    _progress("")
    checkout.close()
    found = list(differences(seen, load_catalogue()))
    sys.stdout.write(_as_json(found) if options.json else "".join(map(_as_text, found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
