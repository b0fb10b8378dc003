"""The profile as TOML: each value with the line that it comes from, and at its end what is left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.formats.data import Section, to_annotated_toml
from generator.formats.text import Commented
from generator.importing.settle import IGNORE, LISTS
from generator.units import MIB, format_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.importing.entries import Added, Entry, Left
    from generator.importing.importing import Imported
    from generator.view import Place

_ORDER: Final = ("ollama", "resources", "threads", "gpu", "models", "warmup", "service")
_TABLES: Final = frozenset({"models", IGNORE})
"""Keys of which each element is a table of its own."""
_SIZES: Final = frozenset({"memory", "reserved"})
_PARAMETERS: Final = "parameters"
_NO_HOST: Final = (
    "Missing: [host], the facts of the machine, is in no such file. Without it limits and threads",
    "are not derived and cards are not checked: gen import --here, or --cores, --ram and --gpu.",
)


def name_from(text: str) -> str:
    """Return a name for the profile of a service."""
    stem = re.sub(r"\.(?:service|container)$", "", text.rpartition("/")[2])
    return "-".join(re.findall(r"[a-z0-9]+", stem.casefold()))[:60].strip("-") or "imported"


def place_text(place: Place) -> str:
    """Return a place as people say it: `override.conf:12`."""
    return f"{place.file}:{place.line}" if place.line else place.file


def profile_text(base: Mapping[str, Any], found: Imported) -> str:
    """Return the profile with its comments; `base` is what no file says: name and host."""
    files = ", ".join(found.files)
    head = [f"Written by `gen import` from {files}; from now on it is yours to edit."]
    top = {key: Commented(value) for key, value in base.items() if key != "host"}
    sections = [Section((), top), *_host(base.get("host")), *_tables(found.carried)]
    notes = (*_told(found.left), *_beside(found.added), *map(retire_text, found.retire))
    return to_annotated_toml(head, [*sections, *([Section((), {}, notes)] if notes else [])])


def retire_text(path: str) -> str:
    """Return what to do about a drop-in whose settings the profile has now."""
    return (
        f"Before the bundle is applied, take {path} away, but for what is not carried over: "
        "its name comes behind those of the bundle, so that it would win."
    )


def _host(host: Mapping[str, Any] | None) -> Iterator[Section]:
    if not host:
        yield Section((), {}, _NO_HOST)
        return
    yield Section(("host",), _facts(host))
    if cpu := host.get("cpu"):
        yield Section(("host", "cpu"), _facts(cpu))
    for card in host.get("gpus", ()):
        yield Section(("host", "gpus"), _facts(card), array=True)


def _facts(table: Mapping[str, Any]) -> dict[str, Commented]:
    """Return the facts of a table, with sizes in bytes as people write them."""
    return {
        key: Commented(_size(value) if key in _SIZES else value)
        for key, value in table.items()
        if key not in {"gpus", "cpu"}
    }


def _size(value: object) -> object:
    text = str(value)
    return f"{format_size(int(text))}iB" if text.isdecimal() and int(text) % MIB == 0 else value


def _tables(entries: Sequence[Entry]) -> Iterator[Section]:
    """Yield the tables in the order of the schema, and the models one by one."""
    tables: dict[tuple[str, ...], list[Entry]] = {}
    for one in entries:
        parts = tuple(one.key.split("."))
        path = parts if one.key in _TABLES else parts[:-1]
        tables.setdefault(path, []).append(one)
    for path in sorted(tables, key=_rank):
        if ".".join(path) in _TABLES:
            yield from (section for one in tables[path] for section in _element(one, path))
        else:
            yield Section(path, _keys(tables[path]))


def _rank(path: tuple[str, ...]) -> tuple[object, ...]:
    return (_ORDER.index(path[0]) if path[0] in _ORDER else len(_ORDER), path)


def _keys(entries: Sequence[Entry]) -> dict[str, Commented]:
    found: dict[str, Commented] = {}
    for one in entries:
        name = one.key.rpartition(".")[2]
        before = found.get(name)
        several = [*(before.value if before else ()), one.value]
        value = several if one.key in LISTS else one.value
        found[name] = Commented(value, origin(one))
    return found


def _element(one: Entry, path: tuple[str, ...]) -> Iterator[Section]:
    keys = {key: Commented(value) for key, value in one.value.items() if key != _PARAMETERS}
    first = next(iter(keys))
    keys[first] = Commented(keys[first].value, origin(one))
    yield Section(path, keys, array=True)
    if parameters := one.value.get(_PARAMETERS):
        values = {key: Commented(value) for key, value in parameters.items()}
        yield Section((*path, _PARAMETERS), values)


def origin(one: Entry) -> str:
    """Return where a value comes from, and why it is not what stands there."""
    if not one.note:
        return f"from {place_text(one.place)}"
    rule = f" ({one.rule})" if one.rule else ""
    return f"from {place_text(one.place)}, {one.name}: {one.note}{rule}"


def left_text(one: Left) -> str:
    """Return one line about what the profile does not carry."""
    value = f"={one.value}" if one.value else ""
    rule = f" ({one.rule})" if one.rule else ""
    fix = f"; {one.fix}" if one.fix else ""
    return f"{place_text(one.place)}: {one.name}{value}: {one.reason}{rule}{fix}"


def _told(left: Sequence[Left]) -> Iterator[str]:
    lost, idle = [x for x in left if not x.idle], [x for x in left if x.idle]
    if lost:
        yield "Not carried over:"
        yield from (f"- {left_text(one)}" for one in lost)
    if idle:
        yield "Left out without a loss:"
        yield from (f"- {left_text(one)}" for one in idle)


def _beside(added: Sequence[Added]) -> Iterator[str]:
    if added:
        yield "The rendered files have besides:"
        yield from (f"- {one.name}={one.value}: {one.reason}" for one in added)
