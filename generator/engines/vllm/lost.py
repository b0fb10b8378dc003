"""What the table `[ollama]` says that this engine has nothing for; each is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.vllm.decision import note
from generator.plan import Omission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.engines.base import Case
    from generator.engines.vllm.decision import Decisions

LOST: Final[Mapping[str, str]] = {
    "keep_alive": "the model stays loaded as long as the server runs",
    "load_timeout": "the server starts with its model, or not at all",
    "max_queue": "requests wait in the server without a bound; the front has one",
    "max_loaded_models": "a server has one model",
    "flash_attention": "it chooses its attention by the card",
    "llm_library": "the image has one library",
    "noprune": "nothing is pruned",
    "origins": "browsers may call from anywhere; the front restricts that",
    "debug": "VLLM_LOGGING_LEVEL=DEBUG in [vllm.env] does it",
    "build": "its image is as it is",
    "env": "these variables are Ollama's; those of vLLM stand in [vllm.env]",
}
"""Keys of `[ollama]`, and why each is lost."""


def lost(case: Case) -> Decisions:
    """Yield an Omission and a Finding for each key that the profile writes."""
    told = case.profile.ollama.model_fields_set
    for name, why in LOST.items():
        value = getattr(case.profile.ollama, name)
        if name in told and value is not None and value != {}:
            key = f"ollama.{name}"
            yield Omission(
                what=key, reason=f"Not set: {key}. With vLLM {why}.", group="server", key=key
            )
            yield note("HW670", f"with vLLM {why}", key, "leave it out, or keep it for Ollama")
