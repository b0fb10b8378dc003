"""What a script sets for the commands behind: what is exported, and what it keeps for itself."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.readers.applications import ASKED
from generator.readers.commands.words import variable
from generator.view import UNEXPORTED, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context
    from generator.readers.syntax.options import Argument
    from generator.readers.syntax.script import CommandLine
    from generator.view import Place, Reach, Variable

_OF_A_MACHINE: Final = re.compile(
    r"(?:https?://)?(?!localhost\b)[A-Za-z][A-Za-z0-9.-]*(?::\d+)?/?", re.ASCII
)
_SHOWS: Final = re.compile(
    r"(?:sudo )?(?:systemctl (?:\S+ )*(?:show|status)\b|journalctl\b|(?:print)?env$|export -p|"
    r"(?:docker|podman) (?:inspect|logs|exec .* (?:print)?env)\b)"
)
_FILTERS: Final = frozenset({"grep", "egrep", "tr", "sed", "awk", "sort", "...", "…"})
_HANDED_ON: Final = re.compile(
    r"^[ \t]*(?:export|(?:declare|typeset)[ \t]+-\w*x\w*)[ \t]([^#\n]*)", re.MULTILINE
)
_SAYS: Final = (
    r"(?m)^(?![ \t]*(?:#|echo\b|printf\b|log\b|info\b))[^\n]*\b(?:%s|curl|wget)[ \t]([^\n]*)"
)
"""What a script hands to a program that asks a server."""
_ASKED_FOR: Final = re.compile(r"\$\{?(\w+)")
"""What a shell exports by its name, or uses itself."""
_SET: Final = re.compile(r"(?<!\w)(\w++)=")
_COMPOSES: Final = re.compile(r"(?:^|[\s;])(?:docker|podman)[ -]compose\s.*\b(?:up|run|create)\b")
_EXPORTING: Final = {("set", "-a"): True, ("set", "+a"): False}


def _put_in(text: str) -> Iterator[str]:
    """Yield the variables that a script puts in somewhere, beside where it sets them."""
    for line in text.split("\n"):
        yield from {*_ASKED_FOR.findall(line)} - {*_SET.findall(line)}


@dataclasses.dataclass(frozen=True, slots=True)
class Around:
    """What a script does beside setting variables, which tells who gets them.

    `reach`: who gets them as far as the kind of file tells. `served`: it starts a server.
    `managed`: it has a service started. `asks`: it calls the program at all. `written`: names that
    it writes into files of the service.
    """

    reach: Reach
    served: bool
    managed: bool
    asks: bool
    written: frozenset[str]


@dataclasses.dataclass(slots=True)
class Exports:
    """What is set for later commands, in the order of the script.

    `bare`: a variable counts without `export`, as in a guide. `login`: a login shell reads it.
    `every`: all that is set is exported, after `set -a`. `loose`: what a login shell keeps for
    itself.
    """

    context: Context
    bare: bool = False
    login: bool = False
    every: bool = False
    given: list[tuple[str, Argument]] = dataclasses.field(default_factory=list)
    loose: list[Line] = dataclasses.field(default_factory=list)
    _exported: set[Place] = dataclasses.field(default_factory=set)
    _apart: set[Place] = dataclasses.field(default_factory=set)
    _used: set[str] = dataclasses.field(default_factory=set)
    _named: frozenset[str] = frozenset()
    _last: list[Place] = dataclasses.field(default_factory=list)
    _shown: bool = False
    _composes: bool = False

    @property
    def _engine(self) -> Engine:
        return self.context.engine

    def begins(self, text: str) -> None:
        """Take note of what a script exports by its name alone."""
        self._named = frozenset(" ".join(_HANDED_ON.findall(text)).split())

    def takes(self, line: CommandLine) -> None:
        """Take in a line without a command, unless a command before has printed it."""
        handed = [one for one in line.assigned if self._exports(line, one[0])]
        if assigned := line.assigned if self.bare and not self._shown else handed:
            self.given += assigned
            self._last += (value.place for _, value in assigned)
            self._exported.update(value.place for _, value in handed)
        self.loose += [
            Line(section=UNEXPORTED, name=name, value=value.text, place=value.place)
            for name, value in (line.assigned if self.login else ())
            if name.startswith(self._engine.prefixes) and not self._exports(line, name)
        ]

    def _exports(self, line: CommandLine, name: str) -> bool:
        """Whether a variable is exported, where it is set or by its name alone."""
        return line.exported or self.every or name in self._named

    def passes(self, words: Sequence[str]) -> None:
        """Take note of what a command means for the variables around it."""
        if tuple(words[:2]) in _EXPORTING:
            self.every = _EXPORTING[words[0], words[1]]
        if words[0] == "exit":
            self._breaks()
        self._composes = self._composes or _COMPOSES.search(" ".join(words)) is not None
        self._last = []
        filters = self._shown and words[0] in _FILTERS
        self._shown = filters or _SHOWS.match(" ".join(words)) is not None

    def ends(self, text: str) -> None:
        """Take note of what a script, which ends here, has used itself."""
        asked = frozenset(_ASKED_FOR.findall(text))
        for command in re.findall(_SAYS % re.escape(self._engine.name), text):
            self._used.update(_ASKED_FOR.findall(command))
        theirs = re.compile(self._engine.application)
        self._used.update(filter(theirs.fullmatch, _put_in(text)))
        self.loose = [one for one in self.loose if one.name not in asked]
        self._breaks()

    def _breaks(self) -> None:
        """Keep apart what is exported last: nothing that a script has started gets it."""
        self._apart.update(() if self.bare else self._last)
        self._last = []

    def variables(self, around: Around) -> list[Variable]:
        """Return what is exported, and for whom."""
        return [
            dataclasses.replace(
                variable(name, value, self._reach(name, value, around)), shared=True
            )
            for name, value in self.given
        ]

    def _reach(self, name: str, value: Argument, around: Around) -> Reach:
        """Return who gets a variable."""
        facts = self.context.catalogue.at(self._engine.name)
        reach = around.reach
        if name in self._used and facts.variable(name) is None:
            reach = "client"  # The script hands it to a command by itself.
        if around.managed and not around.served and value.place in self._exported:
            reach = "shell"
        if reach == "shell" and self._composes and not (around.managed or self.login):
            return "client"  # Docker Compose has it, and puts it in where its file names it.
        # What the service has of its own file is exported for the shell alone.
        apart = around.served and value.place in self._apart
        if apart or (reach == "shell" and name in around.written):
            return "client"
        if reach == "shell" and not (around.managed or around.asks or self.login):
            # Whoever runs the script starts one by it, but for where a program asks.
            asked = _OF_A_MACHINE.fullmatch(value.text) or ASKED.fullmatch(value.text)
            return "client" if asked and name == self._engine.address else "server"
        return reach
