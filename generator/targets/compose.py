"""Target `compose`: a Compose file for Docker, with the jobs as one-shot services."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Finding, RenderError
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import comment
from generator.formats.yaml import Commented, compose_string, to_yaml
from generator.plan import ADDRESS, MODELFILES
from generator.targets.base import File, placed
from generator.units import SHARES_PER_WEIGHT, address, format_size

if TYPE_CHECKING:
    from generator.plan import Devices, Job, Limit, Plan, Service, Step

# What a container of Docker has no word for. `memory_high` is not `mem_reservation`: that one
# protects memory, it does not slow anything down.
UNSUPPORTED: Final = {
    "memory_high": "there is no soft limit that slows a container down",
    "numa_policy": "there is no memory policy for a container",
    "numa_mask": "there is no memory policy for a container",
    "io_weight": "blkio weights work on other schedulers and another scale",
    "nice": "a container has no nice level",
}
MODELFILE_DIR: Final = "/modelfiles"
LOCALHOST: Final = "127.0.0.1"
# systemd's default weight of 100 is Docker's default of 1024 shares.
SHARES_RANGE: Final = (2, 262144)


def render(plan: Plan) -> tuple[File, ...]:
    """Return `compose.yaml` and the Modelfiles."""
    service = plan.service
    left_out = [omission.reason for omission in service.omissions]
    above = "\n".join(line for text in [*plan.header, *left_out] for line in comment(text))
    files = (model.modelfile for model in service.models)
    return (
        File("compose.yaml", f"{above}\n{to_yaml(_document(plan, service))}"),
        *(File(f"modelfiles/{file.file}", file.text) for file in files if file),
    )


def install_note(plan: Plan) -> tuple[File, ...]:
    """Return the README: three commands for the engine."""
    text = render_template("compose/README.md.jinja", plan=plan, service=plan.service)
    return (File("README.md", text),)


def limitations(plan: Plan) -> tuple[Finding, ...]:
    """Return a Finding for each setting that a Docker container cannot have."""
    service = plan.service
    limits = [
        _limitation(limit.key, UNSUPPORTED[limit.name])
        for limit in service.limits
        if limit.name in UNSUPPORTED
    ]
    resume = [
        _limitation("service.resume_fix", "a container cannot reload the host's kernel module")
        for job in service.jobs
        if job.on_host
    ]
    return (*limits, *_uncounted_swap(service), *resume, *_device_order(service))


def _uncounted_swap(service: Service) -> tuple[Finding, ...]:
    swap = service.limit("memory_swap_max")
    if swap is None or _swap(service, swap.value) is not None:
        return ()
    why = "Docker limits swap only together with memory, and `memory_max` sets no limit"
    return (_limitation("resources.memory_swap_max", why, fix="set `resources.memory_max` too"),)


def _device_order(service: Service) -> tuple[Finding, ...]:
    """Return what the device list of an NVIDIA container loses; others get the variable itself."""
    if service.devices is None or service.devices.vendor != "nvidia":
        return ()
    ids, found = service.devices.ids, []
    if list(ids) != sorted(ids, key=lambda i: (len(i), i)):
        why = "a device list says which GPUs, not their order"
        found.append(_limitation("gpu.visible_devices", why))
    by_speed = any(
        s.name == "CUDA_DEVICE_ORDER" and s.value == "FASTEST_FIRST" for s in service.environment
    )
    if by_speed and any(i.isdecimal() for i in ids):
        why = "the indices of a device list count in the order of nvidia-smi, not by speed"
        fix = "name the GPUs by UUID, or by their index in `nvidia-smi -L`"
        found.append(_limitation("gpu.device_order", why, fix=fix))
    return tuple(found)


def _limitation(
    where: str, why: str, *, fix: str = "set it on the host, or use the systemd or nixos target"
) -> Finding:
    return Finding(
        rule="HW601",
        severity="warning",
        message=f"compose leaves out `{where.partition('.')[2]}`: {why}",
        where=where,
        fix=fix,
    )


def _document(plan: Plan, service: Service) -> dict[str, Any]:
    container = service.container
    services: dict[str, Any] = {service.name: _server(service)}
    for job in service.jobs:
        if not job.on_host:
            services[job.name] = Commented(_job(service, job), job.reason, gap=True)
    document: dict[str, Any] = {"name": plan.name.replace(".", "-"), "services": services}
    document["volumes"] = {container.volume: {"name": container.volume}}
    if container.network:
        document["networks"] = {container.network: {"external": True}}
    return document


def _server(service: Service) -> dict[str, Any]:
    container, listen = service.container, service.listen
    published = f"{address(_published(listen.host), listen.port)}:{container.port}"
    server: dict[str, Any] = {
        **_base(service),
        "container_name": container.name,
        "restart": container.restart,
        "ports": Commented([published], listen.reason),
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
        "test": ["CMD", *_words(service, health.step)],
        "interval": f"{health.interval_seconds}s",
        "timeout": f"{health.timeout_seconds}s",
        "retries": health.retries,
        "start_period": f"{health.start_seconds}s",
    }


def _published(host: str) -> str:
    """Return the address that Docker publishes on, which is an IP address without a zone."""
    host = LOCALHOST if host == "localhost" else host
    try:
        zone = getattr(ipaddress.ip_address(host), "scope_id", None)
    except ValueError:
        zone = host
    if zone is None:
        return host
    raise RenderError(
        f"`ollama.host` is `{host}`, and Docker publishes on plain IP addresses only",
        hint=f"write the address itself, like `{LOCALHOST}` or `0.0.0.0`",
    )


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
        for setting in service.environment
        if setting.scope == "any"
    }


def _limit(service: Service, limit: Limit) -> dict[str, Any]:
    """Return the key for one limit; none for what `limitations` reports."""
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
    port = service.container.port
    places = {
        ADDRESS: Commented(address(service.name, port), "The server, by the name of its service.")
    }
    document: dict[str, Any] = {
        **_base(service),
        "restart": _retries(job),
        "depends_on": {
            service.name: {"condition": "service_healthy"},
            **{other.name: {"condition": "service_completed_successfully"} for other in before},
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
    """Return one step; one that may fail does not stop the next."""
    line = " ".join(quote(word) for word in _words(service, step))
    return f"{line} || true" if step.may_fail else line


def _words(service: Service, step: Step) -> list[str]:
    return placed(step, service.container.program, lambda name: f"{MODELFILE_DIR}/{name}")
