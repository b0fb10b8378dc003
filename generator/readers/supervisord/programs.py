"""What one program of supervisord is told: its command, its environment, and what it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.ini import sections
from generator.view import Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.syntax.ini import Section

_PROGRAM: Final = re.compile(r"(?:program|fcgi-program|eventlistener):.+")
# As `dict_of_key_value_pairs` of supervisord: quotes around what is no letter, digit or `/.+-():`.
_PAIR: Final = re.compile(
    r"(?<![\w.-])([A-Za-z_]\w*+)[ \t]*+=[ \t]*+(\"[^\"]*\"|'[^']*'|[^\s,\"']*+)[ \t]*+(?:,|$)"
)
_FILLED: Final = re.compile(r"%\((?:ENV_)?(\w+)\)[sd]")
ON: Final = frozenset({"true", "yes", "on", "1"})
OFF: Final = frozenset({"false", "no", "off", "0"})


def is_program(section: Section) -> bool:
    """Return whether supervisord starts something by a section."""
    return _PROGRAM.fullmatch(section.name) is not None


def command_of(section: Section) -> str:
    """Return the command of a program as a shell writes it, line by line; empty: it has none."""
    told = section.keys.get("command")
    return _filled_in(" \\\n".join(text for _, text in told.lines)) if told else ""


def variables_of(section: Section, file: str) -> Iterator[Variable]:
    """Yield what `environment=` sets."""
    told = section.keys.get("environment")
    for line, text in told.lines if told else ():
        for name, written in _PAIR.findall(text):
            value = _filled_in(written.strip("\"'"))
            yield Variable(
                name=name,
                value=value,
                place=Place(file, line, name),
                reach="client",
                written=written,
                unresolved=_FILLED.search(written) is not None,
            )


def _filled_in(text: str) -> str:
    """Return a text with what supervisord fills in as a shell would."""
    return _FILLED.sub(r"${\1}", text).replace("%%", "%")


def as_script(text: str) -> str:
    """Return what a file has supervisord start, as a shell writes it: each program at its line."""
    lines = [""] * (text.count("\n") + 1)
    for section in filter(is_program, sections(text)):
        given = [
            f"{v.name}={_filled_in(v.written)}" for v in variables_of(section, "") if v.written
        ]
        command = command_of(section).replace("\\\n", "")
        if command:
            lines[section.keys["command"].line - 1] = " ".join((*given, command))
    return "\n".join(lines)
