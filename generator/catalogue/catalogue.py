"""The Catalogue: facts of the world by release, each with its source, read from `data/*.toml`.

Loading checks form and coherence once; the rest is lookup. Ask with `Catalogue.facts_release(r)`
instead of `r`, so that candidates and releases younger than the facts get answers, too.
"""

from __future__ import annotations

import functools
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from generator.catalogue.datafile import DataFile, listed, once, parse
from generator.catalogue.models import ModelsFile, QuantisationsFile
from generator.catalogue.records import (
    Behaviour,
    Card,
    DeadName,
    Directives,
    Era,
    GpuGeneration,
    Image,
    Library,
    Option,
    RunnerNames,
    Variable,
    When,
)
from generator.errors import CatalogueError
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.catalogue.models import ModelFact, OneSlot

__all__ = ["Card", "Catalogue", "DeadName", "GpuGeneration", "Option", "Variable",
           "load_catalogue", "parse_catalogue"]  # fmt: skip

FILES: Final = (
    "behaviour.toml", "gpus.toml", "images.toml", "models.toml", "ollama.toml",
    "quantisations.toml", "releases.toml", "systemd.toml",
)  # fmt: skip
_DATA: Final = Path(__file__).parent / "data"
_MAKER: Final = re.compile(r"\b(?:nvidia|geforce)\b")


class _BehaviourFile(DataFile):
    behaviour: tuple[Behaviour, ...]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        once(behaviour.id for behaviour in self.behaviour)
        return self


class _GpusFile(DataFile):
    library: tuple[Library, ...]
    gpu: tuple[GpuGeneration, ...]
    card: tuple[Card, ...]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        capabilities = [capability for gpu in self.gpu for capability in gpu.capabilities]
        once(capabilities)
        once(_card_key(card.name) for card in self.card)
        listed((card.compute_capability for card in self.card), capabilities)
        listed((lacking for gpu in self.gpu for lacking in gpu.nixpkgs_lacks), capabilities)
        return self


class _ImagesFile(DataFile):
    image: Image


class _OllamaFile(DataFile):
    variable: tuple[Variable, ...]
    runner_names: tuple[RunnerNames, ...]
    dead: tuple[DeadName, ...]
    option: tuple[Option, ...]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        dead = [name for entry in self.dead for name in entry.names]
        once([*(variable.name for variable in self.variable), *dead])
        once(option.name for option in self.option)
        listed((name for entry in self.dead for name in entry.legacy), dead)
        return self


class _ReleasesFile(DataFile):
    newest: When
    lines: dict[str, tuple[int, ...]]
    era: tuple[Era, ...]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        last = max(Release.parse(f"{line}.{max(self.lines[line])}") for line in self.lines)
        if self.newest != last:
            raise ValueError(f"newest is {self.newest}, but {last} is the last one listed")
        return self


class _SystemdFile(DataFile):
    directives: tuple[Directives, ...]


def _card_key(name: str) -> str:
    return " ".join(_MAKER.sub(" ", name.casefold()).split())


