"""Modelfiles: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_SAYS: Final = re.compile(r"(?mi)^[ \t]*(?:FROM|PARAMETER|SYSTEM|TEMPLATE|ADAPTER)[ \t]+\S")


def _ours(source: Source) -> bool:
    """Whether it has a line of one: nothing else has such a name and such a line."""
    return _SAYS.search(source.text) is not None


SIGNS: Final = Signs(
    names=r"(?i)modelfile(?:[._-][\w.=+-]+)?|[\w.-]+\.modelfile",
    content=r"\A(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?i:FROM)[ \t]+\S[^\n]*\n"
    r"(?=(?:.*\n)*?[ \t]*(?i:PARAMETER|SYSTEM|TEMPLATE|ADAPTER|MESSAGE)[ \t])",
    never=r"(?mi)^[ \t]*(?:RUN|CMD|ENTRYPOINT|ENV|COPY|WORKDIR|EXPOSE)[ \t]",
    ours=_ours,
)
MODELFILE: Final = Phrases(kind="modelfile", restart="")
