"""How vLLM is recognised. Readers look for no files of it (`READ` of `engines/__init__.py`)."""

from __future__ import annotations

from typing import Final

from generator.engines.signs import Signs

_NONE: Final = r"(?!)"
SIGNS: Final = Signs(
    name="vllm",
    command=("vllm", "serve"),
    prefixes=("VLLM_", "HF_"),
    address="--host",
    mentioned=r"(?i:\bvllm\b)",
    asks=_NONE,
    client=_NONE,
    api_call=_NONE,
    builds=r"vllm-openai(?:-cpu|-rocm)?",
    verbs=frozenset(),
    valued=frozenset(),
    chart_keys=frozenset(),
    nixos_variables={},
    nixos_overwritten=frozenset(),
    nixos_address=("127.0.0.1", 8000),
)
