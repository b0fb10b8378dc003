"""What puts files in place on a host: scripts that are the same for every one, and their data."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from generator import meaning
from generator.formats.data import to_json
from generator.formats.shell import record
from generator.formats.template import module_text, shipped_text
from generator.formats.text import comment
from generator.records import dataclass
from generator.targets.base import File, modules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.plan import Job, Limit, Plan, Service, Setting
    from generator.targets.base import Places

_JOB_KINDS: Final = ("pull", "create", "warmup", "resume")
_SHARED: Final = "from generator.meaning import meant"
_FUTURE: Final = "from __future__ import annotations\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who holds a service of a bundle, and what of it: what `verify.py` asks for.

    `unit` and `container` are their names (empty: there is none), `published` is where the
    container is reached, `jobs` are those that bring models: units, or containers of Docker.
    """

    manager: Literal["systemd", "docker", "podman"]
    unit: str = ""
    container: str = ""
    of_a_user: bool = False
    published: str = ""
    variables: tuple[Setting, ...]
    limits: tuple[Limit, ...]
    jobs: tuple[str, ...] = ()


def scripts() -> tuple[File, ...]:
    """Return what puts a bundle in place, compares and takes it away: the same for every host."""
    shell = ("apply.sh", "remove.sh", "verify.sh")
    texts = {name: shipped_text(f"bundle/{name}") for name in shell} | {"verify.py": _comparison()}
    return tuple(File(name, text, executable=True, static=True) for name, text in texts.items())


@cache
def _comparison() -> str:
    """Return `verify.py`, whole: with the text of what it shares with `gen verify`."""
    shared = module_text(meaning).partition(_FUTURE)[2].strip()
    lines = shipped_text("bundle/verify.py").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(_SHARED))
    return "\n".join([*lines[:at], shared, *lines[at + 1 :], ""])


def verified(plan: Plan, held: Sequence[Held]) -> tuple[File, ...]:
    """Return what compares a bundle that has no other script with what is in effect."""
    return (wanted(plan, held), *(one for one in scripts() if one.path == "verify.py"))


def wanted(plan: Plan, held: Sequence[Held]) -> File:
    """Return what `verify.py` reads: all that should be in effect of the services of a host.

    Of several it is a list. The values of variables that the user names are the user's own, and
    not shown.
    """
    # What the others read, the jobs of the one that pulls bring.
    brings = next((one.jobs for one in held if one.jobs), ())
    whole = [replace(one, jobs=one.jobs or brings) for one in held]
    every = [_wanted(plan, *each) for each in zip(plan.services, whole, strict=True)]
    return File("verify.json", to_json(every[0] if len(every) == 1 else every))


def _wanted(plan: Plan, service: Service, held: Held) -> dict[str, Any]:
    api = service.api
    own = {setting.name for setting in service.settings("environment")}
    named = {"name": service.name} if len(plan.services) > 1 else {}
    return {
        "header": plan.header,
        **named,
        "manager": held.manager,
        "unit": held.unit,
        "container": held.container,
        "user": held.of_a_user,
        "address": service.listen.address,
        "published": held.published,
        "variables": {setting.name: setting.value for setting in held.variables},
        "forms": {one.name: [one.form, one.default] for one in held.variables if one.form},
        "hidden": sorted(own),
        "limits": {limit.directive: [limit.written, limit.value] for limit in held.limits},
        "api": {"release": api.release, "models": api.models} if api else {},
        "release": [service.era_since, service.era_until],
        "models": [model.served for model in service.models],
        "jobs": held.jobs,
    }


def held_by_unit(service: Service) -> Held:
    """Return what systemd holds of a service that is no container."""
    return Held(
        manager="systemd",
        unit=service.unit,
        variables=service.environment,
        limits=service.limits,
        jobs=bringing(service),
    )


def bringing(service: Service) -> tuple[str, ...]:
    """Return the units of the jobs that bring models."""
    return tuple(job.unit for job in service.jobs if job.kind in {"pull", "create"})


