"""AMD GPUs with and without their drivers."""

from __future__ import annotations

from generator.catalogue.catalogue import load_catalogue
from generator.detect.situation import situation_of
from tests.detect.machines import files_of, with_files


def test_an_amd_gpu_that_rocm_does_not_serve_computes_by_vulkan() -> None:
    node = "sys/class/kfd/kfd/topology/nodes/1/properties"
    text = files_of("radeon")[node].replace("110000", "100301")
    at = situation_of(with_files("radeon", {node: text}), load_catalogue())
    assert (at.acceleration, [gpu.target for gpu in at.gpus]) == ("vulkan", ["gfx1031"])
    older = situation_of(with_files("radeon", {node: text}), load_catalogue(), "0.12.3")
    assert older.acceleration == "cpu"


def test_an_amd_gpu_without_the_graphics_driver_tells_its_memory_by_its_banks() -> None:
    found = with_files("radeon", {}, without="renderD128")
    assert found.gpus[0].memory == 25753026560


def test_an_amd_gpu_with_the_graphics_driver_alone_computes_by_vulkan() -> None:
    device = "sys/bus/pci/devices/0000:03:00.0"
    memory = {
        f"{device}/mem_info_vram_total": str(24560 * 2**20),
        f"{device}/mem_info_vram_used": str(500 * 2**20),
    }
    found = with_files("radeon", memory, without="kfd")
    at = situation_of(found, load_catalogue())
    assert at.acceleration == "vulkan"
    assert [(g.name, g.memory // 2**20, g.held // 2**20) for g in at.gpus] == [
        ("AMD Radeon RX 7900 XTX", 24560, 500)
    ]


def test_an_amd_gpu_without_the_compute_driver_is_told() -> None:
    found = with_files("radeon", {}, without="kfd")
    assert [bool(gpu.fault) for gpu in found.gpus] == [True, True]
