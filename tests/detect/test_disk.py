"""The disk under the models."""

from __future__ import annotations

from tests.detect.machines import RECONSTRUCTED, machine


def test_a_partition_has_the_disk_of_its_whole() -> None:
    kinds = {name: machine(name).disk.kind for name in RECONSTRUCTED}
    assert kinds == {
        "dgx-spark": "nvme",
        "dual-pascal": "ssd",
        "hybrid-laptop": "",
        "mig-guest": "",
        "radeon": "nvme",
        "small-container": "",
        "strix-halo": "nvme",
        "two-sockets": "hdd",
        "xeon-cpu": "nvme",
    }
