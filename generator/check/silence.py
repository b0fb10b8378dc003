"""Comments that silence a rule in a file: `# hostwright: ignore HW102 because …`.

Beside a setting, or alone on the line above it, such a comment is about that setting; with
`ignore-file` about the whole file. A reason is required: whoever reads the file next wants it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.rules.decided import SILENCE
from generator.rules.registry import every_rule
from generator.view import LocatedFinding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_COMMENT: Final = re.compile(
    r"[#;]\s*hostwright:\s*(?P<verb>[\w-]*)\s*(?P<rules>(?:HW\d{3}[\s,]*)*)(?P<rest>.*)"
)
_REASON: Final = re.compile(r"because\s+(?P<reason>\S.*)")
_EXAMPLE: Final = "write `# hostwright: ignore HW102 because …`"


@dataclass(frozen=True, slots=True)
class Silence:
    """One comment: the rules it silences, why, from which place, on which lines (empty: all)."""

    rules: frozenset[str]
    reason: str
    place: Place
    lines: frozenset[int]

    def covers(self, placed: LocatedFinding) -> bool:
        """Return whether it silences this Finding of its file."""
        at_line = not self.lines or placed.place.line in self.lines
        return placed.finding.rule in self.rules and at_line


def silenced(
    found: Iterable[LocatedFinding], texts: Mapping[str, str]
) -> tuple[LocatedFinding, ...]:
    """Return the Findings, those that their file silences marked with its reason.

    Comments that give no reason, or silence nothing, are Findings themselves. `texts` has the text
    of each file by the name that places use.
    """
    comments = [each for file, text in texts.items() for each in _comments(file, text)]
    silences: dict[str, list[Silence]] = {}
    for each in comments:
        if isinstance(each, Silence):
            silences.setdefault(each.place.file, []).append(each)
    used: set[Place] = set()
    marked = [_marked(placed, silences.get(placed.place.file, ()), used) for placed in found]
    faults = [each for each in comments if isinstance(each, LocatedFinding)]
    idle = [each for each in comments if isinstance(each, Silence) and each.place not in used]
    return (*marked, *faults, *map(_idle, idle))


def _marked(
    placed: LocatedFinding, silences: Iterable[Silence], used: set[Place]
) -> LocatedFinding:
    for silence in silences:
        if silence.covers(placed):
            used.add(silence.place)
            finding = dataclasses.replace(placed.finding, ignored=silence.reason)
            return dataclasses.replace(placed, finding=finding)
    return placed


def _comments(file: str, text: str) -> Iterator[Silence | LocatedFinding]:
    if "hostwright:" not in text:
        return
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = _COMMENT.search(line)
        if found:
            yield _comment(found, Place(file, number), lines)


def _comment(found: re.Match[str], place: Place, lines: list[str]) -> Silence | LocatedFinding:
    reason = _REASON.fullmatch(found["rest"].strip())
    rules = frozenset(re.findall(r"HW\d{3}", found["rules"]))
    if found["verb"] not in {"ignore", "ignore-file"} or not rules:
        return _fault(place, "this comment names no rule to ignore", _EXAMPLE)
    if strange := sorted(rules - every_rule().keys()):
        return _fault(
            place, f"there is no rule {', '.join(strange)}", "see `gen explain --list rule`"
        )
    if reason is None:
        return _fault(place, "a rule is ignored without a reason", f"{_EXAMPLE}: say why")
    about = frozenset() if found["verb"] == "ignore-file" else _about(place.line, lines)
    return Silence(rules, reason["reason"].strip(), place, about)


def _about(number: int, lines: list[str]) -> frozenset[int]:
    """Return the lines that a comment on line `number` is about: its own, or the next setting's."""
    if not lines[number - 1].lstrip().startswith(("#", ";")):
        return frozenset({number})
    following = range(number + 1, len(lines) + 1)
    settings = (
        n for n in following if lines[n - 1].strip() and lines[n - 1].lstrip()[0] not in "#;"
    )
    return frozenset({next(settings, number)})


def _fault(place: Place, message: str, fix: str) -> LocatedFinding:
    return LocatedFinding(SILENCE.finding(message, "comment", fix), place)


def _idle(silence: Silence) -> LocatedFinding:
    message = f"nothing to ignore here: {', '.join(sorted(silence.rules))} finds no fault"
    finding = SILENCE.finding(message, "comment", "remove the comment", severity="info")
    return LocatedFinding(finding, silence.place)
