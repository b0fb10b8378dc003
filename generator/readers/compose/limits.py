"""What a Compose service may use: the short keys and those under `deploy.resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import split_message
from generator.readers.syntax import docker
from generator.units import SHARES_PER_WEIGHT
from generator.view import Bound, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.readers.compose.project import Loader
    from generator.readers.syntax.yaml_tree import Table

Path = tuple[str, ...]
Value = int | str | None
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
        except ValueError as error:
            message, hint = split_message(error)
            loader.fail_at(value.place, f"`{'.'.join(path)}`: {message}", hint)
            continue
        if limit == _NOTHING:
            continue
        bound = Bound(name=name, value=limit, place=place, written=value.replaceable)
        found.setdefault(name, bound)
    return tuple(found.values())


def _alone(read: Callable[[str], Value]) -> Callable[[str, Table], Value]:
    return lambda text, _: read(text)


def _quota(text: str, service: Table) -> Value:
    """Read microseconds in a period; nothing where the shorter `cpus` says it, or -1."""
    period = service.scalar("cpu_period")
    length = docker.number(period.text) if period is not None and period.explicit else 0
    micros = docker.number(text)
    return round(micros * 100 / (length or _PERIOD)) if micros > 0 else None


def _shares(text: str, _: Table) -> Value:
    shares = docker.number(text)
    return max(1, round(shares / SHARES_PER_WEIGHT)) if shares > 0 else _NOTHING


def _swap(text: str, service: Table) -> Value:
    """Docker counts memory and swap together, and both only where memory is limited."""
    limit = service.scalar("mem_limit") or service.scalar(*_LIMITS, "memory")
    if text == "-1":
        return None
    both = docker.size(text)
    if limit is None or both == 0:
        return _NOTHING
    return max(0, both - docker.size(limit.text)) if limit.explicit else None


# The first that is there wins: Compose lets the long form stand beside the short one only where
# they agree.
_KEYS: Final[tuple[tuple[str, Path, Callable[[str, Table], Value]], ...]] = (
    ("cpu_quota", ("cpus",), _alone(docker.cpus)),
    ("cpu_quota", (*_LIMITS, "cpus"), _alone(docker.cpus)),
    ("cpu_quota", ("cpu_quota",), _quota),
    ("cpu_weight", ("cpu_shares",), _shares),
    ("allowed_cpus", ("cpuset",), _alone(docker.cpu_list)),
    ("memory_max", ("mem_limit",), _alone(docker.memory)),
    ("memory_max", (*_LIMITS, "memory"), _alone(docker.memory)),
    ("memory_high", ("mem_reservation",), _alone(docker.memory)),
    ("memory_high", (*_RESERVED, "memory"), _alone(docker.memory)),
    ("memory_swap_max", ("memswap_limit",), _swap),
    ("tasks_max", ("pids_limit",), _alone(docker.count)),
    ("tasks_max", (*_LIMITS, "pids"), _alone(docker.count)),
    ("limit_memlock", ("ulimits", "memlock"), _alone(docker.locked)),
    ("limit_memlock", ("ulimits", "memlock", "soft"), _alone(docker.locked)),
    ("oom_score_adjust", ("oom_score_adj",), _alone(docker.whole)),
)
PATHS: Final = frozenset(path for _, path, _ in _KEYS)
"""The key paths that are limits."""
