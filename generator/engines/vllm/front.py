"""What a front needs to know of a vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.base import Offer
from generator.engines.vllm.scheduler.ask import SLOTS
from generator.units import whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.plan import Service

# vllm/entrypoints/openai/api_router of 0.33.0, without what changes or tells of the server.
PATHS: Final = (
    *("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"),
    *("/v1/models", "/health"),
)
ASIDES: Final = ("/v1/models", "/health")


def offer(service: Service, facts: Facts) -> Offer:  # noqa: ARG001 -- of every engine
    """Return what a server offers: as many requests at once as it was told."""
    told = {each.name: each.value for each in service.arguments}
    number = whole(told.get("--max-num-seqs", ""))
    return Offer(
        slots=number or SLOTS,
        reason="As --max-num-seqs says."
        if number
        else "As many as it computes together by itself.",
        paths=PATHS,
        asides=ASIDES,
        health="/health",
        present="",
        pinned=True,
        header="x-model",
    )
