"""What the restarts of a script undo or come too late for, and changes that wait for none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.applied import applying, changing, starting
from generator.readers.syntax.blocks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.signs import Signs as Engine

NOTIFIED: Final = "notify"
"""Begins a line that stands for a change which a handler applies later: the file, its names."""
DETACHED: Final = "detached"
"""A line that stands for a task which Ansible does not wait for."""
FLUSHED: Final = "flush_handlers"
"""A line that stands for handlers that run now."""
UNREAD: Final = "handler restarts alone"
"""A line that stands for a handler that restarts the service, and does nothing else."""
_RELOADS: Final = re.compile(r"^[^#\"']*\bsystemctl\s+(?:--\S+\s+){0,3}daemon-reload\b")
_SET: Final = re.compile(r"Environment=[\"']?([A-Z][A-Z0-9_]*=[^\s\"'\\]*)")
_MAY_APPLY: Final = re.compile(
    r"(?i)restart(?!\w*\s*=)|reboot|shutdown|kill\b|\b(?:systemctl|service)\s[^;&|]*\b(?:start|stop)\b"
    r"|^(?!\s*Exec).*\bserve\b|(?:\bsh|\./|source|^\s*\.)\s*\S+\.(?:sh|bash)\b|--now\b"
)
_WAITS: Final = re.compile(r"^\s*(?:wait|sleep|until|while|for)\b|\blist\b|/api/")
_BEHIND: Final = re.compile(r"(?<![&>|])&\s*(?:#.*)?$")


def _code(texts: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, str]]:
    for first, lines in texts:
        for number, line in enumerate(lines, first):
            if not line.lstrip().startswith("#") and len(line) <= LONGEST:
                yield number, line


def only_read_again(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> int:
    """Return the line that has systemd read a changed unit of a server that goes on as it runs.

    0: there is none, or something may start the server anew, before or later.
    """
    installs, changes = re.compile(engine.installer), changing(engine)
    installed = changed = False
    found = 0
    for number, line in _code(texts):
        if installs.search(line):
            installed, changed, found = True, False, 0
        elif _MAY_APPLY.search(line) or "NO_START=" in line:
            return 0
        elif installed and changes.search(line):
            changed, found = True, 0
        elif changed and _RELOADS.search(line):
            found = found or number
    return found


def not_read_again(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> int:
    """Return the line of a restart before which nobody has systemd read a changed unit again.

    0: there is none, or something in the scripts, wherever it stands, has systemd read it. Of a
    unit that nobody has installed yet systemd reads the file with the first start.
    """
    name = re.escape(engine.name)
    installs, changes = re.compile(engine.installer), changing(engine)
    restarts = re.compile(
        rf"\bsystemctl\s(?:[^;&|\n]*\s)?\S*restart\b[^;&|\n]*\b{name}\b"
        rf"|\bservice\s+{name}\s+restart\b|^{UNREAD}$"
    )
    known, changed, found = False, False, 0
    for number, line in _code(texts):
        if _REREADS.search(line):
            return 0
        known = known or installs.search(line) is not None
        if changes.search(line) or line.startswith(f"{NOTIFIED} "):
            changed = changed or known or f"{engine.name}.service.d/" in line
        elif changed and restarts.search(line):
            found = found or number
    return found


_REREADS: Final = re.compile(
    r"\bdaemon[-_]re(?:load|exec)\b|\breboot\b|\bshutdown\b"
    r"|(?:\bsh|\./|source|^\s*\.)\s*\S+\.(?:sh|bash)\b"
    r"|\bsystemctl\s+(?:-\S+\s+)*(?:edit|(?:re)?enable|disable|preset|mask|unmask|link|revert)\b"
)


def pulled_too_early(
    texts: Iterable[tuple[int, list[str]]], engine: Engine
) -> Iterator[tuple[int, frozenset[str]]]:
    """Yield the lines that have a server pull which does not know yet what was changed, with that.

    That are the variables that wait for a restart: `NAME=value`.
    """
    installs, changes, applies = re.compile(engine.installer), changing(engine), applying()
    pulls = re.compile(rf"^\s*(?:sudo\s+)?(?:\S*/)?{re.escape(engine.name)}\s+(?:pull|create)\s")
    starts = starting(engine)
    installed = changed = False
    names: set[str] = set()
    for number, line in _code(texts):
        if installs.search(line):
            installed, changed, names = True, False, set()
        elif line == FLUSHED or applies.search(line) or (starts.search(line) and not installed):
            changed, names = False, set()
        elif installed and (changes.search(line) or line.startswith(f"{NOTIFIED} ")):
            changed = True
            names |= {*_SET.findall(line)}
        elif changed and pulls.search(line) and names:
            yield number, frozenset(names)
        elif changed:
            names |= {*_SET.findall(line)}


def cut_off(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> Iterator[tuple[int, int]]:
    """Yield the lines of pulls that nobody waits for, and of the restart that ends each."""
    name = re.escape(engine.name)
    pulls = re.compile(rf"^\s*(?:sudo\s+)?(?:nohup\s+)?(?:\S*/)?{name}\s+pull\s[^;|]*$")
    ends = re.compile(
        rf"^\s*(?:sudo\s+)?(?:systemctl\s+(?:re)?st(?:art|op)\s(?:.*\s)?{name}|service\s+{name}\s+"
        rf"(?:restart|stop)|pkill\s.*{name}|killall\s.*{name})\b"
    )
    running: list[int] = []
    detached = False
    for number, line in _code(texts):
        if pulls.search(line) and (detached or _BEHIND.search(line)):
            running.append(number)
        elif _WAITS.search(line):
            running = []
        elif running and ends.search(line) and "systemctl start" not in line:
            yield from ((pull, number) for pull in running)
            running = []
        detached = line == DETACHED
