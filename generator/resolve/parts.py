"""Several servers on one host: a Profile for each, so that each is decided as one alone would be.

They have one store of models, which one of them writes: it pulls and creates for all. What
`[resources]` and the host have is divided between them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.plan import Omission
from generator.records import dataclass
from generator.units import cpu_spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.engines.base import Asked, Server
    from generator.profiles.schema import Cpu, Instance, Profile

_OF_ENGINE: Final = (
    "num_parallel",
    "max_loaded_models",
    "context_length",
    "keep_alive",
    "kv_cache_type",
)
"""Keys of an instance that stand for the same of the engine's own table."""
_NOT_WRITTEN: Final = "`{}` writes the models: this one removes nothing of them."
_STORE: Final = "The models that `{}` pulls, which this one only reads."
_OF_NODE: Final = (
    "CPUs of NUMA node {}, as the kernel numbers them on most hosts; if `lscpu` says otherwise, "
    "write them as `allowed_cpus` of the instance."
)
_ONE_GPU: Final = "Not set: sched_spread. This server has one GPU: there is nothing to spread over."
_MODEL_KEY: Final = re.compile(r"models\.(\d+)\b")

Changes = dict[str, tuple[Any, str, str]]
"""What a key is for one instance, the instance's key that says so, and why (empty: as ever)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One server of a profile: the `profile` as it is for that one, and what sets it apart.

    `units` are those of all servers, `puller` that of another which writes the models (empty: this
    one does), and by `divisor` is divided what all have together. `keys` has the user's key for one
    of this profile, `reasons` why such a one says what it does, `models` the place of each model
    among all, and `omissions` is what it does without.
    """

    profile: Profile
    name: str
    unit: str
    units: tuple[str, ...]
    puller: str = ""
    divisor: int = 1
    keys: Mapping[str, str]
    reasons: Mapping[str, str]
    models: tuple[int, ...]
    omissions: tuple[Omission, ...] = ()

    @property
    def is_alone(self) -> bool:
        """Whether it is the only server of the host."""
        return len(self.units) == 1

    def key(self, where: str) -> str:
        """Return the key of the user's profile for one of this profile."""
        found = _MODEL_KEY.match(where)
        if found and int(found[1]) < len(self.models):
            return f"models.{self.models[int(found[1])]}{where[found.end() :]}"
        return self.keys.get(where, where)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Servers:
    """What the servers of a profile have in common: `puller` writes the models, at `store`.

    That is where there is `one_store` for all. `table` is the profile's of what is wanted.
    """

    profile: Profile
    engine: str
    table: str
    one_store: bool
    units: tuple[str, ...]
    ports: tuple[int, ...]
    puller: int
    home: str
    store: str


def parts_of(profile: Profile, engine: str, server: Server, asked: Asked) -> tuple[Part, ...]:
    """Return the servers of a profile, in its order: one where it names none."""
    chosen = profile.instances
    if not chosen:
        return (_only(profile, engine, server),)
    stem = server.unit.removesuffix(".service")
    several = len(chosen) > 1
    home = profile.service.home or server.home
    servers = _Servers(
        profile=profile,
        engine=engine,
        table=server.table or engine,
        one_store=server.one_store,
        units=tuple(f"{stem}@{one.name}.service" if several else server.unit for one in chosen),
        ports=_ports(profile, asked.port),
        puller=next((number for number, one in enumerate(chosen) if one.pulls), 0),
        home=home,
        store=asked.models_dir or f"{home}/{server.models_below}",
    )
    return tuple(_part(servers, number) for number in range(len(chosen)))


def _only(profile: Profile, engine: str, server: Server) -> Part:
    return Part(
        profile=profile,
        name=engine,
        unit=server.unit,
        units=(server.unit,),
        keys={},
        reasons={},
        models=tuple(range(len(profile.models))),
    )


def _ports(profile: Profile, first: int) -> tuple[int, ...]:
    """Return the port of each instance: its own, or the next that none has."""
    taken = {one.port for one in profile.instances if one.port is not None}
    front = profile.front
    if front is not None and front.kind != "none":
        taken |= {front.port, front.metrics_port}
    free = (port for port in range(first, 2**16) if port not in taken)
    return tuple(one.port or next(free, first) for one in profile.instances)


def _part(servers: _Servers, number: int) -> Part:
    profile, units = servers.profile, servers.units
    chosen, several = profile.instances[number], len(units) > 1
    places = _models(profile, chosen)
    changes = _changes(servers, number)
    return Part(
        profile=_changed(profile, changes, places, several=several),
        name=chosen.name if several else servers.engine,
        unit=units[number],
        units=units,
        puller=units[servers.puller] if servers.one_store and number != servers.puller else "",
        divisor=_divisor(profile, chosen),
        keys={key: f"instances.{number}.{own}" for key, (_, own, _) in changes.items() if own},
        reasons={key: why for key, (_, _, why) in changes.items() if why},
        models=places,
        omissions=_unspread(servers, number),
    )


