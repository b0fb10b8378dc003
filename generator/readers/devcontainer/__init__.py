"""Dev containers: how their files are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines import READ
from generator.readers.passed import uses_an_engine
from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

if TYPE_CHECKING:
    from generator.readers.base import Source

_FEATURE: Final = re.compile(rf"\"[\w./-]*/(?:{'|'.join(READ)})(?::[\w.-]+)?\"[ \t]*:")


def _ours(source: Source) -> bool:
    """Whether something is run or set of an engine: an extension of an editor is none of it."""
    return uses_an_engine(source.text) or _FEATURE.search(source.text) is not None


SIGNS: Final = Signs(
    names=r"\.?devcontainer[\w.-]*\.json",
    maybe=frozenset({".json"}),
    ours=_ours,
)
DEVCONTAINER: Final = replace(
    SCRIPT,
    kind="devcontainer",
    assigns=False,
    expands=False,
    string='"{}"',
    restart="",
    mendable=False,
    keep_volume='add `"source=ollama,target=/root/.ollama,type=volume"` to `mounts`',
)
