"""Read profiles: find them, merge `extends` and `--set`, keep where each value came from.

No pydantic here, so that a profile seen before starts fast; form is judged by `validate`.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import re
import stat
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import (
    EnvironmentFailure,
    HostwrightError,
    Problem,
    ProfileError,
    shortened,
)
from generator.profiles import flags
from generator.profiles.document import Document
from generator.profiles.shipped import shipped_profiles
from generator.reading import read_regular
from generator.units import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.profiles.schema import Profile

_MAX_EXTENDS: Final = 16
_MAX_DEPTH: Final = 16
_MAX_INTEGER: Final = 2**63
# Python may be told to take as few as these.
_DIGITS: Final = re.compile(rb"[0-9_]{%d,}" % sys.int_info.str_digits_check_threshold)
_BOM: Final = b"\xef\xbb\xbf"
FLAG: Final = "--set"
_OWN: Final = frozenset({"name", "port", "gpus", "models", "pulls"})
"""Keys of an instance that say which one it is, so that no other key stands for them."""
INSTANCE: Final = "--instance="
"""Begins an override that is none: the name of the one server that is asked about."""


def read_document(
    name: str,
    overrides: Sequence[str] = (),
    *,
    folder: Path = Path(),
    stdin: bytes | None = None,
) -> Document:
    """Read the profile `name` (a shipped name or a path), its `extends` and the `--set` flags.

    A path is seen from `folder`; where `stdin` is given, it is the text and
    `name` what to call it. Raises ProfileError for TOML errors, a
    circular `extends` and flags that make no sense; HostwrightError for a profile that is not
    there; EnvironmentFailure for one that can't be read.
    """
    return _Reader(stdin).document(name, overrides, folder)


def read_file(path: Path, *, stdin: bytes | None = None) -> Document:
    """Read one TOML file that extends nothing. Raises as `read_document` does."""
    reader = _Reader(stdin)
    found = reader.piped(str(path)) or _given(str(path), Path())
    if found is None:
        raise HostwrightError(f"there is no file `{path}`", hint="name one that is there")
    data = reader.parse(found)
    made = Document(_shown(found), data, {}, reader.hash.hexdigest(), reader.texts)
    return dataclasses.replace(made, unfit=_unfit(made))


def overlaid(document: Document, tables: Mapping[str, Any], origin: str) -> Document:
    """Return `document` with `tables` merged over it, as a file that extends it would be."""
    origins = dict(document.origins)
    data = _merged(document.data, tables, origins, origin)
    return dataclasses.replace(document, data=data, origins=origins, digest="")


def load_profile(name: str, overrides: Sequence[str] = ()) -> Profile:
    """Read and validate in one step. Raises what `read_document` and `validate` raise."""
    from generator.profiles.validate import validate

    return validate(read_document(name, overrides))


class _Reader:
    """One reading: collects the digest, origins and texts of all files that take part."""

    def __init__(self, stdin: bytes | None) -> None:
        self.stdin = stdin
        self.hash = hashlib.sha256()
        self.origins: dict[tuple[str, ...], str] = {}
        self.texts: dict[str, str] = {}

    def document(self, name: str, overrides: Sequence[str], folder: Path) -> Document:
        path = self.piped(name) or _find(name, folder)
        data = self._merged(path, ())
        chosen = [text.removeprefix(INSTANCE) for text in overrides if text.startswith(INSTANCE)]
        sets = [text for text in overrides if not text.startswith(INSTANCE)]
        problems = [p for text in sets if (p := self._override(data, text))]
        if problems:
            raise ProfileError(FLAG, tuple(problems))
        if chosen:
            _outdo(data, chosen[-1], sets)
        found = Document(_shown(path), data, self.origins, self.hash.hexdigest(), self.texts)
        instance = chosen[-1] if chosen else ""
        return dataclasses.replace(found, instance=instance, unfit=_unfit(found))

    def piped(self, name: str) -> Path | None:
        """Return the name of what came through standard input; None: nothing did."""
        return None if self.stdin is None else Path("stdin" if name == "-" else name)

    def _merged(self, path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
        if path in seen or len(seen) >= _MAX_EXTENDS:
            chain = " → ".join(_shown(p) for p in (*seen, path))
            problem = Problem(
                "extends", f"the profiles extend each other: {chain}", "cut the circle"
            )
            raise ProfileError(_shown(seen[0] if seen else path), (problem,))
        data = self.parse(path)
        parent = data.get("extends")
        base: dict[str, Any] = {}
        if isinstance(parent, str):
            base = self._merged(_find(parent, path.parent, of=_shown(path)), (*seen, path))
        return _merged(base, data, self.origins, _shown(path))

    def parse(self, path: Path) -> dict[str, Any]:
        try:
            raw = read_regular(path) if self.stdin is None else self.stdin
        except OSError as error:
            raise EnvironmentFailure(f"cannot read {_shown(path)}: {error.strerror}") from error
        self.stdin = None  # What it extends is a file.
        self.hash.update(b"%d\0" % len(raw) + raw)
        data, shown = _parsed(raw), _shown(path)
        if isinstance(data, Problem):
            raise ProfileError(shown, (data,))
        self.texts[shown] = raw.decode()
        return data

    def _override(self, data: dict[str, Any], text: str) -> Problem | None:
        self.hash.update(f"{len(text)}:{text}".encode(errors="surrogateescape"))
        key, _, written = text.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        if problem := flags.refused(text, path):
            return problem
        value = flags.flag_value(written, path)
        if isinstance(value, Problem):
            return Problem(shortened(key), value.message, value.hint)
        if problem := _deep(value, path):
            return problem
        if not flags.assign(data, path, value):
            return Problem(
                shortened(key), "leads through a value that is no table", "shorten the key path"
            )
        for old in [old for old in self.origins if old[: len(path)] == path]:
            del self.origins[old]
        self.origins[path] = FLAG
        return None


def _outdo(data: dict[str, Any], instance: str, sets: Sequence[str]) -> None:
    """Have what is set of one server count more than what its own table says."""
    keys = {text.partition("=")[0].strip().rpartition(".")[2] for text in sets}
    every = data.get("instances")
    found = every if isinstance(every, list) else []
    for number, one in enumerate(found):
        if isinstance(one, dict) and one.get("name") == instance:
            kept = {key: value for key, value in one.items() if key in _OWN or key not in keys}
            data["instances"] = [*found[:number], kept, *found[number + 1 :]]


def _merged(
    base: Mapping[str, Any],
    over: Mapping[str, Any],
    origins: dict[tuple[str, ...], str],
    origin: str,
    at: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Merge tables, and what is in them; replace everything else, arrays too."""
    merged = dict(base)
    for key, value in over.items():
        origins[*at, key] = origin
        below = merged.get(key, {})
        tables = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merged(below, value, origins, origin, (*at, key)) if tables else value
    return merged


