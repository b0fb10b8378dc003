"""A View: one Ollama service as a file describes it, whatever kind of file. Plain data.

Rules judge Views, so that a profile, a drop-in and a compose file are held to the same facts.
What a file does not say is None or empty; a rule that needs it stays silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator.host import UNKNOWN, Host

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.units import Release

Origin = Literal["profile", "systemd", "environment", "compose", "quadlet", "nixos", "helm"]
Reach = Literal["server", "client", "shell"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, its line from 1 (0: the file as a whole), a key path."""

    file: str
    line: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable as the server will get it: unquoted, specifiers expanded.

    `reach` is `server` where the server reads it, `client` where only a client of it does, `shell`
    where a login shell would have to export it. `written` is the value as the file spells it.
    `unresolved`: a part of the value is filled in by the running host only, and kept as it stands.
    """

    name: str
    value: str
    place: Place
    reach: Reach = "server"
    written: str = ""
    unresolved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A resource limit under its profile name (`cpu_quota`, `memory_max`), in the Plan's units.

    `value` is None where the file lifts the limit (`infinity`).
    """

    name: str
    value: int | str | None
    place: Place
    written: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A directive of a unit file, or a key of another format, that is no variable and no limit.

    `name` is empty for a line of a unit file that assigns nothing: the header of a section, or one
    that systemd ignores.
    """

    section: str
    name: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A model that the service pulls, creates, warms up or serves.

    `base` is the model of the library that it is made of, where that has another name.
    """

    name: str
    place: Place
    role: str = ""
    warmed: bool = False
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxed:
    """What is said of a container.

    `gpus` are device ids, `gpu_access` how they get in, `gpu_also` further ways beside that one.
    """

    image: str
    place: Place
    tag: str = ""
    digest: bool = False
    gpu_access: Literal["", "reservation", "cdi", "runtime", "devices"] = ""
    gpu_also: tuple[Literal["reservation", "cdi", "runtime", "devices"], ...] = ()
    gpus: tuple[str, ...] = ()
    privileged: Place | None = None
    host_network: Place | None = None
    user: str = ""
    ports: tuple[tuple[str, Place], ...] = ()
    mounts: tuple[tuple[str, Place], ...] = ()
    healthcheck: tuple[tuple[str, ...], Place] | None = None
    restart: str = ""
    memlock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One service, and what is known of its release and host.

    `release` is the one the rules judge for; `release_told` says whether the file or the user named
    it, or it is only the newest known. `neighbours` are other services of the same file.
    `unread` is what the consumer ignores: limits, and items of `Environment=`, that it cannot read.
    `resume_fix` says whether something gives a GPU back after a suspend; None: not told, or known
    not to be wanted.
    """

    origin: Origin
    name: str
    place: Place
    release: Release
    release_told: bool = False
    variables: tuple[Variable, ...] = ()
    bounds: tuple[Bound, ...] = ()
    lines: tuple[Line, ...] = ()
    unread: tuple[Line, ...] = ()
    host: Host = UNKNOWN
    models: tuple[Used, ...] = ()
    container: Boxed | None = None
    acceleration: str = ""
    neighbours: tuple[str, ...] = ()
    resume_fix: bool | None = None

    def at(self, key: str) -> Place:
        """Return the place to name for something the file does not say: its key, or the file."""
        return Place(self.place.file, key=key) if self.origin == "profile" else self.place

    def variable(self, name: str) -> Variable | None:
        """Return the variable that the server reads under this name, the last one winning."""
        found = [v for v in self.variables if v.name == name and v.reach == "server"]
        return found[-1] if found else None

    def bound(self, name: str) -> Bound | None:
        """Return the limit of that profile name that is in force, the last one winning."""
        return next((b for b in reversed(self.bounds) if b.name == name), None)


@dataclass(frozen=True, slots=True)
class Edit:
    """A mechanical fix: `old` on that line of the file becomes `new` (empty: the line goes)."""

    place: Place
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A Finding with the place it is about, and the Edits that would mend it."""

    finding: Finding
    place: Place
    edits: tuple[Edit, ...] = ()
