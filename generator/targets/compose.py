"""Target `compose`: a Compose file for Docker, with the jobs as one-shot services."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Finding, RenderError
from generator.formats.modelfile import modelfile
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import comment
from generator.formats.yaml import Commented, compose_string, to_yaml
from generator.targets.base import File, address, header, placed
from generator.units import SHARES_PER_WEIGHT, format_size

if TYPE_CHECKING:
    from generator.plan import Devices, Limit, Plan, Step, Unit

# What a container of Docker has no word for. `memory_high` is not `mem_reservation`: that one
# protects memory, it does not slow anything down.
UNSUPPORTED: Final = {
    "memory_high": "there is no soft limit that slows a container down",
    "numa_policy": "there is no memory policy for a container",
    "numa_mask": "there is no memory policy for a container",
    "io_weight": "blkio weights work on other schedulers and another scale",
    "nice": "a container has no nice level",
}
SERVER: Final = "ollama"
MODELFILE_DIR: Final = "/modelfiles"
LOCALHOST: Final = "127.0.0.1"
# systemd's default weight of 100 is Docker's default of 1024 shares.
SHARES_RANGE: Final = (2, 262144)


def render(plan: Plan) -> tuple[File, ...]:
    """Return `compose.yaml` and the Modelfiles."""
    left_out = [omission.comment for omission in plan.omissions]
    above = "\n".join(line for text in [*header(plan), *left_out] for line in comment(text))
    created = [model for model in plan.models if model.serve_as]
    return (
        File("compose.yaml", f"{above}\n{to_yaml(_document(plan))}"),
        *(
            File(
                f"modelfiles/{model.modelfile}",
                modelfile(model.name, model.lines, header(plan)),
            )
            for model in created
        ),
    )


def install_note(plan: Plan) -> tuple[File, ...]:
    """Return the README: three commands for the engine."""
    text = render_template("compose/README.md.jinja", plan=plan, server=SERVER)
    return (File("README.md", text),)


def limitations(plan: Plan) -> tuple[Finding, ...]:
    """Return a Finding for each setting that a Docker container cannot have."""
    limits = [
        _limitation(f"resources.{limit.name}", UNSUPPORTED[limit.name])
        for limit in plan.limits
        if limit.name in UNSUPPORTED
    ]
    resume = [
        _limitation("service.resume_fix", "a container cannot reload the host's kernel module")
        for unit in plan.units
        if unit.kind == "resume"
    ]
    return (*limits, *_uncounted_swap(plan), *resume, *_device_order(plan))


def _uncounted_swap(plan: Plan) -> tuple[Finding, ...]:
    swap = plan.limit("memory_swap_max")
    if swap is None or _swap(plan, swap.value) is not None:
        return ()
    why = "Docker limits swap only together with memory, and `memory_max` sets no limit"
    return (_limitation("resources.memory_swap_max", why, fix="set `resources.memory_max` too"),)


def _device_order(plan: Plan) -> tuple[Finding, ...]:
    """Return what the device list of an NVIDIA container loses; others get the variable itself."""
    if plan.devices is None or plan.devices.vendor != "nvidia":
        return ()
    ids, found = plan.devices.ids, []
    if list(ids) != sorted(ids, key=lambda i: (len(i), i)):
        why = "a device list says which GPUs, not their order"
        found.append(_limitation("gpu.visible_devices", why))
    by_speed = any(
        s.name == "CUDA_DEVICE_ORDER" and s.value == "FASTEST_FIRST" for s in plan.environment
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


def _document(plan: Plan) -> dict[str, Any]:
    services: dict[str, Any] = {SERVER: _server(plan)}
    for unit in plan.units:
        if unit.kind != "resume":
            services[unit.name] = Commented(_job(plan, unit), unit.reason, gap=True)
    document: dict[str, Any] = {"name": plan.name.replace(".", "-"), "services": services}
    document["volumes"] = {plan.container.volume: {"name": plan.container.volume}}
    if plan.container.network:
        document["networks"] = {plan.container.network: {"external": True}}
    return document


def _server(plan: Plan) -> dict[str, Any]:
    container = plan.container
    published = f"{address(_published(plan), plan.listen.port)}:{container.port}"
    service: dict[str, Any] = {
        **_base(plan),
        "container_name": container.name,
        "restart": container.restart,
        "ports": Commented([published], plan.listen.reason),
        "volumes": _volumes(plan),
    }
    if environment := _environment(plan):
        service["environment"] = environment
    service["healthcheck"] = Commented(
        {
            "test": list(container.healthcheck),
            "interval": "30s",
            "timeout": "10s",
            "retries": 3,
            "start_period": "30s",
        },
        "The image has no curl; the program itself asks the server, and loads no model.",
    )
    for limit in plan.limits:
        service |= _limit(plan, limit)
    return service | _devices(plan.devices)


def _published(plan: Plan) -> str:
    """Return the address that Docker publishes on, which is an IP address without a zone."""
    host = LOCALHOST if plan.listen.host == "localhost" else plan.listen.host
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


def _base(plan: Plan) -> dict[str, Any]:
    base: dict[str, Any] = {"image": plan.container.image}
    return base | ({"networks": [plan.container.network]} if plan.container.network else {})


def _volumes(plan: Plan) -> list[Any]:
    volumes: list[Any] = [f"{plan.container.volume}:{plan.container.home_path}"]
    if plan.models_dir:
        models = {
            "type": "bind",
            "source": compose_string(plan.models_dir),
            "target": plan.container.models_path,
            "bind": {"create_host_path": True},
        }
        volumes.append(Commented(models, "Where models are stored."))
    return volumes


def _environment(plan: Plan) -> dict[str, Any]:
    return {
        setting.name: Commented(compose_string(setting.value), setting.comment)
        for setting in plan.environment
        if setting.scope == "any"
    }


def _limit(plan: Plan, limit: Limit) -> dict[str, Any]:
    """Return the key for one limit; none for what `limitations` reports."""
    if limit.name in UNSUPPORTED or (limit.name, limit.value) == ("memory_max", "infinity"):
        return {}
    key, value = _limit_value(plan, limit)
    return {} if value is None else {key: Commented(value, limit.reason)}


def _limit_value(plan: Plan, limit: Limit) -> tuple[str, Any]:
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
            return "memswap_limit", _swap(plan, value)
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


def _swap(plan: Plan, swap: int | str) -> str | int | None:
    """Docker counts memory and swap together; -1 is no bound, None what it cannot count."""
    if swap == "infinity":
        return -1
    memory = plan.limit("memory_max")
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


def _job(plan: Plan, unit: Unit) -> dict[str, Any]:
    before = [other for other in plan.units if f"{other.name}.service" in unit.after]
    job: dict[str, Any] = {
        **_base(plan),
        "restart": _retries(unit),
        "depends_on": {
            SERVER: {"condition": "service_healthy"},
            **{job.name: {"condition": "service_completed_successfully"} for job in before},
        },
        "environment": {
            "OLLAMA_HOST": Commented(
                address(SERVER, plan.container.port), "The server, by the name of its service."
            )
        },
        "entrypoint": _entrypoint(unit),
    }
    if unit.kind == "create":
        job["volumes"] = [f"./modelfiles:{MODELFILE_DIR}:ro"]
    return job


def _retries(unit: Unit) -> Any:  # noqa: ANN401 -- a document value
    if not unit.retry_seconds:
        return "no"
    return Commented("on-failure:5", "Five tries; the pause between them is Docker's own.")


def _entrypoint(unit: Unit) -> Any:  # noqa: ANN401 -- a document value
    """Return the steps as one shell line, and one bound around all of it."""
    script = "; ".join(["set -e", *(_line(step) for step in unit.steps)])
    shell = ["/bin/sh", "-c", compose_string(script)]
    if not unit.timeout_seconds:
        return shell
    return Commented(["timeout", str(unit.timeout_seconds), *shell], "Bounds all of the job.")


def _line(step: Step) -> str:
    """Return one step; one that may fail does not stop the next."""
    words = placed(step, SERVER, lambda name: f"{MODELFILE_DIR}/{name}")
    line = " ".join(quote(word) for word in words)
    return f"{line} || true" if step.may_fail else line
