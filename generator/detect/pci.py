"""What is on the PCI bus: which GPUs there are, whether or not a driver serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.root import one_line
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.detected import Vendor
    from generator.detect.root import Root

_DEVICES: Final = "/sys/bus/pci/devices"
_DISPLAY: Final = "0x03"
# The processing accelerators of data centres (NVIDIA and AMD) may have a class of their own.
_ACCELERATOR: Final = "0x12"
VENDORS: Final[dict[str, Vendor]] = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU on the bus: its address, vendor and id."""

    bus: str
    vendor: Vendor
    device: str


def read_gpus(root: Root) -> Iterator[Device]:
    """Yield the GPUs of known vendors in bus order; virtual ones of hypervisors are left out."""
    for bus in root.names(_DEVICES):
        folder = f"{_DEVICES}/{bus}"
        kind = root.text(f"{folder}/class")
        number = root.text(f"{folder}/vendor")
        vendor = VENDORS.get(number)
        for key, text in (("class", kind), ("vendor", number)):
            if not text.startswith("0x"):
                root.strange(f"{folder}/{key}", text)
        if vendor and kind.startswith((_DISPLAY, _ACCELERATOR)):
            yield Device(one_line(bus, 20), vendor, one_line(root.text(f"{folder}/device"), 10))
