"""The rendered files as their reader sees them: what of the old ones they have as well."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.importing.entries import Added, Left
from generator.importing.lines import lines_of
from generator.readers.base import Source
from generator.readers.discover import Found
from generator.readers.groups import Group
from generator.readers.seen import views
from generator.readers.signs import kind_of
from generator.records import dataclass, replace
from generator.targets import load_target
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.importing.choose import Chosen
    from generator.plan import Plan
    from generator.readers.base import Context
    from generator.view import Line, View

_KEEP_ELSEWHERE: Final = "add it to what is rendered, if it matters"
_NEEDS: Final = "What the profile asks for needs it; the drop-in has the reason."
_OF_THE_INSTALLER: Final = frozenset({"Restart", "RestartSec"})
"""What the unit of the installer says word for word."""
_CONFINES: Final = frozenset({"cap_drop", "read_only", "security_opt"})
_LESS: Final = "A rendered container may do what it needs alone; `[container]` has the keys."
_STAYS: Final = "the unit keeps it: drop-ins leave it as it is"
NO_KEY: Final = "no key of a profile says it"
KEEP: Final = "keep it in a drop-in of your own"


PROGRAM: Final = "ExecStart"


@dataclass(frozen=True, slots=True)
class Again:
    """What a target writes for a Plan: lines, mounts, and files by their names without comments."""

    lines: frozenset[tuple[str, str, str]]
    mounts: frozenset[str]
    files: Mapping[str, str]
    directives: frozenset[tuple[str, str]] = frozenset()
    """The sections and names of all lines of units."""
    drop_ins: tuple[tuple[str, str], ...] = ()
    """Names and values of the lines of drop-ins, in their order."""


def views_again(plan: Plan, target: str, context: Context) -> tuple[Sequence[View], list[Source]]:
    """Return what the readers see of what a target makes of a Plan, and that itself."""
    sources = [Source(file.path, file.text) for file in load_target(target).render(plan)]
    return views_of(sources, context), sources


def views_of(sources: Iterable[Source], context: Context) -> Sequence[View]:
    """Return what the readers see of files, units of systemd each with its drop-ins alone."""
    together: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        if (kind := kind_of(source)) is not None:
            together.setdefault((kind, _unit(source, kind)), []).append(source)
    groups = tuple(Group(kind, tuple(found)) for (kind, _), found in together.items())
    return views(Found(groups), context).views


def _unit(source: Source, kind: str) -> str:
    """Return the unit that a file of systemd's is read with: itself, or that of a drop-in."""
    path = PurePosixPath(source.path)
    drop_in = path.parent.name.endswith(".d")
    return (path.parent.name.removesuffix(".d") if drop_in else path.name) * (kind == "systemd")


def written_again(plan: Plan, target: str, context: Context) -> Again:
    """Return what a target makes of a Plan, as the readers see it."""
    found, sources = views_again(plan, target, context)
    boxes = (view.container for view in found if view.container)
    return Again(
        frozenset(_said(line) for view in found for line in lines_of(view)),
        frozenset(text for box in boxes for text, _ in box.mounts),
        {posixpath.basename(source.path): _bare(source.text) for source in sources},
        frozenset((line.section, line.name) for view in found for line in view.lines),
        tuple(
            (line.name, line.value)
            for view in found
            for line in lines_of(view)
            if line.place.file.endswith(".conf")
        ),
    )


def with_program(again: Again, unit: View) -> Again:
    """Return what is in effect of the program, too, where drop-ins leave it to the unit."""
    lines = (line for line in unit.lines if line.name == PROGRAM and is_unit(line.place.file))
    return replace(again, lines=again.lines | {_said(line) for line in lines})


def _said(line: Line) -> tuple[str, str, str]:
    return (line.section, line.name, line.value)


def _bare(text: str) -> str:
    """Return what a unit file says, without comments and empty lines."""
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and line[0] not in "#;")


def not_again(chosen: Chosen, again: Again, carried: set[str], *, full: bool) -> Iterator[Left]:
    """Yield what stands in units and is not rendered.

    `carried` are the directives that the profile has; `full`: it writes the unit itself, too.
    """
    for view in (chosen.view, *chosen.jobs):
        for line in lines_of(view):
            of_unit = is_unit(line.place.file)
            # A bundle of drop-ins has no program: that of the unit runs.
            kept = line.name in carried and (full or of_unit or line.name != PROGRAM)
            if not kept and _said(line) not in again.lines:
                yield _line_left(line, view, stays=not full and of_unit)
    for path, text in chosen.unread.items():
        if again.files.get(posixpath.basename(path)) != _bare(text):
            reason = "it is no server and no job beside one, as far as can be told"
            yield Left(name="file", value="", place=Place(path), reason=reason, fix="keep it")


def besides(chosen: Chosen, again: Again, carried: set[str]) -> Iterator[Added]:
    """Yield the directives of drop-ins that are written and that no file had."""
    known = carried | {line.name for line in chosen.view.lines if line.value}
    if not any(map(is_unit, chosen.files)):
        known |= _OF_THE_INSTALLER
    for name, value in dict(reversed(again.drop_ins)).items():
        if name not in known:
            yield Added(name=name, value=value, reason=_NEEDS)
    had = {(line.name, line.value) for line in chosen.view.lines}
    for name, value in again.drop_ins:
        if name == "ExecStartPre" and name in known and (name, value) not in had:
            yield Added(name=name, value=value, reason=_NEEDS)


def confines(chosen: Chosen, again: Again) -> Iterator[Added]:
    """Yield what a rendered container may not do that it may where no file says so."""
    had = {line.name for line in lines_of(chosen.view)}
    for _, name, value in sorted(again.lines):
        if name in _CONFINES and name not in had:
            yield Added(name=name, value=value, reason=_LESS)


def _line_left(line: Line, view: View, *, stays: bool) -> Left:
    fix = KEEP if view.phrases.headers else _KEEP_ELSEWHERE
    return Left(
        name=line.name,
        value=line.value,
        place=line.place,
        reason=_STAYS if stays else NO_KEY,
        fix="" if stays else fix,
        idle=stays,
    )


def is_unit(path: str) -> bool:
    """Whether a file is a unit, which stays when drop-ins are put beside it."""
    return PurePosixPath(path).suffix == ".service"
