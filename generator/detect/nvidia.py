"""NVIDIA GPUs: from NVML or nvidia-smi; without both, the files of the driver."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.detected import Gpu, Nvidia
from generator.detect.live import APPS, SERVERS
from generator.detect.pci import held, unserved
from generator.detect.root import first_match, one_line, pairs
from generator.units import GIB, MIB, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.detect.pci import Device
    from generator.detect.root import Root

_PROC: Final = "/proc/driver/nvidia"
_TABLE: Final = "nvidia-smi.csv"
_LIST: Final = "nvidia-smi-L.txt"
_APPS: Final = "nvidia-smi-apps.csv"
_MOST_MIB: Final = 10_000_000
_MIG: Final = re.compile(r"MIG (?P<name>\S+)\s+Device\s+\d+: \(UUID: (?P<uuid>MIG-[\w/-]+)\)")
_UUID: Final = r"\AGPU-[0-9A-Za-z-]+\Z"
_VERSION: Final = r"\d{3,4}(?:\.\d{1,6}){1,3}"


def read_nvidia(root: Root, there: list[Device]) -> tuple[Nvidia, tuple[Gpu, ...]]:
    """Return the driver and its GPUs in bus order, then those of `there` that it leaves out."""
    version = root.text(f"{_PROC}/version")
    table = root.tool(_TABLE)
    if not version and not table and not there:
        return Nvidia(), ()
    rows = list(_once(root, _rows(root, table)))
    ids = {device.bus: device.id for device in there}
    cards = [gpu for row in rows for gpu in _cards(root, row)] or _from_files(root)
    gpus = sorted(
        (replace(gpu, pci=ids.get(gpu.bus, "")) for gpu in cards), key=lambda gpu: gpu.bus
    )
    nvidia = _driver(root, version, rows)
    if nvidia.driver and not gpus:
        root.warn(_PROC, f"driver {nvidia.driver} is loaded, but reports no GPU")
    fault, advice = "there is no NVIDIA driver for it", "install one"
    if nvidia.driver:
        fault, advice = f"driver {nvidia.driver} does not serve it", "install one that does"
    missing = unserved(root, there, gpus, fault, f"; {advice} and detect again")
    return nvidia, (*gpus, *missing)


def _rows(root: Root, table: str) -> Iterator[dict[str, str]]:
    """Yield each line of the CSV by the names in its head, which may have units: `[MiB]`."""
    if not table.startswith("index"):
        if table:
            root.warn(_TABLE, f"`{one_line(table, 60)}`")
        return
    lines = (line for line in table.splitlines() if line.strip())
    head, *rows = csv.reader(lines, skipinitialspace=True)
    names = [name.partition(" ")[0] for name in head]
    for row in rows:
        if len(row) != len(names):
            root.warn(_TABLE, f"`{one_line(', '.join(row), 60)}` does not fit the head")
            continue
        yield dict(zip(names, (cell.strip() for cell in row), strict=True))


def _once(root: Root, rows: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the rows without a card that is there already: by its UUID, or its place on the bus."""
    seen: set[str] = set()
    for row in rows:
        keys = {first_match(_UUID, row.get("uuid", "")), _bus(row.get("pci.bus_id", ""))} - {""}
        if keys & seen:
            root.warn(_TABLE, f"{one_line(row.get('name', ''), 40)} is there twice")
            continue
        seen |= keys
        yield row


def _cards(root: Root, row: dict[str, str]) -> Iterator[Gpu]:
    """Yield the card of a row, or its MIG devices, which are all that can be used then."""
    name = one_line(row.get("name", "")) or "NVIDIA GPU"
    uuid = first_match(_UUID, row.get("uuid", ""))
    memory, used = _mib(row.get("memory.total", "")) or 0, _mib(row.get("memory.used", ""))
    card = Gpu(
        vendor="nvidia",
        name=name,
        bus=_bus(row.get("pci.bus_id", "")),
        memory=memory,
        used=used,
        held=held(root, _TABLE, name, used, memory, _own(root, uuid)),
        uuid=uuid,
        compute_capability=first_match(r"\A\d{1,2}\.\d\Z", row.get("compute_cap", "")),
    )
    if row.get("mig.mode.current") != "Enabled":
        yield card
        return
    parts = list(_instances(root, card))
    if not parts:
        root.warn(_LIST, f"{card.name} is in MIG mode and has no instance")
    yield from parts or [replace(card, fault="it is in MIG mode and has no instance")]


def _own(root: Root, uuid: str) -> int:
    """Return the bytes of a card that model servers hold."""
    rows = csv.reader(root.tool(_APPS).splitlines(), skipinitialspace=True)
    cells = [row for row in rows if len(row) == len(APPS) and row[0] == uuid]
    return sum(_mib(row[2]) or 0 for row in cells if row[1].startswith(SERVERS))


def _instances(root: Root, card: Gpu) -> Iterator[Gpu]:
    """Yield the MIG devices that nvidia-smi lists under the card."""
    under = root.tool(_LIST).partition(card.uuid)[2] if card.uuid else ""
    for line in under.splitlines()[1:]:
        found = _MIG.search(line)
        if found is None:
            return
        size = first_match(r"\.(\d{1,4})gb", found["name"])
        name = f"{card.name} MIG {one_line(found['name'], 40)}"
        root.warn(_LIST, f"{name}: its memory is known by its name alone")
        yield replace(
            card,
            name=name,
            memory=int(size or 0) * GIB,
            used=None,
            held=0,
            uuid=found["uuid"],
            mig=True,
            exact=False,
        )


def _from_files(root: Root) -> Iterator[Gpu]:
    """Yield what the files of the driver say: name and UUID, not memory."""
    for bus in root.names(f"{_PROC}/gpus"):
        path = f"{_PROC}/gpus/{bus}/information"
        information = pairs(root.text(path), ":")
        name = one_line(information.get("Model", ""))
        if name:
            uuid = first_match(_UUID, information.get("GPU UUID", ""))
            yield Gpu("nvidia", name, bus=_bus(bus), uuid=uuid)


def _bus(text: str) -> str:
    """Return a bus address as the kernel writes it: nvidia-smi has a domain of eight digits."""
    domain, _, rest = one_line(text, 20).lower().partition(":")
    return f"{domain[-4:]}:{rest}" if rest else domain


def _mib(text: str) -> int | None:
    number = whole(text.removesuffix("MiB").strip())
    return number * MIB if number is not None and number < _MOST_MIB else None


def _driver(root: Root, version: str, rows: list[dict[str, str]]) -> Nvidia:
    """Return the driver by nvidia-smi, or by the text of its kernel module."""
    loaded = first_match(_VERSION, version)
    if not loaded:
        root.strange(f"{_PROC}/version", version)
    reported = next((row["driver_version"] for row in rows if row.get("driver_version")), "")
    driver = reported if re.fullmatch(_VERSION, reported) else loaded
    if not driver:
        return Nvidia()
    cuda = first_match(
        r"CUDA Version\s*:\s*(\d{1,2}\.\d{1,2})", root.tool("nvidia-smi-version.txt")
    )
    opened: Literal["open", "closed"] = "open" if "Open Kernel Module" in version else "closed"
    return Nvidia(driver, cuda, opened if "Kernel Module" in version else "")
