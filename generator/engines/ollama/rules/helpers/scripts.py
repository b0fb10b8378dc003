"""Commands of the program, and what a script has before and behind its server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts

_LONGEST: Final = 20_000
_PARTED: Final = re.compile(r"&&|;|\n")
_SERVES: Final = re.compile(
    r"\s*(?:exec\s+)?(?:/[\w./-]*/)?ollama\s+(?:serve|start)\b(?:[^&|]|>&|&>)*"
)
_ASKS: Final = re.compile(r"\s*(?:/[\w./-]*/)?ollama\s+(pull|run|create)\b(?!.*\|\|)")
_BRINGS_UP: Final = re.compile(
    r"\b(?:serve|start|until|while|for|if|then|sleep|wait|HOST|case|trap|source)\b|(?<![>&])&(?!>)"
    r"|\(\)|\{|\|\|"
)
"""What may have a server up, or has commands run in another order."""


_OTHERS: Final = frozenset({"completion", "help", "launch", "runner", "signin", "signout"})
"""Commands whose flags nobody judges."""


def is_unknown(word: str, facts: Facts) -> bool:
    """Return whether no release has a command of that name."""
    return word not in facts.commands and word not in _OTHERS


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A command on the wrong side of the server of a script: its verb, and whether it is before.

    `stops`: where it fails, the server never starts.
    """

    verb: str
    before: bool
    stops: bool = False


def misplaced(text: str) -> Misplaced | None:
    """Return the first command that asks the server of a script before it runs, or behind it."""
    if len(text) > _LONGEST:
        return None
    parts = _PARTED.split(text)
    at = next((n for n, part in enumerate(parts) if _SERVES.fullmatch(part)), None)
    if at is None:
        return None
    for part in parts[:at]:
        if found := _ASKS.match(part):
            return Misplaced(found[1], before=True, stops="&&" in text)
        if _BRINGS_UP.search(part):
            return None
    behind = (found for part in parts[at + 1 :] if (found := _ASKS.match(part)))
    return next((Misplaced(found[1], before=False) for found in behind), None)
