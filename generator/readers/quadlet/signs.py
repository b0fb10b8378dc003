"""How quadlets are recognised."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs
from generator.readers.systemd.signs import one_system

SIGNS: Final = Signs(
    sure=frozenset({".container", ".image"}),
    folders=(".container.d",),
    maybe=frozenset({".conf"}),
    content=r"(?m)^\[Container\]",
    belongs=one_system,
)
