"""NVIDIA's management library, where its Python package is installed (extra `nvidia`).

It answers in the form of `nvidia-smi --query-gpu … --format=csv`, so that one reader serves both
and a capture looks the same.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NONE: Final = "[N/A]"


def cards(fields: Sequence[str]) -> str:
    """Return the GPUs as CSV with a head; nothing without the package, the library or a driver."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return ""
    try:
        nvml.nvmlInit()
        try:
            rows = [_row(nvml, index, fields) for index in range(nvml.nvmlDeviceGetCount())]
        finally:
            nvml.nvmlShutdown()
    except nvml.NVMLError:
        return ""
    return "\n".join(", ".join(row) for row in (fields, *rows)) + "\n"


def _row(nvml: Any, index: int, fields: Sequence[str]) -> list[str]:  # noqa: ANN401 -- a module
    device = nvml.nvmlDeviceGetHandleByIndex(index)
    ask: dict[str, Callable[[], object]] = {
        "index": lambda: index,
        "name": lambda: nvml.nvmlDeviceGetName(device),
        "uuid": lambda: nvml.nvmlDeviceGetUUID(device),
        "pci.bus_id": lambda: nvml.nvmlDeviceGetPciInfo(device).busId,
        "memory.total": lambda: f"{nvml.nvmlDeviceGetMemoryInfo(device).total // MIB} MiB",
        "memory.used": lambda: f"{nvml.nvmlDeviceGetMemoryInfo(device).used // MIB} MiB",
        "driver_version": nvml.nvmlSystemGetDriverVersion,
        "mig.mode.current": lambda: (
            "Enabled" if nvml.nvmlDeviceGetMigMode(device)[0] else "Disabled"
        ),
        "compute_cap": lambda: ".".join(map(str, nvml.nvmlDeviceGetCudaComputeCapability(device))),
    }
    return [_answer(nvml, ask[field]) for field in fields]


def _answer(nvml: Any, ask: Callable[[], object]) -> str:  # noqa: ANN401 -- a module
    """Return the answer as text. GB10 has no memory of its own to report, old cards no MIG."""
    try:
        answer = ask()
    except nvml.NVMLError:
        return NONE
    # Before version 12 of the package texts are bytes.
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
