"""A Host: facts of a machine, by whomever they are told. Plain data, no third party."""

from __future__ import annotations

from typing import Final

from generator.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU: bytes of memory, compute capability as NVIDIA writes it (`6.1`), empty: not told.

    `unified`: its memory is the host's.
    """

    name: str
    memory: int
    compute_capability: str = ""
    uuid: str = ""
    unified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of a machine; 0 and empty: not told.

    `cpu` is the processor's model, `cores` and `threads` count over all sockets, `memory` is in
    bytes, `driver` the version of NVIDIA's, and `system` the platform as Nix names it.
    """

    system: str = ""
    cpu: str = ""
    cores: int = 0
    threads: int = 0
    memory: int = 0
    gpus: tuple[Gpu, ...] = ()
    driver: str = ""


UNKNOWN: Final = Host()
"""A machine of which nothing is known."""
