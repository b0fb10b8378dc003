"""Facts: what the world is like for one release of one engine. Made by `Catalogue.at`."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from generator.catalogue.records import (
    Behaviour,
    DeadName,
    Era,
    Option,
    RunnerNames,
    Variable,
    record,
)
from generator.catalogue.tags import plain, quantisation
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.hardware import Card, GpuGeneration
    from generator.catalogue.models import (
        Architecture,
        ContextTier,
        ModelFact,
        OneSlot,
        Quantisation,
    )
    from generator.catalogue.surroundings import Image
    from generator.host import Gpu

_T = TypeVar("_T")


class Facts:
    """The facts of one `release`; `at` is the release that they are of.

    They are those of the final release for a candidate, and of the newest known for one that is
    younger. Records that they return answer for that release, too.
    """

    def __init__(self, catalogue: Catalogue, engine: str, release: Release) -> None:
        final = Release(release.major, release.minor, release.patch)
        self._catalogue = catalogue
        self._tables = catalogue.tables
        self.engine = engine
        self.release = release
        self.at = min(final, catalogue.newest)
        self._made: dict[tuple[str, str], Any] = {}

    # Releases

    @property
    def known(self) -> bool:
        """Whether the Catalogue knows the release, or the final one that it is a candidate of."""
        return self._catalogue.knows(self.release)

    @property
    def newest(self) -> Facts:
        """The Facts of the newest release known."""
        return self._catalogue.at(self.engine)

    @functools.cached_property
    def era(self) -> Era:
        """The period that the release is of."""
        return max((e for e in self._all("era", Era) if e.since <= self.at), key=lambda e: e.since)

    @property
    def start_of_era(self) -> Facts:
        """The Facts of the first release of the period."""
        return self._catalogue.at(self.engine, self.era.since)

    def behaviour(self, name: str) -> Behaviour:
        """The behaviour with that id. Raises KeyError: ids are written in code, not by users."""
        found = self._one("behaviour", Behaviour, name, key="id")
        if found is None:
            raise KeyError(name)
        return found

    def behaves(self, name: str) -> bool:
        """Whether the release has the behaviour with that id. Raises KeyError as `behaviour`."""
        return self.behaviour(name).covers(self.at)

    def number(self, name: str) -> int:
        """The number of the behaviour with that id. Raises KeyError as `behaviour`."""
        return self.behaviour(name).value

    # Names

    @functools.cached_property
    def readable(self) -> tuple[str, ...]:
        """The names that something reads, those of llama-server alone at the end."""
        known = (name for name in self.names if self._variable(name).known)
        return (*known, *(name for entry in self._runner_names for name in entry.names))

    @functools.cached_property
    def harmless(self) -> tuple[str, ...]:
        """The names that something reads, without those that nobody should be led to."""
        named = self._named("variable")
        return tuple(n for n in self.readable if n not in named or not self._variable(n).dangerous)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all variables with an entry, in file order."""
        return tuple(self._named("variable"))

    @property
    def runner_names(self) -> tuple[RunnerNames, ...]:
        """The names that llama-server reads beyond those, by period."""
        return self._all("runner_names", RunnerNames)

    @functools.cached_property
    def _runner_names(self) -> tuple[RunnerNames, ...]:
        return tuple(entry for entry in self.runner_names if entry.covers(self.at))

    @functools.cached_property
    def dead_names(self) -> tuple[str, ...]:
        """The names that no release reads."""
        return tuple(name for table in self._tables["dead"] for name in table["names"])

    @property
    def options(self) -> tuple[str, ...]:
        """The names of all model options that some release has."""
        return tuple(self._named("option"))

    def variable(self, name: str) -> Variable | None:
        """The variable of that name; None: it has no entry."""
        return self._one("variable", Variable, name, at=self.at)

    def _variable(self, name: str) -> Variable:
        found = self.variable(name)
        if found is None:
            raise KeyError(name)
        return found

    def runner_reads(self, name: str) -> bool:
        """Whether llama-server reads `name`, though it has no entry of its own.

        Its switches have a negative form, too: `LLAMA_ARG_NO_PERF` for `LLAMA_ARG_PERF`.
        """
        switch = name.replace("LLAMA_ARG_NO_", "LLAMA_ARG_", 1)
        if switch != name and (variable := self.variable(switch)):
            return variable.two_ways and variable.known
        return any(name in e.names or switch in e.names for e in self._runner_names)

    def dead(self, name: str) -> DeadName | None:
        """What is known of a name that no release reads; None: nothing."""
        return self._one("dead", DeadName, name, key="names", at=self.at)

    def legacy_names(self, intent: str) -> tuple[str, ...]:
        """The dead names that `--legacy-env` emits for the profile key `intent`."""
        entries = (table for table in self._tables["dead"] if table.get("intent") == intent)
        return tuple(name for table in entries for name in table.get("legacy", ()))

    def option(self, name: str) -> Option | None:
        """The model option of that name; None: no release had it."""
        return self._one("option", Option, name, at=self.at)

    def closest_option(self, name: str) -> str:
        """A hint at the option that was meant; empty: none comes close."""
        close = _close(name, self.options)
        return f"did you mean `{close}`?" if close else ""

    # Machine, image and unit

    def generations(self, gpus: Iterable[Gpu]) -> list[GpuGeneration]:
        """What is known of NVIDIA GPUs, in their order."""
        found = (self.generation(gpu.compute_capability) for gpu in gpus if gpu.compute_capability)
        return [generation for generation in found if generation is not None]

    def generation(self, capability: str) -> GpuGeneration | None:
        """The generation with a compute capability like `6.1`; None: not in the Catalogue."""
        if ("gpu", capability) in self._made:
            made: GpuGeneration | None = self._made["gpu", capability]
            return made
        from generator.catalogue.hardware import GpuGeneration, Library

        table = self._named("gpu", "capabilities").get(capability)
        if table is None or ("gpu", capability) in self._made:
            return self._one("gpu", GpuGeneration, capability, key="capabilities")
        known, jetson = self._all("library", Library), table.get("jetson", False)
        own = tuple(lib for lib in known if lib.serves(capability, jetson=jetson))
        bound = {"at": self.at, "capability": capability, "libraries": own}
        return self._one("gpu", GpuGeneration, capability, key="capabilities", **bound)

    def card(self, name: str) -> Card | None:
        """The card of that name, with or without `NVIDIA` and `GeForce`; None: unknown."""
        return self._catalogue.card(name)

    @functools.cached_property
    def image(self) -> Image:
        """The official container image."""
        from generator.catalogue.surroundings import Image

        return record(Image, self._tables["image"])

    @functools.cached_property
    def directives(self) -> dict[str, frozenset[str]]:
        """What systemd reads, by section."""
        found: dict[str, frozenset[str]] = {}
        for table in self._tables["directives"]:
            found[table["section"]] = found.get(table["section"], frozenset()).union(table["names"])
        return found

    # Models

    @property
    def models(self) -> tuple[ModelFact, ...]:
        """All models."""
        from generator.catalogue.models import ModelFact

        return self._all("model", ModelFact)

    def architecture(self, name: str) -> Architecture | None:
        """The architecture of that name; None: nothing is known of it."""
        from generator.catalogue.models import Architecture

        return self._one("architecture", Architecture, name, at=self.at)

    def context_by_memory(self, memory: int) -> int | None:
        """The context taken by itself for so much GPU memory; None: memory does not matter."""
        return next((t.tokens for t in self.context_tiers if memory >= t.memory), None)

    @property
    def context_tiers(self) -> tuple[ContextTier, ...]:
        """The steps by which the release takes its context, the highest first; empty: none."""
        from generator.catalogue.models import ContextTier

        tiers = self._all("context_tier", ContextTier)
        return tuple(tier for tier in tiers if tier.covers(self.at))

    @property
    def quantisations(self) -> tuple[Quantisation, ...]:
        """The ways to store weights."""
        from generator.catalogue.models import Quantisation

        return self._all("quantisation", Quantisation)

    def row_bytes(self, kind: str, width: int) -> int:
        """The bytes of one row of `width` weights of a type. Raises KeyError."""
        blocks = self._tables["blocks"]
        size, weights = blocks[kind]
        if width % weights:
            size, weights = blocks[self._tables["fallback"].get(kind, "F16")]
        return int(-(-width // weights) * size)

    def model(self, name: str) -> ModelFact | None:
        """The model of that tag, also with a quantisation at its end; None: not known."""
        from generator.catalogue.models import ModelFact

        tag = plain(name)
        if found := self._one("model", ModelFact, tag, key="names"):
            return found
        known, _, last = tag.rpartition("-")
        kind = quantisation(last)
        found = self._one("model", ModelFact, known, key="names") if kind else None
        return replace(found, quantisation=kind) if found else None

    def loads(self, architecture: str) -> bool:
        """Whether the release loads models of that architecture, as far as is known."""
        entry = self.architecture(architecture)
        return entry is None or entry.loads

    def closest_model(self, name: str) -> str | None:
        """The model that was meant; None: no name comes close."""
        # `:latest` would make all names without a tag alike.
        names = [known.removesuffix(":latest") for known in self._named("model", "names")]
        return _close(plain(name).removesuffix(":latest"), names) or None

    def missing_model(self, name: str) -> str | None:
        """Why there is no model of that name, and what to use; None: nothing is known."""
        from generator.catalogue.models import MissingModel

        tag = plain(name)
        for entry in self._all("missing", MissingModel):
            if tag == entry.name or tag.startswith(f"{entry.name}-"):
                return f"{entry.why}; use `{entry.use}`"
        return None

    def one_slot(self, name: str) -> OneSlot | None:
        """Why the scheduler gives that model one slot; None: nothing is known."""
        from generator.catalogue.models import OneSlot

        family, _, tag = plain(name).partition(":")
        if tag.endswith("cloud"):  # It runs elsewhere.
            return None
        entries = (e for e in self._all("one_slot", OneSlot) if family in e.names)
        return next((entry for entry in entries if entry.covers(self.at)), None)

    # Lookup

    def _named(self, table: str, key: str = "name") -> Mapping[str, Mapping[str, Any]]:
        return self._catalogue.named(table, key)

    def _one(
        self, table: str, kind: type[_T], name: str, *, key: str = "name", **bound: object
    ) -> _T | None:
        """Return the record with that name, made once."""
        if (table, name) not in self._made:
            found = self._named(table, key).get(name)
            self._made[table, name] = None if found is None else record(kind, found, **bound)
        made: _T | None = self._made[table, name]
        return made

    def _all(self, table: str, kind: type[_T]) -> tuple[_T, ...]:
        """Return all records of a table, made once for all releases."""
        return self._catalogue.all(table, kind)


def _close(name: str, names: tuple[str, ...] | list[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, n=1)), "")
