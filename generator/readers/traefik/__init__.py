"""Dynamic configurations of Traefik: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml", ".toml"}),
    content=r"(?m)^(?:http|tcp)[ \t]*:[ \t]*(?:#[^\n]*)?\n(?:[^\n]*\n){0,400}?"
    r"[ \t]+(?:routers|services|middlewares)[ \t]*:"
    r"|^[ \t]*\[(?:http|tcp)\.(?:routers|services|middlewares)\b",
    never=r"(?m)^[\"']?(?:services|apiVersion)[\"']?[ \t]*:",
    ours=reached,
)
TRAEFIK: Final = Phrases(kind="traefik", restart="")
WORDS: Final = Words(
    program="Traefik",
    wait="a longer one, or none",
    stream="the router without that middleware",
    host="`passHostHeader: false`",
    body="`maxRequestBodyBytes: 67108864`",
    check="`healthCheck: {path: /api/version}`",
    probe="`path: /api/version`",
    authenticate="the middleware `basicAuth` or `forwardAuth`",
    spread="`strategy: p2c`",
)
