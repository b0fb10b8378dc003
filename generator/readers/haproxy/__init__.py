"""Configurations of HAProxy: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    names=r"haproxy[\w.-]*\.(?:cfg|conf)",
    maybe=frozenset({".cfg"}),
    content=r"(?m)^(?:frontend|backend|listen)[ \t]+\S[^\n]*\n(?:[^\n]*\n){0,60}?[ \t]+"
    r"(?:bind|server|mode)[ \t]",
    ours=reached,
)
HAPROXY: Final = Phrases(kind="haproxy", restart="")
WORDS: Final = Words(
    program="HAProxy",
    wait="`timeout server 30m`",
    host="`http-request set-header Host localhost`",
    bound="`maxconn` on the `server`, as many as OLLAMA_NUM_PARALLEL",
    queue="`timeout queue 10m`",
    check="`check` on the `server`",
    probe="`http-check send meth GET uri /api/version`",
    authenticate="`http-request auth` or a header that is compared",
)
