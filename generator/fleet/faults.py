"""What is wrong with the meaning of a fleet file: names of things that there are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.fleet import rollout
from generator.fleet.settings import CLUSTER, NIXPKGS_INPUT
from generator.units import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.fleet.decide import Node
    from generator.fleet.schema import Fleet, Input
    from generator.fleet.settings import Own
    from generator.plan import Plan
    from generator.profiles.document import Document


NEEDED: Final = frozenset({"colmena", "deploy-rs", "hostwright", NIXPKGS_INPUT})
"""Inputs that the flake takes outputs of."""


def known_inputs(document: Document, inputs: Mapping[str, Input]) -> frozenset[str]:
    """Return the names of all inputs, also of those with a fault in them."""
    said = document.data.get("inputs")
    return frozenset(inputs) | frozenset(said if isinstance(said, dict) else ())


def faults_of_names(names: Iterable[str]) -> Iterator[Problem]:
    """Yield the hosts that only capitals tell from another: files and DNS know one of them."""
    first: dict[str, str] = {}
    for name in sorted(names):
        other = first.setdefault(name.lower(), name)
        if other != name:
            message = f"only capitals tell it from `{other}`, which is one name to DNS and to disks"
            yield Problem(f"hosts.{name}", message, "name one of them otherwise")


def faults_of_clusters(fleet: Fleet, nodes: Iterable[Node]) -> Iterator[Problem]:
    """Yield what would be written over: objects of one group that have one name and namespace."""
    first: dict[tuple[str, str, str], str] = {}
    for node in nodes:
        groups = [tag for tag in node.tags if tag in fleet.groups]
        for key in ((group, *each) for group in groups for each in _objects(node.plan)):
            other = first.setdefault(key, node.name)
            if other != node.name and fleet.groups[key[0]].kind == CLUSTER:
                message = f"is `{key[2]}` in the same namespace of `{key[0]}` as `{other}`"
                hint = "write another `overrides.container.name` or `overrides.k8s.namespace`"
                yield Problem(f"hosts.{node.name}", message, hint)


def _objects(plan: Plan) -> Iterator[tuple[str, str]]:
    for service in plan.services:
        if service.pod:
            yield service.pod.namespace, service.container.name.lower()
            if plan.front:
                yield service.pod.namespace, f"{plan.name}-front"


def known_tags(document: Document, tags: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return the tags of all hosts, also of those that are left out for a fault in them."""
    found = {name: list(of_host) for name, of_host in tags.items()}
    said = document.data.get("hosts")
    for name, host in said.items() if isinstance(said, dict) else ():
        own = host.get("tags") if isinstance(host, dict) else None
        texts = [tag for tag in own if isinstance(tag, str)] if isinstance(own, list) else []
        found.setdefault(name, texts)
    return found


def faults_of_inputs(inputs: Mapping[str, Input], known: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with the inputs."""
    if {"deploy_rs", "deploy-rs"} <= known:
        hint = "write `deploy-rs` alone"
        yield Problem("inputs.deploy_rs", "is the input `deploy-rs`, which is there as well", hint)
    for name, given in inputs.items():
        if not given.flake and name in NEEDED:
            hint = "take `flake = false` out"
            yield Problem(f"inputs.{name}.flake", f"`{name}` has to be a flake here", hint)
        for inner, outer in given.follows.items():
            first = outer.partition("/")[0]
            if first and first not in known:
                yield _no_input(f"inputs.{name}.follows.{inner}", first, known)
        if given.modules and not given.flake:
            message = "files that are no flake have no `nixosModules`"
            yield Problem(f"inputs.{name}.modules", message, "import them in a module of your own")


def faults_of_groups(
    fleet: Fleet, document: Document, tags: Mapping[str, list[str]], known: frozenset[str]
) -> Iterator[Problem]:
    """Yield what is wrong with groups and waves."""
    used = {f"@{tag}" for of_host in tags.values() for tag in of_host}
    for tag in sorted(tag for tag in fleet.groups if f"@{tag}" not in used):
        fault = rollout.no_such(f"groups.{tag}", f"@{tag}", sorted(used))
        hint = fault.hint.replace("@", "") if "did you" in fault.hint else "give it to a host"
        yield Problem(fault.where, fault.message, hint)
    yield from rollout.faults(document.data.get("rollout"), tags)
    for place, table in (
        ("defaults", fleet.defaults),
        *((f"groups.{tag}", group) for tag, group in fleet.groups.items()),
    ):
        if table.nixpkgs is not None and table.nixpkgs not in known:
            yield _no_input(f"{place}.nixpkgs", table.nixpkgs, known)


def faults_of_host(own: Own, known: frozenset[str]) -> Iterator[Problem]:
    """Yield what a host names that there is not."""
    for place, module in own.modules():
        name, sign, _ = module.partition("#")
        if sign and name not in known:
            yield _no_input(place, name, known)
    if own.host.nixpkgs is not None and own.host.nixpkgs not in known:
        yield _no_input(f"hosts.{own.name}.nixpkgs", own.host.nixpkgs, known)
    profiles = own.profiles()
    for name, settings in profiles.items():
        yield from _faults_of_profile(own, name, file=bool(settings.get("file")))
    place, order = own.order()
    there = sorted({own.main, *profiles})
    for at, name in enumerate(order):
        if name in order[:at]:
            message = f"`{name}` stands there twice"
            yield Problem(f"{place}.profiles_order.{at}", message, "take one of them out")
        elif name not in there:
            message = f"deploy-rs deploys no `{name}` to `{own.name}`"
            hint = f"there are {', '.join(there)}"
            yield Problem(f"{place}.profiles_order.{at}", message, hint)


def _faults_of_profile(own: Own, name: str, *, file: bool) -> Iterator[Problem]:
    place = next(place for place, table in reversed(own.tables) if name in table.profiles)
    where = f"{place}.profiles.{name}.file"
    if name == own.main and file:
        hint = "take `file` out, or name the profile otherwise"
        yield Problem(where, f"`{name}` is what the fleet deploys itself", hint)
    elif name != own.main and not file:
        hint = 'add `file = "deploy/my-profile.nix"`, a function that returns what to activate'
        yield Problem(where, "this key is required", hint)


def _no_input(where: str, name: str, known: frozenset[str]) -> Problem:
    close = closest(name, sorted(known))
    hint = f"did you mean `{close}`?" if close else f"add it under `[inputs.{name}]`"
    return Problem(where, f"there is no input `{name}`", hint)
