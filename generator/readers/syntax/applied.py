"""Changes of a service by a script that has installed it, and that the running one never sees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.engines.signs import Signs as Engine

_MANAGES: Final = r"\b(?:systemctl|service)\s(?:[^;&|\n]*\s)?"
_LONGEST: Final = 1000  # characters of a line; nobody types a longer one


def started_in_vain(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> int:
    """Return the line of a start behind a change of the unit; 0: there is none, or it applies.

    The installer leaves the service running, unless `…_NO_START` tells it not to: a start then
    does nothing, and a restart all.
    `texts` are scripts in the order in which they are run: the number of the first line, and lines.
    """
    name = re.escape(engine.name)
    installs = re.compile(engine.installs)
    # What is said in a file that a here-document writes begins no line with these.
    changes = re.compile(
        rf"^\s*(?:sudo\s+)?(?:sed\s+-i|tee\b|cat\s*>|echo\b.*>).*systemd/system/{name}\.service"
    )
    applies = re.compile(rf"{_MANAGES}(?:\S*restart|stop|kill)\b|\b(?:reboot|shutdown)\b")
    starts = re.compile(rf"{_MANAGES}(?:start\b|enable\s+--now\b)[^;&|\n]*\b{name}\b")
    installed = changed = False
    for first, lines in texts:
        silenced = any("NO_START=" in line for line in lines)
        for number, line in enumerate(lines, first):
            if line.lstrip().startswith("#") or len(line) > _LONGEST:
                continue
            if installs.search(line):
                installed, changed = not silenced, False
            elif installed and changes.search(line):
                changed = True
            elif changed and applies.search(line):
                changed = False
            elif changed and starts.search(line):
                return number
    return 0
