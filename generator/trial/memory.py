"""How much memory of the GPUs a number of layers takes, before anybody tries it.

A value is tried only if it should fit: from the size of the model's file at first, then from what
fewer layers have taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from generator.errors import EnvironmentFailure
from generator.live.door import ask
from generator.units import MIB, about, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN: Final = 1.1
"""By how much a guess may be too low: the last layers are larger, and buffers grow."""
LEAVES: Final = 0.01
"""How much less of a model may be on GPUs: buffers grow, and some of them are the CPU's."""
_SMI: Final = (
    "nvidia-smi",
    "--query-gpu=memory.used,memory.total",
    "--format=csv,noheader,nounits",
)


class Bound(Protocol):
    """What a value may be too much for."""

    def too_much(self, value: int) -> str:
        """Return why a value is not tried; empty: it should fit."""

    def took(self, value: int, on_gpus: int, size: int) -> str:
        """Take what a model has taken with a value, and return why that is too much."""


class Contexts:
    """Contexts that fit: as `gen fit` estimates, `most` tokens (0: nobody knows), and as is seen.

    A model that a longer context pushes off the GPUs answers many times slower once it is full,
    which short prompts do not show.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._part: float | None = None

    def too_much(self, tokens: int) -> str:
        """Return why a context is not tried; empty: it should fit."""
        if not self.most or tokens <= self.most:
            return ""
        return f"would not fit: `gen fit` expects {self.most} tokens at most"

    def took(self, tokens: int, on_gpus: int, size: int) -> str:  # noqa: ARG002 -- a Bound
        """Take how much of the model was on GPUs, and return why that is too little."""
        part = on_gpus / size if size else 0.0
        if self._part is None:
            self._part = part
        if part >= self._part - LEAVES:
            return ""
        return f"leaves {about(size - on_gpus)} of {about(size)} to the CPU"


class Memory:
    """The memory of the GPUs, in bytes: `total`, and the `share` of it that may be used.

    `size` is the model's file, which all its `layers` make up; `others` what other programs hold.
    """

    def __init__(self, total: int, share: float, size: int, layers: int, others: int = 0) -> None:
        self.limit = int(total * share)
        self.others = others
        self._told = f"{share:.0%} of {about(total)}"
        self._each = size / layers if layers else float(size)
        self._seen: dict[int, int] = {}

    def too_much(self, layers: int) -> str:
        """Return why so many layers are not tried; empty: they should fit."""
        need = self._guess(layers) + self.others
        if need <= self.limit:
            return ""
        return f"would take about {about(round(need))}, more than {self._told}"

    def took(self, layers: int, on_gpus: int, size: int = 0) -> str:  # noqa: ARG002 -- a Bound
        """Take what so many layers have taken, and return why that is too much."""
        self._seen[layers] = on_gpus
        whole_of_it = on_gpus + self.others
        if whole_of_it <= self.limit:
            return ""
        return f"takes {about(whole_of_it)}, more than {self._told}"

    def _guess(self, layers: int) -> float:
        below = max((seen for seen in self._seen if seen <= layers), default=None)
        if below is None or below == 0:
            base = self._seen.get(0, 0)
            return base + self._each * layers * MARGIN
        if below == layers:
            return self._seen[below]
        base = self._seen.get(0, 0)
        each = max((self._seen[below] - base) / below, self._each)
        return self._seen[below] + each * (layers - below) * MARGIN


def cards() -> tuple[int, int]:
    """Return what is used and what there is on the NVIDIA cards of this machine; 0: none tells."""
    try:
        answer = ask(_SMI)
    except EnvironmentFailure:
        return 0, 0
    rows = [line.split(",") for line in answer.out.splitlines()] if not answer.code else []
    return _sum(rows, 0), _sum(rows, 1)


def _sum(rows: Sequence[Sequence[str]], column: int) -> int:
    cells = (row[column].strip() for row in rows if len(row) > column)
    return sum(whole(cell) or 0 for cell in cells) * MIB
