"""A Host: facts of a machine, wherever they come from, and what a service may take of one.

Whatever derives compute threads, CPU time or memory, and whatever judges them, asks here.
"""

from __future__ import annotations

from typing import Final

from generator.records import dataclass

# For the rest of the system beside a model server: an eighth of the memory, at least 2 GiB.
RESERVE_SHARE: Final = 8
LEAST_RESERVE: Final = 2 * 2**30
SMALL_MAC: Final = 36 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU: bytes of memory, compute capability as NVIDIA writes it (`6.1`), empty: unknown.

    `vendor` is `nvidia`, `amd` or `intel`, `target` is AMD's, like `gfx1100`; empty: unknown.
    `unified`: its memory is the host's. `reserved`: bytes that a display or other programs hold.
    """

    name: str
    memory: int
    compute_capability: str = ""
    uuid: str = ""
    unified: bool = False
    reserved: int = 0
    vendor: str = ""
    target: str = ""

    @property
    def free(self) -> int:
        """The bytes that a model server finds."""
        return max(0, self.memory - self.reserved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of a machine; 0 and empty: unknown.

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

    @property
    def metal(self) -> bool:
        """Whether its GPUs are Apple's, which compute by Metal."""
        return bool(self.gpus) and all(gpu.vendor == "apple" for gpu in self.gpus)


UNKNOWN: Final = Host()
"""A machine of which nothing is known."""


def reserve(memory: int) -> int:
    """Return the bytes that the rest of the system needs; of little memory no more than half."""
    return min(max(LEAST_RESERVE, memory // RESERVE_SHARE), memory // 2)


def shared_memory(memory: int, *, metal: bool) -> int:
    """Return the bytes of a host that a GPU without memory of its own may take.

    Linux lets it have half of them (drivers/gpu/drm/ttm); Metal two thirds, and above 36 GiB three
    quarters (`recommendedMaxWorkingSetSize`, as llama.cpp logs it).
    """
    if not metal:
        return memory // 2
    return memory * 2 // 3 if memory <= SMALL_MAC else memory * 3 // 4


def quota_acts(percent: int, cpus: int) -> bool:
    """Return whether a quota takes anything away from so many CPUs; 0: their number is unknown."""
    return not cpus or percent < cpus * 100


def quota_for(threads: int) -> int:
    """Return the quota in percent for so many compute threads: the server wants a CPU, too."""
    return (threads + 1) * 100


def threads_within(percent: int) -> int:
    """Return the most compute threads that leave the server some of the quota's time.

    The threads of a layer wait for each other, so that one which is stopped stalls all of them
    (ollama#17916). One alone stalls nobody.
    """
    return max(1, (percent - 1) // 100)


def threads_for(cores: int, cpus: int, quota: int | None) -> int:
    """Return the compute threads on so many cores, of which `cpus` hardware threads may be used;
    0: their number is unknown.

    One per physical core, because decoding waits for memory and a second thread on a core adds no
    bandwidth (ollama#2496, ollama#2929).
    """
    count = min(cores, cpus or cores)
    if quota is None or not quota_acts(quota, cpus):
        return count
    return min(count, threads_within(quota))
