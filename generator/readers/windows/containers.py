"""Containers that PowerShell and cmd have a client run, in the words of a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.commands.told import Told
from generator.readers.windows import RUN

if TYPE_CHECKING:
    from generator.readers.base import Context, Source
    from generator.view import View

_CLIENT: Final = re.compile(
    r"(?i)^\s*(?:@|&\s*)?[\"']?(docker|podman|nerdctl)(?:\.exe)?[\"']?(?=\s+(?:container\s+)?"
    r"(?:run|create|exec)\s)"
)
_OF_CMD: Final = (".bat", ".cmd")
_SINGLE: Final = re.compile(r"'(?:[^'\n]|'')*'")


def containers(source: Source, context: Context) -> list[View]:
    """Return a View of each server that the script runs in a container."""
    sign = "^" if source.path.lower().endswith(_OF_CMD) else "`"
    text = "\n".join(_commands(source.text.split("\n"), sign))
    if not text.strip():
        return []
    told = Told(context, source.path, RUN, "client")
    told.script(text)
    return [view for view in told.found() if view.container is not None]


def _commands(lines: list[str], sign: str) -> list[str]:
    """Return the calls of a client, each on its line as a shell would take it; others are empty."""
    found: list[str] = []
    goes_on = False
    for line in (one.rstrip() for one in lines):
        called = _CLIENT.match(line)
        ours = goes_on or called is not None
        goes_on = ours and line.endswith(sign)
        plain = line.removesuffix(sign) if goes_on else line
        plain = f"{called[1].lower()}{plain[called.end() :]}" if called else plain
        found.append(_as_shell(plain, sign) + (" \\" if goes_on else "") if ours else "")
    return found


def _as_shell(text: str, sign: str) -> str:
    """Return a line with its backslashes and quotes as a shell spells them."""
    parts, at = [], 0
    for quoted in _SINGLE.finditer(text) if sign == "`" else ():
        parts.append(_escaped(text[at : quoted.start()], sign))
        parts.append(quoted[0].replace("''", "'\\''") if quoted[0] != "''" else "''")
        at = quoted.end()
    return "".join([*parts, _escaped(text[at:], sign)])


def _escaped(text: str, sign: str) -> str:
    return text.replace("\\", "\\\\").replace(f'{sign}"', '\\"').replace("%", "$")
