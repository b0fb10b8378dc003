"""NVIDIA's library answers as nvidia-smi does."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from generator.detect import live
from generator.detect.machine import read_machine
from tests.detect.machines import Held


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
    table = live.nvml_cards()
    assert not module.open
    (gpu,) = read_machine(Held({".hostwright/tools/nvidia-smi.csv": table})).gpus
    name = "NVIDIA GB10" if unified else "Quadro P4000"
    assert (gpu.name, gpu.bus, gpu.used) == (name, "0000:03:00.0", None if unified else 100 * 2**20)
    assert gpu.compute_capability == ("12.1" if unified else "6.1")


def test_nvml_that_is_not_there_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert live.nvml_cards() == ""
