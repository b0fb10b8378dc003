"""Commands that a script has behind a server which it starts in the foreground."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.readers.commands.words import SPOKEN
from generator.readers.syntax.blocks import LONGEST, follows
from generator.view import IN_FRONT, Line, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.readers.base import Context
    from generator.readers.syntax.script import CommandLine

_UP: Final = re.compile(
    r"(?:sudo )?(?:\S*/)?((?:docker|podman)[ -]compose|\$\{?\w*COMPOSE\w*\}?)"
    r"(?: (?!up\b)\S+){0,20} up\b(?!.* (?:-\w*d\w*|--detach(?!=false)\S*|--wait|--no-start|--help"
    r"|--abort-on\S*|--exit-code-from\S*)(?: |$))"
)
_RUN: Final = re.compile(
    r"(?:sudo )?(docker|podman) (?:container )?run(?!.* (?:-[a-z]*d[a-z]*|--detach\S*)(?: |$)) .*"
)
_BEHIND: Final = re.compile(r"(?<![&>|\\])&(?![&>\d])|\|")
_TOLD: Final = re.compile(r"\b(?:up|run|serve)\b.*\$")
"""Options in a variable, of which one may put it behind."""
_DETACHES: Final = re.compile(
    r"\b(?:tmux|screen|byobu|zellij|dtach|abduco|xterm|gnome-terminal|konsole|osascript|daemonize)\b"
)
"""Programs that have something run in another terminal."""
_MOST: Final = 20  # starts of one script


@dataclasses.dataclass(slots=True)
class InFront:
    """What a script starts in the foreground, and what it asks of the server behind that."""

    context: Context
    file: str
    found: list[Line] = dataclasses.field(default_factory=list)
    _lines: list[str] = dataclasses.field(default_factory=list)
    _first: int = 1
    _waits: tuple[str, Place] | None = None
    _tried: int = 0

    def begins(self, text: str, first: int) -> None:
        """Take note of the script that is read."""
        self._lines, self._first, self._waits = text.split("\n"), first, None

    def takes(self, line: CommandLine) -> None:
        """Take in a command: one that stays, or one that asks the server."""
        words = " ".join(word.text for word in line.words)[:LONGEST]
        place = line.words[0].place
        if line.words[0].text in SPOKEN:
            return
        if self._waits is None:
            name = self._stays(words)
            self._tried += bool(name)
            if name and self._tried <= _MOST and self._is_alone(place.line):
                self._waits = name, place
        elif place.line > self._waits[1].line and self._asks(words):
            name, before = self._waits
            if self._follows(before.line, place.line):
                self.found.append(
                    Line(section=IN_FRONT, name=name, value=str(place.line), place=before)
                )
            self._waits = None

    def one_by_one(self, texts: Sequence[tuple[str, int]]) -> None:
        """Take in commands of a list that one shell runs, each with its line."""
        server = " ".join(self.context.engine.command)
        at = next((n for n, (text, _) in enumerate(texts) if text.strip() == server), len(texts))
        behind = (line for text, line in texts[at + 1 :] if self._asks(text[:LONGEST]))
        if later := next(behind, 0):
            place = Place(self.file, texts[at][1])
            self.found.append(Line(section=IN_FRONT, name=server, value=str(later), place=place))

    def ends(self) -> None:
        """Forget what the script has started, which ends here."""
        self._waits, self._lines = None, []

    def _stays(self, words: str) -> str:
        engine = self.context.engine
        if words == " ".join(engine.command):
            return words
        if found := _UP.match(words):
            return f"{found[1]} up"
        last = words.rpartition(" ")[2].partition(":")[0]
        image = self.context.catalogue.at(engine.name).image.repository
        return f"{found[1]} run" if (found := _RUN.match(words)) and last == image else ""

    def _asks(self, words: str) -> bool:
        engine = self.context.engine
        port = self.context.catalogue.at(engine.name).image.port
        asks = re.search(rf"{engine.asks}|/api/tags\b|:{port}\b", words)
        return asks is not None and not re.search(r"\bopen\b|\bstop\b|\bdown\b", words)

    def _is_alone(self, number: int) -> bool:
        """Whether a line depends on nothing, and nothing is put behind."""
        at = number - self._first
        if not 0 <= at < len(self._lines):
            return False
        end = at
        while end + 1 < len(self._lines) and self._lines[end].endswith("\\"):
            end += 1
        whole = [line[:LONGEST] for line in self._lines[at : end + 1]]
        before = "\n".join(line[:LONGEST] for line in self._lines[:at])
        quoted = before.count("'") % 2 or before.count('"') % 2
        if quoted or any(_TOLD.search(line) or _DETACHES.search(line) for line in whole):
            return False
        return not any(map(_BEHIND.search, whole))

    def _follows(self, number: int, later: int) -> bool:
        """Whether a command is run behind another one, whatever the script decides."""
        first, last = number - self._first, later - self._first
        return last < len(self._lines) and follows(self._lines, first, last)
