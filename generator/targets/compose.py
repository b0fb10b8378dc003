"""Target `compose`: a Compose file for Docker, with the jobs as one-shot services."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from generator.errors import RenderError
from generator.formats.shell import quote
from generator.formats.template import render_template, shipped_text
from generator.formats.text import Commented, comment
from generator.formats.yaml import compose_string, to_yaml
from generator.plan import ADDRESS, MODELFILES, Service
from generator.targets.base import NOT_IN_A_CLUSTER, File, LeftOut, modelfiles
from generator.targets.bundle import Held, verified
from generator.targets.cache.compose import compose_files, compose_services
from generator.targets.container import (
    LOCALHOST,
    MODELFILE_DIR,
    NOT_IN_CONTAINERS,
    READ,
    SHARED,
    arguments,
    build_files,
    cache_volume,
    env_files,
    guarded,
    mounted,
    published,
    variables,
    words,
)
from generator.targets.docker import (
    UNSUPPORTED,
    limit_keys,
    run_command,
    secrets_of,
    uncounted_swap,
)
from generator.targets.front import compose as front
from generator.targets.monitor import Found, monitor_files
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.plan import Devices, Guard, Job, Limit, Plan

_FILES: Final = {
    "project": "compose.yaml",
    "fragment": "compose.yaml",
    "override": "compose.override.yaml",
}
_SCRIPTS: Final = ("apply.sh", "remove.sh", "verify.sh")
_OVER: Final = (
    "Compose lays it over the compose.yaml beside it, which says image, ports, volumes, networks, "
    "devices and restarts of the service."
)
_ABOVE: Final[Mapping[str, tuple[str, ...]]] = {
    "project": (),
    "fragment": ("A part of a project: name it there under `include:`, or paste what is in it.",),
    "override": (_OVER,),
}
_SAID_THERE: Final = frozenset(
    {"image", "build", "container_name", "restart", "ports", "devices", "deploy"}
)
"""What an override leaves to the file that it is laid over."""
_WORDS: Final = {"cpus": "cpus", "mem_limit": "memory", "pids_limit": "pids"}
"""Limits that have other words below `deploy`: Compose takes both only where they say the same."""
_RESTARTS: Final[Mapping[str, str]] = {
    "no": "Nobody starts it again.",
    "on-failure": "It starts again after a failure, and not with the host.",
    "always": "It starts again after a failure, and with the host.",
    "unless-stopped": "It starts again after a failure and with the host, unless it was stopped.",
}
_PINNED: Final = "The release that all of this is for, by a tag that does not move."
_NAMED: Final = "As the profile names it."
_AGAIN: Final = "The same again, in the other words that the file below may have for it."


LEFT_OUT: Final = (
    *NOT_IN_CONTAINERS,
    NOT_IN_A_CLUSTER,
    LeftOut(
        "of what is said of a secret, only which key it is",
        "Finding.severity Finding.message Finding.where Finding.fix Finding.link Finding.ignored",
    ),
    *(
        LeftOut(why, key=f"resources.{name}", asked=partial(Service.limit, name=name))
        for name, why in UNSUPPORTED.items()
    ),
    LeftOut(
        "Docker limits swap only together with memory, and `memory_max` sets no limit",
        key="resources.memory_swap_max",
        asked=uncounted_swap,
        fix="set `resources.memory_max` too",
        when="without a bound of memory",
    ),
    LeftOut(
        "a container cannot reload the host's kernel module",
        "Job.before Job.remain_after_exit Job.stop_when_unneeded Job.programs",
        key="service.resume_fix",
        asked=lambda service: any(job.kind == "resume" for job in service.jobs),
    ),
    LeftOut(
        "Docker has no timers",
        "Job.calendar",
        key="scale.periods",
        asked=lambda service: any(job.calendar for job in service.jobs),
        fix="have a timer of the host call `docker update --cpu-shares`, or use the quadlet target",
    ),
    LeftOut(
        "for systemd; the engine starts the container again as `container.restart` says",
        "Service.unit Service.after Service.restart",
    ),
    LeftOut("for units of systemd", "Job.sandbox Front.unit Front.program Front.confined"),
    LeftOut("Redis is in a network of its own project, where no port is taken", "Store.port"),
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
        "Job.name Job.description Job.wait Job.wants Job.part_of Job.wanted_by Step.seconds",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the file for Compose and the Modelfiles."""
    form = plan.puller.container.form
    left_out = {omission.reason: None for one in plan.services for omission in one.omissions}
    texts = [*plan.header, *_ABOVE[form], *left_out]
    above = "\n".join(line for text in texts for line in comment(text))
    first = plan.puller
    if plan.cache and _is_override(first):
        raise RenderError(
            "`cache` adds containers, and an override is laid over one that is there",
            hint='leave `container.compose` out, or write `"fragment"`',
            where="cache",
        )
    if plan.front and _is_override(first):
        raise RenderError(
            "`front` adds a container, and an override is laid over one that is there",
            hint='leave `container.compose` out, or write `"fragment"`',
            where="front",
        )
    document = _document(plan)
    servers = [one.container.service for one in plan.services]
    document["services"] |= compose_services(plan, _joined(first), servers)
    document["services"] |= front.compose_services(plan, _joined(first))
    if secrets := front.compose_secrets(plan):
        document["secrets"] = document.get("secrets", {}) | secrets
    file = File(_FILES[form], f"{above}\n{to_yaml(document)}")
    return (
        file,
        *modelfiles(plan, "modelfiles"),
        *build_files(plan, "build"),
        *compose_files(plan, _address, front.address_of(plan)),
        *front.compose_files(plan, _address),
    )


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return the README, three commands for the engine, and what compares."""
    service = plan.puller
    context = {
        "file": _FILES[service.container.form],
        "run": run_command(service, secrets_of(plan)),
    }
    text = render_template("compose/README.md.jinja", plan=plan, service=service, **context)
    found = [
        Found(
            service=one.name,
            manager="docker",
            unit="",
            container=one.container.in_docker,
            models=one.container.models_path,
        )
        for one in plan.services
    ]
    beside = verified(plan, [_held(one) for one in plan.services])
    scripts = _scripts() if service.container.form == "project" else ()
    return (File("README.md", text), *scripts, *beside, *monitor_files(plan, found))


def _scripts() -> tuple[File, ...]:
    """Return what applies a project, takes it away and compares: the same for every host."""
    texts = {name: shipped_text(f"compose/{name}") for name in _SCRIPTS}
    return tuple(File(name, text, executable=True, static=True) for name, text in texts.items())


def _held(service: Service) -> Held:
    """Return what Docker holds of the service."""
    return Held(
        manager="docker",
        container=service.container.in_docker,
        published=published(service),
        variables=tuple(variables(service, decrypted=False)),
        limits=(*(one for one in service.limits if not _lost(service, one)), *guarded(service)),
        jobs=tuple(
            service.container.of_project(_name(service, job))
            for job in service.jobs
            if job.kind in {"pull", "create"}
        ),
    )


def _lost(service: Service, limit: Limit) -> bool:
    """Return whether a limit has no word of Docker's."""
    swap = limit.name == "memory_swap_max" and uncounted_swap(service)
    return swap or limit.name in UNSUPPORTED


