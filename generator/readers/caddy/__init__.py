"""Caddyfiles: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.readers.taken import places
from generator.view import Phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Source

_IMPORTS: Final = re.compile(r"(?m)^[ \t]*import[ \t]+(\S*[/.*]\S*)")


def _includes(source: Source) -> Iterator[str]:
    for path in _IMPORTS.findall(source.text):
        yield from places(path, source.path)


SIGNS: Final = Signs(
    names=r"Caddyfile(?:[.-][\w.-]+)?|[\w.-]+\.(?:Caddyfile|caddyfile|caddy)",
    maybe=frozenset({".conf"}),
    content=r"(?m)^[ \t]*reverse_proxy[ \t]+\S",
    ours=reached,
    includes=_includes,
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
    spread="`lb_policy least_conn`",
    authenticate="`basic_auth`, `forward_auth`, or a matcher of the header",
)
