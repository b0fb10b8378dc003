"""Which of the services that files describe is imported, and what is beside it."""

from __future__ import annotations

from dataclasses import field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError
from generator.importing.entries import Left
from generator.records import dataclass, replace
from generator.rules.helpers.containers import is_client
from generator.view import OTHERWISE, SOMETIMES, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.readers.seen import Seen
    from generator.view import View

_SERVERS: Final = frozenset(
    {"systemd", "quadlet", "compose", "kubernetes", "helm", "nixos", "script", "environment"}
)
"""Kinds of file that describe a server."""
_VARIABLES: Final = "environment"
_MODELFILE: Final = "modelfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The View of a server, those of its jobs and Modelfiles, and what could not be read of it."""

    view: View
    jobs: tuple[View, ...] = ()
    modelfiles: tuple[View, ...] = ()
    left: tuple[Left, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """The texts of files beside them that no View is of."""
    hidden: frozenset[str] = frozenset()
    """The variables that were taken out of the View, because they hold secrets."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The texts of all files."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it comes from."""
        views = (self.view, *self.jobs, *self.modelfiles)
        places = (p for view in views for p in _places(view))
        return tuple(dict.fromkeys(place.file for place in places))

    @property
    def drop_ins(self) -> tuple[str, ...]:
        """The drop-ins for the unit of the server, which win over others by their names."""
        folder = f"{self.view.name}.d"
        paths = map(PurePosixPath, self.files)
        return tuple(str(p) for p in paths if p.suffix == ".conf" and p.parent.name == folder)


def _places(view: View) -> list[Place]:
    found = [view.place, *(one.place for one in view.variables)]
    found += (one.place for one in view.bounds)
    found += (one.place for one in view.lines)
    return [*found, *(one.place for one in view.models)]


def choose(seen: Seen, service: str | None) -> Chosen:
    """Return the service of that name, or the only one.

    Raises HostwrightError where there is none, or where there are several.
    """
    servers = [view for view in seen.views if _is_server(view)]
    # A script that runs a container is a View, too, of what it says besides.
    servers = [view for view in servers if _says_something(view)] or servers
    conditional = [v for v in servers if _is_there_otherwise(v, servers)]
    servers = [v for v in servers if v not in conditional]
    loose = [view for view in servers if view.phrases.kind == _VARIABLES]
    whole = [view for view in servers if view not in loose]
    over = loose if len(whole) == 1 else []
    found = _named(whole if over else servers, service)
    if not found:
        raise _nothing(seen)
    if len(found) > 1:
        names = ", ".join(f"`{view.name}` ({view.place.file})" for view in found)
        raise HostwrightError(
            f"there are {len(found)} services: {names}", hint="choose one by --service NAME"
        )
    jobs = tuple(view for view in seen.views if _is_job(view))
    return Chosen(
        view=_under(found[0], over),
        jobs=jobs,
        modelfiles=tuple(v for v in seen.views if v.phrases.kind == _MODELFILE),
        left=(*_not_read(seen), *_added(found[0], conditional)),
        unread=_unread(seen),
        texts=seen.texts,
    )


def _is_there_otherwise(view: View, views: Sequence[View]) -> bool:
    """Return whether a service is another one of them, with what a condition would add."""
    same = [v for v in views if (v.name, v.place.file) == (view.name, view.place.file)]
    return same[0] is not view and any(line.name == OTHERWISE for line in view.lines_in(SOMETIMES))


def _named(views: Sequence[View], service: str | None) -> list[View]:
    if service is None:
        return [*views]
    found = [view for view in views if service in {view.name, view.name.partition(".")[0]}]
    if not found:
        names = ", ".join(f"`{view.name}`" for view in views) or "none"
        raise HostwrightError(f"there is no service `{service}`", hint=f"there are: {names}")
    return found


def _is_server(view: View) -> bool:
    kind = view.phrases.kind
    return kind in _SERVERS and not _is_job(view) and not is_client(view)


def _says_something(view: View) -> bool:
    return bool(view.container or view.variables or view.bounds or view.lines or view.models)


def _is_job(view: View) -> bool:
    """Whether a unit only asks a server that another file starts."""
    once = any(line.name == "Type" and line.value == "oneshot" for line in view.lines)
    return view.phrases.kind == "systemd" and view.container is None and once


def _under(view: View, files: Sequence[View]) -> View:
    """Return a server with files of variables over it that were named beside it."""
    more = tuple(variable for file in files for variable in file.variables)
    return replace(view, variables=(*view.variables, *more)) if more else view


def _nothing(seen: Seen) -> HostwrightError:
    gap = next(iter(seen.not_judged), None)
    told = f"{gap.file}: {gap.reason}" if gap else "nothing that is named runs a server"
    kinds = "a unit or its drop-ins, a compose file, a quadlet, a NixOS module, `docker run`"
    return HostwrightError(told, hint=f"name {kinds}, or what is made of it")


def _unread(seen: Seen) -> dict[str, str]:
    used = {place.file for view in seen.views for place in _places(view)}
    used |= {gap.file for gap in seen.not_judged}
    return {path: text for path, text in seen.texts.items() if path not in used and text}


def _added(view: View, conditional: Sequence[View]) -> Iterator[Left]:
    """Yield what a service gets where conditions hold that do not with the defaults."""
    there = {*_said(view)}
    for name, value, place in dict.fromkeys(one for v in conditional for one in _said(v)):
        if place.file == view.place.file and (name, value, place) not in there:
            yield Left(
                name=name,
                value=value,
                place=place,
                reason="a condition sets it that does not hold with the defaults of this module",
                fix="add it to the profile, if it does on this machine",
            )


def _said(view: View) -> Iterator[tuple[str, str, Place]]:
    yield from ((one.name, one.value, one.place) for one in view.variables)
    lines = (one for one in view.lines if one.section != SOMETIMES and one.name != "Environment")
    yield from ((one.name, one.value, one.place) for one in lines)


def _not_read(seen: Seen) -> list[Left]:
    return [
        Left(
            name=gap.part or "file",
            value="",
            place=Place(gap.file, gap.line),
            reason=gap.reason,
            fix=gap.hint,
        )
        for gap in seen.not_judged
    ]
