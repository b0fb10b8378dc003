"""What programs and files of the kernel tell, read: each may be anything, and is then nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from generator.doctor.symptoms import Clock, Listener, Pressure, Space, Step, User
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Final = (
    "hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown",
    "sw_power_cap",
)  # fmt: skip
CLOCKS: Final = (
    "name", "temperature.gpu", "power.draw", "power.limit", "power.default_limit",
    *(f"clocks_throttle_reasons.{reason}" for reason in REASONS),
)  # fmt: skip
"""What is asked of each NVIDIA GPU; drivers take the old name of the reasons as well."""
_STEP: Final = re.compile(r"([bcdlps-][rwxsStT-]{9}[.+@]?) +\d+ +(\d{1,10}) +(\d{1,10}) .*?(/.*)$")
_PSI: Final = re.compile(r"^(some|full) .*?avg60=(\d{1,3}(?:\.\d+)?)", re.MULTILINE)
_USER: Final = re.compile(r'"([^"]{1,64})",pid=(\d{1,10})')


def number(text: str) -> float | None:
    """Return a number; None: it is none."""
    try:
        found = float(text.strip())
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None


def way(text: str) -> tuple[Step, ...]:
    """Return the folders of `ls -ldn`, the outermost first."""
    found = (_STEP.match(line) for line in text.splitlines())
    steps = [Step(m[1], int(m[2]), int(m[3]), m[4].partition(" -> ")[0]) for m in found if m]
    return tuple(sorted(steps, key=lambda step: len(step.path)))


def space(text: str) -> Space | None:
    """Return the room that `df -B1 --output=size,avail` tells."""
    numbers = [whole(word) for word in text.splitlines()[-1].split()] if text.strip() else []
    size, free = numbers if len(numbers) == 2 else (None, None)  # noqa: PLR2004
    return Space(size, free) if size is not None and free is not None else None


def user_of_status(text: str) -> User | None:
    """Return who a process runs as, by its `/proc/PID/status`: the effective numbers."""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    uid, gid = ([whole(n) for n in lines.get(key, "").split()] for key in ("Uid", "Gid"))
    groups = [n for text in lines.get("Groups", "").split() if (n := whole(text)) is not None]
    if len(uid) < 2 or uid[1] is None:  # noqa: PLR2004
        return None
    return User(uid[1], frozenset([*groups, *(n for n in gid[1:2] if n is not None)]))


def user_of_id(text: str) -> User | None:
    """Return who a user is, by what `id NAME` prints."""
    found = re.match(r"uid=(\d{1,10})", text)
    groups = re.findall(r"(?:gid=|groups=|,)(\d{1,10})", text)
    return User(int(found[1]), frozenset(map(int, groups))) if found else None


def pressure(text: str) -> Pressure | None:
    """Return what a file of `/proc/pressure` says of the last minute."""
    found = {kind: float(share) for kind, share in _PSI.findall(text)}
    return Pressure(found["some"], found.get("full", 0.0)) if "some" in found else None


def clocks(text: str) -> tuple[Clock, ...]:
    """Return what nvidia-smi says of each GPU, asked for CLOCKS as bare CSV."""
    rows = ([cell.strip() for cell in line.split(", ")] for line in text.splitlines())
    return tuple(_clock(row) for row in rows if len(row) == len(CLOCKS))


def _clock(row: list[str]) -> Clock:
    heat, watts, limit, usual = (number(cell) for cell in row[1:5])
    active = (name for name, cell in zip(REASONS, row[5:], strict=True) if cell == "Active")
    celsius = int(heat) if heat is not None else None
    return Clock(row[0], celsius, watts, limit, usual, tuple(active))


def listeners(text: str, port: int) -> tuple[Listener, ...]:
    """Return who listens on a port, by what `ss -Hltnp` prints."""
    lines = [line for line in text.splitlines() if f":{port} " in line]
    pairs = [pair for line in lines for pair in _USER.findall(line)]
    return tuple(Listener(name, int(pid)) for name, pid in dict.fromkeys(pairs))


def first_object(text: str) -> Mapping[str, Any]:
    """Return the first object of a JSON list; empty: it is no such list."""
    try:
        every = json.loads(text)
    except (RecursionError, ValueError):
        return {}
    one = every[0] if isinstance(every, list) and every else None
    return one if isinstance(one, dict) else {}
