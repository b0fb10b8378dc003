"""For which release of NixOS a module is: what the user says, a flake pins, or its options tell."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context
    from generator.units import Release

OLDEST: Final = "24.11"
HIGHEST: Final = 4
"""How many directories up a flake may be."""
_INPUT: Final = re.compile(r'\bnixpkgs(?:\.url\s*=|\s*=\s*\{\s*url\s*=)\s*"([^"\n]{1,200})"')
_BRANCH: Final = re.compile(r"\b(?:nixos|nixpkgs|release)-(\d\d\.\d\d|unstable)", re.ASCII)
_FLAKEHUB: Final = re.compile(r"/nixpkgs/0\.(\d\d)(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Channel:
    """A release of NixOS, empty where nobody says; `told`: somebody does, or it is only likely."""

    name: str = ""
    told: bool = False

    def release(self, context: Context) -> tuple[Release, bool]:
        """Return the release of the engine that it has, and whether somebody has named it."""
        known = context.catalogue.channels.get(self.name)
        if context.release is not None or known is None or known.release is None:
            return context.release_for()
        if context.written_for is not None and not self.told:
            return context.release_for()
        return known.release, self.told


def channel_of(path: str, options: Iterable[str], context: Context) -> Channel:
    """Return the release of NixOS that a file is for; `options` are those of the module it sets."""
    if context.channel:
        return Channel(context.channel, told=True)
    for flake in _flakes_above(path):
        if (text := context.read(flake)) is not None:
            pinned = pinned_by(text)
            return Channel(pinned, told=True) if pinned in context.catalogue.channels else Channel()
    return Channel(_likely({*options}, context))


def pinned_by(flake: str) -> str:
    """Return the release of NixOS that a flake takes its nixpkgs from; empty: none that it says."""
    found = _INPUT.search(flake)
    if found is None:
        return ""
    if branch := _BRANCH.search(found[1]):
        return branch[1]
    hub = _FLAKEHUB.search(found[1])
    return f"{hub[1]}.{hub[2]}" if hub else ""


def _flakes_above(path: str) -> Iterator[str]:
    folders = PurePosixPath(path).parents
    yield from (str(folder / "flake.nix") for folder in list(folders)[:HIGHEST])


def _likely(options: set[str], context: Context) -> str:
    """Return the last release that has all of the options, where the newest lacks one."""
    facts = context.catalogue.at(context.engine.name)
    known = [facts.module_options[name] for name in options if name in facts.module_options]
    ends = [option.until for option in known if option.until and not option.renamed]
    # A file that is older than that is more likely to be wrong than to be right for its release.
    if not ends or min(ends) <= OLDEST:
        return ""
    return [name for name in context.catalogue.channels if name < min(ends)][-1]
