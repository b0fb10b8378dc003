"""Names of variables that fixes take away, and where the files of a check still use them.

What sets a name again is no use of it: where the same dead name stands in several files, each is
mended by itself, and what is left unmended there does nothing, as before.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.check.mend import mended_lines
from generator.check.silence import is_guide
from generator.readers.document.fences import fences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from generator.view import LocatedFinding

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMENTS: Final = ("#", "//", ";", "<!--")
_EXPANDED: Final = re.compile(r"(?:[$%]|\$[({][!#]?|\{\{-? {0,4}\.?)$")
"""What stands before a name whose value is put in."""
_SET: Final = re.compile(r"[\"']?\]? {0,40}(?:(?:::?|[?+])?=(?![=~])|:(?=[\s\"']|$))|[\"'] {0,4}:")
"""What stands behind a name that is set."""
_TOLD: Final = re.compile(
    r"(?:\b[Nn]ame[\"']?\s{0,40}[:=]\s{0,40}[\"']?|<key>|\bENV |\bset(?:env|x) |\bset -[gUx]+ "
    r"|EnvironmentVariable\([\"']|/v )$"
)
"""What stands before a name that is set without a sign behind it."""
_NEAR: Final = 100


def without_used(
    found: Sequence[LocatedFinding], texts: Mapping[str, str], names: AbstractSet[str]
) -> tuple[LocatedFinding, ...]:
    """Return the Findings, without the Edits that take away a name which is used elsewhere.

    `names` are those of variables. It is asked of the texts as they are with all Edits made.
    """
    taken = {at: gone for at, placed in enumerate(found) if (gone := _taken(placed, names))}
    if not taken:
        return (*found,)
    used = _used(found, texts, frozenset().union(*taken.values()))
    return tuple(
        dataclasses.replace(placed, edits=(), withheld=_reason(name, used[name]))
        if (name := min(taken.get(at, frozenset()) & used.keys(), default=""))
        else placed
        for at, placed in enumerate(found)
    )


def _reason(name: str, where: tuple[str, int]) -> str:
    file, line = where
    return f"`{name}` is still used in {file}:{line}"


def _taken(placed: LocatedFinding, names: AbstractSet[str]) -> frozenset[str]:
    """Return the names that stand no more where the Edits of a Finding are made."""
    edits = () if placed.finding.ignored else placed.edits
    old = {edit.old.partition("=")[0] for edit in edits} & names
    return frozenset(old.difference(*(_WORD.findall(edit.new) for edit in edits)))


def _used(
    found: Sequence[LocatedFinding], texts: Mapping[str, str], names: AbstractSet[str]
) -> dict[str, tuple[str, int]]:
    """Return where each of the names is first used, in one pass over the texts."""
    used: dict[str, tuple[str, int]] = {}
    changed = mended_lines(found, texts, unsafe=True)
    for file, text in texts.items():
        if names.isdisjoint(_WORD.findall(text)):
            continue
        lines = changed.get(file) or dict(enumerate(text.split("\n"), 1))
        for number, line in _code(file, text, lines):
            for name in _uses(line, names):
                used.setdefault(name, (file, number))
    return used


def _code(file: str, text: str, lines: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that are no prose, with their old numbers."""
    if not is_guide(file):
        yield from lines.items()
        return
    for fence in fences(text):
        inside = range(fence.line, fence.line + fence.text.count("\n"))
        yield from ((number, lines[number]) for number in inside if number in lines)


def _uses(line: str, names: AbstractSet[str]) -> Iterator[str]:
    """Yield those of the names that a line uses, and does not only set or speak of."""
    code = "" if line.lstrip().startswith(_COMMENTS) else _without_comment(line)
    for word in _WORD.finditer(code):
        if word[0] in names and not _is_set(code, *word.span()):
            yield word[0]


def _is_set(line: str, start: int, end: int) -> bool:
    before = line[max(0, start - _NEAR) : start]
    if _EXPANDED.search(before):
        return False
    return bool(_SET.match(line, end) or _TOLD.search(before))


def _without_comment(line: str) -> str:
    """Return a line up to a comment; what stands in quotes is none."""
    code, mark, _ = line.partition(" #")
    return line if mark and (code.count('"') % 2 or code.count("'") % 2) else code
