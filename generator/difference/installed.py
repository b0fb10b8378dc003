"""A Plan against what a machine runs: by the readers of `gen check`, and by what servers read."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.check.machine import HERE, inside, installed
from generator.difference.row import NOTHING, Row, Side, limits, variables
from generator.engines import load_engine
from generator.errors import HostwrightError, ProfileError
from generator.importing.choose import choose
from generator.importing.lines import lines_of
from generator.importing.render_back import views_again, views_of
from generator.readers.base import Context, Source
from generator.readers.seen import views
from generator.readers.syntax import unit
from generator.readers.text import listed_beside, read_beside
from generator.records import dataclass, replace
from generator.units import LIMITS
from generator.verify.intended import intended

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.difference.row import Kind
    from generator.engines.base import Running
    from generator.plan import Plan
    from generator.readers.syntax.unit import Assignment
    from generator.verify.intended import Intended
    from generator.verify.observed import Via
    from generator.view import Line, NotJudged, Place, View

_LISTS: Final = frozenset(
    {
        *("After", "Before", "Wants", "Requires", "PartOf", "WantedBy", "DeviceAllow", "Volume"),
        *("ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "ExecReload"),
        *("LoadCredential", "LoadCredentialEncrypted", "SupplementaryGroups", "AddDevice"),
        *("ReadWritePaths", "ReadOnlyPaths", "CacheDirectory", "EnvironmentFile", "PodmanArgs"),
    }
)
"""Directives of which each line adds to those before; of others the last line wins."""
_UNIT: Final = ".service"
_NAMED: Final = (".volume", ".network", ".build", ".pod", ".image")
"""How the names of quadlets end that a container names."""
_STORE: Final = "/nix/store/"
_TARGETS: Final = {"systemd": "systemd", "compose": "compose", "quadlet": "quadlet"}
_BY: Final[dict[str, Via]] = {"compose": "docker", "quadlet": "podman"}


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Something that is not compared, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What differs of a service that is installed: `old` is what is there, `new` what is meant.

    `left_out` are limits that its manager has no word for, with the reason; `not_judged` is what
    could not be read, and why.
    """

    service: str
    files: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: tuple[Unsaid, ...] = ()
    not_judged: tuple[Unsaid, ...] = ()


def against_installed(
    plan: Plan, catalogue: Catalogue, *, root: str | None = None, service: str | None = None
) -> Installed:
    """Return how what is installed below `root` differs from a Plan.

    Without a `service` it is the one that the Plan has a name for, or the only one. Raises
    HostwrightError where there is none, or where several are; ProfileError for broken files.
    """
    release = catalogue.of(plan.service.engine).release(plan.service.release)
    context = Context(
        catalogue,
        release,
        plan.host,
        read=read_beside,
        exists=os.path.lexists,
        listed=listed_beside,
    )
    seen = views(installed(root or HERE), context)
    if seen.problems:
        raise ProfileError(seen.problems[0].source, tuple(seen.problems))
    seen.views[:] = [view for view in seen.views if view.engine == plan.service.engine]
    if not seen.views:
        raise _nothing(seen.not_judged, plan)
    chosen = choose(seen, service or _own(seen.views, plan))
    view = chosen.view
    kind = view.phrases.kind
    facts = catalogue.at(view.engine, release)
    running = load_engine(view.engine).running(facts)
    wanted = intended(plan.service, _BY.get(kind) if view.container else None)
    nixos = _of_nixos(view, root or HERE)
    # What the module of NixOS sets by itself is none of the profile's.
    own = facts.module_variables.keys() if nixos else ()
    rows = [
        *_image(view, plan),
        *_variables(view, wanted, running, own),
        *_limits(view, wanted),
    ]
    if kind in _TARGETS and not nixos:
        again, sources = views_again(_whole(plan), _TARGETS[kind], context)
        rows += _beside(view, again, sources, seen.texts, context)
        rows += _around(view, sources) if kind == "quadlet" else ()
    return Installed(
        service=view.name,
        files=chosen.files,
        rows=tuple(rows),
        left_out=tuple(Unsaid(limit.directive, why) for limit, why in wanted.left_out),
        not_judged=tuple(Unsaid(gap.file, gap.reason) for gap in seen.not_judged),
    )


def _nothing(gaps: list[NotJudged], plan: Plan) -> HostwrightError:
    why = "; ".join(f"{gap.file}: {gap.reason}" for gap in gaps)
    message = f"nothing is installed here that runs {plan.service.product}"
    message = f"{message}: {why}" if why else message
    return HostwrightError(message, hint="install what is rendered, or name --root DIR")


def _own(found: list[View], plan: Plan) -> str | None:
    """Return the name under which a View is the service of the Plan; None: no View is."""
    service = plan.service
    names = {service.unit, service.name, service.container.name}
    named = {view.name for view in found if view.name in names}
    return service.unit if service.unit in named else next(iter(sorted(named)), None)


def _image(view: View, plan: Plan) -> Iterator[Row]:
    box, image = view.container, plan.service.container.image
    if box is not None and box.image and _short(box.image) != _short(image):
        yield _at(Row(setting="image", old=box.image, new=image), box.of_image)


def _short(image: str) -> str:
    """Return an image without the registry that is meant where none is named."""
    return image.removeprefix("docker.io/").removeprefix("library/")


