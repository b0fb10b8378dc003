"""Compose files: how they are recognised, and what they call things."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs, served
from generator.view import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import PurePosixPath

    from generator.readers.base import Order, Source

OVERLAY: Final = re.compile(r"(?:docker-|podman-)?compose[.-].+\.ya?ml")
"""The names of files that are laid over another one, as people call them."""
BASES: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""The names of files that Compose reads by itself, the first one that is there."""
_OVERRIDE: Final = r"((?:docker-)?compose)\.override\.ya?ml"
_TOLD: Final = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?(COMPOSE_FILE|COMPOSE_PATH_SEPARATOR)=([^\n#]*?)[ \t\r]*(?:#.*)?$"
)
_DEFAULT: Final = re.compile(r"((?:docker-)?compose)(?:\.override)?\.ya?ml")


def _project(path: PurePosixPath) -> str:
    found = _DEFAULT.fullmatch(path.name)
    return (path.parent / found[1]).as_posix() if found else path.as_posix()


def _overrides(path: PurePosixPath) -> Iterator[str]:
    found = _DEFAULT.fullmatch(path.name)
    if found and not re.fullmatch(_OVERRIDE, path.name):
        for suffix in ("yaml", "yml"):
            yield path.with_name(f"{found[1]}.override.{suffix}").as_posix()


def _listed(path: PurePosixPath, read: Callable[[str], str | None]) -> Sequence[str]:
    """Return what `COMPOSE_FILE` of the `.env` beside a file lists, where that file is among it."""
    told = dict(_TOLD.findall(read(path.with_name(".env").as_posix()) or ""))
    values = {name: value.strip("\"'") for name, value in told.items()}
    names = values.get("COMPOSE_FILE", "").split(values.get("COMPOSE_PATH_SEPARATOR") or ":")
    folder = path.parent.as_posix()
    files = [posixpath.normpath(posixpath.join(folder, name)) for name in names if name]
    return files if posixpath.normpath(path.as_posix()) in files else ()


def _includes(source: Source) -> Iterator[str]:
    folder = posixpath.dirname(source.path)
    for block in _INCLUDE.finditer(source.text):
        for name in _NAMED.finditer(block[0]):
            yield posixpath.normpath(posixpath.join(folder, name[0]))


_INCLUDE: Final = re.compile(r"(?m)^include[ \t]*:[^\n]*(?:\n(?:[ \t-][^\n]*)?)*")
_NAMED: Final = re.compile(r"(?<![\w./-])[\w./-]{1,200}\.ya?ml(?![\w./-])")


def _orders(source: Source) -> Sequence[Order]:
    text = source.text
    if not any(word in text for word in _OF_ORDERS) or not _ORDERS.search(text):
        return ()
    # Few texts have one.
    from generator.readers.compose.orders import orders

    return orders(source)


_SERVICES: Final = re.compile(
    r"(?m)^[\"']?services[\"']?[ \t]*:[ \t\r]*(?:#[^\n]*)?\n"
    r"((?:[ \t][^\n]*\n|[ \t\r]*(?:#[^\n]*)?\n)*)"
)
_ENTRY: Final = re.compile(r"(?m)^([ \t]+)[\w.\"'-]+[ \t]*:(?:[ \t]+([^#\s]?)|[ \t\r]*$)")


_KEY: Final = re.compile(
    r"(?:^[ \t]+|[{,][ \t]*)[\"']?(?:image|build|extends|command|entrypoint|environment|env_file"
    r"|ports|expose|volumes|deploy|depends_on|network_mode|networks|healthcheck|restart|devices|runtime"
    r"|gpus|profiles|labels|container_name|provider|<<)[\"']?[ \t]*:|:[ \t]+\*",
    re.MULTILINE,
)
"""A key that a service has, and hardly anything else that people call one."""


def _is_project(text: str) -> bool:
    """Whether something of `services` may be a service, and not each the value of a setting.

    Addresses of services, as programs have them among their settings, are none either.
    """
    block = _SERVICES.search(text + "\n")
    entries = _ENTRY.findall(block[1]) if block else []
    first = [value for depth, value in entries if depth == entries[0][0]]
    if block is None or not first:
        return True
    several = any(value in {"", "{", "&", "*", "!"} for value in first)
    return several and (len(first) == len(entries) or _KEY.search(block[1]) is not None)


def _filled(source: Source, read: Callable[[str], str | None]) -> bool:
    if "$" not in source.text:
        return False
    # Few files speak of an engine by variables alone.
    from generator.readers.compose.samples import speaks_by_variables

    return speaks_by_variables(source, read)


_OF_ORDERS: Final = ("compose", "stack", "COMPOSE_FILE")
"""One of them stands in each order; they are sought in a hundredth of the time."""
_ORDERS: Final = re.compile(r"\bcompose[ \t]|-compose[ \t]|\bstack[ \t]+deploy|\bCOMPOSE_FILE\b")
SIGNS: Final = Signs(
    ours=served("compose"),
    names=r"(?:docker-|podman-)?compose.*\.(?:ya?ml|json)",  # Compose reads both.
    maybe=frozenset({".yaml", ".yml", ".json"}),
    content=r"(?m)^[\"']?(?:services|include)[\"']?\s*:",
    # A list of services is one of somebody else, as blueprints and pipelines have it, and Akash
    # says in `deployment` where its services run.
    never=r"(?m)^[\"']?services[\"']?[ \t]*:[ \t]*(?:#[^\n]*)?\r?\n"
    r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*-[ \t\r\n]|^[\"']?deployment[\"']?[ \t]*:",
    holds=_is_project,
    belongs=_project,
    over=_OVERRIDE,
    beside=_overrides,
    together=_listed,
    filled=_filled,
    orders=_orders,
    includes=_includes,
    bases=BASES,
    brings=frozenset({".env"}),
)
COMPOSE: Final = Phrases(
    kind="compose",
    one_of_several=", as with a profile of its own",
    expands=True,
    defines_volumes="volumes",
    projects=r"(?:docker-|podman-)?compose\.(?:ya?ml|json)",
    past_firewall=True,
    read_by="`docker inspect` shows it, and the file goes to version control",
    keep_in="a file outside version control that `env_file` names",
    restart="add `restart: unless-stopped` to the service",
    cpus="cpus: {}",
    refused=r".*\.(?:cpus|cpuset)",
    weight=("cpu_shares", 1024),
    share_cpus="add `cpus`, one more than the compute threads, or less `cpu_shares` than the "
    "others have",
    soft_limit_reserves=True,
    no_swap="add `memswap_limit: {}`, the same as the memory, for no swap",
    memlock="add `ulimits: {memlock: -1}` to the service",
    obsolete=frozenset({"version"}),
    shared_memory="add `shm_size: 4gb`, or `ipc: host`",
    reader="Compose",
    accepts="compose",
    refuses_whole="the file",
    own_keys="x-.*",
    entrypoint="entrypoint: {}",
    mapped_port=r".*\.ports\.\d+",
    idle=r".*\.deploy\.resources\.reservations\.cpus",
    idle_unless=r".*\.deploy\.(?:mode|placement|update_config|rollback_config|endpoint_mode)(?:\..*)?",
)
STACK: Final = replace(
    COMPOSE,
    accepts="stack",
    reader="`docker stack deploy`",
    obsolete=frozenset(),
    # Ports of a swarm are those of its nodes: opts/swarmopts/port.go (docker/cli).
    publishes_local=False,
    binds_addresses=False,
    # A swarm starts a service anew unless `restart_policy` says otherwise.
    restart="",
    # Nodes may hand GPUs to all containers by their `default-runtime`.
    devices_told=False,
    cpus="`deploy.resources.limits.cpus`: {}",
    no_swap="",
    shared_memory="mount a `tmpfs` of that size at /dev/shm",
)
"""Of a stack of a swarm, which `docker stack deploy` reads."""
