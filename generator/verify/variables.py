"""The variables of a Plan against what files, manager, process and server say of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.verify.intended import CONTAINERS
from generator.verify.rows import NOTHING, Row, Stage, by_file, by_manager, judged, written_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.engines.base import Running
    from generator.plan import Setting
    from generator.verify.observed import Observed
    from generator.view import Variable

_OF_IMAGES: Final = frozenset({"NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"})


def variable(setting: Setting, seen: Observed, running: Running) -> Row:
    """Return the row of a variable of the Plan."""
    row = Row(setting=setting.name, intended=setting.value)
    row = judged(row, [*_stages(setting, seen, running)])
    if why := running.unread(setting.name):
        return replace(row, verdict="not read", why=why, by="")
    if row.verdict == "ok" and _waits(setting.name, seen, running):
        why = "no model is loaded, and only the program of one reads it"
        return replace(row, verdict="unknown", why=why)
    return row


def _waits(name: str, seen: Observed, running: Running) -> bool:
    """Whether only a program reads it that is not there, for no model is loaded."""
    return running.of_runner(name) and seen.process is not None and not seen.process.children


def _stages(setting: Setting, seen: Observed, running: Running) -> Iterator[Stage]:
    """Yield what is known of a variable, from the file that says it to the server that read it."""
    name, value = setting.name, setting.value

    def means_it(other: str | None) -> bool:
        return other is not None and running.meaning(name, other) == running.meaning(name, value)

    if seen.written and (found := seen.written.variable(name)):
        lost = any(each.name == name and means_it(each.value) for each in seen.written.variables)
        yield by_file(found.value, found.place, right=means_it(found.value), lost=lost)
    if seen.held is not None:
        held = held_value(name, seen)
        yield by_manager(seen.held, _or_nothing(held), right=means_it(held))
    environment = _environment(seen, of_runner=running.of_runner(name))
    if environment is not None:
        got = environment.get(name)
        has = "without it" if got is None else f"with `{got}`"
        due = ": restart it" if seen.held else ""
        why = f"the process was started {has}{due}"
        yield Stage(who="process", shown=_or_nothing(got), right=means_it(got), why=why)
    if (told := seen.config.get(name)) is not None:
        why = f"the server was given it, and read it as `{told}`"
        yield Stage(who="server", shown=told, right=running.agrees(name, value, told), why=why)


def _or_nothing(value: str | None) -> str:
    return NOTHING if value is None else value


def _written(name: str, seen: Observed) -> Variable | None:
    return seen.written.variable(name) if seen.written else None


def held_value(name: str, seen: Observed) -> str | None:
    """Return what the manager hands over, from its own list or from a file that it names."""
    if seen.held is None:
        return None
    found = _written(name, seen)
    if found and seen.held.files and found.place.file.endswith(seen.held.files):
        return found.value
    return seen.held.variables.get(name)


def _environment(seen: Observed, *, of_runner: bool = False) -> Mapping[str, str] | None:
    """Return the environment of the server, or of the program that it runs for a model."""
    if seen.process is None:
        return None
    every = (*(seen.process.children if of_runner else ()), seen.process)
    return next((one.variables for one in every if one.variables is not None), None)


def strays(ours: frozenset[str], seen: Observed, running: Running) -> Iterator[Row]:
    """Yield a row for each variable that is set without the Plan, and is one of the engine's.

    What looks like one and is none is in vain, and tells what somebody wanted.
    """
    held = seen.held.variables if seen.held else {}
    given = _environment(seen) or {}
    # An image tells its own server where to listen, and which devices it may ask for.
    boxed = _OF_IMAGES if seen.held and seen.held.by in CONTAINERS else frozenset[str]()
    for name in sorted({*held, *given} - ours - boxed):
        if running.unread(name) or running.default(name) is not None:
            yield _stray(name, held_value(name, seen), given.get(name), seen, running)


def _stray(name: str, held: str | None, got: str | None, seen: Observed, running: Running) -> Row:
    found = _written(name, seen)
    place = written_at(found.place) if found else ""
    effective = seen.config.get(name, got)
    row = Row(
        setting=name,
        intended=NOTHING,
        held=_or_nothing(held),
        effective=_or_nothing(effective),
        by=place,
        stray=True,
    )
    sets = f"{place} sets it; " if place else ""
    if why := running.unread(name):
        return replace(row, verdict="not read", why=f"{sets}{why}")
    value, default = got if got is not None else held or "", running.default(name) or ""
    if running.meaning(name, value) == running.meaning(name, default):
        return replace(row, why="the default, which the profile leaves alone", by="")
    return replace(row, verdict="drift", why=f"{sets}the profile does not have it")
