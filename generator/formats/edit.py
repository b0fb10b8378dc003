"""One key of a TOML file that somebody has written: the rest stays as it is, letter by letter."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from generator.errors import HostwrightError
from generator.formats.text import INVISIBLE, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    Value = float | str | list[str]

MARK: Final = "measured: "
"""What the comment of a value that was written here begins with; the next one replaces it."""


def with_value(
    text: str, path: Sequence[str], value: Value, reason: str, *, mark: str = MARK
) -> str:
    """Return `text` with `value` at `path`, and behind it `mark` and the `reason` as a comment.

    A number in `path` is a place in a list. Tables that are missing are made. Raises
    HostwrightError where the path leads through no table, or the file is written in a way that
    cannot be kept.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = _assigned(tomllib.loads(text), path, value)
    try:
        document = tomlkit.parse(text)
        _put(document, path, value, INVISIBLE.sub(lambda found: escape(found[0]), reason), mark)
        written = tomlkit.dumps(document)
        same = tomllib.loads(written) == wanted
    except (TOMLKitError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unkept(path, value) from error
    if not same:
        raise _unkept(path, value)
    return written


def _unkept(path: Sequence[str], value: Value) -> HostwrightError:
    return HostwrightError(
        f"`{'.'.join(path)}` cannot be written without changing more of the file",
        hint=f"write it by hand: {path[-1]} = {value}",
    )


def _assigned(data: dict[str, Any], path: Sequence[str], value: Value) -> dict[str, Any]:
    """Return what the file shall say afterwards."""
    table: Any = deepcopy(data)
    whole = table
    for key in path[:-1]:
        if isinstance(table, list):
            table = table[int(key)] if key.isdecimal() and int(key) < len(table) else None
        else:
            table = table.setdefault(key, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise _unkept(path, value)
    table[path[-1]] = value
    return dict(whole)


def _put(document: Any, path: Sequence[str], value: Value, reason: str, mark: str) -> None:  # noqa: ANN401
    """Put it into what tomlkit has read; a table in one line has the comment behind all of it."""
    from tomlkit import table as new
    from tomlkit.items import InlineTable

    table, line = document, None
    for key in path[:-1]:
        if isinstance(table, list):
            table = table[int(key)]
            continue
        if key not in table:
            table[key] = new()
        table = table[key]
        line = line or (table if isinstance(table, InlineTable) else None)
    _assign(table, path[-1], value)
    item = line or table[path[-1]]
    kept = item.trivia.comment.removeprefix("#").partition(mark)[0].strip(" ;")
    apart = item.trivia.comment_ws
    item.comment(f"{kept}; {mark}{reason}" if kept else f"{mark}{reason}")
    item.trivia.comment_ws = apart or item.trivia.comment_ws


def _assign(table: Any, key: str, value: Value) -> None:  # noqa: ANN401 -- of tomlkit
    """Assign a key; a new one comes before comments that stand above the next table."""
    body = getattr(getattr(table, "value", None), "body", [])
    moved = []
    while key not in table and body and body[-1][0] is None:
        moved.append(body.pop()[1])
    table[key] = value
    for item in reversed(moved):
        table.add(item)
