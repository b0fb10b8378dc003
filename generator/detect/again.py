"""A profile that is there, and the machine read again: what has changed, and no more than that."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, ProfileError
from generator.formats.edit import with_value
from generator.records import dataclass
from generator.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEAR: Final = 0.05
"""A number that is no further off than this from the derived one is left alone."""
_MARK: Final = "detected: "
_OWN: Final = frozenset({"schema_version", "name", "description", "extends"})


@dataclass(frozen=True, slots=True)
class Changed:
    """A key of the profile and its values; `kept`: why the old one stays, empty: it does not."""

    key: str
    old: str
    new: str
    kept: str = ""


def updated(text: str, fresh: str, source: str) -> tuple[str, tuple[Changed, ...]]:
    """Return a profile with what another one, of the same machine now, says otherwise.

    Keys that it does not have stay away, and numbers that are near stay. Raises ProfileError for
    a file that is no TOML, HostwrightError where a value cannot be written without more.
    """
    try:
        there = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileError(source, (Problem("", str(error), "mend the file first"),)) from None
    told = []
    for path, new in _leaves(tomllib.loads(fresh), ()):
        old = _at(there, path)
        if old == new or path[0] in _OWN:
            continue
        kept = _why_kept(old, new)
        told.append(Changed(".".join(path), _shown(old), _shown(new), kept))
        if not kept:
            text = with_value(text, path, new, f"was {_shown(old)}", mark=_MARK)
    return text, tuple(told)


def _leaves(data: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    pairs: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        pairs = list(data.items())
    elif isinstance(data, list) and data and all(isinstance(one, dict) for one in data):
        pairs = list(enumerate(data))
    else:
        yield path, data
    for key, value in pairs:
        yield from _leaves(value, (*path, str(key)))


def _at(data: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 -- a value of TOML
    for key in path:
        if isinstance(data, list):
            data = data[int(key)] if int(key) < len(data) else None
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


def _why_kept(old: object, new: object) -> str:
    if old is None:
        return "the file does not have it"
    first, second = _number(old), _number(new)
    if first is not None and second is not None and abs(first - second) <= NEAR * abs(second):
        return "within 5 %"
    return ""


def _number(value: object) -> float | None:
    """Return a number, a size in bytes or a percentage; None: it is none."""
    if isinstance(value, bool):
        return None
    text = str(value).removesuffix("%")
    try:
        return float(parse_size(text))
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