class Catalogue:
    """All facts, checked and ready for lookup. Made by `load_catalogue` or `parse_catalogue`."""

    def __init__(
        self,
        behaviours: _BehaviourFile,
        gpus: _GpusFile,
        images: _ImagesFile,
        models: ModelsFile,
        ollama: _OllamaFile,
        quantisations: QuantisationsFile,
        releases: _ReleasesFile,
        systemd: _SystemdFile,
    ) -> None:
        self.image = images.image
        self.variables = {variable.name: variable for variable in ollama.variable}
        self.options = {option.name: option for option in ollama.option}
        self.dead_names = {name: entry for entry in ollama.dead for name in entry.names}
        self.newest = releases.newest
        self.quantisations = quantisations
        self.models, self.architectures = models.model, models.architecture
        self.directives: dict[str, frozenset[str]] = {
            section: frozenset(
                n for d in systemd.directives if d.section == section for n in d.names
            )
            for section in dict.fromkeys(d.section for d in systemd.directives)
        }
        self._readable: dict[Release, tuple[str, ...]] = {}
        self._behaviours = {behaviour.id: behaviour for behaviour in behaviours.behaviour}
        self._cards = {_card_key(card.name): card for card in gpus.card}
        self._gpus, self._models, self._ollama, self._releases = gpus, models, ollama, releases

    def release(self, text: str | None) -> Release:
        """Read a release; a line like `0.9` is its newest patch, None the newest release known.

        Releases younger than all known ones pass. Raises ValueError in the manner of `units`.
        """
        if text is None:
            return self.newest
        release = Release.parse(text)
        patches = self._releases.lines.get(release.line, ())
        if patches and text.count(".") == 1 and release.candidate is None:
            return Release(release.major, release.minor, max(patches))
        if release > self.newest or self.knows(release):
            return release
        raise ValueError(f"`{text}` is not {self._nearest(release)}")

    def _nearest(self, release: Release) -> str:
        lines = self._releases.lines
        first = next(iter(lines))
        oldest = f"{first}.{min(lines[first])}"
        if release < Release.parse(oldest):
            return f"supported; the oldest release that Hostwright knows is `{oldest}`"
        if patches := lines.get(release.line):
            newest = f"{release.line}.{max(patches)}"
            return f"a release of Ollama; the newest of {release.line} is `{newest}`"
        return f"a release of Ollama; the newest is `{self.newest}`"

    def knows(self, release: Release) -> bool:
        """Whether the facts cover `release`, or the final release that it is a candidate of."""
        return release.patch in self._releases.lines.get(release.line, ())

    def facts_release(self, release: Release) -> Release:
        """The release to ask facts for: the final one of a candidate, at most the newest known."""
        return min(Release(release.major, release.minor, release.patch), self.newest)

    def era(self, release: Release) -> Era:
        """The period that `release` is of."""
        return max((e for e in self._releases.era if e.since <= release), key=lambda e: e.since)

    def behaviour(self, name: str) -> Behaviour:
        """The behaviour with that id. Raises KeyError: ids are written in code, not by users."""
        return self._behaviours[name]

    def behaves(self, name: str, release: Release) -> bool:
        """Whether `release` has the behaviour with that id. Raises KeyError as `behaviour`."""
        return self._behaviours[name].covers(release)

    def readable(self, release: Release) -> tuple[str, ...]:
        """The names that something reads in `release`, those of llama-server alone at the end."""
        if release not in self._readable:
            known = (name for name, fact in self.variables.items() if fact.known_in(release))
            current = (entry for entry in self._ollama.runner_names if entry.covers(release))
            names = (*known, *(name for entry in current for name in entry.names))
            self._readable[release] = names
        return self._readable[release]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all variables with an entry, in file order."""
        return tuple(self.variables)

    def variable(self, name: str) -> Variable | None:
        """The variable of that name; None: it has no entry."""
        return self.variables.get(name)

    def runner_reads(self, name: str, release: Release) -> bool:
        """Whether llama-server reads `name` in `release`, though it has no entry of its own.

        Its switches have a negative form, too: `LLAMA_ARG_NO_PERF` for `LLAMA_ARG_PERF`.
        """
        switch = name.replace("LLAMA_ARG_NO_", "LLAMA_ARG_", 1)
        if switch != name and (variable := self.variables.get(switch)):
            # A flag that can only be turned on ignores other text, and has no negative form.
            two_ways = variable.kind == "bool" and variable.on_invalid == "load-fail"
            return two_ways and variable.known_in(release)
        current = (entry for entry in self._ollama.runner_names if entry.covers(release))
        return any(name in entry.names or switch in entry.names for entry in current)

    def dead(self, name: str) -> DeadName | None:
        """What is known of a name that no release reads; None: nothing."""
        return self.dead_names.get(name)

    def legacy_names(self, intent: str) -> tuple[str, ...]:
        """The dead names that `--legacy-env` emits for the profile key `intent`."""
        entries = (entry for entry in self._ollama.dead if entry.intent == intent)
        return tuple(name for entry in entries for name in entry.legacy)

    def option(self, name: str) -> Option | None:
        """The model option of that name; None: no release had it."""
        return self.options.get(name)

    def closest_option(self, name: str) -> str:
        """A hint at the option that was meant; empty: none comes close."""
        close = get_close_matches(name, self.options, n=1)
        return f"did you mean `{close[0]}`?" if close else ""

    def generation(self, capability: str) -> GpuGeneration | None:
        """The generation with a compute capability like `6.1`; None: not in the Catalogue."""
        for gpu in self._gpus.gpu:
            if capability in gpu.capabilities:
                libraries = tuple(lib for lib in self._gpus.library if lib.serves(gpu, capability))
                return gpu.model_copy(update={"capability": capability, "libraries": libraries})
        return None

    def card(self, name: str) -> Card | None:
        """The card of that name, with or without `NVIDIA` and `GeForce`; None: unknown."""
        return self._cards.get(_card_key(name))

    def model(self, name: str) -> ModelFact | None:
        """The model of that tag, also with a quantisation at its end; None: not known."""
        return self._models.find(name)

    def loads(self, architecture: str, release: Release) -> bool:
        """Whether `release` loads models of that architecture, as far as is known."""
        return self._models.loads(architecture, release)

    def closest_model(self, name: str) -> str | None:
        """The model that was meant; None: no name comes close."""
        return self._models.closest(name)

    def missing_model(self, name: str) -> str | None:
        """Why there is no model of that name, and what to use; None: nothing is known."""
        return self._models.missing_for(name)

    def one_slot(self, name: str, release: Release) -> OneSlot | None:
        """Why the scheduler gives that model one slot in `release`; None: nothing is known."""
        return self._models.one_slot_for(name, release)


@functools.cache
def load_catalogue() -> Catalogue:
    """Read the shipped files. Raises CatalogueError that names file and key."""
    return parse_catalogue({file: _read(file) for file in FILES})


def _read(file: str) -> str:
    try:
        return (_DATA / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"data/{file}: {error}", hint="install Hostwright again") from error


def parse_catalogue(texts: Mapping[str, str]) -> Catalogue:
    """Return the Catalogue in `texts`, by file name. Raises CatalogueError as `load_catalogue`."""
    return Catalogue(
        parse(_BehaviourFile, "behaviour.toml", texts),
        parse(_GpusFile, "gpus.toml", texts),
        parse(_ImagesFile, "images.toml", texts),
        parse(ModelsFile, "models.toml", texts),
        parse(_OllamaFile, "ollama.toml", texts),
        parse(QuantisationsFile, "quantisations.toml", texts),
        parse(_ReleasesFile, "releases.toml", texts),
        parse(_SystemdFile, "systemd.toml", texts),
    )
