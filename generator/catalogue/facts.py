"""Facts: what the world is like for one release of one engine. Made by `Catalogue.at`."""

from __future__ import annotations

import functools
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from generator.catalogue.records import DeadName, GpuGeneration, Option, Variable

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.models import (
        Architecture,
        ModelFact,
        OneSlot,
        QuantisationsFile,
    )
    from generator.catalogue.tables import Behaviour, Card, Era, Image, RunnerNames
    from generator.units import Release


class Facts:
    """The facts of one `release`; `at` is the release that they are of.

    They are those of the final release for a candidate, and of the newest known for one that is
    younger. Records that they return answer for that release, too.
    """

    def __init__(self, catalogue: Catalogue, engine: str, release: Release) -> None:
        self._catalogue = catalogue
        self.engine = engine
        self.release = release
        self._variables: dict[str, Variable] = {}
        self.at = catalogue.nearest(release)

    @property
    def known(self) -> bool:
        """Whether the Catalogue knows the release, or the final one that it is a candidate of."""
        return self._catalogue.knows(self.release)

    @property
    def newest(self) -> Facts:
        """The Facts of the newest release known."""
        return self._catalogue.at(self.engine)

    @property
    def era(self) -> Era:
        """The period that the release is of."""
        return self._catalogue.era(self.at)

    @property
    def start_of_era(self) -> Facts:
        """The Facts of the first release of the period."""
        return self._catalogue.at(self.engine, self.era.since)

    @property
    def image(self) -> Image:
        """The official container image."""
        return self._catalogue.image

    @functools.cached_property
    def readable(self) -> tuple[str, ...]:
        """The names that something reads, those of llama-server alone at the end."""
        known = (name for name, fact in self._catalogue.variables.items() if self._reads(fact))
        current = (e for e in self._catalogue.runner_names if e.covers(self.at))
        return (*known, *(name for entry in current for name in entry.names))

    @functools.cached_property
    def harmless(self) -> tuple[str, ...]:
        """The names that something reads, without those that nobody should be led to."""
        variables = self._catalogue.variables
        return tuple(n for n in self.readable if n not in variables or not variables[n].dangerous)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all variables with an entry, in file order."""
        return tuple(self._catalogue.variables)

    @property
    def runner_names(self) -> tuple[RunnerNames, ...]:
        """The names that llama-server reads beyond those, by period."""
        return self._catalogue.runner_names

    @property
    def dead_names(self) -> tuple[str, ...]:
        """The names that no release reads."""
        return tuple(self._catalogue.dead_names)

    @property
    def options(self) -> tuple[str, ...]:
        """The names of all model options that some release has."""
        return tuple(self._catalogue.options)

    def _reads(self, fact: Any) -> bool:  # noqa: ANN401
        return bool(fact.known_in(self.at))

    def behaviour(self, name: str) -> Behaviour:
        """The behaviour with that id. Raises KeyError: ids are written in code, not by users."""
        return self._catalogue.behaviours[name]

    def behaves(self, name: str) -> bool:
        """Whether the release has the behaviour with that id. Raises KeyError as `behaviour`."""
        return self.behaviour(name).covers(self.at)

    def variable(self, name: str) -> Variable | None:
        """The variable of that name; None: it has no entry."""
        fact = self._catalogue.variables.get(name)
        return (
            None
            if fact is None
            else self._bound(Variable, fact, values=fact.allowed, replacements=fact.replacement)
        )

    def runner_reads(self, name: str) -> bool:
        """Whether llama-server reads `name`, though it has no entry of its own.

        Its switches have a negative form, too: `LLAMA_ARG_NO_PERF` for `LLAMA_ARG_PERF`.
        """
        switch = name.replace("LLAMA_ARG_NO_", "LLAMA_ARG_", 1)
        if switch != name and (variable := self._catalogue.variables.get(switch)):
            # A flag that can only be turned on ignores other text, and has no negative form.
            two_ways = variable.kind == "bool" and variable.on_invalid == "load-fail"
            return two_ways and variable.known_in(self.at)
        current = (e for e in self._catalogue.runner_names if e.covers(self.at))
        return any(name in entry.names or switch in entry.names for entry in current)

    def dead(self, name: str) -> DeadName | None:
        """What is known of a name that no release reads; None: nothing."""
        fact = self._catalogue.dead_names.get(name)
        return (
            None
            if fact is None
            else self._bound(
                DeadName, fact, intent=fact.intent or "", replacements=fact.replacement
            )
        )

    def legacy_names(self, intent: str) -> tuple[str, ...]:
        """The dead names that `--legacy-env` emits for the profile key `intent`."""
        entries = dict.fromkeys(self._catalogue.dead_names.values())
        return tuple(n for entry in entries if entry.intent == intent for n in entry.legacy)

    def option(self, name: str) -> Option | None:
        """The model option of that name; None: no release had it."""
        fact = self._catalogue.options.get(name)
        return None if fact is None else self._bound(Option, fact)

    def closest_option(self, name: str) -> str:
        """A hint at the option that was meant; empty: none comes close."""
        close = get_close_matches(name, self._catalogue.options, n=1)
        return f"did you mean `{close[0]}`?" if close else ""

    def generation(self, capability: str) -> GpuGeneration | None:
        """The generation with a compute capability like `6.1`; None: not in the Catalogue."""
        fact = self._catalogue.generation(capability)
        return None if fact is None else self._bound(GpuGeneration, fact)

    def card(self, name: str) -> Card | None:
        """The card of that name, with or without `NVIDIA` and `GeForce`; None: unknown."""
        return self._catalogue.card(name)

    @property
    def directives(self) -> dict[str, frozenset[str]]:
        """What systemd reads, by section."""
        return self._catalogue.directives

    @property
    def models(self) -> tuple[ModelFact, ...]:
        """All models."""
        return self._catalogue.models

    @property
    def architectures(self) -> tuple[Architecture, ...]:
        """All architectures of models that have something to tell."""
        return self._catalogue.architectures

    @property
    def quantisations(self) -> QuantisationsFile:
        """The ways to store weights, and what a row of them takes."""
        return self._catalogue.quantisations

    def model(self, name: str) -> ModelFact | None:
        """The model of that tag, also with a quantisation at its end; None: not known."""
        return self._catalogue.models_file.find(name)

    def loads(self, architecture: str) -> bool:
        """Whether the release loads models of that architecture, as far as is known."""
        return self._catalogue.models_file.loads(architecture, self.at)

    def closest_model(self, name: str) -> str | None:
        """The model that was meant; None: no name comes close."""
        return self._catalogue.models_file.closest(name)

    def missing_model(self, name: str) -> str | None:
        """Why there is no model of that name, and what to use; None: nothing is known."""
        return self._catalogue.models_file.missing_for(name)

    def one_slot(self, name: str) -> OneSlot | None:
        """Why the scheduler gives that model one slot; None: nothing is known."""
        return self._catalogue.models_file.one_slot_for(name, self.at)

    def _bound(self, kind: Any, fact: Any, **more: object) -> Any:  # noqa: ANN401
        """Return a record of a fact that answers for this release."""
        names = {field.name for field in fields(kind)} - {"at", "replacements", *more}
        values = {name: getattr(fact, name) for name in names if hasattr(fact, name)}
        return kind(at=self.at, **values, **more)
