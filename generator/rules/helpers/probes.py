"""Probes of Kubernetes, by the lines of the View of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import whole
from generator.view import POD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.view import Place, View

_USUAL: Final = {"initialDelaySeconds": 0, "periodSeconds": 10, "failureThreshold": 3}
READY: Final = ("readinessProbe", "startupProbe")
ALL: Final = (*READY, "livenessProbe")
SERVICE: Final = "a Service"
"""Who asks a port of a container, where a Service sends to it."""


def patience(view: View, probe: str) -> tuple[int, Place] | None:
    """Return the seconds until a probe has failed, and where that is said; None: there is none."""
    own = [line for line in view.lines if line.section.partition(".")[0] == probe]
    if not own:
        return None
    told = {line.name: line for line in own if line.section == probe}
    numbers = {name: whole(line.value.strip("\"'")) for name, line in told.items()}
    first, each, times = (
        usual if (number := numbers.get(name)) is None else number for name, usual in _USUAL.items()
    )
    place = next((told[name].place for name in _USUAL if name in told), own[0].place)
    return first + each * max(times, 1), place


def never_asked(view: View, probes: Iterable[str] = READY) -> Place | None:
    """Return the place of a container behind a Service, which none of the `probes` asks.

    None: one does, there is no Service for it, or the files do not tell all.
    """
    box = view.container
    # A chart that makes the container has probes of its own.
    if box is None or view.adds or all(line.section == POD for line in view.lines):
        return None
    if any(patience(view, probe) is not None for probe in probes):
        return None
    return box.place if any(one.by == SERVICE for one in box.asked) else None
