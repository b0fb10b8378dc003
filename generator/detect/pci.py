"""What is on the PCI bus: which GPUs there are, whether or not a driver serves them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detected import Gpu
from generator.detect.root import one_line
from generator.records import dataclass
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.catalogue.cards import Card
    from generator.detect.detected import Vendor
    from generator.detect.root import Root

_DEVICES: Final = "/sys/bus/pci/devices"
# Display controllers, and the processing accelerators of data centres (NVIDIA and AMD).
_CLASSES: Final = ("0x03", "0x12")
VENDORS: Final[dict[str, Vendor]] = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
MAKERS: Final[dict[Vendor, str]] = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
# Where Intel's integrated graphics are, which nobody expects to compute.
_BESIDE_THE_CPU: Final = ("intel", "0000:00:02.0")
_REGION: Final = re.compile(r"(?a)0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x[0-9a-f]{16}")
_MOST: Final = 2**48
_IDLE: Final = 32 * MIB


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU on the bus: its address, vendor and id; `window` is the largest part of its memory that
    the processor sees, in bytes, often less than there is, or more.
    """

    bus: str
    vendor: Vendor
    id: str
    window: int = 0

    @property
    def card(self) -> Card | None:
        """What is known of it; of memory sold in several sizes, that of the window."""
        card = card_of(self.id)
        return card.of_size(self.window) if card else None

    @property
    def name(self) -> str:
        """Its name with the maker's; of an unknown one, the number of the device."""
        maker, card = MAKERS[self.vendor], self.card
        if card is None:
            return f"{maker} GPU {self.id.partition(':')[2].partition(':')[0]}".strip()
        return card.name if card.name.startswith(maker) else f"{maker} {card.name}"


def card_of(pci: str, memory: int = 0) -> Card | None:
    """Return the card with an id like `1002:744c:c8`; None: unknown."""
    vendor, _, rest = pci.partition(":")
    number, _, revision = rest.partition(":")
    return load_catalogue().cards.by_pci(f"{vendor}:{number}", revision, memory)


def pci_id(vendor: str, device: str, revision: str) -> str:
    """Return `10de:2684:a1` for numbers in hexadecimal, with `0x` or without; empty: none."""
    parts = [part.casefold().removeprefix("0x") for part in (vendor, device)]
    if not all(re.fullmatch("[0-9a-f]{4}", part) for part in parts):
        return ""
    last = revision.casefold().removeprefix("0x")[-2:]
    return ":".join([*parts, *([last] if re.fullmatch("[0-9a-f]{2}", last) else [])])


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
            texts = (root.text(f"{folder}/{name}") for name in ("device", "revision"))
            window = _window(root.text(f"{folder}/resource"))
            yield Device(one_line(bus, 20), vendor, pci_id(number, *texts), window)


def _window(text: str) -> int:
    """Return the bytes of the largest region; 0: there is none."""
    regions = ((int(start, 16), int(end, 16)) for start, end in _REGION.findall(text))
    sizes = (end - start + 1 for start, end in regions if end > start)
    return max((size for size in sizes if size < _MOST), default=0)


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
        if (device.vendor, device.bus) != _BESIDE_THE_CPU:
            root.warn(device.bus, f"{device.name}: {fault}{advice}")
        yield replace(known(device), fault=fault)


def held(root: Root, where: str, name: str, used: int | None, total: int, own: int = 0) -> int:
    """Return the bytes of a card that others than a model server hold, which holds `own`.

    Where most of the card is taken and nobody says by whom, it is a model that is loaded: 0, and a
    warning. What a driver keeps of an idle card is nothing, either.
    """
    taken = max(0, (used or 0) - own)
    if 2 * taken > total > 0:
        room = f"{taken // MIB} of {total // MIB} MiB are in use"
        what = "none is counted as taken, for a model may be loaded; detect again when it is idle"
        root.warn(where, f"{name}: {room}; {what}")
        return 0
    return taken if taken >= _IDLE else 0


def known(device: Device) -> Gpu:
    """Return a GPU of which its id alone speaks."""
    card = device.card
    return Gpu(
        device.vendor,
        device.name,
        bus=device.bus,
        pci=device.id,
        memory=card.memory if card else 0,
        compute_capability=card.compute_capability if card else "",
        target=card.target if card else "",
        unified=bool(card and card.unified),
        exact=False,
    )
