"""Reports of nixos-facter: what they tell, and that nothing else is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.detect.facter import _facts, read_facter
from generator.detect.profile import host_of
from generator.detect.situation import situation_of
from generator.errors import EnvironmentFailure, HostwrightError

SOCKET = {
    "architecture": "x86_64",
    "vendor_name": "GenuineIntel",
    "features": ["fpu", "sse4_2", "avx", "avx2", "fma"],
    "physical_id": 0,
    "siblings": 16,
    "cores": 8,
}
REPORT: dict[str, Any] = {
    "version": 1,
    "system": "x86_64-linux",
    "virtualisation": "none",
    "hardware": {
        "cpu": [SOCKET, SOCKET | {"physical_id": 1}],
        "memory": [
            {
                "model": "Main Memory",
                "resources": [
                    {"type": "mem", "range": 1, "base": 0},
                    {"type": "phys_mem", "range": 68719476736},
                ],
            }
        ],
        "graphics_card": [
            {
                "vendor": {"hex": "10de", "name": "nVidia Corporation"},
                "device": {"hex": "1bb1", "name": "GP104GL [Quadro P4000]"},
                "driver": "nouveau",
                "sysfs_bus_id": "0000:03:00.0",
            },
            {"vendor": {"hex": "1a03", "name": "ASPEED"}, "model": "ASPEED VGA"},
        ],
    },
    "smbios": {
        "system": {"manufacturer": "Dell Inc.", "product": "Precision 7820"},
        "chassis": [{"chassis_type": {"hex": "0003", "name": "Desktop", "value": 3}}],
        "processor": [{"version": "Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz"}],
    },
}


def test_a_report_gives_the_host(tmp_path: Path) -> None:
    path = tmp_path / "facter.json"
    path.write_text(json.dumps(REPORT))
    found = read_facter(path)
    assert host_of(situation_of(found, load_catalogue())) == {
        "system": "x86_64-linux",
        "memory": "64GiB",
        "cpu": {
            "model": "Intel Xeon Silver 4110",
            "sockets": 2,
            "cores": 16,
            "threads": 32,
            "features": ["sse4_2", "avx", "avx2", "fma"],
        },
        # The report tells no memory of a GPU; the card is known by its name.
        "gpus": [{"name": "NVIDIA Quadro P4000", "memory": "8GiB", "compute_capability": "6.1"}],
    }
    assert (found.product.name, found.product.chassis) == ("Precision 7820", "desktop")


LAPTOP = {"vendor": {"hex": "10de"}, "device": {"hex": "2820"}, "model": "nVidia VGA controller"}
STRIX = {"vendor": {"hex": "1002"}, "device": {"hex": "150e"}, "revision": {"hex": "00c4"}}
RADEON = {"vendor": {"hex": "1002"}, "device": {"hex": "744c"}, "revision": {"hex": "00cc"}}
BAR = {"type": "mem", "range": 8 * 2**30}
ARC = {"vendor": {"hex": "8086"}, "device": {"hex": "56a0"}, "resources": [BAR]}


@pytest.mark.parametrize(
    ("card", "acceleration", "name", "memory"),
    [
        (LAPTOP, "cuda", "NVIDIA RTX 4070 Laptop GPU", "8GiB"),
        (STRIX, "rocm", "AMD Radeon 880M", "32GiB"),  # half of the machine's
        (RADEON, "rocm", "AMD Radeon RX 7900 XT", "20GiB"),
        (ARC, "vulkan", "Intel Arc A770", "8GiB"),
    ],
)
def test_a_card_is_known_by_its_id(
    card: dict[str, Any], acceleration: str, name: str, memory: str
) -> None:
    report = REPORT | {"hardware": REPORT["hardware"] | {"graphics_card": [card]}}
    at = situation_of(_facts(report), load_catalogue())
    assert at.acceleration == acceleration
    gpus = host_of(at)["gpus"]
    assert [(gpu["name"], gpu["memory"]) for gpu in gpus] == [(name, memory)]


# The cards of public reports: vendor, device and revision, and what they are.
PUBLIC = {
    "wg-lux/aglnet-config": (
        [("10de", "2820", "00a1"), ("8086", "a7a8", "0004")],
        ("cuda", ["NVIDIA RTX 4070 Laptop GPU"]),
    ),
    "Codys-Wright/nix-config, THEBATTLESHIP": (
        [("1002", "13c0", "00c9"), ("10de", "2704", "00a1")],
        ("cuda", ["NVIDIA RTX 4080"]),
    ),
    "Codys-Wright/nix-config, stowaway": (
        [("1002", "7360", "0041"), ("8086", "3e9b", "0002")],
        ("vulkan", ["AMD Radeon Pro 5600M"]),
    ),
    "Codys-Wright/nix-config, nomad": (
        [("1002", "67ef", "00e3"), ("8086", "3e9b", "")],
        ("vulkan", ["AMD Radeon RX 560"]),
    ),
    "puiyq/nixos-config": ([("1002", "1900", "00c9")], ("vulkan", ["AMD Radeon 780M"])),
    "mribrgr/hardware": ([("1af4", "1050", "0001")], ("cpu", [])),
}


@pytest.mark.parametrize(("cards", "expected"), PUBLIC.values(), ids=PUBLIC)
def test_cards_of_public_reports_are_known(
    cards: list[tuple[str, str, str]], expected: tuple[str, list[str]]
) -> None:
    keys = ("vendor", "device", "revision")
    listed = [{k: {"hex": v} for k, v in zip(keys, card, strict=True)} for card in cards]
    report = REPORT | {"hardware": REPORT["hardware"] | {"graphics_card": listed}}
    at = situation_of(_facts(report), load_catalogue())
    assert (at.acceleration, [gpu.name for gpu in at.gpus]) == expected


def test_a_card_of_unknown_id_is_told() -> None:
    card = {"vendor": {"hex": "1002"}, "device": {"hex": "ffff"}, "model": "ATI VGA controller"}
    report = REPORT | {"hardware": REPORT["hardware"] | {"graphics_card": [card]}}
    found = _facts(report)
    assert situation_of(found, load_catalogue()).acceleration == "cpu"
    assert "its id is not known here" in found.warnings[-1].message


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"hardware": 5}', "[" * 100_000])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "facter.json"
    path.write_text(content)
    with pytest.raises(HostwrightError, match="no report of nixos-facter"):
        read_facter(path)


def test_a_report_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot read"):
        read_facter(tmp_path / "facter.json")


NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cpu", "memory", "cores", "resources", "vendor", "hex", "value", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from([*REPORT["hardware"]]), NODES),
    st.dictionaries(st.sampled_from([*REPORT["smbios"]]), NODES),
)
def test_whatever_a_report_holds_is_no_error(
    hardware: dict[str, Any], smbios: dict[str, Any]
) -> None:
    report = REPORT | {"hardware": hardware, "smbios": smbios}
    found = _facts(report)
    assert host_of(situation_of(found, load_catalogue()))["system"] == "x86_64-linux"


def test_what_is_piped_is_called_stdin() -> None:
    with pytest.raises(HostwrightError, match="`stdin` is no report of nixos-facter"):
        read_facter(Path("-"), stdin=b"{}")


def test_ids_of_older_reports_are_numbers(tmp_path: Path) -> None:
    """`value` without `hex`, as in a public report of a workstation with an RTX 3090."""
    report = json.loads(json.dumps(REPORT))
    ids = {"vendor": {"value": 4318}, "device": {"value": 8708}, "revision": {"value": 161}}
    report["hardware"]["graphics_card"] = [ids | {"sysfs_bus_id": "0000:41:00.0"}]
    report["smbios"]["processor"] = [{"version": "NotSpecified"}]
    path = tmp_path / "facter.json"
    path.write_text(json.dumps(report))
    found = read_facter(path)
    assert [(gpu.name, gpu.memory) for gpu in found.gpus] == [("NVIDIA RTX 3090", 24 << 30)]
    assert found.cpu.model == ""
