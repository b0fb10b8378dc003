"""Rates of processors, devices and disks."""

import pytest

from generator.catalogue.catalogue import load_catalogue

RATES = load_catalogue().rates


@pytest.mark.parametrize(
    ("name", "bandwidth"),
    [
        ("Intel Xeon E5-2670 v3", 68.3),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", 76.8),
        ("Intel(R) Xeon(R) Gold 6132 CPU @ 2.60GHz", 128.0),
        ("Intel Xeon Gold 6248R", 140.8),
        ("Intel Xeon Platinum 8380", 204.8),
        ("Intel Xeon Platinum 8480+", 307.2),
        ("AMD EPYC 7543P 32-Core Processor", 204.8),
        ("AMD EPYC 7702 64-Core Processor", 204.8),
        ("AMD EPYC 9654 96-Core Processor", 460.8),
        ("AMD EPYC 9755", 576.0),
        ("AMD Ryzen 9 5950X", 51.2),
        ("AMD Ryzen 7 3700X", 51.2),
        ("AMD Ryzen 9 7950X", 83.2),
        ("AMD Ryzen 7 9800X3D", 89.6),
        ("AMD Ryzen 7 8840U w/ Radeon 780M Graphics", 102.4),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 256.0),
        ("AMD Ryzen AI 7 350 w/ Radeon 860M", 120.0),
        ("AMD Ryzen Threadripper PRO 5945WX 12-Cores", 204.8),
        ("AMD Ryzen Threadripper 3970X", 102.4),
        ("13th Gen Intel(R) Core(TM) i9-13900K", 89.6),
        ("12th Gen Intel Core i7-1270P", 76.8),
        ("Intel(R) Core(TM) i5-9500 CPU @ 3.00GHz", 42.7),
        ("Intel(R) Core(TM) i9-10900X CPU @ 3.70GHz", 93.9),
        ("Intel Core i7-8550U", 42.7),
        ("Intel Core Ultra 7 265K", 102.4),
        ("Intel(R) Core(TM) Ultra 7 258V", 136.5),
        ("Intel(R) N100", 38.4),
        ("2x DDR4-3200", 51.2),
        ("12 × DDR5-4800", 460.8),
        ("8 x LPDDR5X-8000", 512.0),
        ("NVIDIA GB10 (10 Cortex-X925, 10 Cortex-A725)", 273.0),
        ("Cortex-A76", 17.1),
        ("Raspberry Pi 5 Model B Rev 1.0", 17.1),
        ("Neoverse-N1", 204.8),
    ],
)
def test_processors_are_known_by_what_the_kernel_calls_them(name: str, bandwidth: float) -> None:
    family = RATES.processor(name)
    assert family is not None
    assert family.bandwidth == bandwidth
    assert 0 < (family.least or family.bandwidth) <= family.bandwidth


@pytest.mark.parametrize("name", ["", "QEMU Virtual CPU version 2.5+", "Cortex-A78AE", "VIA Nano"])
def test_of_others_nothing_is_known(name: str) -> None:
    assert RATES.processor(name) is None


def test_a_card_without_tensor_cores_or_with_hbm_has_constants_of_its_own() -> None:
    plain, pascal, hbm = (RATES.efficiency("cuda", "nvidia", c) for c in ("8.6", "6.1", "9.0"))
    assert plain is not None
    assert not plain.capabilities
    assert pascal is not None
    assert "6.1" in pascal.capabilities
    assert hbm is not None
    assert hbm.bandwidth < plain.bandwidth


@pytest.mark.parametrize(
    ("backend", "vendor", "known"),
    [("vulkan", "amd", True), ("vulkan", "intel", True), ("rocm", "amd", True),
     ("vulkan", "apple", False), ("sycl", "intel", False), ("", "nvidia", False)],
)  # fmt: skip
def test_what_was_not_measured_has_no_efficiency(backend: str, vendor: str, known: bool) -> None:
    assert (RATES.efficiency(backend, vendor) is not None) == known


def test_storage_is_slower_the_farther_it_is() -> None:
    kinds = ["hdd", "ssd", "nvme", "memory"]
    found = [RATES.storage(kind) for kind in kinds]
    rates = [storage.usual for storage in found if storage is not None]
    assert len(rates) == len(kinds)
    assert rates == sorted(rates)
    assert RATES.storage("tape") is None
