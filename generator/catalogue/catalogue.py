"""The Catalogue: facts of the world by release, each with its source.

They are read from `catalogue.json`, which `tools/generate.py` makes of `data/*.toml`; tables with a
JSON of their own are read when they are asked for, and so are records made. What holds for a
release is asked of its Facts: `Catalogue.at`.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.catalogue.facts import Facts
from generator.catalogue.hardware import Core, Hypervisor, Radeon
from generator.catalogue.models import LibraryEntry, ModelFact, whole
from generator.catalogue.nixos import Channel
from generator.catalogue.records import (
    KeyFact,
    LimitFact,
    LitellmKey,
    SettingFact,
    Spelling,
    Table,
    TopicFact,
    record,
)
from generator.errors import CatalogueError
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.catalogue.cards import Cards
    from generator.catalogue.speed import Rates


__all__ = ["Catalogue", "load_catalogue"]

FILE: Final = Path(__file__).with_name("catalogue.json")
_T = TypeVar("_T")


class Tables(dict[str, Any]):
    """The tables of a JSON, and those that its `apart` says are in others: read when asked for."""

    def __init__(self, file: Path) -> None:
        super().__init__(_read(file))
        self._folder = file.parent

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 -- what JSON has
        if name not in (apart := self.get("apart", {})):
            raise KeyError(name)
        self.update(_read(self._folder / apart[name], name))
        return self[name]


# What only the engine has that most tables are of.
_OF_ONE: Final = (
    *("behaviour", "command", "context_floor", "context_tier", "credential", "dead", "log_fault"),
    *("no_command", "one_slot", "option", "runner_names", "runner_reading"),
)


class _Beside(dict[str, Any]):
    """The tables of another engine: its own, none that only the first has, and all the others."""

    def __init__(self, own: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
        super().__init__({name: [] for name in _OF_ONE} | dict(own) | {"engine": own["name"]})
        self._tables = tables

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 -- what JSON has
        return self._tables[name]


class Catalogue:
    """All facts, ready for lookup. Made by `load_catalogue`."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.tables = tables
        self._others: dict[str, Catalogue] = {}
        self.engine: str = tables["engine"]
        self.newest = Release.parse(tables["newest"])
        self._lines: dict[str, list[int]] = tables["lines"]
        self._facts: dict[Release, Facts] = {}
        self._all: dict[str, Any] = {}

    def at(self, engine: str, release: Release | None = None) -> Facts:
        """The Facts of a release of an engine; None: of the newest release known.

        Raises CatalogueError for an engine that it has no facts of.
        """
        if engine != self.engine:
            return self.of(engine).at(engine, release)
        wanted = release or self.newest
        if wanted not in self._facts:
            self._facts[wanted] = Facts(self, engine, wanted)
        return self._facts[wanted]

    @property
    def beside(self) -> bool:
        """Whether it is that of an engine beside the one that most tables are of."""
        return isinstance(self.tables, _Beside)

    def of(self, engine: str) -> Catalogue:
        """The Catalogue whose releases are those of an engine. Raises CatalogueError as `at`."""
        if engine == self.engine:
            return self
        known = {table["name"]: table for table in self.tables["other_engine"]}
        if engine not in known:
            names = " and ".join(self.engines)
            message = f"there are no facts of {engine} here, only of {names}"
            raise CatalogueError(message, hint="write a profile for an engine with facts")
        if engine not in self._others:
            self._others[engine] = Catalogue(_Beside(known[engine], self.tables))
        return self._others[engine]

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that there are facts of, that of most tables first."""
        return (self.engine, *(table["name"] for table in self.tables["other_engine"]))

    def told(self, engine: str, release: str) -> Facts:
        """The Facts of an engine at a release in words. Raises as `at` and `release`."""
        beside = self.of(engine)
        return beside.at(engine, beside.release(release))

    def release(self, text: str | None) -> Release:
        """Read a release; a line like `0.9` is its newest patch, None the newest release known.

        Releases younger than all known ones pass. Raises ValueError in the manner of `units`.
        """
        if text is None:
            return self.newest
        release = Release.parse(text)
        patches = self._lines.get(release.line, ())
        if patches and text.count(".") == 1 and release.final:
            return Release(release.major, release.minor, max(patches))
        if release > self.newest or self.knows(release):
            return release
        raise ValueError(f"`{text}` is not {self._nearest(release)}")

    @property
    def product(self) -> str:
        """What people call the engine."""
        name: str = self.tables.get("product", "Ollama")
        return name

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of releases, like `0.9`, in order."""
        return tuple(self._lines)

    @functools.cached_property
    def oldest(self) -> Release:
        """The oldest release that the facts cover."""
        first = next(iter(self._lines))
        return Release.parse(f"{first}.{min(self._lines[first])}")

    def nearest(self, text: str) -> Release:
        """Read a release; the oldest known one stands in for what came before it."""
        return self.oldest if Release.parse(text) < self.oldest else self.release(text)

    def _nearest(self, release: Release) -> str:
        if release < self.oldest:
            return f"supported; the oldest release that Hostwright knows is `{self.oldest}`"
        if patches := self._lines.get(release.line):
            newest = f"{release.line}.{max(patches)}"
            return f"a release of {self.product}; the newest of {release.line} is `{newest}`"
        return f"a release of {self.product}; the newest is `{self.newest}`"

    def knows(self, release: Release) -> bool:
        """Whether the facts cover `release`, or the final release that it is a candidate of."""
        return release.patch in self._lines.get(release.line, ())

    def knows_text(self, text: str) -> bool:
        """Whether `text` is a release that the facts cover."""
        try:
            return self.knows(Release.parse(text))
        except ValueError:
            return False

    @functools.cached_property
    def keys(self) -> Mapping[str, KeyFact]:
        """What each profile key becomes, by key."""
        return Table(KeyFact, self.tables["key"])

    @property
    def spellings(self) -> tuple[Spelling, ...]:
        """How each target writes what has a name of its own."""
        return self.all("spelling", Spelling)

    @functools.cached_property
    def limits(self) -> Mapping[str, LimitFact]:
        """Limits and sandboxing, by systemd's name."""
        return Table(LimitFact, self.tables["limit"])

    @functools.cached_property
    def settings(self) -> Mapping[str, SettingFact]:
        """Settings of programs around a server, by the name that these give them."""
        return Table(SettingFact, self.tables["setting"])

    @functools.cached_property
    def litellm_keys(self) -> Mapping[str, LitellmKey]:
        """Keys of LiteLLM's configuration, by their path."""
        return Table(LitellmKey, self.tables["litellm_key"])

    @functools.cached_property
    def topics(self) -> Mapping[str, TopicFact]:
        """What people ask about, by a word."""
        return Table(TopicFact, self.tables["topic"])

    def core_name(self, implementer: int, part: int) -> str:
        """The name of an Arm core; empty: not known."""
        for core in self.all("core", Core):
            if core.implementer == implementer:
                return core.parts.get(f"0x{part:03x}", "")
        return ""

    @functools.cached_property
    def radeons(self) -> Mapping[str, Radeon]:
        """AMD GPUs by their target, like `gfx1100`."""
        return Table(Radeon, self.tables["radeon"], "targets")

    @functools.cached_property
    def cards(self) -> Cards:
        """Graphics cards, by name and by PCI id."""
        from generator.catalogue.cards import Cards

        return Cards(self.tables["card"])

    @functools.cached_property
    def rates(self) -> Rates:
        """How fast devices, processors and disks are."""
        from generator.catalogue.speed import Rates

        return Rates(self.tables)

    @functools.cached_property
    def channels(self) -> Mapping[str, Channel]:
        """The releases of NixOS, in order."""
        return Table(Channel, self.tables["channel"])

    @functools.cached_property
    def models(self) -> tuple[ModelFact, ...]:
        """All models, those that are like another with its shape."""
        return tuple(record(ModelFact, table) for table in whole(self.tables["model"]))

    @functools.cached_property
    def library(self) -> Mapping[str, LibraryEntry]:
        """The library of models, by name without a tag."""
        return Table(LibraryEntry, self.tables["listed"])

    def hypervisor(self, *texts: str) -> str:
        """The hypervisor that one of the DMI texts names; empty: none."""
        for known in self.all("hypervisor", Hypervisor):
            if any(text.startswith(known.starts) for text in texts if text):
                return known.name
        return ""

    def all(self, name: str, kind: type[_T]) -> tuple[_T, ...]:
        """The records of a table that no release makes different, made once."""
        if name not in self._all:
            self._all[name] = tuple(record(kind, table) for table in self.tables[name])
        made: tuple[_T, ...] = self._all[name]
        return made


@functools.cache
def load_catalogue() -> Catalogue:
    """Read the shipped facts. Raises CatalogueError where the installation is broken."""
    try:
        return Catalogue(Tables(FILE))
    except (KeyError, TypeError) as error:
        raise _broken(FILE, error) from error


def _read(file: Path, *names: str) -> dict[str, Any]:
    """Return the tables of a JSON, some of which it has to have. Raises CatalogueError."""
    try:
        tables = dict(json.loads(file.read_bytes()))
        return tables | {name: tables[name] for name in names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(file, error) from error


def _broken(file: Path, error: Exception) -> CatalogueError:
    return CatalogueError(f"{file.name}: {error}", hint="install Hostwright again")
