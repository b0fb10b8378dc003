"""The variables of a Plan against what files, manager, process and server say of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.redact import HIDDEN
from generator.verify.rows import (
    NOTHING,
    Row,
    Stage,
    by_file,
    by_manager,
    judged,
    written_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.engines.base import Running
    from generator.plan import Setting
    from generator.verify.intended import Intended
    from generator.verify.observed import Observed
    from generator.view import Variable

_AUTO: Final = "auto"


def variable(setting: Setting, seen: Observed, running: Running) -> Row:
    """Return the row of a variable of the Plan."""
    row = Row(setting=setting.name, intended=setting.value)
    stages = [*_stages(setting, seen, running)]
    row = judged(row, stages)
    if running.secret(setting.name) and any(stage.shown == HIDDEN for stage in stages):
        return replace(row, verdict="unknown", why="no capture has secrets in it", by="")
    if why := running.unread(setting.name):
        return replace(row, verdict="not read", why=why, by="")
    if row.verdict != "ok" or not running.of_runner(setting.name) or seen.process is None:
        return row
    children = seen.process.children
    if not children:
        why = "no model is loaded, and only the program of one reads it"
        return replace(row, verdict="unknown", why=why)
    if any(running.reads_own(child.command) for child in children):
        return row
    program = " ".join(children[0].command[:2])
    return replace(row, verdict="not read", why=f"`{program}` runs the model, and does not read it")


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
    environment = _environment(seen, running if running.of_runner(name) else None)
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


def _environment(seen: Observed, of: Running | None = None) -> Mapping[str, str] | None:
    """Return the environment of the server, or of the program that it runs for a model."""
    if seen.process is None:
        return None
    children = (c for c in seen.process.children if of and of.reads_own(c.command))
    every = (*children, seen.process)
    return next((one.variables for one in every if one.variables is not None), None)


def strays(wanted: Intended, seen: Observed, running: Running) -> Iterator[Row]:
    """Yield a row for each variable that is set without the Plan, and is one of the engine's.

    What looks like one and is none is in vain, and tells what somebody wanted.
    """
    held = seen.held.variables if seen.held else {}
    given = _environment(seen) or {}
    for name in sorted({*held, *given} - {setting.name for setting in wanted.variables}):
        default = wanted.image.get(name, running.default(name))
        if default is not None or running.unread(name):
            row = _stray(name, given.get(name), default or "", seen, running)
            yield from () if row.verdict == "ok" and name in wanted.image else (row,)


def _stray(name: str, got: str | None, default: str, seen: Observed, running: Running) -> Row:
    held = held_value(name, seen)
    found = seen.written.variable(name) if seen.written else None
    place = written_at(found.place) if found else ""
    row = Row(
        setting=name,
        intended=NOTHING,
        held=_or_nothing(held),
        effective=_or_nothing(seen.config.get(name, got)),
        by=place,
        stray=True,
    )
    at = f"{place}: " if place else ""
    if why := running.unread(name):
        return replace(row, verdict="not read", why=f"{at}{why}")
    value = got if got is not None else held or ""
    # What a server decides by itself no value says, and a Boolean reads any word as true.
    decides = default == _AUTO and bool(value.strip())
    if not decides and running.meaning(name, value) == running.meaning(name, default):
        return replace(row, why="the default, which the profile leaves alone", by="")
    return replace(row, verdict="drift", why=f"{at}the profile does not have it")