def _parsed(raw: bytes) -> dict[str, Any] | Problem:
    """Parse a file, or say what is wrong with it."""
    if raw.startswith(_BOM):
        return Problem(
            "", "this file starts with a byte order mark", "save it as UTF-8 without BOM"
        )
    try:
        data = tomllib.loads(raw.decode())
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        where = place.rstrip(")") if message else ""
        return Problem(where, message or str(error), "mend the TOML syntax")
    except UnicodeDecodeError as error:
        return Problem(f"byte {error.start}", "this is not UTF-8", "save the file as UTF-8")
    except RecursionError:
        return _too_deep(())
    except ValueError:  # more digits than Python makes a number of: any that is too large will do
        return _parsed(_DIGITS.sub(b"%d" % _MAX_INTEGER, raw))
    return _deep(data, ()) or data


def _values(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every value below one with its path, as deep as it may lie and a step more."""
    todo: list[tuple[tuple[str, ...], object]] = [(path, value)]
    while todo:
        path, value = todo.pop()
        yield path, value
        if len(path) > _MAX_DEPTH:
            continue
        if isinstance(value, dict):
            todo += [((*path, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            todo += [((*path, str(at)), value[at]) for at in reversed(range(len(value)))]


def _deep(value: object, path: tuple[str, ...]) -> Problem | None:
    """Say where a value lies deeper than any of a profile does."""
    return next((_too_deep(at) for at, _ in _values(value, path) if len(at) > _MAX_DEPTH), None)


def _unfit(document: Document) -> tuple[Problem, ...]:
    """Return a Problem for each number that TOML can spell but no profile can hold.

    One that is just too large takes its place, so that everything else can be judged.
    """
    found = [
        path
        for path, value in _values(document.data, ())
        if isinstance(value, int) and not -_MAX_INTEGER <= value < _MAX_INTEGER
    ]
    for path in found:
        flags.assign(document.data, path, _MAX_INTEGER)
    return tuple(
        dataclasses.replace(_too_large(path), source=document.origin(path)) for path in found
    )


def _too_deep(path: tuple[str, ...]) -> Problem:
    where = shortened(".".join(path))
    return Problem(where, "tables or arrays are nested too deeply", "no key of a profile needs it")


def _too_large(path: tuple[str, ...]) -> Problem:
    where = shortened(".".join(path))
    return Problem(where, "a whole number does not fit into 64 bits", "write a smaller one")


_WRITES: Final = "no file is there: `gen detect -o FILE.toml` writes one of this machine; "


def _find(name: str, folder: Path, of: str = "") -> Path:
    is_path = "/" in name or name.endswith(".toml")
    if is_path:
        path = _given(name, folder)
        if path:
            return path
    else:
        by_name = {path.stem: path for path in shipped_profiles()}
        if name in by_name:
            return by_name[name]
    known = [path.stem for path in shipped_profiles()]
    beside = f"{name}.toml" if _given(f"{name}.toml", folder) else ""
    meant = beside or closest(Path(name).stem, known)
    guess = f"did you mean `{meant}`? " if meant else ""
    first, rest = (_WRITES, "") if is_path and not of else ("", "; a path ends in `.toml`")
    raise HostwrightError(
        f"there is no profile `{name}`" + (f", which {of} extends" if of else ""),
        hint=f"{guess}{first}shipped are {', '.join(known)}{rest}",
    )


def _given(name: str, folder: Path) -> Path | None:
    """Return the path that `name` is, or None where nothing is there."""
    try:
        path = folder / Path(name).expanduser()
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, RuntimeError, ValueError):
        return None  # RuntimeError: `~nobody`; ValueError: NUL and the like in a name
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise EnvironmentFailure(f"cannot read {name}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise HostwrightError(f"`{name}` is not a regular file", hint="name a `.toml` file")
    return path


def _shown(path: Path) -> str:
    """Name a file without machine paths: shipped ones as `profiles/x.toml`, others as given."""
    return f"profiles/{path.name}" if path in shipped_profiles() else path.as_posix()
