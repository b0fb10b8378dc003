"""What a Compose service may use: the short keys and those under `deploy.resources`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.options import docker_size
from generator.units import SHARES_PER_WEIGHT
from generator.view import Bound, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.readers.compose.project import Loader
    from generator.readers.syntax.yaml_tree import Table

Path = tuple[str, ...]
Value = int | str | None
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?", re.I | re.A)
_CPUS: Final = re.compile(r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*", re.A)
_PERIOD: Final = 100_000
_NOTHING: Final = "nothing"
_LIMITS: Final = ("deploy", "resources", "limits")
_RESERVED: Final = ("deploy", "resources", "reservations")


def bounds(key: str, service: Table, loader: Loader) -> tuple[Bound, ...]:
    """Return the limits of one service, whose key path is `key`; faults go to `loader`."""
    found: dict[str, Bound] = {}
    for name, path, read in _KEYS:
        value = service.scalar(*path)
        if value is None:
            continue
        place = Place(value.place.file, value.place.line, ".".join((key, *path)))
        try:
            # A limit from a variable without a value: there is one, of unknown size.
            limit = read(value.text, service) if value.explicit else None
        except (ValueError, OverflowError) as error:
            message, _, hint = str(error).partition("; ")
            loader.fail_at(value.place, f"`{'.'.join(path)}`: {message}", hint or "write less")
            continue
        if limit == _NOTHING:
            continue
        found.setdefault(
            name, Bound(name=name, value=limit, place=place, written=value.replaceable)
        )
    return tuple(found.values())


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"`{text}` is no number; write one like `4`")
    return float(text)


def _cpus(text: str, _: Table) -> Value:
    return round(_number(text) * 100) or None


def _quota(text: str, service: Table) -> Value:
    """Read microseconds in a period; nothing where the shorter `cpus` says it, or -1."""
    period = service.scalar("cpu_period")
    length = _number(period.text) if period is not None and period.explicit else 0.0
    return round(_number(text) * 100 / (length or _PERIOD)) if _number(text) > 0 else None


def _shares(text: str, _: Table) -> Value:
    shares = _number(text)
    return max(1, round(shares / SHARES_PER_WEIGHT)) if shares > 0 else _NOTHING


def _memory(text: str, _: Table) -> Value:
    return None if text == "-1" else docker_size(text) or None


def _swap(text: str, service: Table) -> Value:
    """Docker counts memory and swap together, and both only where memory is limited."""
    memory = service.scalar("mem_limit") or service.scalar(*_LIMITS, "memory")
    if text == "-1":
        return None
    both = docker_size(text)
    if memory is None or both == 0:
        return _NOTHING
    return max(0, both - docker_size(memory.text)) if memory.explicit else None


def _cpuset(text: str, _: Table) -> Value:
    if not _CPUS.fullmatch(text):
        raise ValueError(f"`{text}` is no list of CPUs; write it like `0-11,24`")
    return text


def _whole(*unbounded: int) -> Callable[[str, Table], Value]:
    def read(text: str, _: Table) -> Value:
        number = _number(text)
        if not math.isfinite(number) or number != int(number):
            raise ValueError(f"`{text}` is no whole number; write one")
        return None if int(number) in unbounded else int(number)

    return read


def _locked(text: str, _: Table) -> Value:
    return None if text == "-1" else docker_size(text)


# The first that is there wins: Compose lets the long form stand beside the short one only where
# they agree.
_KEYS: Final[tuple[tuple[str, Path, Callable[[str, Table], Value]], ...]] = (
    ("cpu_quota", ("cpus",), _cpus),
    ("cpu_quota", (*_LIMITS, "cpus"), _cpus),
    ("cpu_quota", ("cpu_quota",), _quota),
    ("cpu_weight", ("cpu_shares",), _shares),
    ("allowed_cpus", ("cpuset",), _cpuset),
    ("memory_max", ("mem_limit",), _memory),
    ("memory_max", (*_LIMITS, "memory"), _memory),
    ("memory_high", ("mem_reservation",), _memory),
    ("memory_high", (*_RESERVED, "memory"), _memory),
    ("memory_swap_max", ("memswap_limit",), _swap),
    ("tasks_max", ("pids_limit",), _whole(0, -1)),
    ("tasks_max", (*_LIMITS, "pids"), _whole(0, -1)),
    ("limit_memlock", ("ulimits", "memlock"), _locked),
    ("limit_memlock", ("ulimits", "memlock", "soft"), _locked),
    ("oom_score_adjust", ("oom_score_adj",), _whole()),
)
PATHS: Final = frozenset(path for _, path, _ in _KEYS)
"""The key paths that are limits."""
