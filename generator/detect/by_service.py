"""Rules about the service: the release, the program, and how long models stay loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.choice import Choice, Left

if TYPE_CHECKING:
    from generator.detect.situation import Situation

_DEFAULT_BINARY: Final = "/usr/local/bin/ollama"


def version(at: Situation) -> Choice | Left:
    """The installed release, if the Catalogue has facts about it."""
    if at.asked:
        young = "" if at.facts.known else "; the catalogue does not know it"
        return Choice("ollama.version", at.asked, f"the release that this was asked for{young}.")
    there = at.found.ollama.version
    if there and str(at.facts.release) == there and at.facts.known:
        return Choice("ollama.version", there, "the release that is installed.")
    if there:
        return Left("ollama.version", f"{there} is installed, which is not known; newest known.")
    return Left("ollama.version", "none is installed; the newest known.")


def keep_alive(at: Situation) -> Choice | None:
    """A model on a spinning disk takes minutes to load again."""
    if at.found.disk.kind != "hdd":
        return None
    told = "models lie on a spinning disk, from which 8 GB take a minute; the default is 5m"
    return Choice("ollama.keep_alive", "1h", f"{told}.")


def binary(at: Situation) -> Choice | None:
    """The program, where it is not the official installer's place."""
    there = at.found.ollama
    if there.kind == "nixos" or there.binary in {"", _DEFAULT_BINARY}:
        return None
    return Choice("service.binary", there.binary, "where it is installed.")
