"""What the bus tells of GPUs: whose, which, and how much memory where no driver says so."""

from __future__ import annotations

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect.machine import read_machine
from generator.detect.pci import pci_id
from generator.detect.profile import host_of
from generator.detect.situation import situation_of
from generator.units import GIB, MIB
from tests.detect.machines import Held, files_of, warned, with_files

GPU = "sys/bus/pci/devices/0000:03:00.0"
NEWEST = "0.32.15"
FLAGS = "0x000000000014220c"


def region(size: int) -> str:
    start = 0x6000000000
    return f"0x{start:016x} 0x{start + size - 1:016x} {FLAGS}\n"


def card(
    vendor: str, device: str, *, window: int = 256 * MIB, revision: str = ""
) -> dict[str, str]:
    """A machine of `xeon-cpu` with one more card."""
    files = {
        f"{GPU}/class": "0x030000",
        f"{GPU}/vendor": f"0x{vendor}",
        f"{GPU}/device": f"0x{device}",
        f"{GPU}/resource": region(16 * MIB) + region(window),
    }
    return {**files_of("xeon-cpu"), **files, **({f"{GPU}/revision": revision} if revision else {})}


@pytest.mark.parametrize(
    ("device", "window", "name", "memory"),
    [
        ("e20b", 16 * GIB, "Intel Arc B580", 12 * GIB),  # a region is a power of two
        ("e20b", 256 * MIB, "Intel Arc B580", 12 * GIB),  # no resizable BAR
        ("56a0", 16 * GIB, "Intel Arc A770", 16 * GIB),
        ("56a0", 8 * GIB, "Intel Arc A770", 8 * GIB),
    ],
)
def test_a_card_of_intel_computes_by_vulkan(
    device: str, window: int, name: str, memory: int
) -> None:
    at = situation_of(
        read_machine(Held(card("8086", device, window=window))), load_catalogue(), NEWEST
    )
    assert at.acceleration == "vulkan"
    assert [(gpu.name, gpu.memory) for gpu in at.gpus] == [(name, memory)]
    assert host_of(at)["gpus"][0]["pci_id"] == f"8086:{device}"


def test_a_release_without_vulkan_leaves_it_to_the_processor() -> None:
    found = read_machine(Held(card("8086", "e20b")))
    assert situation_of(found, load_catalogue(), "0.12.3").acceleration == "cpu"


def test_a_card_of_unknown_id_is_told_and_left_out() -> None:
    found = read_machine(Held(card("8086", "ffff")))
    assert situation_of(found, load_catalogue(), NEWEST).acceleration == "cpu"
    assert "Intel GPU ffff: its id is not known here" in warned(found)["0000:03:00.0"]


def test_a_card_without_a_driver_is_named_by_its_id() -> None:
    found = read_machine(Held(card("10de", "2684", revision="0xa1")))
    assert [(gpu.name, gpu.pci) for gpu in found.gpus] == [("NVIDIA RTX 4090", "10de:2684:a1")]
    assert warned(found)["0000:03:00.0"].startswith("NVIDIA RTX 4090: there is no NVIDIA driver")


@pytest.mark.parametrize(
    ("parts", "number"),
    [
        (("0x10de", "0x2684", "0xa1"), "10de:2684:a1"),
        (("1002", "744C", "00c8"), "1002:744c:c8"),
        (("0x8086", "0x56a0", ""), "8086:56a0"),
        (("0x8086", "", "08"), ""),
        (("", "garbage", "x"), ""),
    ],
)
def test_an_id_is_put_together(parts: tuple[str, str, str], number: str) -> None:
    assert pci_id(*parts) == number


TABLE = ".hostwright/tools/nvidia-smi.csv"
APPS = ".hostwright/tools/nvidia-smi-apps.csv"
GTX1060 = "GPU-a1b2c3d4-1111-2222-3333-444455556666"


def held(used: int, apps: str = "") -> tuple[list[int], dict[str, str]]:
    text = files_of("dual-pascal")[TABLE].replace("5599 MiB", f"{used} MiB")
    assert f"{used} MiB" in text
    found = with_files("dual-pascal", {TABLE: text, APPS: apps})
    return [gpu.held // MIB for gpu in found.gpus], warned(found)


def test_what_others_hold_of_a_card_is_not_free() -> None:
    found, _ = held(1410)
    assert 1410 in found


def test_what_a_model_server_holds_is_not_reserved() -> None:
    found, _ = held(2410, f"{GTX1060}, llama-server, 1900 MiB\n{GTX1060}, ollama, 100 MiB\n")
    assert 410 in found


def test_a_full_card_holds_a_model_and_is_told() -> None:
    found, told = held(5800)
    assert 5800 not in found
    assert "5800 of 6144 MiB are in use; none is counted as taken" in told["nvidia-smi.csv"]


def grace(hbm: int, name: str = "NVIDIA GH200 480GB") -> dict[str, str]:
    node = "sys/devices/system/node"
    head = "index, name, uuid, pci.bus_id, memory.total [MiB], memory.used [MiB], driver_version"
    return {
        "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n",
        "proc/meminfo": f"MemTotal: {478 * 1024**2 + hbm} kB\nMemAvailable: {500 * 1024**2} kB\n",
        f"{node}/node0/cpulist": "0",
        f"{node}/node0/meminfo": f"Node 0 MemTotal: {478 * 1024**2} kB",
        f"{node}/node1/cpulist": "",
        f"{node}/node1/meminfo": f"Node 1 MemTotal: {hbm} kB",
        TABLE: f"{head}\n0, {name}, GPU-1, 00000009:01:00.0, 97871 MiB, 4 MiB, 570.86.15\n",
    }


def test_memory_of_a_coherent_gpu_is_counted_once() -> None:
    found = read_machine(Held(grace(99_196_160)))
    assert found.memory.total == found.usable.memory == 478 * GIB
    assert found.gpus[0].memory == 97871 * MIB
    assert "is the memory of the GPU" in warned(found)["/sys/devices/system/node/node1"]


def test_memory_of_another_kind_stays_the_machines() -> None:
    """A node without CPUs may be memory behind CXL."""
    found = read_machine(Held(grace(256 * 1024**2)))
    assert found.memory.total == (478 + 256) * GIB


def test_an_integrated_gpu_beside_a_card_is_left_alone() -> None:
    beside = {
        "sys/bus/pci/devices/0000:00:02.0/class": "0x030000",
        "sys/bus/pci/devices/0000:00:02.0/vendor": "0x8086",
        "sys/bus/pci/devices/0000:00:02.0/device": "0x7d55",
    }
    at = situation_of(
        read_machine(Held({**card("8086", "e20b"), **beside})), load_catalogue(), NEWEST
    )
    assert [gpu.name for gpu in at.gpus] == ["Intel Arc B580"]
    alone = situation_of(
        read_machine(Held({**files_of("xeon-cpu"), **beside})), load_catalogue(), NEWEST
    )
    assert [gpu.name for gpu in alone.gpus] == ["Intel Arc Graphics (Meteor Lake)"]
    assert alone.gpus[0].memory == alone.memory // 2
    assert alone.gpus[0].unified
    assert (at.admitted, alone.admitted) == (True, False)


def test_graphics_that_are_no_faster_than_the_processor_are_left_out() -> None:
    at = situation_of(read_machine(Held(card("8086", "4680"))), load_catalogue(), NEWEST)
    assert at.acceleration == "cpu"
