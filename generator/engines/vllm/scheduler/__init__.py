"""How vLLM holds a model: its Ask."""

from __future__ import annotations

from generator.engines.vllm.scheduler.ask import ask_of

__all__ = ["ask_of"]
