"""The Plan: one fully decided, target-neutral service. Plain data, no third party.

Every value carries the reason why it is what it is. Targets print a Plan and decide nothing.
`plan.json` is this tree with the same names (see `codec`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from generator.errors import Finding  # noqa: TC001 -- codec reads the annotations

SCHEMA_VERSION: Final = 1
OLLAMA: Final = "/.ollama-program"
"""Stands in a Step for the ollama program, wherever the target has it."""
MODELFILES: Final = "/.modelfiles"
"""Stands in a Step for the directory of Modelfiles, wherever the target puts it."""

Source = Literal["profile", "derived", "default", "legacy"]
Group = Literal["gpu", "threads", "ollama", "environment"]
Scope = Literal["any", "host"]


def commented(reason: str, replaces: tuple[str, ...]) -> str:
    """Return the comment of a value: why it is, and what it stands in for."""
    if not replaces:
        return reason
    return f"{reason} Stands in for {' and '.join(replaces)}, which no release reads."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable of the server.

    `replaces` are the dead names that it stands in for. `scope` `host` marks a variable that a
    container expresses by its device list instead (indices there are container-relative).
    """

    name: str
    value: str
    reason: str
    source: Source
    group: Group
    replaces: tuple[str, ...] = ()
    scope: Scope = "any"

    @property
    def comment(self) -> str:
        """The reason, and the dead names that this variable stands in for."""
        return commented(self.reason, self.replaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """Something the profile asks for that is not set, on purpose: `what` and `reason`."""

    what: str
    reason: str
    group: Group

    @property
    def comment(self) -> str:
        """The line that the output has in its place."""
        return f"Not set: {self.what}. {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One resource limit under its profile name.

    Units by name: `cpu_quota` percent of one CPU; `memory_*` and `limit_memlock` bytes, or the
    string `infinity`; all others as systemd spells them.
    """

    name: str
    value: int | str
    reason: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the API listens on the host. `host` is an address without brackets."""

    host: str
    port: int
    open_firewall: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A card: `memory` in bytes, `compute_capability` as NVIDIA writes it (`6.1`)."""

    name: str
    memory: int
    compute_capability: str = ""
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What a NixOS host must build: kernel modules open or not, driver branch, CUDA targets.

    `branch` is an attribute of `nvidiaPackages`, empty for the host's own choice;
    `cuda_architectures` are numbers without the dot (`61`), empty for the packaged set, and
    `cuda_major` is the CUDA release that still builds for them (0: any).
    """

    open: bool
    branch: str
    cuda_architectures: tuple[str, ...]
    cuda_major: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: `argv` without a shell. A step that `may_fail` does not stop the next."""

    argv: tuple[str, ...]
    may_fail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The GPUs that the service may use.

    `ids` are what the profile names (indices or UUIDs), in order; empty means all.
    `allow` are the device classes of DeviceAllow= (to read, write and make), `modules` the kernel
    modules that must be loaded before the server starts; `nodes` are the device nodes that a
    container needs where no runtime injects them; `wait` is the bounded wait for the node that the
    driver makes last.
    """

    vendor: Literal["nvidia", "amd", "dri"]
    gpus: tuple[Gpu, ...]
    ids: tuple[str, ...]
    allow: tuple[str, ...]
    modules: tuple[str, ...]
    nodes: tuple[str, ...]
    wait: Step | None
    driver: Driver | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A `PARAMETER` line of a Modelfile."""

    name: str
    value: str
    reason: str
    replaces: tuple[str, ...] = ()

    @property
    def comment(self) -> str:
        """The reason, and the dead names that this parameter stands in for."""
        return commented(self.reason, self.replaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model to pull, and to create under `serve_as` when it has parameters.

    `serve_as` is empty when clients use the pulled model itself.
    """

    name: str
    role: str
    serve_as: str
    parameters: tuple[Parameter, ...]

    @property
    def served(self) -> str:
        """The name that clients ask for."""
        return self.serve_as or self.name

    @property
    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """The `PARAMETER` lines: name, value, comment."""
        return tuple((p.name, p.value, p.comment) for p in self.parameters)

    @property
    def modelfile(self) -> str:
        """The file name of its Modelfile."""
        return "Modelfile." + self.served.replace("/", "+").replace(":", "=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A one-shot job beside the server, in systemd's terms.

    `models` are those that it pulls, creates or loads, under the names that the steps use. `steps`
    run in order, `stop_steps` when the unit stops; `timeout_seconds` bounds all of them (0: no
    bound), `retry_seconds` is the pause before another try (0: no other try).
    """

    kind: Literal["pull", "create", "warmup", "resume"]
    name: str
    description: str
    reason: str
    steps: tuple[Step, ...]
    models: tuple[str, ...] = ()
    stop_steps: tuple[Step, ...] = ()
    waits_for_server: bool = True
    timeout_seconds: int = 0
    retry_seconds: int = 0
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    wanted_by: tuple[str, ...] = ()
    remain_after_exit: bool = False
    stop_when_unneeded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A line of the `[Service]` section of a complete unit."""

    name: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the server runs on a host with systemd.

    `user`, `group` and `home` empty: those that the existing unit (or NixOS) has. `after` are
    units to order behind. `full_unit` asks for a complete unit with `hardening`, not drop-ins.
    """

    binary: str
    user: str
    group: str
    home: str
    restart: str
    restart_seconds: int
    restart_reason: str
    after: tuple[str, ...]
    full_unit: bool
    hardening: tuple[Directive, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How the server runs in a container; paths and `port` are those inside the image."""

    image: str
    name: str
    volume: str
    network: str
    restart: str
    healthcheck: tuple[str, ...]
    models_path: str
    home_path: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A service, decided for one host and one Ollama release.

    Its levers work from release `era_since` until `era_until` (empty: not ended), not beyond.
    """

    schema_version: int
    name: str
    description: str
    source: str
    release: str
    era_since: str
    era_until: str
    system: str
    acceleration: str
    summary: str
    listen: Listen
    models_dir: str
    environment: tuple[Setting, ...]
    omissions: tuple[Omission, ...]
    limits: tuple[Limit, ...]
    devices: Devices | None
    models: tuple[Model, ...]
    units: tuple[Unit, ...]
    service: Service
    container: Container
    findings: tuple[Finding, ...]

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The Findings that the profile does not silence."""
        return tuple(finding for finding in self.findings if not finding.ignored)

    def limit(self, name: str) -> Limit | None:
        """Return the limit of that profile name, or None where the service is not limited."""
        return next((limit for limit in self.limits if limit.name == name), None)

    def settings(self, group: Group) -> tuple[Setting, ...]:
        """Return the variables of one group, in order."""
        return tuple(setting for setting in self.environment if setting.group == group)
