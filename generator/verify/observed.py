"""What was seen of a running service, by who tells it. Plain data; what nobody tells is None."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.engines.base import ServedModel
    from generator.view import View

Via = Literal["systemd", "docker", "podman", "kubectl", "process", "api"]
VIAS: tuple[Via, ...] = ("systemd", "docker", "podman", "process", "api")
"""Who is asked where nobody says whom: a cluster is none of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a manager holds of a service: what it hands to the process it starts next.

    `by` is who says so, `name` what it calls the service. `limits` are under their profile names,
    in the Plan's units, None: no limit. `pid` is 0 and `cgroup` empty where it does not run.
    `stale`: files of it have changed, and the manager has not read them since. `files` are those
    of variables which it reads when it starts the process. `published` is where a container's
    ports are reached, None: it has none of its own.
    """

    by: Via
    name: str
    variables: Mapping[str, str]
    limits: Mapping[str, int | str | None]
    pid: int = 0
    cgroup: str = ""
    stale: bool = False
    files: tuple[str, ...] = ()
    started: str = ""
    published: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as the kernel has it: its command, environment and limits.

    `variables` is None where nobody may read them. `limits` are those that the kernel enforces,
    under their profile names, in the Plan's units, None: no limit; what it does not tell is
    missing. `throttled` is in how many of how many periods it had to wait for CPU time.
    """

    pid: int
    command: tuple[str, ...]
    variables: Mapping[str, str] | None
    limits: Mapping[str, int | str | None]
    throttled: tuple[int, int] = (0, 0)
    children: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the server itself answers; by the names of models: `parameters` of those that it
    has made, and the file of `weights` that those in memory were loaded from.
    """

    release: str
    installed: tuple[ServedModel, ...]
    loaded: tuple[ServedModel, ...]
    parameters: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that was seen. `written` is what stands in files, merged as the manager merges them.

    `config` are the variables as the server says it has read them, empty: no line says so;
    `devices` the libraries of what it says it computes on, `loads` what it says of models that it
    has loaded. `room` are the bytes left where its models are, None: unknown.
    `unanswered` is why the server itself answers nothing, empty: it does, or was not asked.
    `gaps` are who else could not be asked, and why.
    """

    url: str
    written: View | None = None
    held: Held | None = None
    process: Process | None = None
    config: Mapping[str, str]
    devices: tuple[str, ...] = ()
    loads: tuple[Mapping[str, str], ...] = ()
    room: int | None = None
    answers: Answers | None = None
    unanswered: str = ""
    gaps: tuple[tuple[str, str], ...] = ()

    def who(self, product: str) -> tuple[str, ...]:
        """Return what was looked at: the server, who manages it, its process, its address."""
        release = self.answers.release if self.answers else ""
        return (
            f"{product} {release}".rstrip(),
            *((f"{self.held.by} {self.held.name}",) if self.held else ()),
            *((f"process {self.process.pid}",) if self.process else ()),
            self.url,
        )
