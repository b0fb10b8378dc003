"""Target `compose`: a Compose file for Docker, with the jobs as one-shot services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import Commented, comment
from generator.formats.yaml import compose_string, to_yaml
from generator.plan import ADDRESS, MODELFILES
from generator.targets.base import File, LeftOut, limited, modelfiles
from generator.targets.container import (
    MODELFILE_DIR,
    NOT_IN_CONTAINERS,
    published,
    variables,
    words,
)
from generator.units import SHARES_PER_WEIGHT, address, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Devices, Job, Limit, Plan, Service, Step

# systemd's default weight of 100 is Docker's default of 1024 shares.
SHARES_RANGE: Final = (2, 262144)


# What a container of Docker has no word for. `memory_high` is not `mem_reservation`: that one
# protects memory, it does not slow anything down.
UNSUPPORTED: Final = {
    "memory_high": "there is no soft limit that slows a container down",
    "numa_policy": "there is no memory policy for a container",
    "numa_mask": "there is no memory policy for a container",
    "io_weight": "blkio weights work on other schedulers and another scale",
    "nice": "a container has no nice level",
}


def _uncounted_swap(service: Service) -> bool:
    swap = service.limit("memory_swap_max")
    return swap is not None and _swap(service, swap.value) is None


LEFT_OUT: Final = (
    *NOT_IN_CONTAINERS,
    *(
        LeftOut(why=why, key=f"resources.{name}", asked=limited(name))
        for name, why in UNSUPPORTED.items()
    ),
    LeftOut(
        why="Docker limits swap only together with memory, and `memory_max` sets no limit",
        key="resources.memory_swap_max",
        asked=_uncounted_swap,
        fix="set `resources.memory_max` too",
    ),
    LeftOut(
        fields=("Job.before", "Job.remain_after_exit", "Job.stop_when_unneeded", "Job.programs"),
        why="a container cannot reload the host's kernel module",
        key="service.resume_fix",
        asked=lambda service: any(job.on_host for job in service.jobs),
    ),
    LeftOut(
        fields=("Service.name", "Service.unit", "Service.after", "Service.restart"),
        why="for systemd; the engine starts the container again as `container.restart` says",
    ),
    LeftOut(
        fields=("Devices.modules", "Devices.wait", "Devices.reason"),
        why="the host must have its devices ready before containers start",
    ),
    LeftOut(
        why="the user whose engine reads the file decides it",
        key="container.rootless",
        asked=lambda service: service.container.rootless,
        fix="have that user run `docker compose up`, or use the quadlet target",
        severity="info",
    ),
    LeftOut(fields=("Health.startup_seconds",), why="Compose asks at one interval"),
    LeftOut(fields=("Container.start_seconds",), why="Compose waits for the image by itself"),
    LeftOut(
        fields=("Limit.directive", "Limit.written", "Listen.address", "Listen.variable"),
        why="written in the words of Compose, or in commands already",
    ),
    LeftOut(
        fields=(
            *("Job.name", "Job.description", "Job.wait", "Job.wants", "Job.part_of"),
            *("Job.wanted_by", "Step.seconds", "Variable.reason"),
        ),
        why="jobs are named after the container and wait for its health check",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return `compose.yaml` and the Modelfiles."""
    service = plan.service
    left_out = [omission.reason for omission in service.omissions]
    above = "\n".join(line for text in [*plan.header, *left_out] for line in comment(text))
    file = File("compose.yaml", f"{above}\n{to_yaml(_document(plan, service))}")
    return (file, *modelfiles(service, "modelfiles"))


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return the README: three commands for the engine."""
    text = render_template("compose/README.md.jinja", plan=plan, service=plan.service)
    return (File("README.md", text),)


def _document(plan: Plan, service: Service) -> dict[str, Any]:
    container = service.container
    services: dict[str, Any] = {container.name: _server(service)}
    for job in service.jobs:
        if not job.on_host:
            document = _job(service, job)
            services[_name(service, job)] = Commented(document, job.reason, gap=True)
    whole: dict[str, Any] = {"name": plan.name.replace(".", "-"), "services": services}
    whole["volumes"] = {container.volume: {"name": container.volume}}
    if container.network:
        whole["networks"] = {container.network: {"external": True}}
    return whole


def _name(service: Service, job: Job) -> str:
    return f"{service.container.name}-{job.kind}"


def _server(service: Service) -> dict[str, Any]:
    container = service.container
    server: dict[str, Any] = {
        **_base(service),
        "container_name": container.name,
        "restart": container.restart,
        "ports": Commented([published(service)], service.listen.reason),
        "volumes": _volumes(service),
    }
    if environment := _environment(service):
        server["environment"] = environment
    server["healthcheck"] = Commented(_healthcheck(service), service.health.reason)
    for limit in service.limits:
        server |= _limit(service, limit)
    return server | _devices(service.devices)


def _healthcheck(service: Service) -> dict[str, Any]:
    health = service.health
    return {
        "test": ["CMD", *words(service, health.step)],
        "interval": f"{health.interval_seconds}s",
        "timeout": f"{health.timeout_seconds}s",
        "retries": health.retries,
        "start_period": f"{health.start_seconds}s",
    }


def _base(service: Service) -> dict[str, Any]:
    container = service.container
    base: dict[str, Any] = {"image": container.image}
    return base | ({"networks": [container.network]} if container.network else {})


def _volumes(service: Service) -> list[Any]:
    container = service.container
    volumes: list[Any] = [f"{container.volume}:{container.home_path}"]
    if service.models_dir:
        models = {
            "type": "bind",
            "source": compose_string(service.models_dir),
            "target": container.models_path,
            "bind": {"create_host_path": True},
        }
        volumes.append(Commented(models, "Where models are stored."))
    return volumes


def _environment(service: Service) -> dict[str, Any]:
    return {
        setting.name: Commented(compose_string(setting.value), setting.reason)
        for setting in variables(service)
    }


def _limit(service: Service, limit: Limit) -> dict[str, Any]:
    """Return the key for one limit; none for what is left out."""
    if limit.name in UNSUPPORTED or (limit.name, limit.value) == ("memory_max", "infinity"):
        return {}
    key, value = _limit_value(service, limit)
    return {} if value is None else {key: Commented(value, limit.reason)}


def _limit_value(service: Service, limit: Limit) -> tuple[str, Any]:
    value = limit.value
    unbounded = -1 if value == "infinity" else value
    match limit.name:
        case "cpu_quota":
            cpus = int(value) / 100
            return "cpus", int(cpus) if cpus.is_integer() else cpus
        case "cpu_weight":
            low, high = SHARES_RANGE
            return "cpu_shares", min(max(round(int(value) * SHARES_PER_WEIGHT), low), high)
        case "allowed_cpus":
            return "cpuset", str(value).replace(" ", ",")
        case "memory_max":
            return "mem_limit", _size(int(value))
        case "memory_swap_max":
            return "memswap_limit", _swap(service, value)
        case _:
            return _bounded(limit.name, unbounded)


def _bounded(name: str, value: int | str) -> tuple[str, Any]:
    """Return the key of a limit for which -1 is no bound."""
    if name == "limit_memlock":
        return "ulimits", {"memlock": {"soft": value, "hard": value}}
    return {"tasks_max": "pids_limit", "oom_score_adjust": "oom_score_adj"}[name], value


def _size(size: int) -> str:
    """Return bytes as Compose reads them; its suffixes are binary too."""
    text = format_size(size).lower()
    return text if text[-1] in "kmg" else f"{size}b"


def _swap(service: Service, swap: int | str) -> str | int | None:
    """Docker counts memory and swap together; -1 is no bound, None what it cannot count."""
    if swap == "infinity":
        return -1
    memory = service.limit("memory_max")
    if memory is None or memory.value == "infinity":
        return None
    return _size(int(memory.value) + int(swap))


def _devices(devices: Devices | None) -> dict[str, Any]:
    if devices is None:
        return {}
    if devices.vendor != "nvidia":
        return {"devices": [f"{node}:{node}" for node in devices.nodes]}
    which: dict[str, Any] = {"device_ids": list(devices.ids)} if devices.ids else {"count": "all"}
    reservation = {"driver": "nvidia", **which, "capabilities": ["gpu"]}
    return {"deploy": {"resources": {"reservations": {"devices": [reservation]}}}}


def _job(service: Service, job: Job) -> dict[str, Any]:
    before = [other for other in service.jobs if other.unit in job.after]
    name, port = service.container.name, service.container.port
    places = {ADDRESS: Commented(address(name, port), "The server, by the name of its service.")}
    document: dict[str, Any] = {
        **_base(service),
        "restart": _retries(job),
        "depends_on": {
            name: {"condition": "service_healthy"},
            **{
                _name(service, other): {"condition": "service_completed_successfully"}
                for other in before
            },
        },
        "environment": {
            v.name: places.get(v.value, v.value) for v in job.environment if v.scope == "any"
        },
        "entrypoint": _entrypoint(service, job),
    }
    if any(word.startswith(MODELFILES) for step in job.steps for word in step.argv):
        document["volumes"] = [f"./modelfiles:{MODELFILE_DIR}:ro"]
    return document


def _retries(job: Job) -> Any:  # noqa: ANN401 -- a document value
    if not job.retry_seconds:
        return "no"
    pause = "The pause between tries is Docker's own."
    return Commented(f"on-failure:{job.tries}", pause)


def _entrypoint(service: Service, job: Job) -> Any:  # noqa: ANN401 -- a document value
    """Return the steps as one shell line, and one bound around all of it."""
    script = "; ".join(["set -e", *(_line(service, step) for step in job.commands)])
    shell = ["/bin/sh", "-c", compose_string(script)]
    if not job.timeout_seconds:
        return shell
    return Commented(["timeout", str(job.timeout_seconds), *shell], "Bounds all of the job.")


def _line(service: Service, step: Step) -> str:
    return " ".join(quote(word) for word in words(service, step))
