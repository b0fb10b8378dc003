"""The Plan: one fully decided, target-neutral service. Plain data, no third party.

Every value carries the reason why it is what it is. Targets print a Plan and decide nothing.
`plan.json` is this tree with the same names; `from_dict(to_dict(plan)) == plan`.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from generator.errors import Finding, HostwrightError

SCHEMA_VERSION = 1

Source = Literal["profile", "derived", "default", "legacy"]
Group = Literal["gpu", "threads", "ollama", "environment"]
Scope = Literal["any", "host"]
T = TypeVar("T")


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
    `cuda_architectures` are numbers without the dot (`61`), empty for the packaged set.
    """

    open: bool
    branch: str
    cuda_architectures: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The GPUs that the service may use.

    `ids` are what the profile names (indices or UUIDs), in order; empty means all.
    `wait_path` is the device node that must exist before the server looks for GPUs, waited for
    at most `wait_seconds`.
    """

    vendor: Literal["nvidia", "amd"]
    gpus: tuple[Gpu, ...]
    ids: tuple[str, ...]
    wait_path: str
    wait_seconds: int
    driver: Driver | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A `PARAMETER` line of a Modelfile."""

    name: str
    value: str
    reason: str
    replaces: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmup:
    """Load `models` (served names) after start, `timeout_seconds` for all of them together."""

    models: tuple[str, ...]
    timeout_seconds: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the service runs on a host with systemd.

    `user` empty: the user that the existing unit (or NixOS) has. `after` are units to order
    behind. `resume_fix` reloads the NVIDIA memory module after suspend.
    """

    binary: str
    user: str
    group: str
    home: str
    restart: str
    restart_seconds: int
    full_unit: bool
    resume_fix: bool
    after: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How the service runs in a container; `publish` is the host address of the port."""

    image: str
    name: str
    volume: str
    network: str
    publish: str
    restart: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A service, decided for one host and one Ollama release."""

    schema_version: int
    name: str
    description: str
    source: str
    release: str
    system: str
    acceleration: str
    summary: str
    listen: Listen
    models_dir: str
    environment: tuple[Setting, ...]
    limits: tuple[Limit, ...]
    devices: Devices | None
    models: tuple[Model, ...]
    warmup: Warmup | None
    service: Service
    container: Container
    findings: tuple[Finding, ...]

    def limit(self, name: str) -> Limit | None:
        """Return the limit of that profile name, or None where the service is not limited."""
        return next((limit for limit in self.limits if limit.name == name), None)


def to_dict(plan: Plan) -> dict[str, Any]:
    """Return `plan` as JSON-able data, keys in declaration order."""
    return dataclasses.asdict(plan)


def from_dict(data: dict[str, Any]) -> Plan:
    """Rebuild a Plan from `to_dict`'s data.

    Raises HostwrightError for another schema version or a shape that is not a Plan's.
    """
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        raise HostwrightError(
            f"this plan has schema version {version}, not {SCHEMA_VERSION}",
            hint="write it again with this version of `gen plan`",
        )
    try:
        return _build(Plan, data)
    except (KeyError, TypeError) as error:
        raise HostwrightError(f"this is not a plan: {error}") from error


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: type[T], data: dict[str, Any]) -> T:
    return cls(**{name: _value(_hints(cls)[name], item) for name, item in data.items()})


def _value(hint: Any, item: Any) -> Any:  # noqa: ANN401 -- it walks any field's type
    if item is None:
        return None
    if isinstance(item, list):
        element = typing.get_args(hint)[0]
        return tuple(_value(element, part) for part in item)
    if isinstance(item, dict):
        cls = next(t for t in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(t))
        return _build(cls, item)  # type: ignore[arg-type]
    return item
