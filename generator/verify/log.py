"""What the server has written of itself: the lines that count, and who kept them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from generator.verify.machine import Machine
    from generator.verify.observed import Held

FILE: Final = ".hostwright/tools/server-log.txt"
"""Where a captured tree keeps these lines, where a manager has them."""
KEPT: Final = (
    "server config|inference compute|starting llama-server|system_info: |prompt cache is "
    "|starting runner|msg=load request="
    "|offloaded [0-9]+/[0-9]+ layers|n_slots = |n_ctx_train |flash_attn +=| K \\("
)
"""A pattern for the lines that count; what else a server writes may be long."""
_MOST: Final = "500"  # lines
_START: Final = timedelta(minutes=2)


def of_unit(pid: int | str) -> tuple[str, ...]:
    """Return the command that prints the lines of a process that systemd has started."""
    own = (f"_PID={pid}", "--output", "cat", "--no-pager")
    return ("journalctl", *own, "--grep", KEPT, "--lines", _MOST)


def kept(machine: Machine, held: Held | None, pid: int) -> str:
    """Return what the server wrote since it runs, as far as somebody kept it."""
    file = FILE.rpartition("/")[2]
    if held and held.by == "systemd":
        return machine.told(file, of_unit(pid))
    if held and held.started:
        times = ("--since", held.started, "--until", _later(held.started))
        return machine.told(file, (held.by, "logs", *times, held.name), both=True)
    # Where its errors go is often a file.
    return machine.files.text(f"/proc/{pid}/fd/2") if pid else ""


def _later(started: str) -> str:
    """Return a time soon after another; what is none stays as it is."""
    try:
        return (datetime.fromisoformat(started) + _START).isoformat()
    except (OverflowError, ValueError):
        return started
