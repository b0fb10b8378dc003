"""AMD GPUs, from the kernel's compute driver (KFD) and graphics driver; no tool is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detected import Gpu
from generator.detect.pci import MAKERS, card_of, held, known, unserved
from generator.detect.root import first_match, one_line, pairs
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.detect.pci import Device
    from generator.detect.root import Root

_NODES: Final = "/sys/class/kfd/kfd/topology/nodes"
_AMD: Final = "4098"
_VRAM: Final = ("1", "2")  # heap types of memory on the card: visible to the CPU, and not
_MOST: Final = 1_000_000


def read_amd(root: Root, there: list[Device], cpu_model: str) -> tuple[Gpu, ...]:
    """Return the GPUs that the compute driver serves, and those of `there` that it does not."""
    ids = {device.bus: device.id for device in there}
    nodes = (_gpu(root, f"{_NODES}/{node}", cpu_model, ids) for node in root.names(_NODES))
    gpus = sorted(filter(None, nodes), key=lambda gpu: gpu.bus)
    fault = "the kernel's compute driver (amdgpu with KFD) does not serve it"
    places = {gpu.bus for gpu in gpus}
    others = [_shown(root, device) for device in there if device.bus not in places]
    served = (*gpus, *(gpu for gpu in others if gpu))
    return (*served, *unserved(root, there, served, fault))


def _shown(root: Root, device: Device) -> Gpu | None:
    """Return a GPU that the graphics driver alone serves, as old and virtual ones: for Vulkan."""
    gpu, folder = known(device), f"/sys/bus/pci/devices/{device.bus}"
    vram, gtt = (root.number(f"{folder}/mem_info_{kind}_total") or 0 for kind in ("vram", "gtt"))
    card = card_of(device.id, vram)
    if not vram or card is None or not card.target:
        return None
    gpu = replace(gpu, name=f"{MAKERS['amd']} {card.name}")
    memory = vram + gtt if gpu.unified else vram
    used = None if gpu.unified else root.number(f"{folder}/mem_info_vram_used")
    taken = held(root, f"{folder}/mem_info_vram_used", gpu.name, used, memory)
    return replace(gpu, memory=memory, used=used, held=taken, exact=True, kernel=False)


def _gpu(root: Root, node: str, cpu_model: str, ids: Mapping[str, str]) -> Gpu | None:
    properties = pairs(root.text(f"{node}/properties"), " ")
    if "gfx_target_version" not in properties:
        root.warn(f"{node}/properties", "names no target")
    target = _target(properties.get("gfx_target_version", ""))
    if properties.get("vendor_id") != _AMD or not target:
        return None
    radeon, bus = load_catalogue().radeons.get(target), _bus(properties)
    pci = ids.get(bus, "")
    drm = f"/sys/class/drm/renderD{properties.get('drm_render_minor', '')}/device"
    vram, gtt = (root.number(f"{drm}/mem_info_{kind}_total") or 0 for kind in ("vram", "gtt"))
    card = card_of(pci, vram)
    if radeon is None and card is None:
        root.warn(node, f"`{target}` is not a GPU that this program knows")
    unified = bool(radeon and radeon.integrated) or bool(card and card.unified)
    name = _name(root, drm, target, cpu_model if unified else "", card.name if card else "")
    used = None if unified else root.number(f"{drm}/mem_info_vram_used")
    unique = whole(properties.get("unique_id", ""))
    return Gpu(
        vendor="amd",
        name=name,
        bus=bus,
        pci=pci,
        # An integrated GPU has its carve-out and what the kernel lets it use of the rest.
        memory=vram + gtt if unified else vram or _banks(root, node),
        used=used,
        held=held(root, f"{drm}/mem_info_vram_used", name, used, vram),
        # As ROCm writes it; cards before Vega have none.
        uuid=f"GPU-{unique:016x}" if unique else "",
        target=target,
        unified=unified,
    )


def _target(text: str) -> str:
    """Return `gfx1151` for 110501 and `gfx90a` for 90010; empty for a CPU, which has 0."""
    number = whole(text) or 0
    if not 0 < number < _MOST:
        return ""
    return f"gfx{number // 10_000}{number // 100 % 100:x}{number % 100:x}"


def _name(root: Root, drm: str, target: str, cpu_model: str, card: str) -> str:
    """Return the product name. Few cards report theirs; integrated ones are in the processor's, and
    the id names most.
    """
    product = one_line(root.text(f"{drm}/product_name"), 80)
    beside = first_match(r"w/ (Radeon [\w ]+)", cpu_model).strip()
    return product or f"{MAKERS['amd']} {beside or card or f'Radeon {target}'}"


def _bus(properties: dict[str, str]) -> str:
    """Return the bus address: KFD packs bus, device and function into one number."""
    place, domain = whole(properties.get("location_id", "")), whole(properties.get("domain", "0"))
    if place is None or domain is None:
        return ""
    return f"{domain:04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"


def _banks(root: Root, node: str) -> int:
    paths = (f"{node}/mem_banks/{bank}/properties" for bank in root.names(f"{node}/mem_banks"))
    banks = (pairs(root.text(path), " ") for path in paths)
    return sum(whole(b.get("size_in_bytes", "")) or 0 for b in banks if b.get("heap_type") in _VRAM)
