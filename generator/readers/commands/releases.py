"""Which release a script wants of the installer, and where the installer does not see it."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from generator.view import GONE, INSTALLED, Line

if TYPE_CHECKING:
    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.options import Argument
    from generator.readers.syntax.script import CommandLine
    from generator.view import Place


@dataclasses.dataclass(slots=True)
class Releases:
    """What is set of a release, line by line; `missed` is what no installer has seen.

    `ambient`: names that are set around the script, as by an image.
    """

    engine: Engine
    ambient: frozenset[str] = frozenset()
    missed: list[Line] = dataclasses.field(default_factory=list)
    _set: dict[str, Argument] = dataclasses.field(default_factory=dict)
    _waiting: list[Line] = dataclasses.field(default_factory=list)

    def begins(self) -> None:
        """Forget what an earlier script has set."""
        self._set = {}

    def keeps(self, line: CommandLine, *, every: bool) -> None:
        """Take note of a release that is set for the script alone, not for what it runs."""
        for name, value in line.assigned:
            if name == self.engine.installed and name not in self.ambient:
                self._set.pop(name, None)
                # What the program says of itself is kept to be shown, and wanted of nobody.
                if not line.exported and not every and not self._is_told(value.text):
                    self._set[name] = value

    def _is_told(self, text: str) -> bool:
        """Whether a value is what the program prints, where it is installed."""
        return re.search(rf"(?:\$\(|`)[^)`]*\b{re.escape(self.engine.name)}\s", text) is not None

    def runs(self, line: CommandLine) -> None:
        """Take note of a command, which may be the installer, or the shell behind its pipe."""
        text = " ".join(word.text for word in line.words)
        for name, value in line.assigned if line.words else ():
            if name == self.engine.installed and line.words[0].text in {"curl", "wget"}:
                self._set[name] = value
        for word in line.words:
            self.fetches(word.text, word.place)
        handed = {name for name, _ in line.assigned} | {text.partition("=")[0].rpartition(" ")[2]}
        self.missed += [one for one in self._waiting if one.name not in handed]
        self._waiting = []
        installs = re.search(self.engine.installs, text)
        # An archive is of the release that its address names.
        if installs is not None and installs[0].endswith(".sh"):
            # Behind a pipe the shell may be told.
            self._waiting = [
                Line(section=INSTALLED, name=name, value=value.text, place=value.place)
                for name, value in self._set.items()
            ]
            self._set = {}

    def fetches(self, address: str, place: Place) -> None:
        """Take note of a download that is not there any more."""
        if found := re.search(self.engine.gone, address):
            gone = found[1] or found[2]
            self.missed.append(Line(section=GONE, name=gone, value=gone, place=place))

    def ends(self) -> None:
        """Take what waited for a shell behind a pipe for missed, where a script ends."""
        self.missed += self._waiting
        self._waiting = []
