"""What is on the PCI bus: which GPUs there are, whether or not a driver serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.root import one_line
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.root import Root

_DEVICES: Final = "/sys/bus/pci/devices"
_DISPLAY: Final = "0x03"
# The processing accelerators of data centres (NVIDIA and AMD) may have a class of their own.
_ACCELERATOR: Final = "0x12"
VENDORS: Final = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU on the bus: its address, vendor (`nvidia`, `amd`, `intel`), id, and driver."""

    bus: str
    vendor: str
    device: str
    driver: str


def read_gpus(root: Root) -> tuple[Device, ...]:
    """Return the GPUs of known vendors in bus order; virtual ones of hypervisors are left out."""
    return tuple(_devices(root))


def _devices(root: Root) -> Iterator[Device]:
    for bus in root.names(_DEVICES):
        folder = f"{_DEVICES}/{bus}"
        kind = root.text(f"{folder}/class")
        number = root.text(f"{folder}/vendor")
        vendor = VENDORS.get(number)
        for key, text in (("class", kind), ("vendor", number)):
            if not text.startswith("0x"):
                root.strange(f"{folder}/{key}", text)
        if vendor and kind.startswith((_DISPLAY, _ACCELERATOR)):
            yield Device(
                bus=one_line(bus, 20),
                vendor=vendor,
                device=one_line(root.text(f"{folder}/device"), 10),
                driver=_driver(root, folder),
            )


def _driver(root: Root, folder: str) -> str:
    """Return the driver of a device, from what the kernel tells user space of it."""
    lines = root.text(f"{folder}/uevent").splitlines()
    told = (line.removeprefix("DRIVER=") for line in lines if line.startswith("DRIVER="))
    return one_line(next(told, ""), 30)
