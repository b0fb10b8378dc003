"""What puts files in place on a host: scripts that are the same for every one, and their data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.data import to_json
from generator.formats.shell import record
from generator.formats.template import shipped_text
from generator.formats.text import comment
from generator.targets.base import File, modules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.plan import Job, Plan, Service
    from generator.targets.base import Places

_JOB_KINDS: Final = ("pull", "create", "warmup", "resume")


def scripts(*, verified: bool = True) -> tuple[File, ...]:
    """Return what puts a bundle in place and takes it away: the same files for every host.

    `verified`: with what compares it with what is in effect.
    """
    names = ("apply.sh", "remove.sh", *(("verify.py",) if verified else ()))
    return tuple(
        File(name, shipped_text(f"bundle/{name}"), executable=True, static=True) for name in names
    )


def wanted(plan: Plan) -> File:
    """Return what `verify.py` reads: all that should be in effect of the service of a host.

    The values of variables that the user names are the user's own, and not shown.
    """
    service = plan.service
    own = {setting.name for setting in service.settings("environment")}
    data = {
        "header": plan.header,
        "unit": service.unit,
        "address": service.listen.address,
        "variables": {setting.name: setting.value for setting in service.environment},
        "hidden": sorted(own),
        "limits": {limit.directive: [limit.written, limit.value] for limit in service.limits},
        "release": [service.era_since, service.era_until],
        "models": [model.served for model in service.models],
        "jobs": [job.unit for job in service.jobs if job.kind in {"pull", "create"}],
    }
    return File("verify.json", to_json(data))


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
    jobs: Iterable[Job],
    server_files: Iterable[str],
    other_files: Iterable[str],
) -> tuple[File, ...]:
    """Return the scripts and what they read; paths are those below `/`.

    With `places` of a user they are those below the home of the user, who applies it. `files` and
    `jobs` are those of this bundle. `places`, `server_files` and `other_files` are all the places
    where a bundle of any profile has files, by what a change of one asks for: `server_files`
    restart the server, a unit of a job that job, a Modelfile the jobs that make and load models.
    """
    service = plan.service
    words = [
        *_server(service, places),
        *(("module", name) for name in (() if places.of_a_user else modules_of(service))),
        *(("file", file.path) for file in files),
        *_jobs(service, jobs),
        *(("server-file", path) for path in server_files),
        *(("job-file", f"{places.units}/{service.name}-{kind}.service") for kind in _JOB_KINDS),
        ("model-file", f"{places.modelfiles}/Modelfile.*"),
        *(("other-file", path) for path in other_files),
        # By the last one, apply.sh knows that none is missing.
        ("wait", str(wait_seconds(service))),
    ]
    above = (*plan.header, "What apply.sh reads: a word, a tab, and a value as it stands.")
    lines = [line for text in above for line in comment(text)]
    lines += [record(word, value) for word, value in words if value]
    verified = () if places.quadlets else (wanted(plan),)
    conf = File("bundle.conf", "\n".join([*lines, ""]))
    return (conf, *verified, *scripts(verified=bool(verified)))


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


def _jobs(service: Service, jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    for job in jobs:
        yield "job", job.unit
        if service.unit in job.wanted_by:
            yield "start", job.unit
        if job.kind in {"create", "warmup"}:
            yield "create", job.unit
