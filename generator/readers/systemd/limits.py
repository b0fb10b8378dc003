"""Limits as unit files spell them, systemd.resource-control(5) and systemd.exec(5).

A value that systemd cannot read is ignored by it, and so it is here: the earlier one stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.unit import NEVER_RESET, Assignment
from generator.readers.syntax.words import BLANKS
from generator.units import SIZE_SUFFIXES, cpu_list
from generator.view import Bound, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from generator.host import Host

Value = int | str | None
_NUMBER: Final = re.compile(r"([+-]?)(0x)?([0-9a-f]+)", re.IGNORECASE)
_PERCENT: Final = re.compile(r"(\d+)(?:\.(\d{1,2}))?%", re.ASCII)
_TERM: Final = re.compile(r"[ \t]*\+?(\d+)(?:\.(\d*))?[ \t]*([EPTGMKB]?)", re.ASCII)
_CPUS: Final = re.compile(r"\d+(?:-\d+)?(?:[, \t]+\d+(?:-\d+)?)*", re.ASCII)
_SUFFIXES: Final = (*reversed(SIZE_SUFFIXES), "B", "")
_MOST: Final = 2**64 - 1
_MOST_HUNDREDTHS: Final = 2**31 - 1
_POLICIES: Final = ("default", "preferred", "bind", "interleave", "local")


def bounds(assignments: Iterable[Assignment], host: Host) -> tuple[Bound, ...]:
    """Return the limits in force, in the order of the file, one per name."""
    found: dict[str, Bound] = {}
    for one, value in _read(assignments, host):
        name = DIRECTIVES[one.key][0]
        if not one.value and one.key not in NEVER_RESET:
            found.pop(name, None)
            continue
        if isinstance(value, ValueError):
            continue
        before = found.pop(name, None)
        if before and name in _MERGED:
            value = f"{before.value},{value}"  # noqa: PLW2901
        written = one.written(0, len(one.value))
        found[name] = Bound(name=name, value=value, place=one.place(), written=written)
    return tuple(found.values())


def unread(assignments: Iterable[Assignment], host: Host) -> tuple[Line, ...]:
    """Return the limits that systemd ignores, because it cannot read their value."""
    limits = _read(assignments, host)
    faults = (one for one, value in limits if isinstance(value, ValueError) and one.value)
    return tuple(one.item(one.value) for one in faults)


def _read(
    assignments: Iterable[Assignment], host: Host
) -> Iterator[tuple[Assignment, Value | ValueError]]:
    for one in assignments:
        if one.section == "Service" and one.key in DIRECTIVES:
            try:
                yield one, DIRECTIVES[one.key][1](one.value, host)
            except ValueError as error:
                yield one, error


def size(text: str) -> int:
    """Return the bytes of a size: `20G`, `1.5G`, `1G 512M`; no `GiB`, no `GB`, no `g`.

    Raises ValueError for what systemd refuses.
    """
    total, at, first = 0, 0, 0
    while True:
        match = _TERM.match(text, at)
        if match is None or match[3] not in _SUFFIXES[first:]:
            raise ValueError(f"`{text}` is not a size; write it like `20G`")
        total += _scaled(match)
        first, at = _SUFFIXES.index(match[3]) + 1, match.end()
        if at == len(text):
            break
    if total >= _MOST:
        raise ValueError(f"`{text}` is more than any machine has; write less")
    return total


def _scaled(match: re.Match[str]) -> int:
    scale: int = 1024 ** (SIZE_SUFFIXES.index(match[3]) + 1) if match[3] in SIZE_SUFFIXES else 1
    fraction = match[2] or ""
    below: int = int(fraction or "0") * scale // 10 ** len(fraction)
    return int(match[1]) * scale + below


def _quota(text: str, _: Host) -> Value:
    match = _PERCENT.fullmatch(text)
    hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    if not 0 < hundredths <= _MOST_HUNDREDTHS:
        raise ValueError(f"`{text}` is not a quota; write it like `2000%`")
    return max((hundredths + 50) // 100, 1)


def _memory(*, least: int) -> Callable[[str, Host], Value]:
    def read(text: str, host: Host) -> Value:
        if text == "infinity":
            return None
        if not _PERCENT.fullmatch(text):
            return _within(size(text), least, _MOST)
        _within(float(text[:-1]), 0 if least == 0 else 0.01, 100)
        return int(host.memory * float(text[:-1]) / 100) if host.memory else text

    return read


def _locked(text: str, _: Host) -> Value:
    """Read a limit of setrlimit(2): the soft one counts."""
    soft, colon, hard = text.partition(":")
    sizes = [None if part == "infinity" else size(part) for part in (soft, hard if colon else soft)]
    low, high = (_MOST if one is None else one for one in sizes)
    if low > high:
        raise ValueError(f"`{text}` has a soft limit above the hard one; swap them")
    return sizes[0]


def _whole(least: int, most: int, *words: str) -> Callable[[str, Host], Value]:
    def read(text: str, _: Host) -> Value:
        if text in words:
            return None if text == "infinity" else text
        if "%" in text and "infinity" in words and _PERCENT.fullmatch(text):
            return text
        return _within(_integer(text), least, most)

    return read


def _integer(text: str) -> int:
    """Read a number as C does: `0x10` and `020` are 16, too."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a number; write one")
    base = 16 if match[2] else 8 if match[3].startswith("0") else 10
    return int(f"{match[1]}{match[3]}", base)