def wait_seconds(service: Service) -> int:
    """Return how long `apply.sh` waits for an answer of the server, and the unit for its GPUs."""
    gate, devices = service.health.gate, service.devices
    waits = (gate, devices.wait if devices else None)
    return sum(step.seconds for step in waits if step)


def bundle_files(
    plan: Plan,
    places: Places,
    files: Iterable[File],
    *,
    held: Sequence[Held],
    jobs: Iterable[Job],
    server_files: Iterable[str],
    other_files: Iterable[str],
    beside: Iterable[str] = (),
    front: Iterable[tuple[str, str]] = (),
) -> tuple[File, ...]:
    """Return the scripts and what they read; paths are those below `/`.

    With `places` of a user they are those below the home of the user, who applies it. `files` and
    `jobs` are those of this bundle, and `held` is what should be in effect of it. `places`,
    `server_files` and `other_files` are all the places where a bundle of any profile has files, by
    what a change of one asks for: `server_files` restart the server, a unit of a job that job, a
    Modelfile the jobs that make and load models. `beside` are units that run beside the server,
    and `front` says what stands before it.
    """
    service = plan.puller
    modules = {name: None for one in plan.services for name in modules_of(one)}
    words = [
        *(word for one in plan.services for word in _server(one, places)),
        *(("module", name) for name in (() if places.of_a_user else modules)),
        *(("file", file.path) for file in files),
        *_jobs(plan, jobs),
        *((word, unit) for unit in beside for word in ("job", "start")),
        *front,
        *(("server-file", path) for path in server_files),
        *(("server-file", path) for path in _of_instances(plan, places)),
        *(("job-file", f"{places.units}/{service.engine}-{kind}.service") for kind in _JOB_KINDS),
        *(("job-file", path) for path in _jobs_of_instances(plan, places)),
        ("model-file", f"{places.modelfiles}/Modelfile.*"),
        *(("other-file", path) for path in other_files),
        # By the last one, apply.sh knows that none is missing.
        ("wait", str(max(map(wait_seconds, plan.services)))),
    ]
    above = (*plan.header, "What apply.sh reads: a word, a tab, and a value as it stands.")
    lines = [line for text in above for line in comment(text)]
    lines += [record(word, value) for word, value in words if value]
    conf = File("bundle.conf", "\n".join([*lines, ""]))
    return (conf, wanted(plan, held), *scripts())


def _server(service: Service, places: Places) -> tuple[tuple[str, str], ...]:
    """Return the words about the server: its program, or Podman, says when it is ready."""
    on_host = not places.quadlets
    return (
        ("scope", "user" if places.of_a_user else ""),
        ("server", service.unit),
        ("program", service.program if on_host else ""),
        ("user", service.user if on_host else ""),
        ("product", service.product),
        ("address", service.listen.address),
        ("variable", service.listen.variable),
        ("ask", " ".join(service.health.step.argv[1:])),
        ("generator", places.quadlets),
        ("need", "" if on_host else "podman"),
    )


def _of_instances(plan: Plan, places: Places) -> list[str]:
    """Return where several servers have their units: those of another bundle, too."""
    several, engine = len(plan.services) > 1, plan.puller.engine
    return [f"{places.quadlets or places.units}/{engine}@*"] if several else []


def _jobs_of_instances(plan: Plan, places: Places) -> list[str]:
    """Return where several servers have units of jobs, whatever the names of the servers are."""
    several, engine = len(plan.services) > 1, plan.puller.engine
    return [f"{places.units}/{engine}-*"] if several else []


def _jobs(plan: Plan, jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    units = {service.unit for service in plan.services}
    for job in jobs:
        yield "job", job.unit
        if units & set(job.wanted_by):
            yield "start", job.unit
        if job.kind in {"create", "warmup"}:
            yield "create", job.unit
