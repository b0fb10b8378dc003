"""What an Engine is: how one inference server is configured, and what it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.errors import Finding, Problem
    from generator.fit.ask import Ask
    from generator.host import Gpu, Host
    from generator.plan import (
        Acceleration,
        Build,
        Devices,
        Health,
        Job,
        Listen,
        Model,
        Omission,
        Setting,
        Source,
    )
    from generator.profiles.schema import Profile
    from generator.view import View


class Threads(NamedTuple):
    """The compute threads of a model (0: left to the server), why, and where they come from."""

    number: int
    reason: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a profile asks of any engine, from the engine's own table.

    `locked` is why a model is locked in memory; empty: it is not.
    """

    version: str | None
    acceleration: Acceleration | None
    host: str
    port: int
    open_firewall: bool
    models_dir: str
    locked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an engine decides about: a profile, on a host, for a release.

    `home` is the home of the service, empty for the one that the existing unit has; `header` is
    what every generated file begins with.
    """

    profile: Profile
    facts: Facts
    host: Host
    acceleration: Acceleration
    devices: Devices | None
    threads: Threads
    listen: Listen
    home: str
    header: tuple[str, ...]
    legacy_env: bool

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that compute."""
        return self.host.gpus if self.devices else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What an engine has decided, and what it has to say of the profile."""

    environment: tuple[Setting, ...]
    omissions: tuple[Omission, ...]
    runner: str = ""
    build: Build | None = None
    models: tuple[Model, ...]
    jobs: tuple[Job, ...]
    offered: tuple[Job, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is so of every server of an engine.

    `product`, `log_line`, `models_below` and `installed_models` are as in a Service. `home` and
    `user` are those of a complete unit, `program` is what a container's image calls it, and
    `address` the variable that says where to listen.
    """

    product: str
    log_line: str
    models_below: str
    installed_models: str
    unit: str
    command: tuple[str, ...]
    health: Health
    program: str
    user: str
    home: str
    address: str


class Engine(Protocol):
    """How one inference server is configured. Modules satisfy this: `engines/<name>/engine.py`."""

    SERVER: Server

    def asked(self, profile: Profile) -> Asked:
        """Return what the profile asks of any engine."""

    def decide(self, case: Case) -> Decided:
        """Return variables, models and jobs for the case. Pure."""

    def ask_of(self, view: View, facts: Facts) -> Ask:
        """Return what a service asks for, which knows how it is loaded, placed and evicted."""
