"""Target `compose`: a Compose file for Docker, with the jobs as one-shot services."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import Commented, comment
from generator.formats.yaml import compose_string, to_yaml
from generator.plan import ADDRESS, MODELFILES, Service
from generator.targets.base import File, LeftOut, modelfiles
from generator.targets.bundle import Held, verified
from generator.targets.container import (
    MODELFILE_DIR,
    NOT_IN_CONTAINERS,
    build_files,
    cache_volume,
    env_files,
    mounted,
    published,
    variables,
    words,
)
from generator.units import SHARES_PER_WEIGHT, address, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Devices, Job, Limit, Plan

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
        LeftOut(why, key=f"resources.{name}", asked=partial(Service.limit, name=name))
        for name, why in UNSUPPORTED.items()
    ),
    LeftOut(
        "Docker limits swap only together with memory, and `memory_max` sets no limit",
        key="resources.memory_swap_max",
        asked=_uncounted_swap,
        fix="set `resources.memory_max` too",
        when="without a bound of memory",
    ),
    LeftOut(
        "a container cannot reload the host's kernel module",
        "Job.before Job.remain_after_exit Job.stop_when_unneeded Job.programs",
        key="service.resume_fix",
        asked=lambda service: any(job.on_host for job in service.jobs),
    ),
    LeftOut(
        "for systemd; the engine starts the container again as `container.restart` says",
        "Service.name Service.unit Service.after Service.restart",
    ),
    LeftOut(
        "the host must have its devices ready before containers start",
        "Devices.modules Devices.wait Devices.reason",
    ),
    LeftOut(
        "the user whose engine reads the file decides it",
        key="container.rootless",
        asked=lambda service: service.container.rootless,
        fix="have that user run `docker compose up`, or use the quadlet target",
        severity="info",
    ),
    LeftOut(
        "only systemd decrypts a credential",
        "Credential.encrypted",
        key="service.credentials",
        asked=lambda service: any(one.encrypted for one in service.credentials),
        fix="give the file itself and leave `encrypted` out, or use a target for units",
        when="that are encrypted",
    ),
    LeftOut("Compose asks at one interval", "Health.startup_seconds"),
    LeftOut("whatever depends on it waits for the check of the container", "Health.gate"),
    LeftOut("Compose waits for the image by itself", "Container.start_seconds"),
    LeftOut("written in commands already", "Listen.variable"),
    LeftOut(
        "jobs are named after the container and wait for its health check",
        "Job.name Job.description Job.wait Job.wants Job.part_of Job.wanted_by Step.seconds "
        "Variable.reason",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return `compose.yaml` and the Modelfiles."""
    service = plan.service
    left_out = [omission.reason for omission in service.omissions]
    above = "\n".join(line for text in [*plan.header, *left_out] for line in comment(text))
    file = File("compose.yaml", f"{above}\n{to_yaml(_document(plan, service))}")
    return (file, *modelfiles(service, "modelfiles"), *build_files(plan, "build"))


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return the README, three commands for the engine, and what compares."""
    text = render_template("compose/README.md.jinja", plan=plan, service=plan.service)
    return (File("README.md", text), *verified(plan, _held(plan.service)))


def _held(service: Service) -> Held:
    """Return what Docker holds of the service."""
    return Held(
        manager="docker",
        container=service.container.name,
        published=published(service),
        variables=tuple(variables(service, decrypted=False)),
        limits=tuple(limit for limit in service.limits if not _lost(service, limit)),
        jobs=tuple(_name(service, job) for job in service.jobs if job.kind in {"pull", "create"}),
    )


def _lost(service: Service, limit: Limit) -> bool:
    """Return whether a limit has no word of Docker's."""
    swap = limit.name == "memory_swap_max" and _uncounted_swap(service)
    return swap or limit.name in UNSUPPORTED


def _document(plan: Plan, service: Service) -> dict[str, Any]:
    container = service.container
    services: dict[str, Any] = {container.name: _server(service)}
    for job in service.jobs:
        if not job.on_host:
            document = _job(service, job)
            services[_name(service, job)] = Commented(document, job.reason, gap=True)
    whole = {
        "name": plan.name.replace(".", "-"),
        "services": services,
        "volumes": {
            name: {"name": name} for name in (container.volume, cache_volume(service)) if name
        },
    }
    if secrets := mounted(service, decrypted=False):
        whole["secrets"] = {one.name: {"file": compose_string(one.path)} for one, _ in secrets}
    network = {container.network: {"external": True}}
    return whole | ({"networks": network} if container.network else {})


def _name(service: Service, job: Job) -> str:
    return f"{service.container.name}-{job.kind}"