def _document(plan: Plan) -> dict[str, Any]:
    service = plan.puller
    container = service.container
    services: dict[str, Any] = {}
    for one in plan.services:
        services |= _with_jobs(plan, one, gap=bool(services))
    head = {"name": container.project} if container.form == "project" else {}
    whole: dict[str, Any] = {**head, "services": services}
    own = not container.home_dir and not _is_override(service)
    named = [container.volume if own else "", *map(cache_volume, plan.services)]
    if volumes := {name: {"name": name} for name in named if name}:
        whole["volumes"] = volumes
    secrets = [one for each in plan.services for one, _ in mounted(each, decrypted=False)]
    if secrets:
        whole["secrets"] = {one.name: {"file": compose_string(one.path)} for one in secrets}
    network = {container.network: {"external": True}}
    joins = container.network and not _is_override(service)
    return whole | ({"networks": network} if joins else {})


def _with_jobs(plan: Plan, service: Service, *, gap: bool) -> dict[str, Any]:
    """Return the service of a server, and those of its jobs."""
    server = _override(service) if _is_override(service) else _server(service, plan.puller)
    name = service.container.service
    found: dict[str, Any] = {name: Commented(server, gap=True) if gap else server}
    for job in service.jobs:
        if not job.on_host:
            document = _job(plan, service, job)
            found[_name(service, job)] = Commented(document, job.reason, gap=True)
    return found


