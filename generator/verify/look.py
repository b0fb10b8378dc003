"""Look at a running service: who manages it, what it got, what it says. Nothing is changed."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.check.machine import installed
from generator.detect.cgroup import groups_of
from generator.engines import load_signs
from generator.errors import EnvironmentFailure
from generator.live.client import host_and_port
from generator.readers.base import Context
from generator.readers.seen import views
from generator.readers.text import listed_beside, read_beside
from generator.verify import container, manager
from generator.verify.answers import answers
from generator.verify.log import kept
from generator.verify.nearest import nearest
from generator.verify.observed import VIAS, Answers, Held, Observed
from generator.verify.process import environment, process, processes, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from generator.catalogue.catalogue import Catalogue
    from generator.engines.base import Running
    from generator.plan import Service
    from generator.verify.machine import Machine
    from generator.verify.observed import Process, Via
    from generator.view import Place, View

_UNBOUND: Final = (None, 0, 100)
"""What a container has of limits that nobody gave it: no bound, no score, the usual weight."""
_AFAR: Final = frozenset({"api"})
_PAUSE: Final = 0.5  # seconds between two questions whether it answers
MODELS: Final = "OLLAMA_MODELS"


def look(
    service: Service,
    machine: Machine,
    running: Running,
    catalogue: Catalogue,
    *,
    url: str,
    via: Collection[Via] = (),
    here: bool = True,
) -> Observed:
    """Return what is seen of a service; `via`: ask these alone. Raises EnvironmentFailure: nothing.

    Without `via` all are asked that there are, or the server alone where it is not `here`; of
    several managers the one counts that runs it.
    """
    asked = via or (VIAS if here else ("api",))
    told = answers(service, machine.api(url), running) if "api" in asked else None
    held, seen = _local(service, machine, running, asked, url) if {*asked} - _AFAR else (None, None)
    if isinstance(told, Answers) and not held and seen:
        # Another server of this machine is none that was asked.
        seen = seen if _port(seen.variables, service, running) == host_and_port(url)[1] else None
    if not (held or seen or isinstance(told, Answers)):
        raise _elsewhere(service, machine, running, told) or _nobody(service)
    log = kept(machine, held, seen.pid if seen else 0)
    return Observed(
        url=url,
        written=_written(service, machine, catalogue, held),
        held=held,
        process=seen,
        config=running.config(log),
        devices=running.devices(log),
        loads=running.said(log),
        room=_room(service, machine, held, seen) if held or seen else None,
        answers=told if isinstance(told, Answers) else None,
        unanswered=told.message if isinstance(told, EnvironmentFailure) else "",
        gaps=tuple(machine.gaps.items()),
    )


def _elsewhere(
    service: Service, machine: Machine, running: Running, told: Answers | EnvironmentFailure | None
) -> EnvironmentFailure | None:
    """Return why the server does not answer, with the ports at which others of this machine do."""
    if not isinstance(told, EnvironmentFailure):
        return None
    if machine.captured:
        return told
    ours = servers(processes(machine.files), load_signs(service.engine).command)
    given = (environment(machine.files, pid) for pid in ours)
    ports = sorted({_port(one, service, running) or 0 for one in given if one is not None})
    if not ports:
        return told
    hint = f"{service.product} listens at {', '.join(map(str, ports))} here: name one by --url"
    return EnvironmentFailure(told.message, hint=hint)


def _nobody(service: Service) -> EnvironmentFailure:
    hint = "is it installed? `--via` says whom to ask, a cluster too, `--url` where it answers"
    return EnvironmentFailure(f"nobody here knows of {service.unit}", hint=hint)


def _room(
    service: Service, machine: Machine, held: Held | None, seen: Process | None
) -> int | None:
    """Return the bytes that are left for models; of a volume of containers nobody here knows."""
    boxed = held is not None and held.by in container.ENGINES
    folder = service.models_dir if boxed else models_folder(service, seen)
    return machine.room(folder) if folder else None


def models_folder(service: Service, seen: Process | None) -> str:
    """Return where the models are: where the process was told, below its home, or as installed."""
    got = (seen.variables if seen else None) or {}
    if told := got.get(MODELS) or service.models_dir:
        return told
    return f"{got['HOME']}/{service.models_below}" if "HOME" in got else service.installed_models


def _local(
    service: Service, machine: Machine, running: Running, asked: Collection[Via], url: str
) -> tuple[Held | None, Process | None]:
    """Return what a manager holds, and the process: its own, or the one that listens there."""
    every = processes(machine.files)
    ours = servers(every, load_signs(service.engine).command)
    port = host_and_port(url)[1]
    ports = {pid: _port(environment(machine.files, pid), service, running) for pid in ours}
    there = [pid for pid in ours if ports[pid] == port]

    def reaches(held: Held) -> bool:
        if held.published:
            return any(container.outer_port(one) == port for one in held.published)
        return _pid(held, ours, machine) in there

    held = _held(service, machine, asked, ours, reaches)
    if held and port != service.listen.port and there and not reaches(held):
        held = None  # somebody names another server than the profile's, and there it is
    pid = _pid(held, ours, machine) if held else 0
    if not held and "process" in asked:
        pid = nearest(there or ours, machine)
    return held, process(machine.files, pid, every) if pid else None


def _port(given: Mapping[str, str] | None, service: Service, running: Running) -> int | None:
    """Return the port at which a process listens, by its environment."""
    name = service.listen.variable
    return host_and_port(running.meaning(name, (given or {}).get(name, "")))[1]


def wait(machine: Machine, url: str, seconds: float) -> None:
    """Wait until a server answers, at most so long; whoever asks it next tells what is wrong."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            machine.api(url)("/api/version")
        except EnvironmentFailure:
            time.sleep(min(_PAUSE, max(0, until - time.monotonic())))
        else:
            return


