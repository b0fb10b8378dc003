"""Configurations of nginx: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    names=r"(?:[\w.-]+[.-])?nginx[\w.-]*\.conf",
    maybe=frozenset({".conf", ".nginx"}),
    content=r"(?m)^[ \t]*(?:proxy_pass[ \t]+\S+;|upstream[ \t]+\S+[ \t]*\{|server[ \t]*\{)",
    ours=reached,
)
NGINX: Final = Phrases(kind="nginx", restart="")
WORDS: Final = Words(
    program="nginx",
    wait="`proxy_read_timeout 30m;`",
    stream="`proxy_buffering off;`",
    host="`proxy_set_header Host localhost;`",
    body="`client_max_body_size 64m;`",
    authenticate="`auth_basic`, `auth_request`, or a header that is compared",
)
