"""Units of a module that ask or serve an engine, and that nothing starts."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from generator.readers.nixos.modules import said_literally
from generator.view import UNSTARTED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition

_STARTING: Final = frozenset(
    {"wantedBy", "requiredBy", "upheldBy", "startAt", "aliases", "WantedBy", "RequiredBy", "Alias"}
)
_MOST: Final = 300
"""Files of a check in which what starts a unit is looked for."""
_MOST_UNITS: Final = 200
"""Units of a file that are looked for: each in all of those texts."""
_RUNS: Final = frozenset({"script", "ExecStart"})
_KINDS: Final = ("services", "timers")
_OTHERS: Final = frozenset({"timers", "sockets", "paths"})
"""Units that start a service of the same name."""


def unstarted(source: Source, context: Context) -> Iterator[Line]:
    """Yield the services, and the timers of such, that no target and no other unit wants.

    One of the module for the engine is started by that, whatever is added to it here.
    """
    every, engine = said_literally(source), context.engine.name
    units = _units([d for d in every if "systemd" in d.path])
    ours = {key for key, own in units.items() if _is_ours(key, own, engine)}
    if not ours or len(context.fellows) > _MOST:
        return
    texts = (source.text, *(one.text for one in context.fellows if one.path != source.path))
    module = re.compile(rf"(?<![\w.])services\.{engine}\b")
    if any(map(module.search, texts)) or any(d.path[:2] == ("services", engine) for d in every):
        ours.discard(("services", engine))
    for (kind, name), own in islice(units.items(), _MOST_UNITS):
        mine = (kind, name) in ours or (kind == "timers" and ("services", name) in ours)
        if not mine or _is_started(own) or _is_named(kind, name, texts):
            continue
        by_others = kind == "services" and any((one, name) in units for one in _OTHERS)
        if not by_others:
            unit = f"{name}.{kind.removesuffix('s')}"
            place = Place(source.path, min(d.line for d in own))
            of_users = ("systemd", "user")
            manager = "user" if any(_has(d.path, of_users) for d in own) else "system"
            yield Line(section=UNSTARTED, name=unit, value=manager, place=place)


def _units(found: Sequence[Definition]) -> dict[tuple[str, str], list[Definition]]:
    """Return what is said of each unit, by its kind and name; of one that is made, nothing."""
    units: dict[tuple[str, str], list[Definition]] = {}
    for one in found:
        at = one.path.index("systemd")
        at += one.path[at + 1 : at + 2] == ("user",)
        kind, name, below = one.path[at + 1 : at + 2], one.path[at + 2 : at + 3], one.path[at + 3 :]
        if kind and name and kind[0] in {*_KINDS, *_OTHERS}:
            units.setdefault((kind[0], name[0]), []).append(one)
            if not below or one.maybe:
                units[kind[0], name[0]].append(one)
    return units


def _is_ours(key: tuple[str, str], own: Sequence[Definition], engine: str) -> bool:
    kind, name = key
    asks = re.compile(rf"\b{engine}(?:\b|/bin/)")
    runs = [str(d.value) for d in own if d.path[-1] in _RUNS]
    whole = not any(d.maybe or d.path[-1] == name for d in own)
    return kind == "services" and whole and any(map(asks.search, runs))


def _has(path: tuple[str, ...], part: tuple[str, str]) -> bool:
    at = path.index(part[0])
    return path[at : at + 2] == part


def _is_started(own: Sequence[Definition]) -> bool:
    """Whether something of a unit says what starts it, or that it is no unit of one's own."""
    # Who writes an empty list wants to start it by hand.
    return any(d.path[-1] in _STARTING | _CHOSEN for d in own)


_CHOSEN: Final = frozenset({"enable", "overrideStrategy"})


def _is_named(kind: str, name: str, texts: Sequence[str]) -> bool:
    """Whether a file of the check names the unit, as what wants or starts it does."""
    unit = re.escape(name)
    ends = r"\.service" if kind == "services" else r"\.timer"
    named = re.compile(
        rf"(?<![\w@.-]){unit}{ends}|systemctl[^\n]*\s{unit}(?![\w.-])"
        rf"|systemd\.(?:user\.)?{kind}\.\"?{unit}\"?\.(?:wantedBy|startAt|requiredBy)"
    )
    return "@" in name or any(map(named.search, texts))
