"""GPUs of a host: their driver, and lists that name some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import whole

if TYPE_CHECKING:
    from generator.catalogue.hardware import GpuGeneration
    from generator.view import View


VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


def indices(value: str) -> list[int]:
    """Return the GPUs that a list names by number; empty where it names one in another way."""
    parts = value.split(",")
    numbers = [number for part in parts if (number := whole(part.strip())) is not None]
    return numbers if len(numbers) == len(parts) else []


def names_of(found: list[GpuGeneration]) -> str:
    """Return the names of generations for prose, each once: `Pascal and Volta`."""
    return " and ".join(dict.fromkeys(generation.name for generation in found))


def driver_major(view: View) -> int | None:
    """Return the branch of the host's driver, None where it is not told."""
    return whole(view.host.driver.partition(".")[0])
