"""All that the checks judge by: what was seen of a server and of its machine. Plain data."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from generator.errors import HostwrightError
from generator.formats.shell import quote
from generator.records import dataclass
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.detect.detected import Detected, Gpu
    from generator.engines.base import Running
    from generator.plan import Service
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed


@dataclass(frozen=True, slots=True)
class Step:
    """A folder on the way to the models: its mode as `ls` writes it, and whose it is, by number."""

    mode: str
    owner: int
    group: int
    path: str


@dataclass(frozen=True, slots=True)
class User:
    """Who the server runs as, by number, with all groups."""

    id: int
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Space:
    """The bytes of the file system under the models, and those that are left."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """How many percent of the last minute something waited for a resource, and how many all did."""

    some: float
    full: float


@dataclass(frozen=True, slots=True)
class Clock:
    """A GPU at work: degrees, watts (None: not told), and why its clock is lower, if it is."""

    name: str
    celsius: int | None
    watts: float | None
    limit: float | None
    usual_limit: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens on a port: the program and its process; 0 and empty: another user's."""

    program: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """What was seen; what nobody tells is None or empty.

    `near`: the server is on the machine that was looked at, of which otherwise nothing is known.
    `machine` is None as well where it took too long, which `late` says. `unit` are properties that
    systemd has of the service, `folder` is where its models are, `way` the folders down to it, as
    far as they may be looked at. `modules` are the kernel's, `nodes` those device nodes that there
    are. `log` is what the server wrote since its last start, `kernel` what the kernel says of the
    machine since its start. `devices` are the libraries of what the server computes on, by its
    log. `absent`: there is no such `folder`. `resumed`: it has been suspended since the server
    runs. `now` is in seconds since 1970. `profile` is what its user calls it, `comparison` is
    None without one.
    """

    url: str
    port: int
    near: bool
    service: Service
    facts: Facts
    running: Running
    seen: Observed
    machine: Detected | None = None
    late: str = ""
    unit: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    way: tuple[Step, ...] = ()
    absent: bool = False
    devices: tuple[str, ...] = ()
    user: User | None = None
    space: Space | None = None
    pressure: Mapping[str, Pressure] = field(default_factory=dict)
    swap: int | None = None
    swapped: int | None = None
    ended: int | None = None
    clocks: tuple[Clock, ...] = ()
    modules: frozenset[str] | None = None
    nodes: frozenset[str] = frozenset()
    box: Mapping[str, object] = field(default_factory=dict)
    cgroup_driver: str = ""
    listeners: tuple[Listener, ...] = ()
    listens: int | None = None
    log: str = ""
    kernel: str = ""
    resumed: bool = False
    now: float | None = None
    profile: str = ""
    comparison: Comparison | None = None

    def reads(self, name: str) -> bool:
        """Whether the release that runs, or else the profile's, reads a variable."""
        known, answers = self.facts.variable(name), self.seen.answers
        if known is None:
            return False
        try:
            running = Release.parse(answers.release if answers else "")
        except (HostwrightError, ValueError):
            return True
        # What is built without a release says 0.0.0.
        return running >= known.since or running <= Release(0, 0, 0)

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that a server could compute on."""
        return tuple(g for g in self.machine.gpus if not g.fault) if self.machine else ()

    @property
    def runs(self) -> bool:
        """Whether there is a process of the server, or an answer."""
        return self.seen.process is not None or self.seen.answers is not None

    @property
    def boxed(self) -> str:
        """The engine of the container that the server is in; empty: it is in none."""
        held = self.seen.held
        return held.by if held is not None and held.by != "systemd" else ""

    @property
    def restart(self) -> str:
        """The command that starts the server again."""
        held = self.seen.held
        if held is not None and self.boxed:
            return f"{held.by} restart {held.name}"
        if held is not None or self.seen.process is None:
            return f"sudo systemctl restart {self.service.unit}"
        return self.again_with(())

    @property
    def end(self) -> str:
        """The command that ends a process that no manager holds, and waits until it has."""
        pid = self.seen.process.pid if self.seen.process else 0
        return f"while kill {pid} 2>/dev/null; do sleep 1; done"

    def again_with(self, words: Sequence[str]) -> str:
        """Return the command that starts a process again that no manager holds.

        `words` are those of env(1): variables that it gets, and those that it gets no more.
        """
        lead = "".join(f"{quote(word)} " for word in ("env", *words)) if words else ""
        return f"{self.end}; {lead}{self._command}"

    def set_variable(self, text: str) -> str:
        """Return the command with which a variable is set where it counts."""
        if self.boxed:
            return f"{self.boxed} run -e {text} …  # or `environment:` of its compose file"
        if self.alone:
            return f"{text} {self._command}"
        return f"sudo systemctl edit {self.service.unit}  # [Service] Environment={text}"

    @property
    def _command(self) -> str:
        """The command of the server as it runs, for a shell."""
        words = self.seen.process.command if self.seen.process else self.service.command
        return " ".join(map(quote, words))

    @property
    def alone(self) -> bool:
        """Whether the server was started by hand, or by what nobody here knows."""
        return self.seen.held is None and self.seen.process is not None

    @property
    def see_settings(self) -> str:
        """The command that judges the settings of the server."""
        if self.alone and self.seen.process is not None:
            return rf"tr '\0' '\n' </proc/{self.seen.process.pid}/environ | gen check -"
        return (
            "gen check --help"
            if self.boxed
            else f"gen check /etc/systemd/system/{self.service.unit}.d"
        )

    def variable(self, name: str) -> str | None:
        """Return a variable as it is in effect, as far as anybody tells; None: not set."""
        process, held = self.seen.process, self.seen.held
        told = (
            process.variables if process else None,
            self.seen.config or None,
            held.variables if held else None,
        )
        return next((each.get(name) for each in told if each is not None), None)
