"""Applications of pm2: how its files are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines import READ
from generator.readers.passed import uses_an_engine
from generator.readers.signs import Signs
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_STARTS: Final = re.compile(
    rf"\bscript[\"']?[ \t]*:[ \t]*[\"'`]?(?:[\w.-]*/)*+(?:{'|'.join(READ)})\b"
)


def _ours(source: Source) -> bool:
    """Whether an application is an engine's program, or has to do with one."""
    return uses_an_engine(source.text) or _STARTS.search(source.text) is not None


_ENDS: Final = r"(?:c?js|mjs|json|ya?ml)"
SIGNS: Final = Signs(
    names=rf"ecosystem[\w.-]*\.{_ENDS}|pm2[\w.-]*\.{_ENDS}|process(?:es)?\.json",
    maybe=frozenset({".json", ".yaml", ".yml"}),
    ours=_ours,
)
PM2: Final = Phrases(
    kind="pm2",
    devices_told=False,
    volumes_told=False,
    unnamed="",
    read_by="the file goes to version control, and `pm2 env` shows it",
    keep_in="the environment of the shell that starts pm2",
    restart="leave `autorestart` out, or write `true`",
    mendable=False,
)
