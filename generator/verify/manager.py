"""What systemd holds of a unit: `systemctl show`, read into the Plan's words and units."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from generator.units import LIMITS, whole
from generator.verify.observed import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHOWN: Final = "systemctl-show.txt"
"""The name under which a capture keeps what systemd tells."""
PROPERTIES: Final = (
    *("LoadState", "MainPID", "ControlGroup", "NeedDaemonReload", "Environment"),
    *("EnvironmentFiles", "UnsetEnvironment", "CPUQuotaPerSecUSec"),
    *(name for name in LIMITS.values() if name != "CPUQuota"),
)
_FILE: Final = re.compile(r"(.+?) \(ignore_errors=(?:yes|no)\)$")
_SPAN: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(us|ms|s|min|h|d|w|month|y)?(?:\s+|$)")
_MICROSECONDS: Final = {
    "us": 1,
    "ms": 10**3,
    "s": 10**6,
    "": 10**6,
    "min": 60 * 10**6,
    "h": 3600 * 10**6,
    "d": 86400 * 10**6,
    "w": 7 * 86400 * 10**6,
}
_NONE: Final = frozenset({"infinity", "[not set]", ""})
_DEFAULTS: Final = {"cpu_weight": 100, "io_weight": 100}
_NUMBERS: Final = frozenset({"nice", "oom_score_adjust"})
_TEXTS: Final = frozenset({"allowed_cpus", "numa_policy", "numa_mask"})
_ONE_CPU: Final = 10**4  # microseconds of each second that are a percent


def argv(unit: str, *, user: bool = False) -> tuple[str, ...]:
    """Return the command that tells what systemd holds of a unit, or a user's own systemd."""
    whose = ("--user",) if user else ()
    return ("systemctl", *whose, "show", unit, f"--property={','.join(PROPERTIES)}")


def held(unit: str, told: str) -> Held | None:
    """Return what `systemctl show` tells; None where systemd has no such unit."""
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    if values.get("LoadState") != "loaded":
        return None
    files = values.get("EnvironmentFiles", "")
    return Held(
        by="systemd",
        name=unit,
        variables=dict(_variables(values)),
        limits=dict(_limits(values)),
        pid=whole(values.get("MainPID", "")) or 0,
        cgroup=values.get("ControlGroup", ""),
        stale=values.get("NeedDaemonReload") == "yes",
        files=tuple(m[1] for line in files.split(" ; ") if (m := _FILE.match(line))),
    )


def words(text: str) -> list[str]:
    """Return the items of a list as systemd prints it: quoted where a shell would need it."""
    try:
        return shlex.split(text.replace("=$'", "='"))
    except ValueError:
        return text.split()


def _variables(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    gone = set(words(values.get("UnsetEnvironment", "")))
    for word in words(values.get("Environment", "")):
        name, _, value = word.partition("=")
        if not {name, word} & gone:
            yield name, value


def _limits(values: Mapping[str, str]) -> Iterator[tuple[str, int | str | None]]:
    for name, directive in LIMITS.items():
        if name == "cpu_quota":
            if (text := values.get("CPUQuotaPerSecUSec")) is not None:
                yield name, quota(text)
        elif (text := values.get(directive)) is not None:
            yield name, _limit(name, text)


def _limit(name: str, text: str) -> int | str | None:
    if name in _TEXTS:
        return text or None
    if text in _NONE:
        return _DEFAULTS.get(name)
    number = whole(text.removeprefix("-"))
    if number is None or (text.startswith("-") and name not in _NUMBERS):
        return text
    return -number if text.startswith("-") else number


def quota(text: str) -> int | None:
    """Return the percent of one CPU in the time of each second that systemd prints; None: all."""
    parts = _SPAN.findall(text)
    if text in _NONE or not parts:
        return None
    total = sum(float(number) * _MICROSECONDS.get(unit, 0) for number, unit in parts)
    return round(total / _ONE_CPU)
