"""Scripts that have the service manager start a server, and ask it in the same moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.applied import AS, QUIET, asking
from generator.readers.syntax.blocks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.signs import Signs as Engine

_WAITED: Final = re.compile(r"\b(?:ExecStartPost|Type[ \t]*=[ \t]*[\"']?notify)\b")
"""What has the service manager itself wait for the server."""
_REST: Final = (
    r"[ \t]*(?:(?:&?>|2>)\s*(?:/dev/null|&1)\s*){0,3}(?:\|\|\s*true)?[ \t]*(?:$|&&|;|#.*)"
)


def hasty(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> Iterator[tuple[int, str, str]]:
    """Yield the lines that ask a server which has just been started, the verb, and what started it.

    What starts it after its installer has done so does nothing, and is `start` or `enable`.
    """
    name = re.escape(engine.name)
    starts = re.compile(
        rf"\s*{AS}(?:systemctl\s+(?:--(?!no-block)\S+\s+){{0,3}}"
        rf"(start|restart|reload-or-restart|enable(?=\s+--now))\s+(?:--now\s+)?{name}(?:\.service)?"
        rf"|(?:/etc/init\.d/|service\s+){name}\s+((?:re)?start)){_REST}"
    )
    asks = asking(engine)
    scripts = _joined(texts)
    if any(_WAITED.search(line[:LONGEST]) for _, lines in scripts for line in lines):
        return
    installs = re.compile(engine.installer)
    installed = False
    for first, lines in scripts:
        for at, line in enumerate(lines):
            if line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            installed = installed or installs.search(line) is not None
            if started := starts.match(line):
                verb = started[1] or started[2]
                there, text = _next(lines, at, line[started.end() :])
                vain = installed and "restart" not in verb
                if found := asks.match(text[:LONGEST]):
                    yield first + there, found[1], verb if vain else ""


def _joined(texts: Iterable[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return scripts, with those as one that stand line below line, as the items of a list do."""
    found: list[tuple[int, list[str]]] = []
    for first, lines in texts:
        if found and found[-1][0] + len(found[-1][1]) == first:
            found[-1][1].extend(lines)
        else:
            found.append((first, [*lines]))
    return found


def _next(lines: list[str], at: int, rest: str) -> tuple[int, str]:
    """Return the command behind a start, and its line: on the same one, or the next that acts."""
    if not QUIET.match(rest):
        return at, rest
    after = (n for n in range(at + 1, min(at + _NEAR, len(lines))) if not QUIET.match(lines[n]))
    there = next(after, at)
    return (there, lines[there]) if there != at else (at, "")


_NEAR: Final = 20  # lines
