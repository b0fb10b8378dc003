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
        "gpus": [{"name": "Quadro P4000", "memory": "8GiB", "compute_capability": "6.1"}],
    }
    assert (found.product.name, found.product.chassis) == ("Precision 7820", "desktop")


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
