"""A fleet file → the Plan of each host, with all Problems and Findings of the fleet at once."""

from __future__ import annotations

import copy
import dataclasses
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.nixos import channel_named
from generator.errors import HostwrightError, Problem, ProfileError, WriteRefused, shortened
from generator.fleet import rollout
from generator.fleet.faults import (
    NEEDED,
    faults_of_clusters,
    faults_of_groups,
    faults_of_host,
    faults_of_inputs,
    faults_of_names,
    known_inputs,
    known_tags,
)
from generator.fleet.plans import Plans
from generator.fleet.schema import NIXPKGS, Fleet, Input
from generator.fleet.settings import CLUSTER, NIXPKGS_INPUT, deploy_rs, own_of
from generator.pipeline import release_of
from generator.profiles.load import read_file
from generator.profiles.validate import validated
from generator.records import dataclass
from generator.rules.decided import HURRIED, NO_SUCH_MODULE
from generator.targets import TARGETS, limitations
from generator.targets.bundle import wait_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from generator.errors import Finding
    from generator.fleet.plans import Base
    from generator.fleet.settings import Own
    from generator.plan import Plan
    from generator.profiles.document import Document

# Where other machines build for the host only slowly, or not at all.
_BUILDS_ITSELF = frozenset({"aarch64-linux"})
_ROOTLESS = "a user applies the files of this host, and a fleet is deployed by root"
_SEVERAL = "has several servers, and the modules for NixOS are about one"
_OTHER = "the modules for NixOS set `services.ollama`, and this profile is for"
_OTHER_HINT = 'write `target = "quadlet"`, or `"systemd"` with service.full_unit'
_SEVERAL_HINT = (
    "choose another target, or import what `gen render PROFILE -t nixos` writes, without a profile"
)
_ROOTLESS_HINT = "take it out of the fleet, or have its server run for the whole host"
_OF_A_CLUSTER = 'a group of the host is of `kind = "k8s"`, and what a cluster runs is no host'
_CLUSTER_HINT = "take the target out, or the tag"
_FOLLOWS: Final = {NIXPKGS_INPUT: NIXPKGS_INPUT}
INPUTS: Final = {
    NIXPKGS_INPUT: Input.model_construct(url=NIXPKGS, follows={}),
    "deploy-rs": Input.model_construct(url="github:serokell/deploy-rs", follows=_FOLLOWS),
    "colmena": Input.model_construct(url="github:nix-community/colmena", follows=_FOLLOWS),
}
"""The inputs that a flake has anyway, and what follows what where nobody says."""
# Stands where a fault in every host leaves none: what is wrong beside them is told all the same.
_NOBODY: Final = "nobody"
# Without them a host may be quite another one.
_DECISIVE: Final = frozenset(
    {"", "profile", "report", "target", "tags", "nixpkgs", "ollama_version"}
)


