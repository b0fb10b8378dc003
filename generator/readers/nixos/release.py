"""For which release of NixOS a module is: what the user says, a file pins, or its options tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable  # noqa: TC003 -- in a constant
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.catalogue.nixos import channel_named
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context, Source
    from generator.units import Release

HIGHEST: Final = 4
"""How many directories up a flake may be."""
_INPUT: Final = re.compile(
    r'(?<![\w-])([\w-]{1,60})(?:\.url\s*=|\s*=\s*\{\s*url\s*=)\s*"([^"\n]{1,200})"'
)
_SYSTEM: Final = re.compile(r"(?<![\w-])([\w-]{1,60})\.lib\.nixosSystem\b")
_HOME: Final = re.compile(
    r"(?<![\w.-])pkgs\s{0,9}=\s{0,9}(?:import\s{1,9})?(?:inputs\.)?([\w-]{1,60})"
    r"(?:\.legacyPackages\b|\s{0,9}\{)"
)
"""Of which nixpkgs the packages are that a flake hands to its homes."""
_COMMENT: Final = re.compile(r"^[ \t]*#([^\n]{0,200})", re.MULTILINE)
_MEANT: Final = re.compile(
    r"(?:\b(?:for|on|with|under|tested|channel|release|version)\b|^)[ :]{0,3}(?:a )?"
    r"nixos[ -](\d\d\.\d\d|unstable)\b",
    re.ASCII | re.IGNORECASE,
)
_MAKES: Final = re.compile(r"\bnixosSystem\b|\beval-config\b|/nixos\"")
"""What makes a system of the nixpkgs that a file fetches; a module may take packages of it."""
_HISTORY: Final = re.compile(
    r"\b(?:since|until|before|after|from|later|older|newer|removed|dropped|gone|changed|up to)\b"
    r"|[<>≤≥+]",
    re.IGNORECASE,
)
"""What a comment speaks of that tells which releases do something, and not which one runs."""
_FETCHED: Final = re.compile(
    r"\bnixpkgs\s{0,20}=[^;]{0,300}?\b(?:nixos|nixpkgs|release)-(\d\d\.\d\d|unstable)", re.ASCII
)
_DEEPEST: Final = 20
_SET: Final = re.compile(r"([\w'-]{1,80})\.ollama\b", re.ASCII)
_NO_SETS: Final = frozenset({"services", "agents", "daemons"})
"""What stands before the name of the engine where it is one of a service."""
OWN: Final = "pkgs"
"""The set of packages that a module is given."""


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


def sets_in(text: str) -> frozenset[str]:
    """Return the sets of packages from which a text takes the engine."""
    return frozenset(_SET.findall(text)) - _NO_SETS


def of_package(text: str, channel: Channel, context: Context) -> tuple[Release, bool]:
    """Return the release that a text takes from `pkgs`: of another set of packages the newest."""
    return context.release_for() if sets_in(text) - {OWN} else channel.release(context)


def channel_of(source: Source, options: Iterable[str], context: Context) -> Channel:
    """Return the release of NixOS, or of nixpkgs, that a file is for.

    `options` are those that it sets of the module for the service.
    """
    if context.channel:
        return Channel(context.channel, told=True)
    path, own, options = source.path, said_in(source.text), {*options}
    # A comment that an option contradicts is older than the module.
    if own in context.catalogue.channels and own >= max(_sinces(options, context), default=""):
        return Channel(own, told=True)
    for folder in list(PurePosixPath(path).parents)[:HIGHEST]:
        texts = {name: context.read(str(folder / name)) for name in PINS}
        told = next(filter(None, (PINS[name](text) for name, text in texts.items() if text)), "")
        dated = release_of_lock(texts["flake.lock"] or "") if told == "unstable" else ""
        # What is locked at an older state of it is no newer than that.
        told = dated if dated in context.catalogue.channels else told
        if told or texts["flake.nix"] is not None:
            known = told in context.catalogue.channels
            return Channel(told, told=True) if known else Channel()
    return Channel(_likely(options, context))


def said_in(text: str) -> str:
    """Return the release of NixOS that a file itself names: in a comment, or what it fetches."""
    comments = (found[1] for found in _COMMENT.finditer(text) if "nixos" in found[1].lower())
    plain = (comment.strip() for comment in comments if not _HISTORY.search(comment))
    named = {found[1].lower() for comment in plain if (found := _MEANT.search(comment))}
    if len(named) == 1:
        return named.pop()
    return fetched_by(text) if _MAKES.search(text) else ""


def pinned_by(flake: str) -> str:
    """Return the release of NixOS that a flake makes its systems of; empty: none that it says.

    One that makes none makes homes.
    """
    inputs = dict(reversed(_INPUT.findall(flake)))
    makers = {*_SYSTEM.findall(flake)} or {*_HOME.findall(flake)}
    name = makers.pop() if len(makers) == 1 else "nixpkgs"
    return channel_named(inputs.get(name, ""))


def release_of_lock(lock: str) -> str:
    """Return the release that nixpkgs was on its way to when it was locked; empty: not told."""
    seconds = _table(_locked(lock), "locked").get("lastModified")
    if not isinstance(seconds, int) or not 0 < seconds < _FAR:
        return ""
    day = datetime.fromtimestamp(seconds, UTC)
    before = [month for month in (5, 11) if (day.month, day.day) < (month, _BRANCHED)]
    return f"{day.year % 100:02}.{before[0]:02}" if before else f"{day.year % 100 + 1:02}.05"


_BRANCHED: Final = 20
"""The day of May and of November, about, on which a release leaves unstable."""
_FAR: Final = 4_000_000_000


def locked_by(lock: str) -> str:
    """Return the release of NixOS that a `flake.lock` has for its nixpkgs; empty: it names none."""
    node = _locked(lock)
    return channel_named(*_texts(_table(node, "original")), *_texts(_table(node, "locked")))


def _locked(lock: str) -> dict[str, object]:
    """Return what a `flake.lock` says of the nixpkgs of its flake."""
    nodes = _table(_json(lock), "nodes")
    name: object = "root"
    steps: list[object] = ["nixpkgs"]
    for _ in range(_DEEPEST):
        if not steps:
            break
        name = _table(nodes, name, "inputs").get(str(steps.pop(0)))
        if isinstance(name, list):  # It follows an input of another one, from the root on.
            steps, name = [*name, *steps], "root"
    return _table(nodes, name)


def npins_by(sources: str) -> str:
    """Return the same of the `sources.json` of npins, or of niv."""
    data = _json(sources)
    return channel_named(*_texts(_table(data, "pins", "nixpkgs")), *_texts(_table(data, "nixpkgs")))


def fetched_by(text: str) -> str:
    """Return the same of a file that fetches its `nixpkgs` from a channel."""
    found = _FETCHED.search(text)
    return found[1] if found else ""


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _table(data: object, *path: object) -> dict[str, object]:
    for key in path:
        data = data.get(key) if isinstance(data, dict) and isinstance(key, str) else None
    return data if isinstance(data, dict) else {}


def _texts(table: dict[str, object]) -> Iterator[str]:
    yield from (value for value in table.values() if isinstance(value, str))


PINS: Final[dict[str, Callable[[str], str]]] = {
    "flake.nix": pinned_by,
    "flake.lock": locked_by,
    "npins/sources.json": npins_by,
    "nix/sources.json": npins_by,
    "hive.nix": fetched_by,
    "default.nix": fetched_by,
}
"""Files that say which nixpkgs a directory is built with, in the order in which they are asked."""


def _sinces(options: set[str], context: Context) -> list[str]:
    known = context.catalogue.at(context.engine.name).module_options
    return [known[name].since for name in options if name in known]


def _likely(options: set[str], context: Context) -> str:
    """Return the last release that has all of the options, where the newest lacks one.

    Options that no release has together tell nothing.
    """
    facts = context.catalogue.at(context.engine.name)
    known = [facts.module_options[name] for name in options if name in facts.module_options]
    ends = [option.until for option in known if option.until and not option.renamed]
    first = max((option.since for option in known), default="")
    names = [n for n in context.catalogue.channels if first <= n < min(ends)] if ends else []
    return names[-1] if names else ""
