"""NVIDIA GPUs with and without their tools, MIG, and unified memory."""

from __future__ import annotations

from generator.catalogue.catalogue import load_catalogue
from generator.detect.situation import situation_of
from tests.detect.machines import files_of, machine, warned, with_files


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
    assert "NVIDIA GTX 1060 6GB" in warned(found)["0000:04:00.0"]


def test_a_card_that_the_table_has_twice_is_one() -> None:
    """By its UUID, though the second row says another place, or the other way round."""
    table = files_of("dual-pascal")[".hostwright/tools/nvidia-smi.csv"]
    first = table.splitlines(keepends=True)[1]
    for row in (first, first.replace("03:00.0", "07:00.0"), first.replace("GPU-5c", "GPU-6c")):
        found = with_files("dual-pascal", {".hostwright/tools/nvidia-smi.csv": table + row})
        assert [gpu.name for gpu in found.gpus] == ["Quadro P4000", "NVIDIA GeForce GTX 1060 6GB"]
        assert "Quadro P4000 is there twice" in [doubt.message for doubt in found.warnings]


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