@dataclass(frozen=True, slots=True)
class Node:
    """One decided host. `deploy` has deploy-rs's settings by deploy-rs's own names.

    `base` is the Plan that most hosts of its profile have; `profiles` has what deploy-rs deploys
    beside it: by name, a file of the user's where there is one, and settings. `findings` are those
    beside the Plan's.
    """

    name: str
    target: str
    address: str
    tags: tuple[str, ...]
    modules: tuple[str, ...]
    deploy: dict[str, Any]
    plan: Plan
    base: Base | None = None
    nixpkgs: str = NIXPKGS_INPUT
    gated: bool = False
    profiles: Mapping[str, tuple[str | None, dict[str, Any]]] = dataclasses.field(
        default_factory=dict
    )
    order: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Decided:
    """A decided fleet: its hosts by name, the waves that they go in, and the inputs of its flake.

    `others` are the hosts of the file that were not asked for, `clusters` what is no machine.
    """

    source: str
    fleet: Fleet
    inputs: Mapping[str, Input]
    nodes: tuple[Node, ...]
    others: frozenset[str] = frozenset()
    clusters: tuple[Node, ...] = ()

    @property
    def every(self) -> tuple[Node, ...]:
        """The hosts, and what clusters run."""
        return (*self.nodes, *self.clusters)

    @cached_property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The hosts of each wave, in the order of the waves."""
        return rollout.waves_of(self.fleet.rollout, {node.name: node.tags for node in self.nodes})


def decide_fleet(
    path: Path,
    *,
    only: Sequence[str] = (),
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
    stdin: bytes | None = None,
) -> Decided:
    """Return the decided fleet of the file at `path`, `-` for `stdin`; `strict` as in `resolve`.

    `only` names tags and hosts, and leaves the others out. `progress` is called before each host,
    with how many are done and how many there are. Raises ProfileError with the Problems of all
    hosts, HostwrightError for a file that is not there and a name in `only` that nothing has,
    EnvironmentFailure for a file that cannot be read.
    """
    document = _spelt(read_file(path, stdin=stdin))
    fleet, formless = _formed(document)
    plans = Plans(document, path.parent, strict=strict)
    every = [own_of(name, host, fleet) for name, host in sorted(fleet.hosts.items())]
    tags = {own.name: own.tags for own in every}
    # Also of hosts that are left out for a fault in them.
    there = known_tags(document, tags)
    wanted = _wanted(only, there)
    inputs = _inputs(fleet)
    known = known_inputs(document, inputs)
    plans.problems += faults_of_inputs(inputs, known)
    plans.problems += faults_of_names(there)
    plans.problems += faults_of_groups(fleet, document, there, known)
    packaged = {name: release_of(channel_named(each.url)) for name, each in inputs.items()}
    owns = [own for own in every if own.name in wanted]
    nodes = []
    for done, own in enumerate(owns):
        if progress:
            progress(done, len(owns))
        plans.problems += faults_of_host(own, known)
        nodes.append(_node(own, plans, inputs, packaged))
    found = [node for node in nodes if node]
    plans.problems += faults_of_clusters(fleet, (one for one in found if one.target == CLUSTER))
    # What was taken out is not missed as well.
    told = {problem.where for problem in formless}
    problems = [*formless, *(problem for problem in plans.problems if problem.where not in told)]
    if problems:
        raise ProfileError(document.source, tuple(dict.fromkeys(problems)))
    return Decided(
        document.label,
        fleet,
        inputs,
        tuple(node for node in found if node.target != CLUSTER),
        frozenset(tags) - wanted,
        tuple(node for node in found if node.target == CLUSTER),
    )


def refuse_to_drop(fleet: Decided, output: Path) -> None:
    """Raise WriteRefused where the flake in a directory has hosts that are left out this time."""
    try:
        lists = json.loads((output / "hostwright/fleet.json").read_bytes())["hosts"].values()
        there = {name for names in lists for name in names}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # There is none, or it is none of ours.
    if lost := sorted(there & fleet.others):
        raise WriteRefused(
            f"the flake in {output} would lose {shortened(', '.join(lost))}",
            hint="write these hosts to a directory of their own, or leave `--only` out",
        )


def findings_of(fleet: Decided, output: Path | None = None) -> list[Finding]:
    """Return the Findings of all hosts, and which files are missing in the directory `output`."""
    hosts: dict[Finding, list[str]] = {}
    limits: dict[tuple[str, int], tuple[Finding, ...]] = {}
    for node in fleet.every:
        key = (node.target, id(node.plan))
        if key not in limits:
            limits[key] = limitations(node.target, node.plan)
        for finding in (*node.plan.findings, *limits[key], *node.findings):
            if not finding.ignored:
                hosts.setdefault(finding, []).append(node.name)
    found = [
        dataclasses.replace(finding, where=f"{shortened(', '.join(names))}: {finding.where}")
        for finding, names in hosts.items()
    ]
    if output is None:
        return found
    missing = {path for path in _named(fleet) if not (output / path).exists()}
    return found + [
        NO_SUCH_MODULE.finding(
            f"there is no `{path}` in {output}, so its hosts do not evaluate",
            "modules",
            "write it, and have git track it",
        )
        for path in sorted(missing)
    ]


def _named(fleet: Decided) -> Iterator[str]:
    """Yield the files of the user's that the flake reads."""
    if fleet.fleet.outputs:
        yield fleet.fleet.outputs
    for node in fleet.nodes:
        yield from (module for module in node.modules if "#" not in module)
        yield from (file for file, _ in node.profiles.values() if file)


def _spelt(document: Document) -> Document:
    """Return the document with `deploy_rs` under the name that the input has in the flake."""
    inputs = document.data.get("inputs")
    if not isinstance(inputs, dict) or "deploy_rs" not in inputs or "deploy-rs" in inputs:
        return document
    named = {key.replace("deploy_rs", "deploy-rs"): value for key, value in inputs.items()}
    return dataclasses.replace(document, data={**document.data, "inputs": named})


def _formed(document: Document) -> tuple[Fleet, tuple[Problem, ...]]:
    """Return the fleet without what is wrong in form, and what that is.

    Raises ProfileError where nothing is left.
    """
    try:
        return validated(document, Fleet), ()
    except ProfileError as error:
        data = copy.deepcopy(document.data)
        for problem in error.problems:
            _take_out(data, problem.where)
        data["schema_version"] = 1
        left = data.get("hosts")
        data["hosts"] = left or {_NOBODY: {}}
        try:
            fleet = validated(dataclasses.replace(document, data=data), Fleet)
            return fleet if left else fleet.model_copy(update={"hosts": {}}), error.problems
        except ProfileError:
            raise error from None


