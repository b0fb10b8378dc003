r"""Dockerfiles as instructions: continued lines, comments between them, here-documents, words.

Source: docker/docs, Dockerfile reference; moby/buildkit, frontend/dockerfile/parser and shell.
One pass over the text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import field
from typing import TYPE_CHECKING, Final

from generator.readers.base import refused
from generator.records import dataclass
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.base import Source

_NAMES: Final = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    }
)
_FLAGGED: Final = frozenset({"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"})
_DOCUMENTS: Final = frozenset({"ADD", "COPY", "RUN"})
_DIRECTIVE: Final = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+)")
_FLAG: Final = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?\s*")
_HERE: Final = re.compile(r"(?<!\S)\d*<<(-?)(['\"]?)([A-Za-z_][\w.]*)\2(?!\S)")
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+?])([^{}]*))?\})")
_MOST: Final = 2_000
"""Instructions: nobody writes a longer file by hand."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was joined from lines, and the line of each of its characters."""

    text: str
    file: str
    starts: tuple[tuple[int, int], ...]
    """Where in the text each line begins, and its number."""

    def place(self, at: int = 0) -> Place:
        """Return where a character stands."""
        found = bisect_right(self.starts, (at, 1 << 60)) - 1
        return Place(self.file, self.starts[max(found, 0)][1])


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is written, quotes and all, and where it begins in its Text."""

    raw: str
    start: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction: its name in capitals, what follows it, and the texts given to it.

    `script` is what follows with its line ends kept, as a shell reads it; `flags` are those that
    begin with two dashes; `skipped` is where in `text` the rest behind them begins.
    """

    name: str
    text: Text
    script: str = ""
    script_line: int = 0
    flags: Mapping[str, str] = field(default_factory=dict)
    skipped: int = 0
    documents: tuple[tuple[str, int], ...] = ()
    escape: str = "\\"

    @property
    def rest(self) -> str:
        """What follows the flags."""
        return self.text.text[self.skipped :]

    @property
    def place(self) -> Place:
        """Where it stands: the line of its name."""
        return Place(self.text.file, self.script_line)

    def words(self) -> list[Word]:
        """Return the words behind the flags."""
        pattern = _words(self.escape)
        return [
            Word(found[0], found.start())
            for found in pattern.finditer(self.text.text, self.skipped)
        ]

    def listed(self) -> list[str] | None:
        """Return the words of the exec form, a list as JSON has it; None: it is the shell form."""
        if not self.rest.lstrip().startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except (ValueError, RecursionError):
            return None
        if isinstance(found, list) and all(isinstance(word, str) for word in found):
            return found
        return None


def _words(escape: str) -> re.Pattern[str]:
    sign = re.escape(escape)
    return re.compile(
        rf"(?:'(?:[^'{sign}]|{sign}.)*'?|\"(?:[^\"{sign}]|{sign}.)*\"?|{sign}.?|[^\s'\"{sign}])+",
        re.DOTALL,
    )


def instructions(source: Source) -> list[Instruction]:
    """Return the instructions of a Dockerfile. Raises ProfileError for what no builder takes."""
    return list(_instructions(source))


def _instructions(source: Source) -> Iterator[Instruction]:
    lines = source.text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    escape, at = _escape(lines), 0
    continued = re.compile(rf"(?:^|[^{re.escape(escape)}])({re.escape(escape)}[ \t]*)$")
    count = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        count += 1
        if count > _MOST:
            hint = "split it, or check the part that starts the server"
            raise refused(source.path, f"line {at}", f"has more than {_MOST} instructions", hint)
        first, parts, script = at, list[tuple[str, int]](), list[str]()
        text = lines[at - 1].lstrip()
        while True:
            found = _continued(continued, text)
            parts.append((text[:found] if found >= 0 else text, at))
            script.append(text[:found] + "\\" if found >= 0 else text)
            if found < 0:
                break
            while at < len(lines) and _is_nothing(lines[at]):
                script.append("\\")
                at += 1
            if at >= len(lines):
                break
            text = lines[at]
            at += 1
        made = _instruction(source, first, parts, script, escape)
        documents = []
        for tag, dashed in _announced(made):
            start = at
            while at < len(lines) and _ended(lines[at], dashed) != tag:
                at += 1
            documents.append(("\n".join(lines[start:at]) + "\n", start + 1))
            at += 1
        yield _with(made, tuple(documents))


