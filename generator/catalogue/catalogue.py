"""The Catalogue: facts of the world by release, each with its source, read from `data/*.toml`.

Loading checks form and coherence once. Ask what holds for a release of its Facts: `Catalogue.at`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from generator.catalogue.datafile import DataFile, listed, once, parse
from generator.catalogue.facts import Facts
from generator.catalogue.models import ModelsFile, QuantisationsFile
from generator.catalogue.tables import (
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


__all__ = ["Catalogue", "load_catalogue", "parse_catalogue"]

FILES: Final = (
    "behaviour.toml", "gpus.toml", "images.toml", "models.toml", "ollama.toml",
    "quantisations.toml", "releases.toml", "systemd.toml",
)  # fmt: skip
ENGINES: Final = ("ollama",)
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
        self._facts: dict[Release, Facts] = {}
        self.models_file, self.runner_names = models, ollama.runner_names
        self.behaviours = {behaviour.id: behaviour for behaviour in behaviours.behaviour}
        self._cards = {_card_key(card.name): card for card in gpus.card}
        self._gpus, self._releases = gpus, releases

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

    def knows_text(self, text: str) -> bool:
        """Whether `text` is a release that the facts cover."""
        try:
            return self.knows(Release.parse(text))
        except ValueError:
            return False

    def at(self, engine: str, release: Release | None = None) -> Facts:
        """The Facts of a release of an engine; None: of the newest release known."""
        if engine not in ENGINES:
            raise KeyError(engine)
        wanted = release or self.newest
        if wanted not in self._facts:
            self._facts[wanted] = Facts(self, engine, wanted)
        return self._facts[wanted]

    def nearest(self, release: Release) -> Release:
        """The release to ask facts for: the final one of a candidate, at most the newest known."""
        return min(Release(release.major, release.minor, release.patch), self.newest)

    def era(self, release: Release) -> Era:
        """The period that `release` is of."""
        return max((e for e in self._releases.era if e.since <= release), key=lambda e: e.since)

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
