"""A Report: what a check has found over all files, ready to be printed."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from generator.errors import SEVERITIES
from generator.records import dataclass
from generator.rules.decided import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.errors import Severity
    from generator.view import LocatedFinding, NotJudged, Place


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in order, the texts of all files by name, and what of them nobody has judged.

    `secret` are the places of lines that are not to be shown, `links` further names of files, each
    with the name under which that file is told.
    """

    found: tuple[LocatedFinding, ...]
    texts: Mapping[str, str]
    not_judged: tuple[NotJudged, ...] = ()
    secret: frozenset[Place] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[LocatedFinding, ...]:
        """The Findings that nobody silences."""
        return tuple(placed for placed in self.found if not placed.finding.ignored)

    @property
    def ignored(self) -> tuple[LocatedFinding, ...]:
        """The Findings that a file silences, each with its reason."""
        return tuple(placed for placed in self.found if placed.finding.ignored)

    @property
    def judged(self) -> tuple[str, ...]:
        """The files that were judged, in part at least, in order."""
        return tuple(sorted(self.texts.keys() - self.unjudged))

    @property
    def in_part(self) -> frozenset[str]:
        """The files that were judged but for a part of them."""
        return frozenset(each.file for each in self.not_judged if each.part) & {*self.judged}

    @property
    def unjudged(self) -> frozenset[str]:
        """The files of which nothing was judged."""
        return frozenset(each.file for each in self.not_judged if not each.part)

    @property
    def gaps(self) -> tuple[NotJudged, ...]:
        """What nobody has judged and no Finding tells of: broken files have theirs."""
        return tuple(each for each in self.not_judged if each.part or each.file not in self.broken)

    @property
    def broken(self) -> frozenset[str]:
        """The files that are none of what they should be."""
        found = (placed for placed in self.found if placed.finding.rule == UNREADABLE.id)
        return frozenset(placed.place.file for placed in found)

    def count(self, severity: Severity) -> int:
        """Return how many Findings of a severity nobody silences."""
        return sum(placed.finding.severity == severity for placed in self.findings)

    def reaches(self, severity: str) -> bool:
        """Return whether a Finding is at or above `severity`; nothing reaches `never`."""
        if severity == "never":
            return False
        worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(placed.finding.severity in worst for placed in self.findings)
