"""JSON and TOML for data that programs read back; key order is kept.

TOML can have a comment above each key: the reason of a value, where whoever reads it needs it.
Comments are lines of their own, so that no text in them can become a value.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.text import WIDTH, comment, refuse_surrogates
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.formats.text import Commented

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def to_json(obj: object) -> str:
    """Return `obj` as JSON, two spaces deep, Unicode as it is, with a final newline.

    A record, which is a dataclass, becomes an object. Raises RenderError for infinities and NaN,
    which JSON does not have, and for surrogates.
    """
    try:
        text = json.dumps(
            obj, indent=2, ensure_ascii=False, allow_nan=False, default=dataclasses.asdict
        )
    except ValueError as error:
        raise RenderError(f"JSON cannot carry this: {error}") from error
    return refuse_surrogates(text, "a JSON string") + "\n"


def to_toml(obj: Mapping[str, object]) -> str:
    """Return `obj` as TOML with a final newline. Raises RenderError for surrogates."""
    import tomli_w

    text = tomli_w.dumps(obj).rstrip("\n")
    return refuse_surrogates(text, "a TOML string") + "\n"


@dataclass(frozen=True, slots=True)
class Section:
    """One table: its key path (empty: the top), its keys, and notes above its heading.

    `array` makes it one element of an array of tables.
    """

    path: tuple[str, ...]
    keys: Mapping[str, Commented]
    notes: tuple[str, ...] = ()
    array: bool = False


def to_annotated_toml(head: Sequence[str], sections: Sequence[Section]) -> str:
    """Return a document: the head as comments, then the sections in their order.

    Raises RenderError for surrogates.
    """
    blocks = ["\n".join(line for text in head for line in comment(text))]
    blocks += ["\n".join(_section(section)) for section in sections]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(section: Section) -> Iterator[str]:
    for note in section.notes:
        yield from comment(note)
    if section.path:
        path = ".".join(_key(part) for part in section.path)
        yield f"[[{path}]]" if section.array else f"[{path}]"
    for key, entry in section.keys.items():
        yield from comment(entry.comment)
        yield _line(key, entry.value)


def _line(key: str, value: object) -> str:
    """Return a key with its value; a table is an inline one, a list on one line where it fits."""
    if isinstance(value, dict):
        return f"{_key(key)} = {{ {', '.join(_line(*pair) for pair in value.items())} }}"
    text = to_toml({key: value}).rstrip("\n")
    if not isinstance(value, list) or not _BARE.fullmatch(key):
        return text
    # The head is as long for every item, whatever the item holds.
    items = (to_toml({key: item})[len(f"{key} = ") :].rstrip("\n") for item in value)
    line = f"{key} = [{', '.join(items)}]"
    return line if len(line) <= WIDTH and "\n" not in line else text


def _key(part: str) -> str:
    return part if _BARE.fullmatch(part) else to_toml({part: 0}).rpartition(" = ")[0]
