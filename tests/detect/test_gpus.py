"""GPUs: NVIDIA with and without its tools, MIG, unified memory, AMD."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect import nvml, tools
from generator.detect.machine import read_machine
from generator.detect.situation import situation_of
from tests.detect.machines import Held, files_of, machine, warned, with_files


def test_gb10_has_the_memory_of_the_machine() -> None:
    (gpu,) = machine("dgx-spark").gpus
    assert (gpu.memory, gpu.used, gpu.unified) == (125409688 * 1024, None, True)
    assert machine("dgx-spark").nvidia.modules == "open"


def test_a_driver_without_a_gpu_is_told() -> None:
    changes = {".hostwright/tools/nvidia-smi.csv": "No devices were found\n"}
    found = with_files("dual-pascal", changes, without="bus/pci")
    assert found.gpus == ()
    assert warned(found)["/proc/driver/nvidia"] == (
        "driver 580.65.06 is loaded, but reports no GPU"
    )


def test_a_gpu_without_a_driver_is_told_and_not_used() -> None:
    found = with_files("dual-pascal", {}, without="nvidia")
    assert [gpu.fault for gpu in found.gpus] == ["there is no NVIDIA driver for it"] * 2
    assert "install one" in warned(found)["0000:03:00.0"]
    assert situation_of(found, load_catalogue()).acceleration == "cpu"


def test_a_card_that_the_driver_leaves_out_is_told() -> None:
    # Branch 590 serves no Pascal; beside a newer card nobody notices.
    table = files_of("dual-pascal")[".hostwright/tools/nvidia-smi.csv"].splitlines(keepends=True)
    newer = "".join(table[:2]).replace("580.65.06", "590.48.01")
    found = with_files("dual-pascal", {".hostwright/tools/nvidia-smi.csv": newer})
    assert [gpu.fault for gpu in found.gpus] == ["", "driver 590.48.01 does not serve it"]
    assert "NVIDIA GPU 1c03" in warned(found)["0000:04:00.0"]


def test_without_tools_the_files_of_the_driver_and_the_catalogue_tell() -> None:
    changes = {
        "proc/driver/nvidia/gpus/0000:03:00.0/information": "Model: \t\t Quadro P4000\n"
        "IRQ:   \t\t 34\nGPU UUID: \t GPU-5c0f7f0e-93a1-4a55-9d8e-0f1a2b3c4d5e\n",
    }
    found = with_files("dual-pascal", changes, without="nvidia-smi")
    at = situation_of(found, load_catalogue())
    assert [(g.name, g.memory, g.compute_capability) for g in at.gpus] == [
        ("Quadro P4000", 8 * 2**30, "6.1")
    ]


def test_a_table_of_an_old_driver_has_no_capability() -> None:
    table = files_of("dual-pascal")[".hostwright/tools/nvidia-smi.csv"]
    old = table.replace(", compute_cap", "").replace(", 6.1", "")
    found = with_files("dual-pascal", {".hostwright/tools/nvidia-smi.csv": old})
    assert [gpu.compute_capability for gpu in found.gpus] == ["", ""]
    at = situation_of(found, load_catalogue())
    assert [gpu.compute_capability for gpu in at.gpus] == ["6.1", "6.1"]


def test_mig_without_an_instance_is_told() -> None:
    listing = "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11112222-3333-4444-5555-666677778888)\n"
    found = with_files("mig-guest", {".hostwright/tools/nvidia-smi-L.txt": listing})
    assert found.gpus[0].fault == "it is in MIG mode and has no instance"


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


def test_an_amd_gpu_without_the_compute_driver_is_told() -> None:
    found = with_files("radeon", {}, without="kfd")
    assert [bool(gpu.fault) for gpu in found.gpus] == [True, True]


class _Nvml(types.ModuleType):
    """As much of NVIDIA's package as is asked, for one GB10 or one old card."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, unified: bool) -> None:
        super().__init__("pynvml")
        self.unified, self.open = unified, False

    def nvmlInit(self) -> None:  # noqa: N802
        self.open = True

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open = False

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, _: int) -> bytes:  # noqa: N802
        return b"NVIDIA GB10" if self.unified else b"Quadro P4000"

    def nvmlDeviceGetUUID(self, _: int) -> str:  # noqa: N802
        return "GPU-5c0f7f0e-93a1-4a55-9d8e-0f1a2b3c4d5e"

    def nvmlDeviceGetPciInfo(self, _: int) -> Any:  # noqa: N802
        return types.SimpleNamespace(busId="00000000:03:00.0")

    def nvmlDeviceGetMemoryInfo(self, _: int) -> Any:  # noqa: N802
        if self.unified:
            raise self.NVMLError
        return types.SimpleNamespace(total=8192 * 2**20, used=100 * 2**20)

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "580.65.06"

    def nvmlDeviceGetMigMode(self, _: int) -> tuple[int, int]:  # noqa: N802
        raise self.NVMLError

    def nvmlDeviceGetCudaComputeCapability(self, _: int) -> tuple[int, int]:  # noqa: N802
        return (12, 1) if self.unified else (6, 1)


@pytest.mark.parametrize("unified", [False, True])
def test_nvml_answers_as_nvidia_smi_does(monkeypatch: pytest.MonkeyPatch, unified: bool) -> None:
    module = _Nvml(unified=unified)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    table = nvml.cards(tools.CARDS)
    assert not module.open
    (gpu,) = read_machine(Held({".hostwright/tools/nvidia-smi.csv": table})).gpus
    name = "NVIDIA GB10" if unified else "Quadro P4000"
    assert (gpu.name, gpu.bus, gpu.used) == (name, "0000:03:00.0", None if unified else 100 * 2**20)
    assert gpu.compute_capability == ("12.1" if unified else "6.1")


def test_nvml_that_is_not_there_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.cards(tools.CARDS) == ""
