"""How units of systemd say what rules speak of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.view import Phrases

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