def _server(service: Service) -> dict[str, Any]:
    container, health = service.container, service.health
    environment = {
        setting.name: Commented(compose_string(setting.value), setting.comment)
        for setting in variables(service, decrypted=False)
    }
    healthcheck = {
        "test": ["CMD", *words(service, health.step)],
        "interval": f"{health.interval_seconds}s",
        "timeout": f"{health.timeout_seconds}s",
        "retries": health.retries,
        "start_period": f"{health.start_seconds}s",
    }
    built = service.build
    build = {"image": built.image, "build": Commented("./build", built.reason)} if built else {}
    return {
        **_base(service),
        **build,
        "container_name": container.name,
        "restart": container.restart,
        "ports": Commented([published(service)], service.listen.comment),
        "volumes": _volumes(service),
        **({"environment": environment} if environment else {}),
        **_secrets(service),
        "healthcheck": Commented(healthcheck, health.reason),
        **{k: v for limit in service.limits for k, v in _limit(service, limit).items()},
        **_devices(service.devices),
    }


def _secrets(service: Service) -> dict[str, Any]:
    """Return what names the files of variables, and those that the server alone may read."""
    files = [compose_string(path) for path in env_files(service)]
    named = Commented(files, "Variables that stand in no output; the files must be there.")
    secrets = [
        Commented({"source": one.name, "target": path}, one.reason)
        for one, path in mounted(service, decrypted=False)
    ]
    return {**({"env_file": named} if files else {}), **({"secrets": secrets} if secrets else {})}


def _base(service: Service) -> dict[str, Any]:
    container = service.container
    base: dict[str, Any] = {"image": container.image}
    return base | ({"networks": [container.network]} if container.network else {})


def _volumes(service: Service) -> list[Any]:
    container = service.container
    volumes: list[Any] = [f"{container.volume}:{container.home_path}"]
    if service.cache:
        volumes.append(f"{cache_volume(service)}:{service.cache}")
    if service.models_dir:
        models = {
            "type": "bind",
            "source": compose_string(service.models_dir),
            "target": container.models_path,
            "bind": {"create_host_path": True},
        }
        volumes.append(Commented(models, "Where models are stored."))
    return volumes


def _limit(service: Service, limit: Limit) -> dict[str, Any]:
    """Return the key for one limit, where -1 is no bound; none for what is left out."""
    value: Any = -1 if limit.value == "infinity" else limit.value
    match limit.name:
        case "cpu_quota":
            key, value = "cpus", value / 100 if value % 100 else value // 100
        case "cpu_weight":
            low, high = SHARES_RANGE
            key, value = "cpu_shares", min(max(round(value * SHARES_PER_WEIGHT), low), high)
        case "allowed_cpus":
            key, value = "cpuset", value.replace(" ", ",")
        case "memory_max":
            key, value = "mem_limit", None if value == -1 else _size(value)
        case "memory_swap_max":
            key, value = "memswap_limit", _swap(service, limit.value)
        case "limit_memlock":
            key, value = "ulimits", {"memlock": {"soft": value, "hard": value}}
        case "tasks_max":
            key = "pids_limit"
        case "oom_score_adjust":
            key = "oom_score_adj"
        case name:
            key, value = name, None
    return {} if value is None else {key: Commented(value, limit.comment)}


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
    name, port = service.container.name, service.container.port
    places = {ADDRESS: Commented(address(name, port), "The server, by the name of its service.")}
    tries = Commented(f"on-failure:{job.tries}", "The pause between tries is Docker's own.")
    done = {"condition": "service_completed_successfully"}
    before = {_name(service, other): done for other in service.jobs if other.unit in job.after}
    document: dict[str, Any] = {
        **_base(service),
        "restart": tries if job.retry_seconds else "no",
        "depends_on": {name: {"condition": "service_healthy"}, **before},
        "environment": {
            v.name: places.get(v.value, v.value) for v in job.environment if v.scope == "any"
        },
        "entrypoint": _entrypoint(service, job),
    }
    if any(word.startswith(MODELFILES) for step in job.steps for word in step.argv):
        document["volumes"] = [f"./modelfiles:{MODELFILE_DIR}:ro"]
    return document


def _entrypoint(service: Service, job: Job) -> Any:  # noqa: ANN401 -- a document value
    """Return the steps as one shell line, and one bound around all of it."""
    lines = (" ".join(map(quote, words(service, step))) for step in job.commands)
    shell = ["/bin/sh", "-c", compose_string("; ".join(["set -e", *lines]))]
    bounded = ["timeout", str(job.timeout_seconds), *shell]
    return Commented(bounded, "Bounds all of the job.") if job.timeout_seconds else shell
