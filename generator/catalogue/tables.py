"""The tables that `data/*.toml` may hold, and what one table answers about a release.

`catalogue` beside it reads the files and finds the table. Strictness is the point: a misspelt
key or an impossible span stops the program before a wrong fact reaches anybody's host.
"""

from __future__ import annotations

import datetime
import functools
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, model_validator

from generator.units import Release, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _read_by(parse: Callable[[str], object]) -> PlainValidator:
    def convert(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("must be text in quotes")
        return parse(value)

    return PlainValidator(convert)


When = Annotated[Release, _read_by(functools.cache(Release.parse))]
Bytes = Annotated[int, _read_by(parse_size)]
Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Capability = Annotated[str, StringConstraints(pattern=r"^\d+\.\d$")]
System = Literal["x86_64-linux", "aarch64-linux"]


class Fact(BaseModel):
    """A table of a data file: nothing unknown in it, nothing to change afterwards."""

    # Deferred: only the file tables are ever validated by themselves.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Meta(Fact):
    """When a file was last held against its sources."""

    checked: datetime.date
    source: str = ""


class Span(Fact):
    """What holds from release `since` on, up to release `until`, which no longer has it."""

    since: When
    until: When | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError(f"until {self.until} is not after since {self.since}")
        return self

    def covers(self, release: Release) -> bool:
        """Whether it holds in `release`."""
        return self.since <= release and (self.until is None or release < self.until)


_S = TypeVar("_S", bound=Span)


def _current(spans: Iterable[_S], release: Release) -> _S | None:
    return max((s for s in spans if s.covers(release)), key=lambda s: s.since, default=None)


class Default(Span):
    """A default as an operator would write it; `note` says what it means."""

    value: str
    note: str = ""


class Allowed(Span):
    """The values that count, on `system` or everywhere; `note` says what others do."""

    values: tuple[Text, ...]
    system: System | None = None
    note: str = ""


class Replacement(Span):
    """What to use instead, ready to print; `same_value`: a variable that takes the value as is."""

    use: Text
    same_value: bool = False


class Replaced(Fact):
    """What has a successor: the youngest `replacement` counts."""

    replacement: tuple[Replacement, ...] = ()

    def replacement_in(self, release: Release) -> str | None:
        """What to use instead in `release`, in words; None: nothing."""
        entry = _current(self.replacement, release)
        return entry.use if entry else None

    def renamed_in(self, release: Release) -> str | None:
        """The variable that takes the same value in `release`; None: there is none."""
        entry = _current(self.replacement, release)
        return entry.use.partition("=")[0] if entry and entry.same_value else None


class Readable(Fact):
    """What variables and model options have in common."""

    name: Name
    since: When
    removed: When | None = None
    defaults: tuple[Default, ...] = ()
    effect: Text
    source: Text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.removed is not None and self.removed <= self.since:
            raise ValueError(f"removed {self.removed} is not after since {self.since}")
        starts = [self.since, *(default.since for default in self.defaults)]
        if any(late < early for early, late in pairwise(starts)):
            raise ValueError("defaults are out of order, or older than since")
        return self

    def known_in(self, release: Release) -> bool:
        """Whether `release` reads it."""
        return self.since <= release and (self.removed is None or release < self.removed)

    def default_entry(self, release: Release) -> Default | None:
        """The default in `release`, with its note; None: unset, or unknown there."""
        return _current(self.defaults, release) if self.known_in(release) else None

    def default_in(self, release: Release) -> str | None:
        """The default in `release` as an operator would write it; None: as `default_entry`."""
        entry = self.default_entry(release)
        return entry.value if entry else None


class Variable(Readable, Replaced):
    """An environment variable that some reader obeys, or that other builds would obey."""

    kind: Literal["bool", "uint", "int", "duration", "enum", "string", "list", "path", "bytes"]
    scope: Literal["server", "runner", "gpu-selection", "client", "informational"]
    effective_until: When | None = None
    allowed: tuple[Allowed, ...] = ()
    on_invalid: Literal[
        "warn-default", "silent-default", "true", "presence", "ignored", "load-fail", "crash",
        "per-version", "driver", "runtime",
    ]  # fmt: skip
    note: str = ""
    effective: bool = True
    dangerous: bool = False
    safe: bool = True

    def works_in(self, release: Release) -> bool:
        """Whether setting it changes anything in `release`."""
        lapsed = self.effective_until is not None and release >= self.effective_until
        return self.effective and not lapsed and self.known_in(release)

    def allowed_entry(self, release: Release, system: str) -> Allowed | None:
        """The values that count in `release` on `system`, with their note; None: any."""
        return _current((a for a in self.allowed if a.system in {None, system}), release)

    def allowed_in(self, release: Release, system: str) -> tuple[str, ...] | None:
        """The values that count in `release` on `system`, like `x86_64-linux`; None: any."""
        entry = self.allowed_entry(release, system)
        return entry.values if entry else None


class Option(Readable):
    """A model option: in requests, and `PARAMETER` in a Modelfile if `modelfile`."""

    type: Literal["int", "float", "bool", "string"]
    modelfile: bool = False
    reload: bool = False


class DeadName(Replaced):
    """Names that no release reads: what people believe of them, and the profile key that means it.

    `--legacy-env` may emit those in `legacy`.
    """

    names: tuple[Name, ...]
    category: Text
    belief: Text
    intent: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+$")] | None = None
    legacy: tuple[Name, ...] = ()
    note: str = ""
    source: Text


class RunnerNames(Span):
    """Names that llama-server reads beyond the variables with an entry."""

    names: tuple[Name, ...]
    source: Text


class Floor(Span):
    """The oldest driver branch that works."""

    value: int


class Library(Span):
    """The CUDA libraries of some releases; `architectures` in CMake's numbers, like 61."""

    name: Text
    system: System | None = None
    jetson: bool = False
    architectures: tuple[int, ...]
    source: Text

    def serves(self, gpu: GpuGeneration, capability: str) -> bool:
        """Whether it is built for that GPU: the same major and no higher minor version."""
        number = int(capability.replace(".", ""))
        fits = any(number // 10 == a // 10 and number >= a for a in self.architectures)
        return self.jetson == gpu.jetson and fits


class GpuGeneration(Fact):
    """A generation. `Catalogue.generation` fills in `capability` and `libraries` of one GPU."""

    name: Text
    capabilities: tuple[Capability, ...]
    jetson: bool = False
    driver_floors: tuple[Floor, ...] = ()
    last_driver: int | None = None
    nixpkgs_driver: str = ""
    kernel_modules: Literal["open", "closed", "either"]
    nixpkgs_lacks: tuple[Capability, ...] = ()
    flash_attention_since: When | None = None
    source: Text
    capability: str = ""
    libraries: tuple[Library, ...] = ()

    @property
    def cuda_architectures(self) -> tuple[str, ...]:
        """What to build for in nixpkgs, like `61`; empty: its package covers this GPU."""
        lacking = self.capability in self.nixpkgs_lacks
        return (self.capability.replace(".", ""),) if lacking else ()

    def cuda_libraries_in(self, release: Release, system: str) -> tuple[str, ...]:
        """The library directories built for this GPU; Ollama prefers the last.

        In 0.9.3-0.11.10 on x86_64 `cuda_v12` has no directory: it lies in lib/ollama itself.
        """
        here = (lib for lib in self.libraries if lib.system in {None, system})
        return tuple(lib.name for lib in here if lib.covers(release))

    def driver_floor_in(self, release: Release) -> int:
        """The oldest driver branch that works, like 550; 0: none is stated."""
        entry = _current(self.driver_floors, release)
        return entry.value if entry else 0

    def flash_attention_in(self, release: Release) -> bool:
        """Whether `release` turns flash attention on by itself here, whatever the model."""
        return self.flash_attention_since is not None and release >= self.flash_attention_since


class Card(Fact):
    """A graphics card: `memory` in bytes; `unified`: it is the machine's memory."""

    name: Text
    compute_capability: Capability
    memory: Bytes
    unified: bool = False
    source: Text


class Image(Fact):
    """The official container image; paths and port are those inside it."""

    repository: Text
    tag: Text
    rocm_tag: Text
    systems: tuple[System, ...]
    rocm_systems: tuple[System, ...]
    user: Text
    home_path: Text
    models_path: Text
    library_path: Text
    port: int
    entrypoint: tuple[Text, ...]
    command: tuple[Text, ...]
    missing_tools: tuple[Text, ...]
    healthcheck: tuple[Text, ...]
    environment: dict[Name, str]
    source: Text


class Behaviour(Span):
    """What releases do that no single variable tells."""

    id: Text
    effect: Text
    source: Text


class Directives(Fact):
    """What systemd reads in a section of a service's unit."""

    section: Literal["Unit", "Service", "Install"]
    names: tuple[Name, ...]
    source: Text


class Era(Span):
    """A period of releases that compute in one way."""

    name: Text
    source: Text
