"""A Load: how a server loads one model."""

from __future__ import annotations

from typing import Final

from generator.records import dataclass

DEFAULT_BATCH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the memory of a loaded model follows from, beside its Shape.

    `context` is for each of the `slots`; `batch` the tokens computed at once (llama.cpp's ubatch),
    `outputs` those of a batch that get logits: all (0), or one for each slot, as llama-server
    reserves since llama.cpp PR 23861.
    """

    context: int
    slots: int = 1
    cache_type: str = "f16"
    flash_attention: bool = True
    batch: int = DEFAULT_BATCH
    outputs: int = 0

    @property
    def tokens(self) -> int:
        """The context of all slots together."""
        return self.context * self.slots
