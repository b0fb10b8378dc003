"""Tags of Ollama's library: `llama3.1:8b-instruct-q8_0` is a name, a size and a quantisation."""

from __future__ import annotations

import re
from typing import Final

_QUANTISATION: Final = re.compile(r"i?q\d(?:_[0-9a-z]+)*|b?f16|fp16|f32|mxfp4", re.IGNORECASE)


def plain(name: str) -> str:
    """Return a name of the library in its plain form: no registry, no capitals, with a tag."""
    bare = name.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return bare if ":" in bare else f"{bare}:latest"


def quantisation(text: str) -> str:
    """Return the quantisation that a part of a tag spells, like `Q8_0` or `F16`; empty: none."""
    return text.upper().replace("FP16", "F16") if _QUANTISATION.fullmatch(text) else ""


def split(name: str) -> tuple[str, str]:
    """Return tag and quantisation of `M[:QUANT]`; an empty quantisation is that of the tag."""
    tag, separator, last = name.rpartition(":")
    kind = quantisation(last) if separator else ""
    return (tag, kind) if kind else (name, "")
