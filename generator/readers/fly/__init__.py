"""Applications of Fly.io: how `fly.toml` is recognised, and what it calls things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs
from generator.view import Phrases

SIGNS: Final = Signs(names=r"fly(?:[.-][\w.-]+)?\.toml", maybe=frozenset({".toml"}))
FLY: Final = Phrases(
    kind="fly",
    string='"{}"',
    devices_told=False,
    read_by="the file goes to version control",
    keep_in="`fly secrets set`",
    keep_volume='add `[mounts]` with `source = "ollama"` and `destination = "/root/.ollama"`',
    no_swap="",
)
