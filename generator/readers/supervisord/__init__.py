"""Programs that supervisord starts: how its files are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines import READ
from generator.readers.passed import uses_an_engine
from generator.readers.signs import Signs
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_NAMED: Final = re.compile(rf"(?m)^\[program:(?:{'|'.join(READ)})\]")


def _ours(source: Source) -> bool:
    """Whether a program is an engine's, or asks one: a word among its arguments tells nothing."""
    return uses_an_engine(source.text) or _NAMED.search(source.text) is not None


SIGNS: Final = Signs(
    names=r"supervisord?[\w.-]*\.(?:conf|ini)",
    maybe=frozenset({".conf", ".ini"}),
    content=r"(?m)^\[(?:program|fcgi-program|eventlistener|group):[^\]\n]+\]|^\[supervisord\]",
    ours=_ours,
)
SUPERVISORD: Final = Phrases(
    kind="supervisord",
    devices_told=False,
    volumes_told=False,
    unnamed="",
    read_by="whoever reads the file, or the image that it is copied into, has it",
    keep_in="the environment of supervisord, from which `%(ENV_NAME)s` takes it",
    restart="write `autorestart=true`",
    # Several pairs stand on one line.
    mendable=False,
)
