"""How units of systemd and their drop-ins are recognised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs

if TYPE_CHECKING:
    from pathlib import PurePosixPath

_INSTALLED: Final = re.compile(r"(?:etc|run|(?:usr/(?:local/)?)?lib)/systemd/(?:system|user)$")


def one_system(path: PurePosixPath) -> str:
    """Return the root of a unit: systemd itself puts the directories of a root together."""
    folder = path.parent.parent if path.parent.name.endswith(".d") else path.parent
    return _INSTALLED.sub("", folder.as_posix())


SIGNS: Final = Signs(
    sure=frozenset({".service"}),
    folders=(".service.d",),
    maybe=frozenset({".conf"}),
    content=r"(?m)^\[(?:Service|Unit)\]|^(?:Environment|ExecStart)=",
    never=r"(?m)^\[Container\]",
    belongs=one_system,
)