def _variables(
    view: View, wanted: Intended, running: Running, own: Collection[str]
) -> Iterator[Row]:
    """Yield the variables that mean something else; of what the engine does not know, nothing."""
    there = {one.name: one for one in view.served}
    has = {name: one.value for name, one in there.items() if not one.unresolved}
    meant = {one.name: one.value for one in wanted.variables}
    ours = {
        name: value
        for name, value in has.items()
        if name in meant or (name not in own and _is_of(running, name))
    }
    image = {name: value for name, value in wanted.image.items() if name not in meant}
    new = Side(running=running, variables={**image, **meant})
    old = Side(running=running, variables={**image, **ours})
    for row in variables(old, new):
        one = there.get(row.setting)
        yield _at(row, one.place) if one else row


def _is_of(running: Running, name: str) -> bool:
    """Whether a variable is one of the engine's, or was meant to be."""
    return running.default(name) is not None or bool(running.unread(name))


def _at(row: Row, place: Place) -> Row:
    """Return a row with the place of what is installed, by the name of the file alone."""
    name = f"{PurePosixPath(place.file).name}:{place.line}"
    return replace(row, why="; ".join(filter(None, (name, row.why))))


def _limits(view: View, wanted: Intended) -> Iterator[Row]:
    # Memory and swap together are the line of the swap alone, read another way.
    bounds = [one for one in view.bounds if one.name in LIMITS]
    held = {
        one.name: (one.value, one.written or str(one.value)) for one in bounds if not one.derived
    }
    places = {LIMITS[one.name]: one.place for one in bounds}
    meant = {limit.name: limit for limit in wanted.limits}
    for row in limits(held, meant):
        yield _at(row, places[row.setting]) if row.setting in places else row


def _whole(plan: Plan) -> Plan:
    """Return a Plan that also says what the installer's unit does: another file may undo that."""
    services = (
        replace(one, restart=replace(one.restart, installed=False)) for one in plan.services
    )
    return replace(plan, services=tuple(services))


def _of_nixos(view: View, root: str) -> bool:
    """Whether a unit is of a generation of NixOS, which no rendered unit is laid beside."""
    name = os.path.relpath(view.place.file, root)
    return _STORE in (inside(root, name) or "")


def _beside(
    view: View,
    again: Sequence[View],
    sources: Sequence[Source],
    texts: Mapping[str, str],
    context: Context,
) -> Iterator[Row]:
    """Yield what differs beside variables and limits: lines, and files of others than the server.

    `again` is what the readers see of the rendered `sources`; `texts` are all files that there are.
    """
    names = {PurePosixPath(source.path).name for source in sources}
    server = next((one for one in again if one.name == view.name), None)
    if server is not None:
        yield from _lines([view], server, None if view.phrases.kind == "compose" else names)
    jobs = {_file(one.place): one for one in again if _file(one.place).endswith(_UNIT)}
    there = [Source(path, text) for path, text in texts.items() if PurePosixPath(path).name in jobs]
    found = views_of(there, context)
    for name, job in jobs.items():
        if job is server:
            continue
        if name not in {PurePosixPath(source.path).name for source in there}:
            yield Row(setting=f"file {name}", old=NOTHING, new="rendered", kind="new")
            continue
        for row in _lines([one for one in found if _file(one.place) == name], job, names):
            yield replace(row, setting=f"{name}: {row.setting}")


def _around(view: View, sources: Sequence[Source]) -> Iterator[Row]:
    """Yield what differs in the quadlets that the container names: volumes, networks, builds."""
    place = PurePosixPath(view.place.file).parent
    folder = place.parent if place.name.endswith(".d") else place
    for source in sources:
        name = PurePosixPath(source.path).name
        if not name.endswith(_NAMED):
            continue
        text = read_beside(str(folder / name))
        if text is None:
            yield Row(setting=f"file {name}", old=NOTHING, new="rendered", kind="new")
            continue
        has, meant = (_values(Source(name, each)) for each in (text, source.text))
        for key in sorted({*has, *meant}):
            old, new = has.get(key), meant.get(key)
            if old and new and old.value == new.value:
                continue
            kind: Kind = "changed" if old and new else "new" if new else "gone"
            row = Row(
                setting=f"{name}: [{key[0]}] {key[1]}",
                old=old.value if old else NOTHING,
                new=new.value if new else NOTHING,
                kind=kind,
            )
            yield _at(row, old.place()) if old else row


def _values(source: Source) -> dict[tuple[str, str], Assignment]:
    return {(one.section, one.key): one for one in unit.parse(source) if one.key and one.value}


def _lines(there: Sequence[View], meant: View, ours: set[str] | None) -> Iterator[Row]:
    """Yield lines that are rendered and not in effect, and lines of `ours` that go (None: any)."""
    found, wanted = _said(there), _said([meant])
    last = {key[:2]: line for key, line in found.items()} if meant.phrases.headers else {}
    for key, line in wanted.items():
        winner = last.get(key[:2])
        setting = f"[{line.section}] {line.name}"
        if key not in found:
            yield Row(setting=setting, old=NOTHING, new=line.value, kind="new")
        elif winner and winner.value != line.value and line.name not in _LISTS:
            yield _at(Row(setting=setting, old=winner.value, new=line.value), winner.place)
    for key, line in found.items():
        if key not in wanted and (ours is None or _file(line.place) in ours):
            setting = f"[{line.section}] {line.name}"
            yield _at(Row(setting=setting, old=line.value, new=NOTHING, kind="gone"), line.place)


def _said(found: Sequence[View]) -> dict[tuple[str, str, str], Line]:
    return {
        (line.section, line.name, line.value): line for view in found for line in lines_of(view)
    }


def _file(place: Place) -> str:
    return PurePosixPath(place.file).name
