"""Profiles in a check: what `resolve` and the rules say, at the lines that it is about."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from generator.errors import Finding, HostwrightError, ProfileError
from generator.profiles.load import read_document
from generator.rules.decided import UNREADABLE
from generator.view import LocatedFinding, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.errors import Problem
    from generator.profiles.document import Document

_PART: Final = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_PATH: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADING: Final = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]")
_KEY: Final = re.compile(rf"\s*({_PATH})\s*=")


def check_profile(
    name: str,
    version: str | None = None,
    targets: Sequence[str] = (),
    stdin: bytes | None = None,
) -> tuple[tuple[LocatedFinding, ...], dict[str, str]]:
    """Return what there is to say of a profile, and the texts of the files that make it up.

    What is wrong with it, or why it cannot be read, are errors under the rule id UNREADABLE. With
    `targets`, what those cannot express is said, too.
    """
    # A check of other files needs neither Plans nor targets.
    from generator.pipeline import plan_of
    from generator.targets import away, fitting, limitations, refusal

    texts: dict[str, str] = {}
    try:
        document = read_document(name, stdin=stdin)
        texts = dict(document.texts)
        plan = plan_of(document, version=version)
        names = fitting(targets, plan)
        refusals = [error for name in names if (error := refusal(name, plan))]
        losses = [
            *(UNREADABLE.finding(each.message, each.where, each.hint) for each in refusals),
            *(finding for name in names for finding in limitations(name, plan)),
            *away(targets, names, plan),
        ]
    except ProfileError as error:
        return tuple(broken(error, problem, texts) for problem in error.problems), texts
    except HostwrightError as error:
        finding = UNREADABLE.finding(error.message, fix=error.hint)
        return (LocatedFinding(finding, Place(name)),), texts
    found = (_placed(finding, document, texts) for finding in (*plan.findings, *losses))
    return tuple(found), texts


def _placed(finding: Finding, document: Document, texts: dict[str, str]) -> LocatedFinding:
    file = document.origin(finding.where.split("."))
    place = Place(file, line_of(texts.get(file, ""), finding.where), finding.where)
    return LocatedFinding(finding, place, setting=finding.where)


def broken(error: ProfileError, problem: Problem, texts: dict[str, str]) -> LocatedFinding:
    """Return what is wrong with a file of Hostwright's own, at its line."""
    finding = UNREADABLE.finding(problem.message, problem.where, problem.hint)
    file = problem.source or error.source
    line = line_of(texts.get(file, ""), problem.where)
    return LocatedFinding(finding, Place(file, line, problem.where))


def line_of(text: str, key: str) -> int:
    """Return the line of `key` (`ollama.keep_alive`, `models.0.name`), or of the nearest table
    around it; 0 where the file has none of it. The parser of the standard library does not tell.

    Text that looks like a heading inside a multi-line string can mislead it; lines are for people.
    """
    wanted, lines = tuple(key.split(".")), _lines_of(text)
    steps = range(len(wanted), 0, -1)
    return next((lines[wanted[:n]] for n in steps if wanted[:n] in lines), 0)


@functools.lru_cache(maxsize=8)
def _lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Return the first line of each key and table; kept, for a fleet may have many faults."""
    lines: dict[tuple[str, ...], int] = {}
    for number, path in _keys(text):
        lines.setdefault(tuple(path), number)
    return lines


def _keys(text: str) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if heading := _HEADING.match(line):
            table = _parts(heading[2])
            if heading[1] == "[[":
                name = ".".join(table)
                counts[name] = counts.get(name, -1) + 1
                yield number, table
                table = [*table, str(counts[name])]
            yield number, table
        elif assignment := _KEY.match(line):
            yield number, [*table, *_parts(assignment[1])]


def _parts(path: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(_PART, path)]
