"""YAML with comments: block mappings in the given order, every string value in double quotes.

`Lines` stand as a block of their own, where each is plain.

Quoting all strings settles every doubt about types (`no`, `1e3`, `~`, `0o17`) for YAML 1.1 and
1.2 alike. The escaping itself is PyYAML's; text that needs none is quoted here, which a test
holds against PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias, Union

from generator.errors import RenderError
from generator.formats.text import WIDTH, Commented, decimal, opened, refuse_nul

Value: TypeAlias = Union[
    str, int, float, bool, Commented, "Mapping[str, Value]", "Sequence[Value]", None
]

_INDENT = "  "
# Lines of printable ASCII that end with no blank, the first of which tells how far they are
# indented: nothing that a block would lose or take amiss.
_LINES = re.compile(r"[!-~](?:[ -~]*[!-~])?\n(?:(?:[ -~]*[!-~])?\n)*(?<!\n\n)")
_KEY_MAX = 1000  # an implicit key ends within 1024 characters, YAML 1.2.2 section 7.4
_PRINTABLE = re.compile(r"[ -~]*")  # of ASCII
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # typed by YAML 1.1


def to_yaml(value: Mapping[str, Value] | Sequence[Value]) -> str:
    """Return a YAML document with a final newline.

    Lists of scalars stand on one line where they fit. Raises RenderError naming the key whose
    value has NUL, half a surrogate pair, or is not a finite number.
    """
    inline = _inline(value, WIDTH, "")
    return "\n".join(_block(value, "", "") if inline is None else [inline]) + "\n"


class Lines(str):
    """Text of several lines, for people to read: a block where YAML can have it so."""

    __slots__ = ()


def compose_string(text: str) -> str:
    """Return `text` with `$` doubled: compose substitutes variables in every string value."""
    return text.replace("$", "$$")


def _block(value: Value, pad: str, where: str) -> Iterator[str]:
    if isinstance(value, str):
        return (f"{pad}{line}".rstrip() for line in value.splitlines())
    if isinstance(value, Mapping):
        return _mapping(value, pad, where)
    assert isinstance(value, Sequence)  # noqa: S101 -- scalars and empty collections are inline
    return _list(value, pad, where)


def _mapping(items: Mapping[str, Value], pad: str, where: str) -> Iterator[str]:
    for number, (key, item) in enumerate(items.items()):
        path = f"{where}.{key}" if where else key
        value, above = opened(item, pad, first=number == 0)
        yield from above
        head = f"{pad}{_key(key)}:"
        inline = _inline(value, WIDTH - len(head) - 1, path)
        if inline is None:
            yield f"{head} |" if isinstance(value, str) else head
            yield from _block(value, pad + _INDENT, path)
        else:
            yield f"{head} {inline}"


def _list(items: Sequence[Value], pad: str, where: str) -> Iterator[str]:
    for number, item in enumerate(items):
        value, above = opened(item, pad, first=number == 0)
        yield from above
        inline = _inline(value, WIDTH - len(pad) - len(_INDENT), where)
        if inline is not None:
            yield f"{pad}- {inline}"
            continue
        if isinstance(value, str):
            yield f"{pad}- |"
            yield from _block(value, pad + _INDENT, where)
            continue
        first, *rest = _block(value, pad + _INDENT, where)
        yield f"{pad}- {first.removeprefix(pad + _INDENT)}"
        yield from rest


def _inline(value: Value, room: int, where: str) -> str | None:
    """Return `value` on one line, or None for what needs a block."""
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, Lines) and _LINES.fullmatch(value):
        return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _scalar(value, where)
    if any(isinstance(item, Mapping | Commented | Lines | list | tuple) for item in value):
        return None
    flow = f"[{', '.join(_scalar(item, where) for item in value)}]"
    return flow if len(flow) <= room or not value else None


def _scalar(value: Value, where: str) -> str:
    if isinstance(value, str):
        return _quoted(refuse_nul(value, where or "a YAML string"))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return decimal(value, where)
    raise TypeError(f"{where or 'the document'}: no YAML for {type(value).__name__}")


@lru_cache(maxsize=1024)
def _key(key: str) -> str:
    if len(key) > _KEY_MAX:
        raise RenderError(f"`{key[:40]}…` is too long for a YAML key")
    plain = _KEY.fullmatch(key) and key.lower() not in _WORDS
    return key if plain else _quoted(refuse_nul(key, "a YAML key"))


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """Return `text` in double quotes on one line, however long."""
    if _PRINTABLE.fullmatch(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    import yaml

    dumped: str = yaml.safe_dump(
        str(text), default_style='"', width=float("inf"), allow_unicode=True
    )
    return dumped.removesuffix("\n")
