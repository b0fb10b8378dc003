"""What several servers on one host cannot have: the same name, port or GPU, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Problem
from generator.units import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.host import Host
    from generator.profiles.schema import Instance, Profile


def faults(profile: Profile, host: Host) -> Iterator[Problem]:
    """Yield what is wrong with the instances of a profile, all of it."""
    chosen = profile.instances
    if not chosen:
        return
    yield from _twice(profile)
    yield from _models(profile)
    for number, one in enumerate(chosen):
        yield from _node(one, profile, f"instances.{number}")
    yield from _gpus(profile, host)
    if len(chosen) > 1 and profile.container.compose == "override":
        message = "is laid over one service, and this profile has several servers"
        hint = "write `fragment`, or leave `[[instances]]` out"
        yield Problem("container.compose", message, hint)


def _twice(profile: Profile) -> Iterator[Problem]:
    """Yield names and ports that two have, and a second server that pulls."""
    names: set[str] = set()
    ports: dict[int, str] = {}
    pulls = ""
    for number, one in enumerate(profile.instances):
        here = f"instances.{number}"
        if one.name in names:
            yield Problem(f"{here}.name", f"`{one.name}` is there twice", "write another name")
        if one.port is not None and one.port in ports:
            message = f"{one.port} is the port of `{ports[one.port]}` already"
            yield Problem(f"{here}.port", message, "write another one, or leave it out")
        if one.pulls and pulls:
            message = f"`{pulls}` does already, and one alone writes the models"
            yield Problem(f"{here}.pulls", message, "leave it out here")
        names.add(one.name)
        ports.setdefault(one.port or 0, one.name)
        pulls = pulls or (one.name if one.pulls else "")


def _models(profile: Profile) -> Iterator[Problem]:
    """Yield models that the profile does not name, and those that no server is for."""
    known = [name for model in profile.models for name in (model.name, model.serve_as) if name]
    for number, one in enumerate(profile.instances):
        for place, name in enumerate(one.models or ()):
            if name not in known:
                close = closest(name, known)
                hint = f"did you mean `{close}`?" if close else "add a `[[models]]` table for it"
                where = f"instances.{number}.models.{place}"
                yield Problem(where, f"there is no model `{name}` in this profile", hint)
    if any(one.models is None for one in profile.instances):
        return
    asked = {name for one in profile.instances for name in one.models or ()}
    for place, model in enumerate(profile.models):
        if not {model.name, model.serve_as} & asked:
            message = f"no server is for `{model.name}`"
            yield Problem(f"models.{place}.name", message, "name it in `models` of an instance")


def _node(one: Instance, profile: Profile, here: str) -> Iterator[Problem]:
    """Yield a NUMA node of which nobody knows the CPUs."""
    cpu, node = profile.host.cpu, one.numa_node
    if node is None or one.allowed_cpus is not None or (cpu and node < cpu.sockets):
        return
    message = f"this profile does not say which CPUs node {node} has"
    if cpu:
        message = f"there is no node {node} by `host.cpu.sockets`, which is {cpu.sockets}"
    hint = "write `allowed_cpus`, as `lscpu` prints them for the node, or mend `host.cpu`"
    yield Problem(f"{here}.numa_node", message, hint)


def _gpus(profile: Profile, host: Host) -> Iterator[Problem]:
    """Yield GPUs that are not there, or that two servers would each take for their own."""
    owner: dict[str, str] = {}
    allowed = {_known(gpu, host) for gpu in profile.gpu.visible_devices}
    for number, one in enumerate(profile.instances):
        where = f"instances.{number}.gpus"
        if one.gpus is None:
            yield from _unnamed(profile, host, number)
        for gpu in one.gpus or ():
            same = _known(gpu, host)
            if fault := _missing(gpu, same, host):
                yield Problem(where, fault, _there(host))
            elif allowed and same not in allowed:
                message = f"GPU {gpu} is not among `gpu.visible_devices`"
                yield Problem(where, message, "name it there as well, or another one here")
            elif same in owner and owner[same] != one.name:
                whose = owner[same]
                message = f"GPU {gpu} is that of `{whose}`, and each plans for all its memory"
                yield Problem(where, message, "give each server GPUs of its own")
            owner.setdefault(same, one.name)


def _known(gpu: str, host: Host) -> str:
    """Return the index of a GPU, if the host says whose UUID it is."""
    places = {card.uuid: str(place) for place, card in enumerate(host.gpus) if card.uuid}
    return places.get(gpu, gpu)


def _missing(gpu: str, same: str, host: Host) -> str:
    """Return why there is no such GPU; empty: there may be. `resolve` looks at indices itself."""
    told = host.gpus and all(card.uuid for card in host.gpus)
    return f"there is no GPU {gpu} on this host" if told and not same.isdecimal() else ""


def _there(host: Host) -> str:
    return "name one of " + ", ".join(f"`{card.uuid}`" for card in host.gpus)


def _unnamed(profile: Profile, host: Host, number: int) -> Iterator[Problem]:
    """Yield a server that would have the GPUs of others."""
    others = [one for place, one in enumerate(profile.instances) if place != number]
    if host.gpus and others and any(one.gpus != () for one in others):
        hint = "name its GPUs, or write `gpus = []` for the CPU"
        yield Problem(f"instances.{number}.gpus", "is left out, so it would have all of them", hint)
