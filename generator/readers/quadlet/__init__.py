"""Podman quadlets: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, served
from generator.readers.systemd import one_system
from generator.view import Phrases

SIGNS: Final = Signs(
    ours=served("quadlet"),
    sure=frozenset({".container", ".image", ".build"}),
    folders=(".container.d",),
    maybe=frozenset({".conf"}),
    content=r"(?m)^\[Container\]",
    belongs=one_system,
    general=r"(?:[^.]*-\.)?container\.d",
)
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
    no_swap="add `PodmanArgs=--memory-swap={}`, the same as the memory, for no swap",
    memlock="add `Ulimit=memlock=-1:-1` to [Container]",
    shared_memory="add `ShmSize=4g` to [Container], or `PodmanArgs=--ipc=host`",
    reader="Podman",
    accepts="quadlet",
    refuses_whole="the unit",
    entrypoint="Entrypoint={}",
)
