"""NVIDIA's management library, where its Python package is installed (extra `nvidia`).

It answers in the form of `nvidia-smi --query-gpu … --format=csv`, so that one reader serves both
and a capture looks the same.
"""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NONE: Final = "[N/A]"


def cards(fields: Sequence[str]) -> str:
    """Return the GPUs as CSV with a head; nothing without the package, the library or a driver."""
    with _library() as nvml:
        if nvml is None:
            return ""
        try:
            rows = [_row(nvml, index, fields) for index in range(nvml.nvmlDeviceGetCount())]
        except nvml.NVMLError:
            return ""
    return "\n".join(", ".join(row) for row in (fields, *rows)) + "\n"


@contextmanager
def _library() -> Iterator[Any]:
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        yield None
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _row(nvml: Any, index: int, fields: Sequence[str]) -> list[str]:  # noqa: ANN401 -- a module
    device = nvml.nvmlDeviceGetHandleByIndex(index)
    ask: dict[str, Callable[[], object]] = {
        "index": lambda: index,
        "name": lambda: nvml.nvmlDeviceGetName(device),
        "uuid": lambda: nvml.nvmlDeviceGetUUID(device),
        "pci.bus_id": lambda: nvml.nvmlDeviceGetPciInfo(device).busId,
        "memory.total": lambda: _mib(nvml.nvmlDeviceGetMemoryInfo(device).total),
        "memory.used": lambda: _mib(nvml.nvmlDeviceGetMemoryInfo(device).used),
        "driver_version": nvml.nvmlSystemGetDriverVersion,
        "mig.mode.current": lambda: _mig(nvml.nvmlDeviceGetMigMode(device)[0]),
        "compute_cap": lambda: _dotted(nvml.nvmlDeviceGetCudaComputeCapability(device)),
    }
    return [_told(nvml, ask[field]) for field in fields]


def _told(nvml: Any, ask: Callable[[], object]) -> str:  # noqa: ANN401 -- a module
    """Return the answer as text. GB10 has no memory of its own to tell of, old cards no MIG."""
    try:
        answer = ask()
    except nvml.NVMLError:
        return NONE
    # Before version 12 of the package texts are bytes.
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


def _mib(size: int) -> str:
    return f"{size // MIB} MiB"


def _mig(mode: int) -> str:
    return "Enabled" if mode else "Disabled"


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
