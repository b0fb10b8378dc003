"""Units of systemd and their drop-ins: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs
from generator.view import Phrases

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
RUN: Final = Phrases(
    kind="systemd",
    unit_file=True,
    headers=True,
    assigns=True,
    read_by="every user of the host reads it with `systemctl show`",
    keep_in="a file of mode 0600 that `EnvironmentFile=` names",
    restart="add `Restart=always` and `RestartSec=3` to [Service]",
)
"""Of a unit that has `docker` or `podman` run a container: the limits are options of that."""
UNIT: Final = replace(
    RUN,
    of_unit=".*",
    memlock="add `LimitMEMLOCK=infinity` to [Service]",
    unit_no_swap="add `MemorySwapMax=0`",
)
"""Of a unit that starts the server itself."""