def _take_out(data: dict[str, Any], where: str) -> None:
    """Delete the key that is wrong, or the list that it is in; a host without it may go, too."""
    path = where.split(".")
    hosts = data.get("hosts")
    if path[0] == "hosts" and isinstance(hosts, dict):
        # What is no name of a host may have dots in it.
        ends = range(2, len(path) + 1)
        end = next((end for end in ends if ".".join(path[1:end]) in hosts), 0)
        name, key = ".".join(path[1:end]), ".".join(path[end : end + 1])
        if end and (not isinstance(hosts[name], dict) or key in _DECISIVE):
            del hosts[name]
            return
    table: Any = data
    for at, step in enumerate(path):
        inner = table.get(step) if isinstance(table, dict) else None
        if at == len(path) - 1 or not isinstance(inner, dict):
            if isinstance(table, dict):
                table.pop(step, None)
            return
        table = inner


def _wanted(only: Sequence[str], tags: Mapping[str, list[str]]) -> frozenset[str]:
    """Return the names of the hosts that are asked for. Raises HostwrightError for no such name."""
    if not only:
        return frozenset(tags)
    for name in only:
        if not rollout.chosen([name], tags):
            known = {*tags, *(tag for of_host in tags.values() for tag in of_host)}
            fault = rollout.no_such("--only", name, sorted(known))
            message = f"--only: no host is called `{name}`, and none has such a tag"
            raise HostwrightError(message, hint=fault.hint)
    return rollout.chosen(only, tags)


def _inputs(fleet: Fleet) -> dict[str, Input]:
    """Return the inputs of the flake: those that it has anyway, and the user's."""
    found = dict(INPUTS)
    for name, said in fleet.inputs.items():
        given = Input.model_construct(url=said, follows={}) if isinstance(said, str) else said
        if name in NEEDED and "follows" not in getattr(said, "model_fields_set", ()):
            follows = {} if name == NIXPKGS_INPUT else _FOLLOWS
            given = given.model_copy(update={"follows": follows})
        found[name] = given
    return found


def _node(
    own: Own, plans: Plans, inputs: Mapping[str, Input], packaged: Mapping[str, str | None]
) -> Node | None:
    host, target = own.host, TARGETS[own.host.target]
    decision = plans.decision(own, packaged.get(own.nixpkgs) if own.of_nixos else None)
    if decision is None:
        return None
    plan = decision.plan
    if target.rootless and plan.services[0].container.rootless:
        plans.problems.append(Problem(f"hosts.{own.name}.target", _ROOTLESS, _ROOTLESS_HINT))
    if target.fleet == "modules" and len(plan.services) > 1:
        plans.problems.append(Problem(f"hosts.{own.name}.profile", _SEVERAL, _SEVERAL_HINT))
    if target.fleet == "modules" and plan.services[0].engine != load_catalogue().engine:
        message = f"{_OTHER} {plan.services[0].product}"
        plans.problems.append(Problem(f"hosts.{own.name}.profile", message, _OTHER_HINT))
    if own.of_a_cluster and own.misplaced:
        plans.problems.append(Problem(f"hosts.{own.name}.target", _OF_A_CLUSTER, _CLUSTER_HINT))
    everywhere = [f"{name}#{each}" for name, given in inputs.items() for each in given.modules]
    modules = [*(everywhere if own.of_nixos else ()), *(module for _, module in own.modules())]
    deploy = own.deploy()
    found = plans.doubts.get(host.report or "", ())
    deploy.setdefault("remote_build", plan.host.system in _BUILDS_ITSELF)
    return Node(
        name=own.name,
        target=host.target,
        address=host.address or own.name,
        tags=own.tags,
        modules=tuple(dict.fromkeys(modules)),
        deploy=deploy_rs(deploy),
        plan=plan,
        base=decision.base,
        nixpkgs=own.nixpkgs,
        gated=own.gated and own.of_nixos,
        profiles={
            name: (settings.pop("file", None), deploy_rs(settings))
            for name, settings in own.profiles().items()
        },
        order=own.order()[1],
        findings=(*found, *(() if own.of_a_cluster else _hurried(own, deploy, plan))),
    )


def _hurried(own: Own, deploy: Mapping[str, Any], plan: Plan) -> Iterator[Finding]:
    """Yield a Finding where deploy-rs waits less long than an activation does for the server."""
    given, takes = deploy.get("activation_timeout"), max(map(wait_seconds, plan.services))
    if given is not None and given <= takes and (own.gated or not own.of_nixos):
        yield HURRIED.finding(
            f"an activation has {given} s, and waits up to {takes} s for the server",
            "deploy.activation_timeout",
            f"give it more than {takes} s, and the time that the rest takes",
        )