def _continued(pattern: re.Pattern[str], text: str) -> int:
    """Return where the sign at the end of a line that goes on stands; -1: the line ends here."""
    tail = text.rstrip(" \t")
    # Looked for at the end alone: the text may be long.
    found = pattern.search(text, max(len(tail) - 2, 0))
    return found.start(1) if found else -1


def _is_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _ended(line: str, dashed: bool) -> str:
    return line.lstrip("\t") if dashed else line


def _escape(lines: list[str]) -> str:
    """Return the sign that a directive at the top names, else a backslash."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            break
        if found[1].lower() == "escape" and found[2].strip() == "`":
            return "`"
    return "\\"


def _instruction(
    source: Source, line: int, parts: list[tuple[str, int]], script: list[str], escape: str
) -> Instruction:
    head = parts[0][0]
    name = (head.split(None, 1) or [""])[0]
    if name.upper() not in _NAMES:
        hint = "write an instruction, like `ENV NAME=value`, or end the line before with a `\\`"
        raise refused(source.path, f"line {line}", f"there is no instruction `{name[:40]}`", hint)
    starts, pieces, length = list[tuple[int, int]](), list[str](), 0
    for number, (piece, at) in enumerate(parts):
        piece = piece if number else head[len(name) :].lstrip()  # noqa: PLW2901
        starts.append((length, at))
        pieces.append(piece)
        length += len(piece)
    text = Text("".join(pieces), source.path, tuple(starts))
    flags, skipped = _flags(text.text) if name.upper() in _FLAGGED else ({}, 0)
    whole = "\n".join(script)[len(name) :].lstrip(" \t")
    return Instruction(name.upper(), text, whole, line, flags, skipped, escape=escape)


def _flags(text: str) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    at = 0
    while flag := _FLAG.match(text, at):
        found[flag[1]] = flag[2] or ""
        at = flag.end()
    return found, at


def _announced(made: Instruction) -> list[tuple[str, bool]]:
    """Return the ends of here-documents, and whether tabs before them are left out."""
    if made.name not in _DOCUMENTS or "<<" not in made.text.text:
        return []
    return [(found[3], found[1] == "-") for found in _HERE.finditer(made.text.text)]


def _with(made: Instruction, documents: tuple[tuple[str, int], ...]) -> Instruction:
    if not documents:
        return made
    return Instruction(
        made.name, made.text, made.script, made.script_line, made.flags, made.skipped, documents,
        made.escape,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A word as the builder makes it out; `unresolved`: it has a variable that nobody tells."""

    text: str
    unresolved: bool = False


def value(raw: str, known: Mapping[str, str | None], escape: str = "\\") -> Value:
    """Return a word without its quotes, with the variables that are known."""
    if not any(sign in raw for sign in ("'", '"', "$", escape)):
        return Value(raw)
    pieces: list[str] = []
    at, quote, unresolved = 0, "", False
    while at < len(raw):
        sign = raw[at]
        if sign == escape and quote != "'" and at + 1 < len(raw):
            after = raw[at + 1]
            kept = quote == '"' and after not in f'"${escape}'
            pieces.append(sign + after if kept else after)
            at += 2
        elif sign in "'\"" and quote in {"", sign}:
            quote = "" if quote else sign
            at += 1
        elif sign == "$" and quote != "'" and (found := _VARIABLE.match(raw, at)):
            text = _filled(found, known)
            unresolved = unresolved or text is None
            pieces.append(found[0] if text is None else text)
            at = found.end()
        else:
            pieces.append(sign)
            at += 1
    return Value("".join(pieces), unresolved)


def _filled(found: re.Match[str], known: Mapping[str, str | None]) -> str | None:
    """Return what a variable stands for; None: whoever builds, or the base image, tells."""
    name, sign, other = found[1] or found[2], found[3] or "", found[4] or ""
    told = known.get(name)
    if sign.endswith("+"):
        return (other if told else "") if name in known else None
    if told is not None and (told or not sign.startswith(":")):
        return told
    return other if sign.endswith("-") and "$" not in other else None
