"""The limits of a Plan against what files say, the manager holds and the kernel applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import cpu_list, limit_line
from generator.verify.rows import NOTHING, UNSEEN, Row, Stage, by_file, by_manager, judged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Limit
    from generator.verify.observed import Observed

UNLIMITED: Final = "no limit"
INFINITY: Final = "infinity"
_PAGED: Final = frozenset({"memory_max", "memory_high", "memory_swap_max"})
_PAGES: Final = (2**12, 2**14, 2**16)
"""The bytes of a page, by processor and kernel."""


def limit_row(limit: Limit, seen: Observed) -> Row:
    """Return the row of a limit of the Plan."""
    row = Row(setting=limit.directive, intended=limit.written)
    unseen = "the kernel does not tell" if seen.process else UNSEEN
    return judged(row, [*_stages(limit, seen)], unseen)


def left_out(limit: Limit, why: str) -> Row:
    """Return the row of a limit that the manager has no word for."""
    return Row(setting=limit.directive, intended=limit.written, verdict="unknown", why=why)


def _stages(limit: Limit, seen: Observed) -> Iterator[Stage]:
    name, want = limit.name, _form(limit.name, limit.value)
    if seen.written and (bound := seen.written.bound(name)):
        value = _form(name, bound.value)
        over = seen.written.overruled
        lost = any((o.name, o.value) == (limit.directive, limit.written) for o in over)
        shown = bound.written or _shown(name, value)
        yield by_file(shown, bound.place, right=value == want, lost=lost)
    if seen.held and name in seen.held.limits:
        value = _form(name, seen.held.limits[name])
        yield by_manager(seen.held, _shown(name, value), right=value == want)
    if seen.process and name in seen.process.limits:
        value = _form(name, seen.process.limits[name])
        shown = _shown(name, value)
        why = f"the kernel applies {shown if value is None else f'`{shown}`'}"
        yield Stage(who="process", shown=shown, right=_obeyed(name, want, value), why=why)


def _obeyed(name: str, want: object, value: object) -> bool:
    """Whether the kernel applies what is wanted: it counts memory in whole pages."""
    if name in _PAGED and isinstance(want, int):
        return value in {want, *(want // page * page for page in _PAGES)}
    return value == want


def _form(name: str, value: int | str | None) -> object:
    """Return a limit in a form to compare: None for no limit, CPUs as a set."""
    if value == INFINITY:
        return None
    if name == "allowed_cpus" and isinstance(value, str):
        return cpu_list(value)
    return value


def _shown(name: str, value: object) -> str:
    if value is None:
        return UNLIMITED
    if isinstance(value, frozenset):
        return _spans(sorted(value))
    return limit_line(name, value)[1] if isinstance(value, int | str) else NOTHING


def _spans(cpus: list[int]) -> str:
    """Return CPUs as the kernel lists them: `0-3,8`."""
    here = set(cpus)
    starts = (cpu for cpu in cpus if cpu - 1 not in here)
    ends = (cpu for cpu in cpus if cpu + 1 not in here)
    pairs = zip(starts, ends, strict=True)
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in pairs)
