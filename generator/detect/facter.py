"""A report of nixos-facter as facts. It has less than the machine: no GPU memory, no limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from generator.detect.cpu import FEATURES, clean_model
from generator.detect.detected import Cpu, Detected, Doubt, Gpu, Memory, Product, System, Usable
from generator.detect.pci import VENDORS, Device, known, pci_id
from generator.detect.root import first_match, one_line
from generator.detect.system import CHASSIS
from generator.errors import EnvironmentFailure, HostwrightError
from generator.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST: Final = 2**60
_MANY: Final = 8192


def read_facter(path: Path, *, stdin: bytes | None = None) -> Detected:
    """Return the facts of a report, which `stdin` is if it is given.

    Raises HostwrightError for what is no such report, EnvironmentFailure for a file that cannot be
    read.
    """
    try:
        report = json.loads(read_regular(path) if stdin is None else stdin)
    except OSError as error:
        raise EnvironmentFailure(f"cannot read `{path}`: {error.strerror}") from error
    except (ValueError, RecursionError):
        report = None
    if not isinstance(_at(report, "hardware"), dict):
        name = path if stdin is None else "stdin"
        raise HostwrightError(
            f"`{name}` is no report of nixos-facter",
            hint="write one with `nixos-facter -o facter.json`",
        )
    return _facts(report)


def _facts(report: object) -> Detected:
    warnings: list[Doubt] = []
    cpu = _cpu(report)
    if not cpu.cores:
        warnings.append(Doubt("hardware.cpu", "lists no processor"))
    memory = Memory(total=_memory(report))
    if not memory.total:
        warnings.append(Doubt("hardware.memory", "reports no memory"))
    gpus = tuple(_gpus(report))
    warnings += [Doubt("hardware.graphics_card", f"{g.name}: {g.fault}") for g in gpus if g.fault]
    virtual = _text(report, "virtualisation")
    return Detected(
        cpu=cpu,
        memory=memory,
        usable=Usable(cores=cpu.cores, threads=cpu.threads, memory=memory.total),
        gpus=gpus,
        product=_product(report),
        system=System(hypervisor="" if virtual == "none" else virtual),
        warnings=tuple(warnings),
    )


def _cpu(report: object) -> Cpu:
    """Return the processors: the report has one entry for each socket."""
    sockets = _tables(report, "hardware", "cpu")
    first = next(iter(sockets), None)
    flags = _at(first, "features")
    processor = next(iter(_tables(report, "smbios", "processor")), None)
    cores = sum(_count(socket, "cores") for socket in sockets)
    threads = sum(_count(socket, "siblings") for socket in sockets)
    return Cpu(
        model=_told(clean_model(_text(first, "model_name") or _text(processor, "version"))),
        architecture=_text(report, "system").partition("-")[0],
        sockets=max(1, len(sockets)),
        cores=min(cores, threads) or cores,
        threads=max(threads, cores),
        features=tuple(f for f in FEATURES if isinstance(flags, list) and f in flags),
    )


def _told(name: str) -> str:
    """Return a name, or nothing where a virtual machine has none: `NotSpecified`."""
    return "" if name.replace(" ", "").lower() == "notspecified" else name


def _memory(report: object) -> int:
    """Return the physical memory; the kernel keeps some of it to itself."""
    entries = _tables(report, "hardware", "memory")
    resources = [resource for entry in entries for resource in _tables(entry, "resources")]
    sizes = [_at(each, "range") for each in resources if _at(each, "type") == "phys_mem"]
    total = sum(size for size in sizes if isinstance(size, int) and size > 0)
    return total if total < _MOST else 0


def _gpus(report: object) -> Iterator[Gpu]:
    for card in _tables(report, "hardware", "graphics_card"):
        vendor = VENDORS.get(f"0x{_hex(card, 'vendor')}")
        if vendor:
            texts = (_hex(card, key) for key in ("vendor", "device", "revision"))
            bus = _text(card, "sysfs_bus_id")
            device = Device(bus, vendor, pci_id(*texts), _window(card))
            yield known(device) if device.card else _named(card, device)


def _named(card: object, device: Device) -> Gpu:
    """Return a GPU whose id is unknown: one of NVIDIA's may be known by its name."""
    # The card of `GP104GL [Quadro P4000]`, which names the chip first.
    text = _text(card, "device", "name")
    name = first_match(r"\[([^\]]+)\]", text) or text or _text(card, "model") or device.name
    lacks = "its id is not known here, and the report has neither its target nor its memory"
    fault = "" if device.vendor == "nvidia" else lacks
    return Gpu(device.vendor, name, bus=device.bus, pci=device.id, exact=False, fault=fault)


def _window(card: object) -> int:
    """Return the bytes of the largest region of memory that a card shows."""
    regions = [each for each in _tables(card, "resources") if _at(each, "type") == "mem"]
    sizes = [_at(each, "range") for each in regions]
    return max((size for size in sizes if isinstance(size, int) and 0 < size < _MOST), default=0)


def _product(report: object) -> Product:
    system = _at(report, "smbios", "system")
    chassis = next(iter(_tables(report, "smbios", "chassis")), None)
    kind = _at(chassis, "chassis_type", "value")
    word = CHASSIS.get(kind, "") if isinstance(kind, int) else ""
    return Product(_text(system, "manufacturer"), _text(system, "product"), word)


def _at(node: object, *path: str) -> object:
    """Return what is at a path of keys; None: nothing is."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _tables(node: object, *path: str) -> list[object]:
    """Return the tables of an array at a path; anything else is passed over."""
    found = _at(node, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(node: object, *path: str) -> str:
    found = _at(node, *path)
    return one_line(found) if isinstance(found, str) else ""


def _hex(card: object, key: str) -> str:
    """Return an id of a card in hex digits; older reports have it as a number alone."""
    value = _at(card, key, "value")
    number = f"{value:04x}" if isinstance(value, int) and 0 <= value < 1 << 16 else ""
    return _text(card, key, "hex") or number


def _count(node: object, key: str) -> int:
    found = _at(node, key)
    return found if isinstance(found, int) and 0 < found <= _MANY else 0
