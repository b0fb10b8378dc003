"""Variables and limits of a View as Entries: what no kind of file says in a way of its own."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from generator.engines import load_engine
from generator.importing.entries import Entry, Left
from generator.resolve.confine import TASKS
from generator.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Bound, Variable, View

SIZES = frozenset({"memory_max", "memory_high", "memory_swap_max", "limit_memlock"})
_INSIDE = "it is about the inside of the container, which a port and mounts express"
_SWAP = "memory_swap_max"
_BOTH = "a profile has the swap alone, beside a memory limit"
_HIGH = "memory_high"
_RESERVED = frozenset({"compose", "script"})
_KEPT = "it is what the kernel keeps for the container, and a profile has limits alone"
_LOCKED = "LimitMEMLOCK"
_SOFT = "a profile has one value for the soft and the hard limit: the soft one"
_QUOTA = re.compile(r"(\d+(?:\.\d+)?)(%?)", re.ASCII)
TOGETHER = "memory_and_swap"
"""The limit of memory and swap together, beside which that of swap alone stands."""
_OUT_OF_REACH = {
    "client": "a client reads it, and no server",
    "shell": "only a login shell would export it, and no service gets that",
}


def variables(view: View, facts: Facts) -> Iterator[Entry | Left]:
    """Yield what the variables of a View become."""
    effective = {id(one) for one in view.served}
    for one in view.variables:
        if id(one) in effective:
            yield from _variable(one, view, facts)
        elif one.reach in _OUT_OF_REACH:
            yield left(one, facts, _OUT_OF_REACH[one.reach], idle=True)
    for lost in view.overruled:
        by = f"{lost.by.file}:{lost.by.line}"
        reason = f"{by} says otherwise, and wins"
        yield Left(name=lost.name, value="", place=lost.place, reason=reason, idle=True)


def _variable(one: Variable, view: View, facts: Facts) -> Iterator[Entry | Left]:
    if one.refused:
        yield left(one, facts, one.refused, idle=True)
    elif one.unresolved:
        reason = "the running host fills in a part of it, which no profile can"
        yield left(one, facts, reason, fix="write its value into the profile")
    else:
        meant = load_engine(view.engine).meant(one.name, one.value, facts)
        if view.container is not None and _of_place(view) >= meant.keys.keys() > set():
            yield left(one, facts, _INSIDE, idle=True)
            return
        if not meant.keys:
            yield left(one, facts, meant.why, fix=meant.fix, rule=meant.rule, idle=meant.idle)
        for key, value in meant.keys.items():
            yield Entry(
                key=key,
                value=value,
                name=one.name,
                place=one.place,
                note=meant.why,
                rule=meant.rule,
            )


def _of_place(view: View) -> set[str]:
    """Return the keys that a container says by a port and by mounts."""
    return {*(f"{view.engine}.{key}" for key in ("host", "port", "models_dir")), "service.home"}


def left(
    one: Variable, facts: Facts, reason: str, *, fix: str = "", rule: str = "", idle: bool = False
) -> Left:
    """Return a variable that the profile does not carry; a secret without its value."""
    value = "" if facts.secrets.has(one.name) else one.value
    return Left(
        name=one.name, value=value, place=one.place, reason=reason, fix=fix, rule=rule, idle=idle
    )


def bounds(view: View) -> Iterator[Entry | Left]:
    """Yield what the limits of a View become."""
    yield from _swapped(view)
    for one in view.bounds:
        written = one.written or str(one.value)
        if one.name == TOGETHER:
            if view.bound(_SWAP) is None:
                yield Left(name=one.name, value=written, place=one.place, reason=_BOTH)
            continue
        if one.name == _HIGH and view.phrases.kind in _RESERVED:
            yield Left(name=one.name, value=written, place=one.place, reason=_KEPT)
        elif one.derived:
            reason = "it follows from another setting"
            yield Left(name=one.name, value=written, place=one.place, reason=reason, idle=True)
        elif view.container and (one.name, one.value) == ("tasks_max", TASKS):
            reason = "a container has this bound of itself"
            yield Left(name=one.name, value=written, place=one.place, reason=reason, idle=True)
        else:
            key, note = f"resources.{one.name}", _rounded(one)
            yield Entry(key=key, value=_limit(one), name=one.name, place=one.place, note=note)
    for line in view.lines:
        soft, colon, hard = line.value.partition(":")
        if line.name == _LOCKED and colon and soft != hard:
            yield Left(name=line.name, value=line.value, place=line.place, reason=_SOFT)


def _rounded(one: Bound) -> str:
    """Return that a quota had a fraction, which a profile has none of."""
    number = _QUOTA.fullmatch(one.written.strip("\"' ")) if one.name == "cpu_quota" else None
    if number is None or not isinstance(one.value, int):
        return ""
    told = Decimal(number[1]) * (1 if number[2] else 100)
    return "" if told == one.value else f"it was {one.written}, and a profile has whole percents"


def _swapped(view: View) -> Iterator[Entry]:
    """Yield the swap that a limit on memory leaves without a word: a profile would leave none."""
    one, book = view.bound("memory_max"), view.phrases
    if one is None or one.value is None or view.bound("memory_swap_max") is not None:
        return
    of_unit = book.limits_unit(one)
    if book.unit_no_swap if of_unit else book.no_swap:
        # An engine of containers allows as much again.
        value = "infinity" if of_unit else _limit(one)
        note = "as much as now; 0 keeps models out of swap"
        key = "resources.memory_swap_max"
        yield Entry(key=key, value=value, name="memory_swap_max", place=one.place, note=note)


def _limit(one: Bound) -> int | str:
    """Return a limit as a profile writes it."""
    if one.value is None:
        return "infinity"
    if one.name in SIZES and isinstance(one.value, int):
        return format_size(one.value)
    return f"{one.value}%" if one.name == "cpu_quota" else one.value
