"""What is on the PCI bus: which GPUs there are, whether or not a driver serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.detected import Gpu
from generator.detect.root import one_line
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.detect.detected import Vendor
    from generator.detect.root import Root

_DEVICES: Final = "/sys/bus/pci/devices"
# Display controllers, and the processing accelerators of data centres (NVIDIA and AMD).
_CLASSES: Final = ("0x03", "0x12")
VENDORS: Final[dict[str, Vendor]] = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
MAKERS: Final[dict[Vendor, str]] = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
# Where Intel's integrated graphics are, which nobody expects to compute.
_BESIDE_THE_CPU: Final = ("intel", "0000:00:02.0")


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
        if vendor and kind.startswith(_CLASSES):
            yield Device(one_line(bus, 20), vendor, one_line(root.text(f"{folder}/device"), 10))


def unserved(
    root: Root, there: Iterable[Device], served: Iterable[Gpu], fault: str, advice: str = ""
) -> Iterator[Gpu]:
    """Yield, with a warning, those that are not among the served: `fault` says why.

    A driver that is too new leaves old cards out beside those that it serves.
    """
    places = {gpu.bus for gpu in served}
    for device in there:
        if device.bus in places:
            continue
        name = f"{MAKERS[device.vendor]} GPU {device.device.removeprefix('0x')}".strip()
        if (device.vendor, device.bus) != _BESIDE_THE_CPU:
            root.warn(device.bus, f"{name}: {fault}{advice}")
        yield Gpu(device.vendor, name, bus=device.bus, exact=False, fault=fault)