def _within(value: float, least: float, most: float) -> int:
    if not least <= value <= most:
        raise ValueError(f"`{value}` is out of range; write {least} to {most}")
    return int(value)


def _cpus(text: str, _: Host) -> Value:
    spans = (part.split("-") for part in text.replace(",", " ").split())
    if (
        not _CPUS.fullmatch(text.strip(BLANKS))
        or cpu_list(text) is None
        or all(int(span[0]) > int(span[-1]) for span in spans)
    ):
        raise ValueError(f"`{text}` is not a list of CPUs; write it like `0-11`")
    return text


def _policy(text: str, _: Host) -> Value:
    if text not in _POLICIES:
        raise ValueError(f"`{text}` is not a NUMA policy; write one of {', '.join(_POLICIES)}")
    return text


DIRECTIVES: Final[dict[str, tuple[str, Callable[[str, Host], Value]]]] = {
    "CPUQuota": ("cpu_quota", _quota),
    "CPUWeight": ("cpu_weight", _whole(1, 10000, "idle")),
    "AllowedCPUs": ("allowed_cpus", _cpus),
    "MemoryMax": ("memory_max", _memory(least=1)),
    "MemoryHigh": ("memory_high", _memory(least=1)),
    "MemorySwapMax": ("memory_swap_max", _memory(least=0)),
    "NUMAPolicy": ("numa_policy", _policy),
    "NUMAMask": ("numa_mask", lambda text, host: text if text == "all" else _cpus(text, host)),
    "IOWeight": ("io_weight", _whole(1, 10000)),
    "Nice": ("nice", _whole(-20, 19)),
    "TasksMax": ("tasks_max", _whole(1, _MOST - 1, "infinity")),
    "LimitMEMLOCK": ("limit_memlock", _locked),
    "OOMScoreAdjust": ("oom_score_adjust", _whole(-1000, 1000)),
}
"""The directives that are limits: their profile name, and how their value is read."""
_MERGED: Final = frozenset({"allowed_cpus", "numa_mask"})
SINGLE: Final = frozenset(
    {
        *(DIRECTIVES.keys() - {"AllowedCPUs", "NUMAMask"}),
        *("DynamicUser", "Group", "KillMode", "KillSignal", "OOMPolicy", "PrivateDevices"),
        *("PrivateTmp", "PrivateUsers", "ProtectHome", "ProtectSystem", "Restart", "RestartSec"),
        *("RootDirectory", "Slice", "TimeoutStartSec", "TimeoutStopSec", "Type", "UMask", "User"),
        "WorkingDirectory",
    }
)
"""Directives of [Service] that take one value, of which the last counts."""
START_LIMITS: Final = {
    "StartLimitIntervalSec": ("Unit",),
    **dict.fromkeys(("StartLimitBurst", "StartLimitAction"), ("Unit", "Service")),
}
"""The same of [Unit], some of them by age also in [Service]."""
