"""What has become of a model that was to be loaded."""

from __future__ import annotations

from typing import Literal

from generator.records import dataclass

State = Literal["loaded", "missing", "failed", "unloaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """A model after a warm-up: whether it is in memory, and how it got there; 0 and empty: unknown.

    `seconds` is how long the request took, by the clock of this machine, and `load_duration` the
    seconds of it that the server tells of loading (null: it does not). `already`: it was in memory
    before, `context` is that of one slot, `on_gpus` the bytes that are there, and `until` when the
    server lets it go if nobody asks for it. `unloaded`: for one that was loaded after it.
    """

    model: str
    state: State
    already: bool = False
    pulled: bool = False
    seconds: float = 0.0
    load_duration: float | None = None
    context: int = 0
    size: int = 0
    on_gpus: int = 0
    until: str = ""
    why: str = ""