def _name(service: Service, job: Job) -> str:
    return f"{service.container.service}-{job.kind}"


def _is_override(service: Service) -> bool:
    return service.container.form == "override"


def _override(service: Service) -> dict[str, Any]:
    """Return what is laid over the service that another file has."""
    server = {
        key: value for key, value in _server(service, service).items() if key not in _SAID_THERE
    }
    again = {word: server[key].value for key, word in _WORDS.items() if key in server}
    if "cpus" in again:
        again["cpus"] = str(again["cpus"])
    if again:
        server["deploy"] = Commented({"resources": {"limits": again}}, _AGAIN)
    return server if server["volumes"] else {k: v for k, v in server.items() if k != "volumes"}


def _server(service: Service, puller: Service) -> dict[str, Any]:
    """Return the keys of a server, whose models are those that `puller` writes."""
    container, health = service.container, service.health
    environment = {v.name: Commented(v.value, v.reason) for v in container.variables} | {
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
        "image": Commented(container.image, _image_reason(service)),
        **build,
        **({"container_name": container.name} if container.named else {}),
        "restart": Commented(container.restart, _RESTARTS[container.restart]),
        **_after(service, puller),
        "ports": Commented([published(service)], service.listen.comment),
        "volumes": _volumes(service, puller),
        **({"environment": environment} if environment else {}),
        **_secrets(service),
        **_guarded(container.guards),
        **_command(service),
        "healthcheck": Commented(healthcheck, health.reason),
        **_limits(service),
        **_devices(service.devices),
    }


def _after(service: Service, puller: Service) -> dict[str, Any]:
    """Return what a server that only reads the models waits for: whoever makes their places."""
    if not service.puller:
        return {}
    waits = {puller.container.service: {"condition": "service_healthy"}}
    return {"depends_on": Commented(waits, "It makes the keys and the places of the models.")}


def _command(service: Service) -> dict[str, Any]:
    """Return what is said to the program of the image, and how much memory its processes share."""
    told = [
        Commented(compose_string(word), each.reason if not place else "")
        for each in arguments(service)
        for place, word in enumerate(each.words)
    ]
    size = service.container.shm_size
    shared = {"shm_size": Commented(f"{size // 2**20}m", SHARED)} if size else {}
    return {**({"command": told} if told else {}), **shared}


def _guarded(guards: Iterable[Guard]) -> dict[str, Any]:
    """Return the keys of what keeps a container from more than its work."""
    return {key: Commented(value, one.reason) for one in guards for key, value in _guard(one)}


def _guard(guard: Guard) -> Iterator[tuple[str, Any]]:
    match guard.name:
        case "no_new_privileges":
            yield "security_opt", ["no-new-privileges:true"]
        case "read_only":
            yield "read_only", True
        case "pids_limit":
            yield "pids_limit", int(guard.values[0])
        case "user":
            yield "user", guard.values[0]
        case name:
            yield name, list(guard.values)


def _secrets(service: Service) -> dict[str, Any]:
    """Return what names the files of variables, and those that the server alone may read."""
    files = [compose_string(path) for path in env_files(service)]
    named = Commented(files, "Variables that stand in no output; the files must be there.")
    secrets = [
        Commented({"source": one.name, "target": path}, one.reason)
        for one, path in mounted(service, decrypted=False)
    ]
    return {**({"env_file": named} if files else {}), **({"secrets": secrets} if secrets else {})}


def _image_reason(service: Service) -> str:
    tag = service.container.image.rpartition(":")[2]
    return _PINNED if service.release in tag else _NAMED


