"""What holds for one host of a fleet: what is said of all hosts, of its groups, and of it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic.alias_generators import to_camel

from generator.records import dataclass
from generator.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.fleet.schema import Deploy, DeployProfile, Fleet, Host, Settings

NIXPKGS_INPUT: Final = "nixpkgs"
"""The input that packages come from where nobody names another."""
CLUSTER: Final = "k8s"
"""The kind of groups whose members a cluster runs, and their target."""


@dataclass(frozen=True, slots=True)
class Own:
    """What holds for a host. `tables` are what says so, each with its place, the weakest first.
    `misplaced`: a cluster runs it, and it has a target all the same.
    """

    name: str
    host: Host
    tags: tuple[str, ...]
    tables: tuple[tuple[str, Settings], ...]
    misplaced: bool = False

    @property
    def profile(self) -> str | None:
        """The profile; a report of the host's own comes before one of its groups."""
        said: str | None = self._last("profile")
        return self.host.profile if self.host.report else said

    @property
    def version(self) -> str | None:
        """The release that somebody asks for."""
        said: str | None = self._last("ollama_version")
        return said

    @property
    def nixpkgs(self) -> str:
        """The input that the packages of the host come from."""
        return self._last("nixpkgs") or NIXPKGS_INPUT

    @property
    def gated(self) -> bool:
        """Whether an activation waits for the server."""
        return self._last("health_gate") is not False

    @property
    def of_nixos(self) -> bool:
        """Whether the host is one of NixOS, and has modules."""
        return TARGETS[self.host.target].fleet == "modules"

    @property
    def of_a_cluster(self) -> bool:
        """Whether it is no machine, but what a cluster runs."""
        return self.host.target == CLUSTER

    @property
    def main(self) -> str:
        """What deploy-rs calls the profile that the fleet deploys anyway."""
        return "system" if self.of_nixos else "hostwright"

    @property
    def overrides(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """The keys of the profile that differ, each table with its place."""
        return tuple((place, t.overrides) for place, t in self.tables if t.overrides)

    def modules(self) -> Iterator[tuple[str, str]]:
        """Yield the modules, each with its place; a host that is not NixOS has none."""
        for place, table in self.tables if self.of_nixos else ():
            for index, module in enumerate(table.modules):
                yield f"{place}.modules.{index}", module

    def deploy(self) -> dict[str, Any]:
        """Return what is set of how the host is reached, in the names of the fleet file."""
        return _set(table.deploy for _, table in self.tables)

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Return what deploy-rs deploys beside the fleet's, by name, as `deploy` does."""
        said: dict[str, list[DeployProfile]] = {}
        for _, table in self.tables:
            for name, profile in table.profiles.items():
                said.setdefault(name, []).append(profile)
        return {name: _set(tables) for name, tables in said.items()}

    def order(self) -> tuple[str, tuple[str, ...]]:
        """Return the order of those, and where it is said."""
        said = [(place, t.profiles_order) for place, t in self.tables if t.profiles_order]
        return said[-1] if said else ("", ())

    def _last(self, key: str) -> Any:  # noqa: ANN401 -- the type of the key
        """Return the value of the strongest table that has one."""
        values = (getattr(table, key) for _, table in reversed(self.tables))
        return next((value for value in values if value is not None), None)


def own_of(name: str, host: Host, fleet: Fleet) -> Own:
    """Return what holds for a host: of several groups, the later of its tags counts."""
    tags = tuple(dict.fromkeys((*fleet.defaults.tags, *host.tags)))
    groups = ((f"groups.{tag}", fleet.groups[tag]) for tag in tags if tag in fleet.groups)
    named = tuple(groups)
    misplaced = False
    if any(group.kind == CLUSTER for _, group in named):
        misplaced = "target" in host.model_fields_set
        host = host.model_copy(update={"target": CLUSTER})
    tables = (("defaults", fleet.defaults), *named, (f"hosts.{name}", host))
    return Own(name, host, tags, tables, misplaced)


def deploy_rs(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by the names of deploy-rs, as `{"sshUser": "root"}`."""
    return {to_camel(key): value for key, value in sorted(settings.items()) if value is not None}


def _set(tables: Iterable[Deploy]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for table in tables:
        merged |= {key: getattr(table, key) for key in table.model_fields_set}
    return merged
