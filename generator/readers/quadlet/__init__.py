"""Podman quadlets: how they are recognised, and what they call things."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source
from generator.readers.signs import Signs, served
from generator.readers.systemd import one_system
from generator.view import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KUBE: Final = ".kube"
_SERVED: Final = served("quadlet")
_NAMED: Final = re.compile(r"(?m)^[ \t]*+(?:Yaml|ConfigMap)[ \t]*+=[ \t]*+([^\n%]{1,500}+)$")


def _includes(source: Source) -> Iterator[str]:
    """Yield the manifests that a unit has Podman play."""
    folder = posixpath.dirname(source.path)
    for name in _NAMED.findall(source.text) if source.path.endswith(KUBE) else ():
        yield posixpath.normpath(posixpath.join(folder, name.strip(" \t\r\"'")))


def _filled(source: Source, read: Callable[[str], str | None]) -> bool:
    """Whether a manifest that it names is about an engine."""
    played = ((path, read(path)) for path in _includes(source))
    return any(text is not None and _SERVED(Source(path, text)) for path, text in played)


SIGNS: Final = Signs(
    ours=_SERVED,
    filled=_filled,
    includes=_includes,
    sure=frozenset({".container", ".image", ".build", KUBE, ".volume", ".network"}),
    folders=(".container.d",),
    maybe=frozenset({".conf", ".pod"}),  # Pages of Perl are called so as well.
    content=r"(?m)^\[(?:Container|Pod)\]",
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
