"""How quadlets say what rules speak of: limits of the unit, or options of `podman run`."""

from __future__ import annotations

from typing import Final

from generator.view import Phrases

QUADLET: Final = Phrases(
    kind="quadlet",
    headers=True,
    assigns=True,
    rootless=True,
    read_by="every user of the host reads it in the unit, `podman inspect` shows it",
    keep_in="a `podman secret`, named by `Secret=…,type=env`",
    restart="add `Restart=always` to [Service]",
    of_unit="CPUQuota|MemoryMax",
    unit_no_swap="add `MemorySwapMax=0`",
    memlock="add `Ulimit=memlock=-1:-1` to [Container]",
)
