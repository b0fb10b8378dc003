"""What a check has to say: a word, a sentence, the command that mends it, and what shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass
from generator.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Word = Literal["fault", "warning", "unknown", "ok"]
WORDS: Final[tuple[Word, ...]] = ("fault", "warning", "unknown", "ok")
"""The worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result of a check.

    `said` is what was found, of an unknown why nobody can tell; `remedy` the command that mends it,
    `evidence` are the lines that show it, as somebody printed them.
    """

    check: str
    word: Word
    said: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()


def without_secrets(result: Result, secret: Callable[[str], bool]) -> Result:
    """Return a Result with no secret in any of its texts."""
    said, remedy = (redacted(text, secret) for text in (result.said, result.remedy))
    return replace(
        result,
        said=said,
        remedy=remedy,
        evidence=tuple(redacted(line, secret) for line in result.evidence),
    )


class Says:
    """The results of one check, made by their words."""

    def __init__(self, check: str) -> None:
        self._check = check

    def ok(self, said: str) -> Result:
        """Return that all is well, or that there is nothing to judge."""
        return Result(check=self._check, word="ok", said=said)

    def unknown(self, why: str, remedy: str = "") -> Result:
        """Return that nobody can tell, and how it could be told."""
        return Result(check=self._check, word="unknown", said=why, remedy=remedy)

    def fault(self, said: str, remedy: str, *evidence: str) -> Result:
        """Return what keeps the server from doing its work."""
        return Result(check=self._check, word="fault", said=said, remedy=remedy, evidence=evidence)

    def warning(self, said: str, remedy: str, *evidence: str) -> Result:
        """Return what makes it slower, or will be a fault."""
        return Result(
            check=self._check, word="warning", said=said, remedy=remedy, evidence=evidence
        )


def mended_once(results: Sequence[Result]) -> list[Result]:
    """Return the Results, where one command mends several in a row it stands at the last alone."""
    # Behind the last of them, if there is any, comes none.
    following = [*(result.remedy for result in results[1:]), ""]
    return [
        replace(result, remedy="") if result.remedy == after else result
        for result, after in zip(results, following, strict=False)
    ]
