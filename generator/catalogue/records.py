"""What is known of one thing: records of the Catalogue, bound to the release they answer for.

A record that depends on the release carries it as `at`, so that nobody has to name it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.units import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What holds from release `since` on, up to release `until`, which no longer has it."""

    since: Release
    until: Release | None = None

    def covers(self, release: Release) -> bool:
        """Whether it holds in `release`."""
        return self.since <= release and (self.until is None or release < self.until)


_S = TypeVar("_S", bound=Span)


def current(spans: Iterable[_S], release: Release) -> _S | None:
    """The youngest span that holds in `release`; None: none does."""
    return max((s for s in spans if s.covers(release)), key=lambda s: s.since, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Default(Span):
    """A default as an operator would write it; `note` says what it means."""

    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed(Span):
    """The values that count, on `system` or everywhere; `note` says what others do."""

    values: tuple[str, ...]
    system: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement(Span):
    """What to use instead, ready to print; `same_value`: a variable that takes the value as is."""

    use: str
    same_value: bool = False


class Replaced:
    """What has a successor: the youngest of its `replacements` counts."""

    __slots__ = ()
    at: Release
    replacements: tuple[Replacement, ...]

    @property
    def replacement(self) -> str:
        """What to use instead, in words; empty: nothing."""
        entry = current(self.replacements, self.at)
        return entry.use if entry else ""

    @property
    def renamed(self) -> str:
        """The variable that takes the same value; empty: there is none."""
        entry = current(self.replacements, self.at)
        return entry.use.partition("=")[0] if entry and entry.same_value else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """What variables and model options have in common."""

    at: Release
    name: str
    since: Release
    removed: Release | None = None
    defaults: tuple[Default, ...] = ()
    effect: str
    source: str

    @property
    def known(self) -> bool:
        """Whether the release reads it."""
        return self.since <= self.at and not self.gone

    @property
    def gone(self) -> bool:
        """Whether the release is one from which it was removed."""
        return self.removed is not None and self.at >= self.removed

    @property
    def default_entry(self) -> Default | None:
        """The default with its note; None: unset, or the release does not read it."""
        return current(self.defaults, self.at) if self.known else None

    @property
    def default(self) -> str | None:
        """The default as an operator would write it; None: as `default_entry`."""
        entry = self.default_entry
        return entry.value if entry else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Readable, Replaced):
    """An environment variable that some reader obeys, or that other builds would obey."""

    kind: str
    scope: str
    effective_until: Release | None = None
    replacements: tuple[Replacement, ...] = ()
    values: tuple[Allowed, ...] = ()
    on_invalid: str
    note: str = ""
    effective: bool = True
    dangerous: bool = False
    safe: bool = True

    @property
    def lapsed(self) -> bool:
        """Whether it has lost its effect by this release."""
        return self.effective_until is not None and self.at >= self.effective_until

    @property
    def works(self) -> bool:
        """Whether setting it changes anything."""
        return self.effective and not self.lapsed and self.known

    def allowed_entry(self, system: str) -> Allowed | None:
        """The values that count on `system`, with their note; None: any."""
        return current((a for a in self.values if a.system in {None, system}), self.at)

    def allowed(self, system: str) -> tuple[str, ...] | None:
        """The values that count on `system`, like `x86_64-linux`; None: any."""
        entry = self.allowed_entry(system)
        return entry.values if entry else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Readable):
    """A model option: in requests, and `PARAMETER` in a Modelfile if `modelfile`."""

    type: str
    modelfile: bool = False
    reload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadName(Replaced):
    """Names that no release reads, and the profile key that means what people expect of them.

    `--legacy-env` may emit those in `legacy`.
    """

    at: Release
    names: tuple[str, ...]
    replacements: tuple[Replacement, ...] = ()
    belief: str
    intent: str = ""
    legacy: tuple[str, ...] = ()
    note: str = ""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour(Span):
    """What releases do that no single variable tells."""

    id: str
    effect: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Era(Span):
    """A period of releases that compute in one way."""

    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor(Span):
    """The oldest driver branch that works."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Library(Span):
    """The CUDA libraries of some releases; `architectures` in CMake's numbers, like 61."""

    name: str
    system: str | None = None
    jetson: bool = False
    architectures: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuGeneration:
    """A generation, as far as one GPU of it is concerned: `capability` and `libraries` are its."""

    at: Release
    name: str
    capability: str
    jetson: bool = False
    driver_floors: tuple[Floor, ...] = ()
    last_driver: int | None = None
    nixpkgs_driver: str = ""
    kernel_modules: str
    nixpkgs_lacks: tuple[str, ...] = ()
    flash_attention_since: Release | None = None
    libraries: tuple[Library, ...] = ()
    source: str

    @property
    def cuda_architectures(self) -> tuple[str, ...]:
        """What to build for in nixpkgs, like `61`; empty: its package covers this GPU."""
        lacking = self.capability in self.nixpkgs_lacks
        return (self.capability.replace(".", ""),) if lacking else ()

    def cuda_libraries(self, system: str) -> tuple[str, ...]:
        """The library directories built for this GPU; Ollama prefers the last.

        In 0.9.3-0.11.10 on x86_64 `cuda_v12` has no directory: it lies in lib/ollama itself.
        """
        here = (lib for lib in self.libraries if lib.system in {None, system})
        return tuple(lib.name for lib in here if lib.covers(self.at))

    @property
    def driver_floor(self) -> int:
        """The oldest driver branch that works, like 550; 0: none is stated."""
        entry = current(self.driver_floors, self.at)
        return entry.value if entry else 0

    @property
    def flash_attention(self) -> bool:
        """Whether the release turns flash attention on by itself here, whatever the model."""
        return self.flash_attention_since is not None and self.at >= self.flash_attention_since
