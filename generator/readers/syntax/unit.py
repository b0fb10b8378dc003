r"""Unit files as systemd reads them, systemd.syntax(7): lines, sections, assignments, resets.

A line may end in `\n`, `\r\n`, `\r` or NUL; an odd number of backslashes before that joins the
next line to it, comments between left out. An empty assignment takes the earlier ones back.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, TypeVar

from generator.readers.base import Source, refused
from generator.readers.layers import Said
from generator.readers.syntax.words import BLANKS, Expanded, Word, expand, is_text, words
from generator.records import dataclass
from generator.view import Line, Place, Reach, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


T = TypeVar("T")
_END: Final = re.compile(r"(?:\n\r?|\r\n?)\0?|\0")
_HEAD: Final = re.compile(r"^# (/\S{1,250}\.(?:service|container|conf))$", re.MULTILINE)
_MOST_FILES: Final = 200
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\"'\\]")
_BOM: Final = "\ufeff"
LONGEST: Final = 1024 * 1024
_DEPENDENCIES_AND_LIMITS: Final = (
    "After Before Wants Requires Requisite BindsTo PartOf Upholds Conflicts OnFailure OnSuccess "
    "PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf "
    "LimitAS LimitCORE LimitCPU LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE "
    "LimitNICE LimitNOFILE LimitNPROC LimitRSS LimitRTPRIO LimitRTTIME LimitSIGPENDING LimitSTACK"
)
NEVER_RESET: Final = frozenset(_DEPENDENCIES_AND_LIMITS.split())
"""Keys that an empty assignment does not take back, systemd.unit(5)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a joined line that stands on one line of the file: from `start` up to `end`."""

    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """A `key=value`, joined and stripped, and where the parts of its value stand.

    Without a `key` it is the header of a section, or a line that assigns nothing. `offset` is where
    the value begins in the line that the `stretches` make up. `piece` is the file that a part of
    what `systemctl cat` prints is of.
    """

    file: str
    section: str
    key: str
    value: str
    line: int
    stretches: tuple[Stretch, ...]
    offset: int = 0
    piece: str = ""

    @property
    def layer(self) -> str:
        """The file that it was written to."""
        return self.piece or self.file

    def said(self) -> Said:
        """Return it as a setting that takes one value."""
        return Said(self.key, self.value, self.place(), self.layer)

    def place(self, at: int = -1) -> Place:
        """Return the place of the assignment, or of the character `at` of its value."""
        line = self._stretch(at).line if at >= 0 else self.line
        return Place(self.file, line, self.key)

    def item(self, text: str, at: int = -1) -> Line:
        """Return the assignment as the rules see it, or the part `text` of its value."""
        return Line(section=self.section, name=self.key, value=text, place=self.place(at))

    def written(self, start: int, end: int) -> str:
        """Return that part of the value if it stands on one line of the file, else nothing."""
        within = end + self.offset <= self._stretch(start).end
        return self.value[start:end] if within else ""

    def _stretch(self, at: int) -> Stretch:
        after = bisect_right(self.stretches, at + self.offset, key=lambda stretch: stretch.start)
        return self.stretches[max(after - 1, 0)]

    def tail(self, head: str, word: Word | None = None) -> str:
        """Return how the rest behind `head` of a word, or of the whole value, is written."""
        if not (word.text if word else self.value).startswith(head):
            return ""
        if word is None:
            return self.written(0, len(self.value))[len(head) :]
        span = word.tail(head)
        return self.written(*span) if span else ""

    def words(self) -> list[Word]:
        """Return the words of a command line, unknown escapes kept; those before a fault."""
        return _until_fault(words(self.value, relaxed=True))


def one_line(file: str, section: str, key: str, value: str, line: int) -> Assignment:
    """Return an assignment that another format writes into a unit, and where that one has it."""
    return Assignment(file, section, key, value, line, (Stretch(0, len(value), line),))


def parse(source: Source) -> tuple[Assignment, ...]:
    """Read a unit file or drop-in. Raises ProfileError where systemd would read none of it."""
    found: list[Assignment] = []
    section = ""
    for joined, stretches in _joined(source.text):
        text, where = joined.strip(BLANKS), f"line {stretches[0].line}"
        if len(joined) > LONGEST // 4 and len(joined.encode("utf-8", "surrogatepass")) >= LONGEST:
            raise refused(source.path, where, "a line is longer than 1 MiB", "break it up")
        if not text or not is_text(text):
            continue
        if text.startswith("["):
            section = text[1:-1]
            if not text.endswith("]") or _UNSAFE.search(section):
                message = f"`{text}` is no section header, and systemd reads no further"
                raise refused(source.path, where, message, "write `[Service]`")
        found.append(_assignment(source.path, section, joined.rstrip(BLANKS), stretches))
    if found and not any(one.key or one.value.startswith("[") for one in found):
        message = "this is no unit file: there is no `[Service]` and no `key=value`"
        hint = "give a `.service` or a `.conf` of its `.service.d`"
        raise refused(source.path, f"line {found[0].line}", message, hint)
    return tuple(found)


def heads(text: str) -> list[tuple[int, str]]:
    """Return the files that `systemctl cat` has printed, one behind the other, and their lines.

    None: the text is one file, whatever its comments say.
    """
    found = list(_HEAD.finditer(text))
    if not 1 < len(found) <= _MOST_FILES or text[: found[0].start()].strip():
        return []
    number, counted, every = 1, 0, []
    for head in found:
        number += text.count("\n", counted, head.start())
        counted = head.start()
        every.append((number, head[1]))
    return every


def _assignment(file: str, section: str, joined: str, stretches: tuple[Stretch, ...]) -> Assignment:
    text = joined.lstrip(BLANKS)
    key, equals, value = text.partition("=")
    if text.startswith("[") or not (key and equals):
        key, value = "", text
    value, line = value.lstrip(BLANKS), stretches[0].line
    offset = len(joined) - len(value)
    return Assignment(file, section, key.rstrip(BLANKS), value, line, stretches, offset)


def _joined(text: str) -> Iterator[tuple[str, tuple[Stretch, ...]]]:
    """Yield lines with their continuations, and where the parts of each stand."""
    parts: list[str] = []
    stretches: list[Stretch] = []
    marked = False
    for number, line in _lines(text):
        if line.lstrip(BLANKS).startswith(("#", ";")):
            continue
        if not marked and line.startswith(_BOM):
            line, marked = line[1:], True  # noqa: PLW2901
        start = stretches[-1].end + 1 if stretches else 0
        goes_on = (len(line) - len(line.rstrip("\\"))) % 2
        stretches.append(Stretch(start, start + len(line) - goes_on, number))
        parts.append(f"{line[:-1]} " if goes_on else line)
        if not goes_on:
            yield "".join(parts), tuple(stretches)
            parts, stretches = [], []
    if stretches:
        yield "".join(parts), tuple(stretches)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that systemd sees, with the number that an editor shows."""
    at, number = 0, 1
    for match in _END.finditer(text):
        yield number, text[at : match.start()]
        at, number = match.end(), number + text.count("\n", at, match.end())
    yield number, text[at:]