def _changes(servers: _Servers, number: int) -> Changes:
    """Return what is otherwise for one server, by the keys of the profile."""
    engine, chosen = servers.table, servers.profile.instances[number]
    found: Changes = {f"{engine}.port": (servers.ports[number], "port", "")}
    for key in _OF_ENGINE:
        if (value := getattr(chosen, key)) is not None:
            found[f"{engine}.{key}"] = (value, key, "")
    found |= _gpus(engine, chosen) | _placed(servers.profile, chosen)
    if len(servers.units) > 1:
        found["service.full_unit"] = (True, "", "")
    if servers.one_store and number != servers.puller:
        found |= _reading(servers, chosen)
    return found


def _gpus(engine: str, chosen: Instance) -> Changes:
    """Return which GPUs compute; without any the CPU does, and nothing is said of GPUs."""
    if chosen.gpus is None:
        return {}
    alone: Changes = {} if chosen.gpus[1:] else {f"{engine}.sched_spread": (None, "", "")}
    if chosen.gpus:
        return {"gpu.visible_devices": (chosen.gpus, "gpus", ""), **alone}
    return {
        "gpu.visible_devices": ((), "gpus", ""),
        "gpu.device_order": (None, "", ""),
        "gpu.layers": (None, "", ""),
        f"{engine}.acceleration": ("cpu", "gpus", ""),
        f"{engine}.llm_library": (None, "", ""),
        f"{engine}.gpu_overhead": (None, "", ""),
        **alone,
    }


def _placed(profile: Profile, chosen: Instance) -> Changes:
    """Return where it runs: CPUs, and the NUMA node of its memory."""
    found: Changes = {}
    node, cpu = chosen.numa_node, profile.host.cpu
    if node is not None:
        found["resources.numa_policy"] = ("bind", "numa_node", "")
        found["resources.numa_mask"] = (str(node), "numa_node", "")
        if cpu and node < cpu.sockets:
            why = _OF_NODE.format(node)
            found["resources.allowed_cpus"] = (_cpus_of(node, cpu), "numa_node", why)
    if chosen.allowed_cpus is not None:
        found["resources.allowed_cpus"] = (chosen.allowed_cpus, "allowed_cpus", "")
    return found


def _cpus_of(node: int, cpu: Cpu) -> str:
    """Return the CPUs of a socket: its cores, then as many for each further thread of them."""
    each = cpu.cores // cpu.sockets
    rounds = range(max(1, cpu.hardware_threads // cpu.cores))
    return cpu_spans(
        cpu.cores * turn + node * each + core for turn in rounds for core in range(each)
    )


def _reading(servers: _Servers, chosen: Instance) -> Changes:
    """Return what makes a server read the models that another one writes, with keys of its own."""
    engine, puller = servers.table, servers.profile.instances[servers.puller].name
    return {
        f"{engine}.models_dir": (servers.store, "name", _STORE.format(puller)),
        f"{engine}.noprune": (True, "name", _NOT_WRITTEN.format(puller)),
        "service.home": (f"{servers.home}-{chosen.name}", "", ""),
        # One job, of the server that writes the models, does it.
        "service.resume_fix": (False, "", ""),
    }


def _changed(
    profile: Profile, changes: Changes, places: Sequence[int], *, several: bool
) -> Profile:
    """Return the profile with the models at `places` and with other values of keys."""
    tables: dict[str, dict[str, Any]] = {}
    for key, (value, _, _) in changes.items():
        table, _, name = key.partition(".")
        tables.setdefault(table, {})[name] = value
    if several and not places:
        tables.setdefault("warmup", {})["enable"] = None
    update: dict[str, Any] = {
        table: getattr(profile, table).model_copy(update=values) for table, values in tables.items()
    }
    update["models"] = tuple(profile.models[place] for place in places)
    return profile.model_copy(update=update)


def _models(profile: Profile, chosen: Instance) -> tuple[int, ...]:
    """Return the places of the models that an instance is for."""
    wanted = chosen.models
    return tuple(
        place
        for place, model in enumerate(profile.models)
        if wanted is None or {model.name, model.serve_as} & set(wanted)
    )


def _unspread(servers: _Servers, number: int) -> tuple[Omission, ...]:
    """Return that models are not spread over GPUs, where there is one GPU alone."""
    gpus, table = servers.profile.instances[number].gpus, getattr(servers.profile, servers.table)
    if gpus is None or len(gpus) != 1 or not getattr(table, "sched_spread", None):
        return ()
    key = f"instances.{number}.gpus"
    return (Omission(what="sched_spread", reason=_ONE_GPU, group="gpu", key=key),)


def _divisor(profile: Profile, chosen: Instance) -> int:
    """Return what the means of the host are divided by for an instance."""
    every, cpu = profile.instances, profile.host.cpu
    if chosen.numa_node is None or cpu is None:
        return len(every)
    return cpu.sockets * sum(one.numa_node == chosen.numa_node for one in every)
