"""How a file spells a quota of CPU time, and how prose does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.view import Bound, View


def quota_spelt(view: View, quota: Bound, percent: int) -> str:
    """Return a quota as that file spells one."""
    if view.phrases.limits_unit(quota):
        return f"{percent}%"
    return view.phrases.cpus.format(f"{percent / 100:g}")


def quota_in_prose(view: View, quota: Bound, percent: int) -> str:
    """Return a quota as people say it who read that file."""
    return f"{percent}%" if view.phrases.limits_unit(quota) else f"{percent / 100:g} CPUs"
