"""What is known of speed: how much of a device's rates is used, memory of processors, disks.

rates = load_catalogue().rates
rates.efficiency("cuda", "nvidia", "8.6")    what llama.cpp gets out of such a device
rates.processor("Intel Xeon E5-2670 v3")     what its memory delivers
rates.storage("nvme")                        how fast a model is read from there
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.catalogue.records import record
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Backend = Literal["cuda", "rocm", "vulkan", "metal", "cpu"]
StorageKind = Literal["nvme", "ssd", "hdd", "network", "memory"]
GB: Final = 10**9
_NOISE: Final = re.compile(
    r"\((?:r|tm|c)\)|\bcpu\b|\b\d+-core(?:s| processor)?\b|\bprocessor\b|@.*$|\bw(?:ith|/) .*$"
)
# A memory in place of a processor: channels of 8 bytes, and millions of transfers a second.
_MEMORY: Final = re.compile(r"(\d{1,2}) ?[x×] ?(lp)?ddr\dx?-(\d{3,5})")


@dataclass(frozen=True, kw_only=True, eq=False)
class Efficiency:
    """What llama.cpp gets out of a kind of device.

    `bandwidth` is the share of its memory's rate that decoding gets, `layer` the microseconds that
    each layer takes besides, `prompt` the share of its dense TFLOPS that a prompt gets (0: not
    known). The ranges are measured over expected: a tenth is below, a tenth above.
    """

    backend: Backend
    vendor: str = ""
    capabilities: tuple[str, ...] = ()
    bandwidth: float
    layer: float
    prompt: float = 0
    decode_range: tuple[float, float]
    prompt_range: tuple[float, float]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Processor:
    """The memory of a family of processors, for one socket.

    `bandwidth` in GB/s is that of the fastest `memory` with all channels in use, `least` that of
    the slowest that is common (0: the same). `clock` in GHz is that of all cores under load,
    `operations` counts float operations for each clock of a core.
    """

    name: str
    pattern: str
    memory: str
    bandwidth: float
    least: float = 0
    clock: float
    operations: int
    source: str

    def matches(self, model: str) -> bool:
        """Whether a processor's name, in small letters and without noise, is one of the family."""
        return re.search(self.pattern, model) is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Storage:
    """How fast one program reads a kind of disk, in MB/s; `memory` is the page cache."""

    kind: StorageKind
    slow: float
    usual: float
    fast: float
    source: str


def _of_memory(text: str) -> Processor | None:
    match = _MEMORY.fullmatch(text)
    if match is None:
        return None
    rate = int(match[1]) * int(match[3]) / 125  # 8 bytes × 10^6, in 10^9
    return Processor(
        name=text, pattern="", memory=text, bandwidth=rate, clock=0, operations=0, source="told"
    )


class Rates:
    """How fast devices, processors and disks are. Made by `Catalogue.rates`."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables = tables
        self._asked: dict[str, Processor | None] = {}  # a host has one, and many models ask

    @functools.cached_property
    def efficiencies(self) -> tuple[Efficiency, ...]:
        """What llama.cpp gets out of each kind of device."""
        return tuple(record(Efficiency, table) for table in self._tables["efficiency"])

    @functools.cached_property
    def processors(self) -> tuple[Processor, ...]:
        """The families of processors; of several that match the first counts."""
        return tuple(record(Processor, table) for table in self._tables["processor"])

    def efficiency(self, backend: str, vendor: str = "", capability: str = "") -> Efficiency | None:
        """What a kind of device gets out of its rates; None: nobody measured it."""
        known = [entry for entry in self.efficiencies if entry.backend == backend]
        own = (
            e for e in known if capability in e.capabilities or (e.vendor and e.vendor == vendor)
        )
        rest = (e for e in known if not e.capabilities and not e.vendor)
        return next(own, next(rest, None))

    def processor(self, model: str) -> Processor | None:
        """The family of a processor's name, as the kernel or people have it; None: not known.

        Where nothing names it, its memory does as well, as in `2x DDR4-3200`: how fast it computes
        is not known then.
        """
        if model not in self._asked:
            text = " ".join(_NOISE.sub(" ", model.casefold()).split())
            found = (family for family in self.processors if family.matches(text))
            self._asked[model] = next(found, None) or _of_memory(text)
        return self._asked[model]

    def storage(self, kind: str) -> Storage | None:
        """How fast that kind of disk is read; None: not known."""
        found = (table for table in self._tables["storage"] if table["kind"] == kind)
        return next((record(Storage, table) for table in found), None)
