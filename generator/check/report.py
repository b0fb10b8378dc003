"""A Report: what a check has found over all files, ready to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import SEVERITIES
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.errors import EnvironmentFailure, Severity
    from generator.view import LocatedFinding


@dataclass(frozen=True, slots=True)
class Failure:
    """What the machine lacks to check some files; `named`: the user asked for one of them."""

    error: EnvironmentFailure
    named: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in order, the texts of the files that were checked, by name, and what failed."""

    found: tuple[LocatedFinding, ...]
    texts: Mapping[str, str]
    failures: tuple[Failure, ...] = ()

    @property
    def findings(self) -> tuple[LocatedFinding, ...]:
        """The Findings that nobody silences."""
        return tuple(placed for placed in self.found if not placed.finding.ignored)

    @property
    def ignored(self) -> tuple[LocatedFinding, ...]:
        """The Findings that a file silences, each with its reason."""
        return tuple(placed for placed in self.found if placed.finding.ignored)

    def count(self, severity: Severity) -> int:
        """Return how many Findings of a severity nobody silences."""
        return sum(placed.finding.severity == severity for placed in self.findings)

    def reaches(self, severity: str) -> bool:
        """Return whether a Finding is at or above `severity`; nothing reaches `never`."""
        if severity == "never":
            return False
        worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(placed.finding.severity in worst for placed in self.findings)