def _base(service: Service) -> dict[str, Any]:
    return {"image": service.container.image, **_joined(service)}


def _joined(service: Service) -> dict[str, Any]:
    """Return the networks that a container of the project joins."""
    joins = service.container.network and not _is_override(service)
    return {"networks": [service.container.network]} if joins else {}


def _address(service: Service) -> str:
    """Return where the other containers of the project reach the server."""
    return address(service.container.service, service.container.port)


def _volumes(service: Service, puller: Service) -> list[Any]:
    """Return the mounts; what another server writes is mounted to be read, keys and models."""
    container, reads = service.container, bool(service.puller)
    home = _bind(container.home_dir, container.home_path, reads=reads)
    volumes: list[Any] = []
    if container.home_dir:
        volumes.append(Commented(home, READ if reads else "Where keys and models are."))
    elif not _is_override(service):
        volume = f"{container.volume}:{container.home_path}"
        volumes.append(Commented(f"{volume}:ro", READ) if reads else volume)
    if service.cache:
        volumes.append(f"{cache_volume(service)}:{service.cache}")
    if puller.models_dir:
        models = _bind(puller.models_dir, container.models_path, reads=reads)
        volumes.append(Commented(models, "Where models are stored."))
    return volumes


def _bind(path: str, target: str, *, reads: bool) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": compose_string(path),
        "target": target,
        **({"read_only": True} if reads else {}),
        "bind": {"create_host_path": True},
    }


def _limits(service: Service) -> dict[str, Any]:
    return {
        key: Commented(value, limit.comment)
        for limit in service.limits
        for key, value in limit_keys(service, limit).items()
    }


def _devices(devices: Devices | None) -> dict[str, Any]:
    if devices is None:
        return {}
    if devices.vendor != "nvidia":
        return {"devices": [f"{node}:{node}" for node in devices.nodes]}
    which: dict[str, Any] = {"device_ids": list(devices.ids)} if devices.ids else {"count": "all"}
    reservation = {"driver": "nvidia", **which, "capabilities": ["gpu"]}
    return {"deploy": {"resources": {"reservations": {"devices": [reservation]}}}}


def _job(plan: Plan, service: Service, job: Job) -> dict[str, Any]:
    name = service.container.service
    places = {ADDRESS: _reached(service)}
    tries = Commented(f"on-failure:{job.tries}", "The pause between tries is Docker's own.")
    done = {"condition": "service_completed_successfully"}
    before = {
        _name(one, other): done
        for one in plan.services
        for other in one.jobs
        if other.unit in job.after
    }
    document: dict[str, Any] = {
        **_base(service),
        **({"network_mode": f"service:{name}"} if _is_override(service) else {}),
        "restart": tries if job.retry_seconds else "no",
        "depends_on": {name: {"condition": "service_healthy"}, **before},
        "environment": {
            v.name: places.get(v.value, Commented(v.value, v.reason))
            for v in job.environment
            if v.scope == "any"
        },
        **_guarded(job.guards),
        "entrypoint": _entrypoint(service, job),
    }
    if any(word.startswith(MODELFILES) for step in job.steps for word in step.argv):
        document["volumes"] = [f"./modelfiles:{MODELFILE_DIR}:ro"]
    return document


def _reached(service: Service) -> Commented:
    """Return where a job reaches the server: in an override it is in whatever networks that is."""
    name, port = service.container.service, service.container.port
    if _is_override(service):
        return Commented(address(LOCALHOST, port), "The server, whose network this shares.")
    return Commented(address(name, port), "The server, by the name of its service.")


def _entrypoint(service: Service, job: Job) -> Any:  # noqa: ANN401 -- a document value
    """Return the steps as one shell line, and one bound around all of it."""
    lines = (" ".join(map(quote, words(service, step))) for step in job.commands)
    shell = ["/bin/sh", "-c", compose_string("; ".join(["set -e", *lines]))]
    bounded = ["timeout", str(job.timeout_seconds), *shell]
    return Commented(bounded, "Bounds all of the job.") if job.timeout_seconds else shell
