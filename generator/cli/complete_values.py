"""The values that a shell completes, by the name or metavar of an option or argument."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Completer = Callable[[str], Iterable["Word"]]


class Word(NamedTuple):
    """A value, a line about it, and its kind: `plain`, `part` of a word, `file` or `dir`."""

    value: str
    help: str = ""
    kind: str = "plain"


def profiles(part: str) -> Iterator[Word]:
    """Yield the shipped profiles, and files that may be one."""
    from generator.profiles.shipped import shipped_profiles

    names = (path.stem for path in shipped_profiles())
    yield from (Word(name, "shipped profile") for name in names if name.startswith(part))
    yield from toml_files(part)


def toml_files(part: str) -> Iterator[Word]:
    """Yield the `.toml` files at a path that somebody has begun, and the folders on the way."""
    folder, name = os.path.split(part)
    try:
        with os.scandir(Path(folder or ".").expanduser()) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        hidden = entry.name.startswith(".") and not name.startswith(".")
        if hidden or not entry.name.startswith(name):
            continue
        path = os.path.join(folder, entry.name)  # noqa: PTH118 -- `./` in front stays
        if entry.is_dir():
            yield Word(f"{path}/", kind="part")
        elif path.endswith(".toml"):
            yield Word(path)


def settings(part: str) -> Iterator[Word]:
    """Yield `KEY=` for keys that `--set` takes, and behind `=` values that such a key has."""
    from generator.explain.keys import keys

    known = {path: field for path, field in keys().items() if _single(path, keys())}
    key, is_set, begun = part.partition("=")
    if not is_set:
        for path, field in known.items():
            if path.startswith(part):
                yield Word(f"{path}=", field.get("description", ""), "part")
        return
    for value in _values(known.get(key, {})):
        if value.startswith(begun):
            yield Word(f"{key}={value}")


def _single(path: str, known: Mapping[str, Any]) -> bool:
    """Whether a key is a value, and of no list of tables."""
    parts = path.split(".")
    above = [known[".".join(parts[:number])] for number in range(1, len(parts))]
    lists = any(each.get("type") == "array" or "additionalProperties" in each for each in above)
    return not known[path]["table"] and not lists


def _values(field: Mapping[str, Any]) -> list[str]:
    members = [field, *field.get("anyOf", ())]
    flags = ["true", "false"] if any(each.get("type") == "boolean" for each in members) else []
    told = [
        value for each in members for value in (*each.get("enum", ()), *each.get("examples", ()))
    ]
    return flags + [str(value) for value in told]


def rules(part: str) -> Iterator[Word]:
    """Yield rules, behind a comma as well."""
    from generator.explain.rules import every_rule

    head, last = _last(part)
    for name, rule in every_rule().items():
        if name.startswith(last.upper()):
            yield Word(head + name, rule.title)


def models(part: str) -> Iterator[Word]:
    """Yield models of the library, behind a comma as well, and with `:` their other tags."""
    from generator.explain.history import asked
    from generator.explain.models import shown_name, summary

    head, last = _last(part)
    for model in asked().facts.models:
        if shown_name(model).startswith(last):
            yield Word(head + shown_name(model), summary(model))


def _last(part: str) -> tuple[str, str]:
    at = part.rfind(",") + 1
    return part[:at], part[at:]


def explained(part: str) -> Iterator[Word]:
    """Yield whatever `gen explain` has a page of."""
    from generator.explain.lookup import listed

    words = {entry.name: entry for entry in reversed(listed())}
    short = {name.rpartition(".")[2]: entry for name, entry in words.items() if entry.kind == "key"}
    for name, entry in sorted((short | words).items()):
        if name.casefold().startswith(part.casefold()):
            yield Word(name, f"{entry.kind}: {entry.summary}")


def releases(part: str) -> Iterator[Word]:
    """Yield the lines of releases of Ollama, the newest first."""
    from generator.catalogue.catalogue import load_catalogue

    lines = reversed(load_catalogue().lines)
    yield from (Word(line, "line of Ollama") for line in lines if line.startswith(part))


def channels(part: str) -> Iterator[Word]:
    """Yield the releases of NixOS, the newest first."""
    from generator.catalogue.catalogue import load_catalogue

    channels = load_catalogue().channels
    for name in reversed(list(channels)):
        release = channels[name].release
        if name.startswith(part):
            yield Word(name, f"has Ollama {release}" if release else "")


def cards(part: str) -> Iterator[Word]:
    """Yield graphics cards by name."""
    from generator.explain.history import asked

    for card in asked().facts.cards.all:
        if card.name.casefold().startswith(part.casefold()):
            yield Word(card.name)


def disks(part: str) -> Iterator[Word]:
    """Yield the kinds of disk."""
    from generator.fit.load_time import KINDS

    yield from (Word(kind) for kind in KINDS if kind.startswith(part))


def files(_: str) -> Iterator[Word]:
    """Leave it to the shell to look for files."""
    yield Word("", kind="file")


def directories(_: str) -> Iterator[Word]:
    """Leave it to the shell to look for directories."""
    yield Word("", kind="dir")


def _files_or_profiles(part: str) -> Iterator[Word]:
    yield from (word for word in profiles(part) if word.help == "shipped profile")
    yield from files(part)


COMPLETERS: Final[Mapping[str, Completer]] = {
    "PROFILE": profiles,
    "[PROFILE]": profiles,
    "PROFILE [PROFILE]": profiles,
    "[PATH|PROFILE]...": _files_or_profiles,
    "[PATH]...": files,
    "FLEET.toml": toml_files,
    "KEY=VALUE": settings,
    "KEY=A,B": settings,
    "RELEASE": releases,
    "--nixos": channels,
    "M[:QUANT]": models,
    "MODEL": models,
    "A,B,…": models,
    "[WORD...]": models,
    "HW1,…": rules,
    "HW203,…": rules,
    "NAME...": explained,
    "CARD": cards,
    "DISK": disks,
    "FILE": files,
    "TAR": files,
    "[DIR|FILE]": files,
    "DIR|TAR": files,
    "JSON": files,
    "DIR": directories,
}
