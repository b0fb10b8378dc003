"""What Docker calls limits and guards, and the `docker run` that a Service is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.shell import quote
from generator.formats.text import comment
from generator.targets.container import (
    arguments,
    cache_volume,
    env_files,
    mounted,
    published,
    variables,
    words,
)
from generator.units import SHARES_PER_WEIGHT, format_size

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from generator.plan import Devices, Guard, Limit, Plan, Service, Setting

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


def uncounted_swap(service: Service) -> bool:
    """Return whether a bound of swap is lost: it is counted together with that of memory only."""
    swap = service.limit("memory_swap_max")
    return swap is not None and _swap(service, swap.value) is None


def limit_keys(service: Service, limit: Limit) -> dict[str, Any]:
    """Return the key of Compose for one limit, where -1 is no bound; none for what is left out."""
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
    return {} if value is None else {key: value}


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


_OPTIONS: Final = {
    "cpus": "--cpus",
    "cpu_shares": "--cpu-shares",
    "cpuset": "--cpuset-cpus",
    "mem_limit": "--memory",
    "memswap_limit": "--memory-swap",
    "ulimits": "--ulimit",
    "pids_limit": "--pids-limit",
    "oom_score_adj": "--oom-score-adj",
}


_RULE: Final = "HW406"
"""The rule about secrets; a Plan that has one all the same has the finding, ignored."""


def secrets_of(plan: Plan) -> frozenset[str]:
    """Return the keys whose values are secrets that the profile insists on."""
    return frozenset(one.where for one in plan.findings if one.rule == _RULE)


def run_command(service: Service, secrets: Collection[str] = ()) -> str:
    """Return the `docker run` of the server, an option to a line; it has no jobs.

    Variables by the keys `secrets` are named alone: Docker takes them from the shell.
    """
    container = service.container
    options = [
        ("--name", container.name),
        ("--restart", container.restart),
        *(("--network", container.network) for _ in [1] if container.network),
        ("--publish", published(service)),
        *_mounts(service),
        *(("--env", f"{v.name}={v.value}") for v in container.variables),
        *(("--env", _given(s, secrets)) for s in variables(service, decrypted=False)),
        *(("--env-file", path) for path in env_files(service)),
        *_health(service),
        *(option for limit in service.limits for option in _bounds(service, limit)),
        *(option for guard in container.guards for option in _guard(guard)),
        *(("--shm-size", f"{container.shm_size // 2**20}m") for _ in [1] if container.shm_size),
        *_devices(service.devices),
    ]
    lines = ["docker run --detach", *(" ".join(map(quote, option)) for option in options)]
    texts = (*_ignored(service), *_asked(service, secrets))
    above = [line for text in texts for line in comment(text)]
    told = [quote(word) for each in arguments(service) for word in each.words]
    image = " ".join([quote(container.image), *told])
    return "\n".join([*above, " \\\n  ".join([*lines, image])])


def _given(setting: Setting, secrets: Collection[str]) -> str:
    return setting.name if setting.key in secrets else f"{setting.name}={setting.value}"


def _asked(service: Service, secrets: Collection[str]) -> Iterator[str]:
    """Yield what has to be in the shell: people paste such commands into tickets."""
    every = variables(service, decrypted=False)
    if names := [one.name for one in every if one.key in secrets]:
        yield f"Export before, as nobody should see it here: {', '.join(names)}."


def _ignored(service: Service) -> dict[str, None]:
    """Return what silences rules, each once: nothing can stand between the lines of a command."""
    told = [setting.comment for setting in service.environment]
    told += [limit.comment for limit in service.limits]
    return dict.fromkeys(text for each in (*told, service.listen.comment) for text in each[1:])


def _mounts(service: Service) -> Iterator[tuple[str, str]]:
    container = service.container
    yield "--volume", f"{container.home_dir or container.volume}:{container.home_path}"
    if service.models_dir:
        yield "--volume", f"{service.models_dir}:{container.models_path}"
    if service.cache:
        yield "--volume", f"{cache_volume(service)}:{service.cache}"
    for one, path in mounted(service, decrypted=False):
        yield "--volume", f"{one.path}:{path}:ro"


def _health(service: Service) -> Iterator[tuple[str, str]]:
    health = service.health
    yield "--health-cmd", " ".join(map(quote, words(service, health.step)))
    yield "--health-interval", f"{health.interval_seconds}s"
    yield "--health-timeout", f"{health.timeout_seconds}s"
    yield "--health-retries", str(health.retries)
    yield "--health-start-period", f"{health.start_seconds}s"


def _bounds(service: Service, limit: Limit) -> Iterator[tuple[str, str]]:
    for key, value in limit_keys(service, limit).items():
        if key in _OPTIONS:
            lock = value["memlock"] if key == "ulimits" else {}
            text = f"memlock={lock['soft']}:{lock['hard']}" if lock else str(value)
            yield _OPTIONS[key], text


def _guard(guard: Guard) -> Iterator[tuple[str, ...]]:
    match guard.name:
        case "no_new_privileges":
            yield "--security-opt", "no-new-privileges"
        case "read_only":
            yield ("--read-only",)
        case name:
            option = f"--{name.replace('_', '-')}"
            yield from ((option, value) for value in guard.values)


def _devices(devices: Devices | None) -> Iterator[tuple[str, str]]:
    if devices is None:
        return
    if devices.vendor == "nvidia":
        # Docker reads it as a line of CSV.
        yield "--gpus", f'"device={",".join(devices.ids)}"' if devices.ids else "all"
    else:
        yield from (("--device", node) for node in devices.nodes)
