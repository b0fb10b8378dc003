"""AMD GPUs, from the kernel's compute driver (KFD) and graphics driver; no tool is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detected import Gpu
from generator.detect.root import one_line, pairs, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.pci import Device
    from generator.detect.root import Root

_NODES: Final = "/sys/class/kfd/kfd/topology/nodes"
_AMD: Final = "4098"
_VRAM: Final = ("1", "2")  # heap types of memory on the card: visible to the CPU, and not
_HUNDRED, _TEN_THOUSAND = 100, 10_000


def read_amd(root: Root, devices: tuple[Device, ...], cpu_model: str) -> tuple[Gpu, ...]:
    """Return the GPUs that the compute driver serves, and those that it does not."""
    gpus = [
        gpu for node in root.names(_NODES) if (gpu := _gpu(root, f"{_NODES}/{node}", cpu_model))
    ]
    served = {gpu.bus for gpu in gpus}
    unserved = [d for d in devices if d.vendor == "amd" and d.bus not in served]
    return (*sorted(gpus, key=lambda gpu: gpu.bus), *_without_kfd(root, unserved))


def _without_kfd(root: Root, devices: list[Device]) -> Iterator[Gpu]:
    for device in devices:
        name = f"AMD GPU {device.device.removeprefix('0x')}".strip()
        fault = "the kernel's compute driver (amdgpu with KFD) does not serve it"
        root.warn(device.bus, f"{name}: {fault}")
        yield Gpu(vendor="amd", name=name, bus=device.bus, exact=False, fault=fault)


def _gpu(root: Root, node: str, cpu_model: str) -> Gpu | None:
    properties = pairs(root.text(f"{node}/properties"), " ")
    if "gfx_target_version" not in properties:
        root.warn(f"{node}/properties", "names no target")
    target = _target(properties.get("gfx_target_version", ""))
    if properties.get("vendor_id") != _AMD or not target:
        return None
    known = load_catalogue().radeons.get(target)
    if known is None:
        root.warn(node, f"`{target}` is not a GPU that this program knows")
    unified = bool(known and known.integrated)
    drm = f"/sys/class/drm/renderD{properties.get('drm_render_minor', '')}/device"
    vram, gtt = (root.number(f"{drm}/mem_info_{kind}_total") or 0 for kind in ("vram", "gtt"))
    return Gpu(
        vendor="amd",
        name=_name(root, drm, target, cpu_model if unified else ""),
        bus=_bus(properties),
        # An integrated GPU has its carve-out and what the kernel lets it use of the rest.
        memory=vram + gtt if unified else vram or _banks(root, node),
        used=None if unified else root.number(f"{drm}/mem_info_vram_used"),
        uuid=_uuid(properties.get("unique_id", "")),
        target=target,
        unified=unified,
    )


def _target(text: str) -> str:
    """Return `gfx1151` for 110501 and `gfx90a` for 90010; empty for a CPU, which has 0."""
    number = int(text) if whole(text) else 0
    if number == 0 or len(text) > len("999999"):
        return ""
    minor, step = number // _HUNDRED % _HUNDRED, number % _HUNDRED
    return f"gfx{number // _TEN_THOUSAND}{minor:x}{step:x}"


def _name(root: Root, drm: str, target: str, cpu_model: str) -> str:
    """Return the product name. Few cards report theirs; integrated ones are in the processor's."""
    product = one_line(root.text(f"{drm}/product_name"), 80)
    beside = re.search(r"w/ (Radeon [\w ]+)", cpu_model)
    return product or (f"AMD {beside[1].strip()}" if beside else f"AMD Radeon {target}")


def _bus(properties: dict[str, str]) -> str:
    """Return the bus address: KFD packs bus, device and function into one number."""
    text, domain = properties.get("location_id", ""), properties.get("domain", "0")
    if not whole(text) or not whole(domain):
        return ""
    place = int(text)
    return f"{int(domain):04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"


def _banks(root: Root, node: str) -> int:
    total = 0
    for bank in root.names(f"{node}/mem_banks"):
        properties = pairs(root.text(f"{node}/mem_banks/{bank}/properties"), " ")
        size = properties.get("size_in_bytes", "")
        if properties.get("heap_type") in _VRAM and whole(size):
            total += int(size)
    return total


def _uuid(text: str) -> str:
    """Return the UUID as ROCm writes it; cards before Vega have none."""
    digits = text if text.isascii() and text.isdigit() and len(text) <= len(str(2**64)) else "0"
    return f"GPU-{int(digits):016x}" if 0 < int(digits) < 2**64 else ""
