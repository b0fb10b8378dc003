"""NVIDIA GPUs: from NVML or nvidia-smi; without both, the files of the driver."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.detected import Gpu, Nvidia
from generator.detect.root import one_line, pairs, whole
from generator.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.pci import Device
    from generator.detect.root import Root

_PROC: Final = "/proc/driver/nvidia"
_TABLE: Final = "nvidia-smi.csv"
_LIST: Final = "nvidia-smi-L.txt"
_MIG: Final = re.compile(r"MIG (?P<name>\S+)\s+Device\s+\d+: \(UUID: (?P<uuid>MIG-[\w/-]+)\)")
_UUID: Final = re.compile(r"GPU-[0-9A-Za-z-]+")
_CAPABILITY: Final = re.compile(r"\d{1,2}\.\d")
_VERSION: Final = re.compile(r"\d{3,4}(?:\.\d{1,6}){1,3}")


def read_nvidia(root: Root, devices: tuple[Device, ...]) -> tuple[Nvidia, tuple[Gpu, ...]]:
    """Return the driver and its GPUs in bus order; `devices` are all GPUs on the bus."""
    there = [device for device in devices if device.vendor == "nvidia"]
    version = root.text(f"{_PROC}/version")
    table = root.tool(_TABLE)
    if not version and not table and not there:
        return Nvidia(), ()
    rows = list(_rows(root, table)) if table else []
    gpus = [gpu for row in rows for gpu in _cards(root, row)] or list(_from_files(root))
    driver = _driver(version, rows)
    if not _VERSION.search(version):
        root.strange(f"{_PROC}/version", version)
    if gpus:
        gpus.sort(key=lambda gpu: gpu.bus)
    elif driver:
        root.warn(_PROC, f"driver {driver} is loaded, but reports no GPU")
    nvidia = Nvidia(driver, _cuda(root), _modules(version)) if driver else Nvidia()
    # A driver that is too new leaves old cards out beside those that it serves.
    served = {gpu.bus for gpu in gpus}
    missing = [device for device in there if device.bus not in served]
    return nvidia, (*gpus, *(_without_driver(root, device, driver) for device in missing))


def _without_driver(root: Root, device: Device, driver: str) -> Gpu:
    fault = f"driver {driver} does not serve it" if driver else "there is no NVIDIA driver for it"
    hint = "install one that does" if driver else "install one"
    name = f"NVIDIA GPU {device.device.removeprefix('0x')}".strip()
    root.warn(device.bus, f"{name}: {fault}; {hint} and detect again")
    return Gpu(vendor="nvidia", name=name, bus=device.bus, exact=False, fault=fault)


def _rows(root: Root, table: str) -> Iterator[dict[str, str]]:
    """Yield each line of the CSV by the names in its head, which may have units: `[MiB]`."""
    lines = [line for line in table.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("index"):
        root.warn(_TABLE, f"`{one_line(table, 60)}`")
        return
    head, *rows = csv.reader(lines, skipinitialspace=True)
    names = [name.partition(" ")[0] for name in head]
    for row in rows:
        if len(row) != len(names):
            root.warn(_TABLE, f"`{one_line(', '.join(row), 60)}` does not fit the head")
            continue
        yield dict(zip(names, (cell.strip() for cell in row), strict=True))


def _cards(root: Root, row: dict[str, str]) -> Iterator[Gpu]:
    """Yield the card of a row, or its MIG devices, which are all that can be used then."""
    capability = row.get("compute_cap", "")
    uuid = _UUID.fullmatch(row.get("uuid", ""))
    card = Gpu(
        vendor="nvidia",
        name=one_line(row.get("name", "")) or "NVIDIA GPU",
        bus=_bus(row.get("pci.bus_id", "")),
        memory=_mib(row.get("memory.total", "")) or 0,
        used=_mib(row.get("memory.used", "")),
        uuid=uuid[0] if uuid else "",
        compute_capability=capability if _CAPABILITY.fullmatch(capability) else "",
    )
    if row.get("mig.mode.current") != "Enabled":
        yield card
        return
    parts = list(_instances(root, card))
    if not parts:
        root.warn(_LIST, f"{card.name} is in MIG mode and has no instance")
    yield from parts or [replace(card, fault="it is in MIG mode and has no instance")]


def _instances(root: Root, card: Gpu) -> Iterator[Gpu]:
    """Yield the MIG devices that nvidia-smi lists under the card."""
    under = root.tool(_LIST).partition(card.uuid)[2] if card.uuid else ""
    for line in under.splitlines()[1:]:
        found = _MIG.search(line)
        if found is None:
            return
        size = re.search(r"\.(\d{1,4})gb", found["name"])
        name = f"{card.name} MIG {one_line(found['name'], 40)}"
        root.warn(_LIST, f"{name}: its memory is known by its name alone")
        yield replace(
            card,
            name=name,
            memory=int(size[1]) * 2**30 if size else 0,
            used=None,
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
            uuid = _UUID.fullmatch(information.get("GPU UUID", ""))
            yield Gpu("nvidia", name, bus=_bus(bus), uuid=uuid[0] if uuid else "")


def _bus(text: str) -> str:
    """Return a bus address as the kernel writes it: nvidia-smi has a domain of eight digits."""
    domain, _, rest = one_line(text, 20).lower().partition(":")
    return f"{domain[-4:]}:{rest}" if rest else domain


def _mib(text: str) -> int | None:
    number = text.removesuffix("MiB").strip()
    return parse_size(f"{number}M") if whole(number) and len(number) < len("10000000") else None


def _driver(version: str, rows: list[dict[str, str]]) -> str:
    reported = next((row["driver_version"] for row in rows if row.get("driver_version")), "")
    if _VERSION.fullmatch(reported):
        return reported
    found = _VERSION.search(version)
    return found[0] if found else ""


def _cuda(root: Root) -> str:
    found = re.search(r"CUDA Version\s*:\s*(\d{1,2}\.\d{1,2})", root.tool("nvidia-smi-version.txt"))
    return found[1] if found else ""


def _modules(version: str) -> Literal["", "open", "closed"]:
    if "Kernel Module" not in version:
        return ""
    return "open" if "Open Kernel Module" in version else "closed"
