"""A report of nixos-facter as facts. It has less than the machine: no GPU memory, no limits."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from generator.detect.cpu import FEATURES, clean_model
from generator.detect.detected import Cpu, Detected, Doubt, Gpu, Memory, Product, System, Usable
from generator.detect.pci import VENDORS
from generator.detect.root import one_line
from generator.detect.system import CHASSIS
from generator.errors import EnvironmentFailure, HostwrightError

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
        report = json.loads(path.read_bytes() if stdin is None else stdin)
    except OSError as error:
        raise EnvironmentFailure(f"cannot read `{path}`: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _refused(path) from error
    if not isinstance(report, dict) or not isinstance(report.get("hardware"), dict):
        raise _refused(path)
    return _facts(report)


def _refused(path: Path) -> HostwrightError:
    return HostwrightError(
        f"`{path}` is no report of nixos-facter",
        hint="write one with `nixos-facter -o facter.json`",
    )


def _facts(report: dict[str, Any]) -> Detected:
    warnings: list[Doubt] = []
    cpu = _cpu(report)
    if not cpu.cores:
        warnings.append(Doubt("hardware.cpu", "lists no processor"))
    memory = Memory(total=_memory(report))
    if not memory.total:
        warnings.append(Doubt("hardware.memory", "reports no memory"))
    gpus = tuple(_gpus(report))
    warnings += [Doubt("hardware.graphics_card", f"{g.name}: {g.fault}") for g in gpus if g.fault]
    product = _product(report)
    virtual = _text(report, "virtualisation")
    return Detected(
        cpu=cpu,
        memory=memory,
        usable=Usable(cores=cpu.cores, threads=cpu.threads, memory=memory.total),
        gpus=gpus,
        product=product,
        system=System(hypervisor="" if virtual == "none" else virtual),
        warnings=tuple(warnings),
    )


def _cpu(report: dict[str, Any]) -> Cpu:
    """Return the processors: the report has one entry for each socket."""
    sockets = list(_tables(report, "hardware", "cpu"))
    first = sockets[0] if sockets else {}
    flags = first.get("features")
    processor = next(_tables(report, "smbios", "processor"), {})
    cores = sum(_count(socket, "cores") for socket in sockets)
    threads = sum(_count(socket, "siblings") for socket in sockets)
    system = _text(report, "system")
    return Cpu(
        model=clean_model(_text(first, "model_name") or _text(processor, "version")),
        architecture=system.partition("-")[0],
        sockets=max(1, len(sockets)),
        cores=min(cores, threads) or cores,
        threads=max(threads, cores),
        features=tuple(f for f in FEATURES if isinstance(flags, list) and f in flags),
    )


def _memory(report: dict[str, Any]) -> int:
    """Return the physical memory; the kernel keeps some of it to itself."""
    total = 0
    for entry in _tables(report, "hardware", "memory"):
        for resource in _tables(entry, "resources"):
            size = resource.get("range")
            if resource.get("type") == "phys_mem" and isinstance(size, int) and size > 0:
                total += size
    return total if total < _MOST else 0


def _gpus(report: dict[str, Any]) -> Iterator[Gpu]:
    for card in _tables(report, "hardware", "graphics_card"):
        vendor = VENDORS.get(f"0x{_text(_table(card, 'vendor'), 'hex')}")
        name = _product_name(_text(_table(card, "device"), "name") or _text(card, "model"))
        bus = _text(card, "sysfs_bus_id")
        if vendor == "nvidia":
            yield Gpu("nvidia", name or "NVIDIA GPU", bus=bus, exact=False)
        elif vendor:
            fault = "the report has neither its target nor its memory"
            yield Gpu(vendor, name or f"{vendor} GPU", bus=bus, exact=False, fault=fault)


def _product_name(text: str) -> str:
    """Return the card of `GP104GL [Quadro P4000]`, which names the chip first."""
    found = re.search(r"\[([^\]]+)\]", text)
    return found[1] if found else text


def _product(report: dict[str, Any]) -> Product:
    system = _table(_table(report, "smbios"), "system")
    chassis = next(_tables(report, "smbios", "chassis"), {})
    kind = _table(chassis, "chassis_type").get("value")
    word = CHASSIS.get(kind, "") if isinstance(kind, int) else ""
    return Product(_text(system, "manufacturer"), _text(system, "product"), word)


def _table(node: dict[str, Any], key: str) -> dict[str, Any]:
    found = node.get(key)
    return found if isinstance(found, dict) else {}


def _tables(node: dict[str, Any], *path: str) -> Iterator[dict[str, Any]]:
    """Yield the tables of an array at a path; anything else is passed over."""
    *parents, last = path
    for key in parents:
        node = _table(node, key)
    found = node.get(last)
    entries = found if isinstance(found, list) else ()
    yield from (entry for entry in entries if isinstance(entry, dict))


def _text(node: dict[str, Any], key: str) -> str:
    found = node.get(key)
    return one_line(found) if isinstance(found, str) else ""


def _count(node: dict[str, Any], key: str) -> int:
    found = node.get(key)
    return found if isinstance(found, int) and 0 < found <= _MANY else 0
