"""Configurations of nginx: how they are recognised, and what they call things."""

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

_INCLUDES: Final = re.compile(r"(?m)^[ \t]*include[ \t]+[\"']?([^\s;\"']+)[\"']?[ \t]*;")


def _includes(source: Source) -> Iterator[str]:
    for path in _INCLUDES.findall(source.text):
        yield from places(path, source.path)


SIGNS: Final = Signs(
    names=r"(?:[\w.-]+[.-])?nginx[\w.-]*\.conf",
    maybe=frozenset({".conf", ".nginx"}),
    content=r"(?m)^[ \t]*(?:proxy_pass[ \t]+\S+;|upstream[ \t]+\S+[ \t]*\{|server[ \t]*\{)",
    look=r"(?:[ \t]*(?:#[^\n]*|\{[%#][^\n]*|[a-z_]+[ \t][^\n{};]{0,500};[^\n{}]*)?\r?\n)*"
    r"[ \t]*(?:server|upstream[ \t]+[\w.-]+|http|map[ \t][^\n{}]{0,200})[ \t]*\r?\n?[ \t]*\{",
    ours=reached,
    includes=_includes,
)
NGINX: Final = Phrases(kind="nginx", restart="")
WORDS: Final = Words(
    program="nginx",
    wait="`proxy_read_timeout 30m;`",
    stream="`proxy_buffering off;`",
    host="`proxy_set_header Host localhost;`",
    body="`client_max_body_size 64m;`",
    spread="`least_conn;` into the `upstream`",
    authenticate="`auth_basic`, `auth_request`, or a header that is compared",
)
