"""What a front before a server of Ollama needs to know of it.

The routes are those of server/routes.go@v0.32.15, GenerateRoutes. A server that listens on this
machine alone answers 403 to a `Host` of elsewhere (allowedHostsMiddleware, there), and to an
`Origin` that OLLAMA_ORIGINS has not (gin-contrib/cors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.base import Offer
from generator.engines.ollama.api import TAGS, VERSION
from generator.meaning import parse_go_duration

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.plan import Service

PARALLEL: Final = "OLLAMA_NUM_PARALLEL"
KEEP_ALIVE: Final = "OLLAMA_KEEP_ALIVE"
PRESENT: Final = "/api/ps"
ASIDES: Final = ("/", VERSION, TAGS, PRESENT, "/api/show", "/v1/models")
PATHS: Final = (
    *(*ASIDES, "/api/chat", "/api/generate", "/api/embed", "/api/embeddings"),
    *("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"),
    *("/v1/messages", "/v1/models/"),
)
"""What clients compute with, and asides; not what fetches, makes, sends away or deletes models, and
not what signs the host in at ollama.com or out."""


def offer(service: Service, facts: Facts) -> Offer:
    """Return what a front needs to know of a server."""
    values = {setting.name: setting.value for setting in service.environment}
    told = int(values[PARALLEL]) if values.get(PARALLEL, "").isdecimal() else 0
    slots = told or facts.default_number(PARALLEL) or 1
    why = f"{PARALLEL} is {slots}" if told else f"a server that is not told otherwise has {slots}"
    return Offer(
        slots=slots,
        reason=f"As many requests as it computes at once: {why}. All others wait here.",
        paths=PATHS,
        asides=ASIDES,
        health=VERSION,
        present=PRESENT,
        pinned=_pinned(values.get(KEEP_ALIVE, "")),
        header="X-Ollama-Model",
    )


def _pinned(value: str) -> bool:
    try:
        return parse_go_duration(value) < 0
    except ValueError:
        return False
