"""A fleet file → the Plan of each host, with all Problems and Findings of the fleet at once."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from generator.catalogue.nixos import channel_named
from generator.errors import EnvironmentFailure, HostwrightError, Problem, ProfileError, shortened
from generator.fleet.schema import Fleet
from generator.pipeline import decide, release_of
from generator.profiles.load import overlaid, read_document, read_file
from generator.profiles.validate import validated
from generator.records import dataclass
from generator.rules.decided import NO_SUCH_MODULE
from generator.targets import TARGETS, limitations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from generator.errors import Finding
    from generator.fleet.schema import Deploy, Host, Inputs
    from generator.plan import Plan
    from generator.profiles.document import Document

# Where other machines build for the host only slowly, or not at all.
_BUILDS_ITSELF = frozenset({"aarch64-linux"})
_ROOTLESS = "a user applies the files of this host, and a fleet is deployed by root"
_ROOTLESS_HINT = "take it out of the fleet, or have its server run for the whole host"


@dataclass(frozen=True, slots=True)
class Node:
    """One decided host. `deploy` has deploy-rs's settings by deploy-rs's own names."""

    name: str
    target: str
    address: str
    tags: tuple[str, ...]
    modules: tuple[str, ...]
    deploy: dict[str, Any]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided fleet: its hosts by name, and where its flake takes inputs from."""

    source: str
    inputs: Inputs
    nodes: tuple[Node, ...]


def decide_fleet(
    path: Path,
    *,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
    stdin: bytes | None = None,
) -> Decided:
    """Return the decided fleet of the file at `path`, `-` for `stdin`; `strict` as in `resolve`.

    `progress` is called before each host, with how many are done and how many there are.
    Raises ProfileError with the Problems of all hosts, HostwrightError for a file that is not
    there, EnvironmentFailure for one that cannot be read.
    """
    document = read_file(path, stdin=stdin)
    fleet, problems = _formed(document)
    plans = _Plans(document, path.parent, strict=strict)
    packaged = release_of(channel_named(fleet.inputs.nixpkgs))
    plans.problems += problems
    nodes = []
    for done, (name, host) in enumerate(sorted(fleet.hosts.items())):
        if progress:
            progress(done, len(fleet.hosts))
        nodes.append(_node(name, host, fleet, plans, packaged))
    if plans.problems:
        raise ProfileError(document.source, tuple(dict.fromkeys(plans.problems)))
    return Decided(document.label, fleet.inputs, tuple(node for node in nodes if node))


def findings_of(fleet: Decided, output: Path | None = None) -> list[Finding]:
    """Return the Findings of all hosts, and which modules are missing in the directory `output`."""
    hosts: dict[Finding, list[str]] = {}
    for node in fleet.nodes:
        for finding in (*node.plan.findings, *limitations(node.target, node.plan)):
            if not finding.ignored:
                hosts.setdefault(finding, []).append(node.name)
    found = [
        dataclasses.replace(finding, where=f"{shortened(', '.join(names))}: {finding.where}")
        for finding, names in hosts.items()
    ]
    if output is None:
        return found
    missing = {
        path for node in fleet.nodes for path in node.modules if not (output / path).exists()
    }
    return found + [
        NO_SUCH_MODULE.finding(
            f"there is no `{path}` in {output}, so its hosts do not evaluate",
            "modules",
            "write it, and have git track it",
        )
        for path in sorted(missing)
    ]


def _formed(document: Document) -> tuple[Fleet, tuple[Problem, ...]]:
    """Return the fleet without the hosts that are wrong in form, and what is wrong with those.

    Raises ProfileError where something else is wrong, or no host is left.
    """
    try:
        return validated(document, Fleet), ()
    except ProfileError as error:
        places = [problem.where.split(".") for problem in error.problems]
        hosts = document.data.get("hosts")
        if not isinstance(hosts, dict) or any(place[0] != "hosts" for place in places):
            raise
        bad = {place[1] for place in places if len(place) > 1}
        left = {name: host for name, host in hosts.items() if name not in bad}
        if not left or len(left) == len(hosts):
            raise
        rest = dataclasses.replace(document, data={**document.data, "hosts": left})
        return validated(rest, Fleet), error.problems


