"""What is asked of a server: requests a second, and how long they are."""

from __future__ import annotations

from typing import Final, Literal

from generator.records import dataclass

Source = Literal["told", "log", "bench"]
TOKENS: Final = 200
"""Of an answer, where nobody tells; ..."""
PROMPT: Final = 512
"""... and of a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """So many requests a second, with so many tokens of prompt and of answer, and who says so."""

    per_second: float
    tokens: int
    prompt_tokens: int
    source: Source
