"""Caddyfiles: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    names=r"Caddyfile(?:[.-][\w.-]+)?|[\w.-]+\.(?:Caddyfile|caddyfile|caddy)",
    content=r"(?m)^[ \t]*reverse_proxy[ \t]+\S",
    ours=reached,
)
CADDY: Final = Phrases(kind="caddy", restart="")
WORDS: Final = Words(
    program="Caddy",
    wait="a longer one, or none",
    stream="`flush_interval -1`",
    host="`header_up Host localhost`",
    body="`request_body { max_size 64MB }`",
    check="`health_uri /api/version`",
    probe="`health_uri /api/version`",
    authenticate="`basic_auth`, `forward_auth`, or a matcher of the header",
)