def in_force(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """Return what an empty assignment of the same key has not taken back; it stays itself.

    Before any section nothing counts, and takes nothing back.
    """
    kept: list[Assignment] = []
    reset: set[tuple[str, str]] = set()
    for one in reversed(list(assignments)):
        if (one.section, one.key) in reset:
            continue
        kept.append(one)
        if one.section and not one.value and one.key not in NEVER_RESET:
            reset.add((one.section, one.key))
    return tuple(reversed(kept))


def named(
    assignments: Iterable[Assignment], key: str, section: str = "Service"
) -> list[Assignment]:
    """Return the assignments of one key that say something, in order."""
    return [a for a in assignments if a.key == key and a.section == section and a.value]


def lines(assignments: Iterable[Assignment]) -> tuple[Line, ...]:
    """Return every directive as the rules see it."""
    return tuple(one.item(one.value) for one in assignments)


def variables(
    assignment: Assignment, unit: str, *, user: bool = False, reach: Reach = "server"
) -> list[Variable]:
    """Return what an `Environment=` sets; systemd ignores a word that is no `NAME=value`.

    `$` has no meaning there. Behind a broken quote or escape nothing is read.
    """
    found = []
    for word, expanded in _until_fault(_items(assignment, unit, user=user)):
        if expanded is not None:
            name, _, value = expanded.text.partition("=")
            found.append(
                Variable(
                    name=name,
                    value=value,
                    place=assignment.place(word.start),
                    reach=reach,
                    written=assignment.tail(f"{name}=", word),
                    unresolved=expanded.unresolved,
                )
            )
    return found


def passed(assignment: Assignment, reach: Reach = "server") -> Iterator[Variable]:
    """Yield the variables of a `PassEnvironment=`: the manager of the units has their values."""
    for word in assignment.words():
        place = assignment.place(word.start)
        yield Variable(name=word.text, value="", place=place, reach=reach, unresolved=True)


def unread(assignment: Assignment, unit: str, *, user: bool = False) -> Iterator[Line]:
    """Yield what systemd ignores of an `Environment=`: the text of each item, or of the rest."""
    at = 0
    try:
        for word, expanded in _items(assignment, unit, user=user):
            at = word.end
            if expanded is None:
                yield assignment.item(word.text, word.start)
    except ValueError:
        rest = assignment.value[at:].lstrip(BLANKS)
        yield assignment.item(rest, len(assignment.value) - len(rest))


def _items(
    assignment: Assignment, unit: str, *, user: bool
) -> Iterator[tuple[Word, Expanded | None]]:
    """Yield the words of an `Environment=`, and `NAME=value`; None: systemd ignores the word."""
    for word in words(assignment.value):
        expanded = expand(word.text, unit, user=user)
        name, equals, value = (expanded.text if expanded else "").partition("=")
        yield word, expanded if equals and _NAME.fullmatch(name) and is_text(value) else None


def _until_fault(found: Iterator[T]) -> list[T]:
    kept: list[T] = []
    with contextlib.suppress(ValueError):
        kept.extend(found)
    return kept