def _node(name: str, host: Host, fleet: Fleet, plans: _Plans, packaged: str | None) -> Node | None:
    defaults = fleet.defaults
    target = TARGETS[host.target]
    runs = packaged if target.fleet == "modules" else None
    plan = plans.plan(name, host, host.ollama_version or defaults.ollama_version, runs)
    if plan is None:
        return None
    if target.rootless and plan.service.container.rootless:
        plans.problems.append(Problem(f"hosts.{name}.target", _ROOTLESS, _ROOTLESS_HINT))
    return Node(
        name=name,
        target=host.target,
        address=host.address or name,
        tags=tuple(dict.fromkeys((*defaults.tags, *host.tags))),
        modules=(*defaults.modules, *host.modules) if target.fleet == "modules" else (),
        deploy=_deploy(defaults.deploy, host.deploy, plan.host.system),
        plan=plan,
    )


def _deploy(defaults: Deploy, host: Deploy, system: str) -> dict[str, Any]:
    """Return what is set, host before default, as `{"sshUser": "root"}`."""
    settings = defaults.model_dump(exclude_unset=True) | host.model_dump(exclude_unset=True)
    settings.setdefault("remote_build", system in _BUILDS_ITSELF)
    return {to_camel(key): value for key, value in sorted(settings.items()) if value is not None}


def _says_release(profile: dict[str, Any]) -> bool:
    return any("version" in table for table in profile.values() if isinstance(table, dict))


class _Plans:
    """Decides each combination of profile, overrides and release once; collects Problems."""

    def __init__(self, fleet: Document, folder: Path, *, strict: bool) -> None:
        self._fleet, self._folder, self._strict = fleet, folder, strict
        self._profiles: dict[str, Document | None] = {}
        self._plans: dict[str, Plan | None] = {}
        self.problems: list[Problem] = []

    def plan(self, name: str, host: Host, version: str | None, packaged: str | None) -> Plan | None:
        """Return the Plan of a host; None where it has Problems.

        `packaged` is the release that counts where nobody, nor the profile, says one.
        """
        asked = [host.profile, host.overrides, version, packaged]
        key = json.dumps(asked, sort_keys=True, default=str)
        if key not in self._plans:
            self._plans[key] = self._decided(name, host, version, packaged)
        return self._plans[key]

    def _decided(
        self, name: str, host: Host, version: str | None, packaged: str | None
    ) -> Plan | None:
        profile = self._profile(name, host.profile)
        if profile is None:
            return None
        overrides = dict(host.overrides)
        if overrides.pop("extends", None) is not None:
            where = f"hosts.{name}.overrides.extends"
            hint = "name that profile by `profile`"
            self.problems.append(Problem(where, "a host extends its profile already", hint))
        document = overlaid(profile, overrides, self._fleet.source)
        also = self._fleet.label if host.overrides else ""
        if not _says_release(document.data):
            version = version or packaged
        try:
            return decide(document, version=version, strict=self._strict, also=also)
        except ProfileError as error:
            self.problems += self._placed(name, error)
            return None

    def _profile(self, host: str, name: str) -> Document | None:
        """Read a profile once; what is wrong with it is reported once, too."""
        if name not in self._profiles:
            self._profiles[name] = None
            try:
                self._profiles[name] = read_document(name, folder=self._folder)
            except ProfileError as error:
                self.problems += self._placed(host, error)
            except EnvironmentFailure:
                raise
            except HostwrightError as error:
                self.problems.append(Problem(f"hosts.{host}.profile", error.message, error.hint))
        return self._profiles[name]

    def _placed(self, name: str, error: ProfileError) -> Iterator[Problem]:
        """Say where in the fleet file the cause stands; otherwise it stands in the profile."""
        for problem in error.problems:
            where, source = problem.where, problem.source or error.source
            if where == "--ollama-version":
                where, source = f"hosts.{name}.ollama_version", self._fleet.source
            elif problem.source == self._fleet.source:
                where = f"hosts.{name}.overrides.{where}"
            yield dataclasses.replace(problem, where=where, source=source)