def _held(
    service: Service,
    machine: Machine,
    asked: Collection[Via],
    ours: Collection[int],
    reaches: Callable[[Held], bool],
) -> Held | None:
    """Return what the manager holds that runs the server; else what one holds that could.

    Of several that run one it is that which is reached where the server is asked.
    """
    # First: an engine that hangs takes the time of all that are asked after it.
    unit = _unit(service.unit, machine, user=False) if "systemd" in asked else None
    boxes = [_box(engine, service, machine) for engine in container.ENGINES if engine in asked]
    rootless = service.container.rootless
    if rootless and "systemd" in asked and any(box and box.by == "podman" for box in boxes):
        unit = _unit(service.unit, machine, user=True)
    there = [held for held in (unit, *boxes) if held]
    running = [held for held in there if held.pid in ours] or [held for held in there if held.pid]
    one = next(filter(reaches, running), next(iter(running or there), None))
    return _of_both(one, unit) if one and unit and one.by == "podman" else one


def _unit(name: str, machine: Machine, *, user: bool) -> Held | None:
    return manager.held(name, machine.told(manager.SHOWN, manager.argv(name, user=user)))


def _box(engine: Via, service: Service, machine: Machine) -> Held | None:
    names = container.names(engine, service)
    told = machine.told(container.file(engine), container.argv(engine, *names))
    box = container.held(engine, names[0], told)
    if box:
        machine.gaps.pop(engine, None)  # It complained of the name that is not there.
    return box


def _of_both(box: Held, unit: Held) -> Held:
    """Return a container that a unit runs: what bounds the unit bounds it, too."""
    own = {name: value for name, value in box.limits.items() if value not in _UNBOUND}
    return replace(box, limits={**box.limits, **unit.limits, **own}, stale=unit.stale)


def _pid(held: Held, ours: Collection[int], machine: Machine) -> int:
    """Return the process of the server: the manager's own, or one in its control group."""
    if held.pid in ours or not held.pid:
        return held.pid
    within = (pid for pid in ours if held.cgroup and _is_below(held.cgroup, pid, machine))
    return next(within, held.pid)


def _is_below(group: str, pid: int, machine: Machine) -> bool:
    paths = groups_of(machine.files, pid).values()
    return any(path == group or path.startswith(f"{group}/") for path in paths)


def _written(
    service: Service, machine: Machine, catalogue: Catalogue, held: Held | None
) -> View | None:
    """Return what files say of the service, merged as whoever reads them does it."""
    if held is None or not Path(machine.folder).is_dir():
        return None
    context = Context(
        catalogue,
        catalogue.of(service.engine).release(service.release),
        read=read_beside,
        exists=os.path.lexists,
        listed=listed_beside,
    )
    every = views(installed(machine.folder, seconds=machine.left), context).views
    names, boxed = {held.name.partition(".")[0]}, held.by != "systemd"
    if held.by == "docker":
        names.add(service.container.service)
    ours = (view for view in every if bool(view.container) == boxed)
    found = next((view for view in ours if view.name.partition(".")[0] in names), None)
    return _as_there(found, machine.above) if found and machine.above else found


def _as_there(view: View, above: str) -> View:
    """Return a View with its places as its own machine has them."""

    def at(place: Place) -> Place:
        return replace(place, file=place.file.removeprefix(above))

    return replace(
        view,
        variables=tuple(replace(one, place=at(one.place)) for one in view.variables),
        bounds=tuple(replace(one, place=at(one.place)) for one in view.bounds),
        overruled=tuple(replace(one, place=at(one.place), by=at(one.by)) for one in view.overruled),
    )
