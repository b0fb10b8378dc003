"""GPUs of a host: their driver, and lists that name some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from generator.catalogue.hardware import GpuGeneration
    from generator.view import View


VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


def indices(value: str) -> list[int]:
    """Return the GPUs that a list names by number; empty where it names one in another way."""
    parts = [part.strip() for part in value.split(",")]
    plain = all(part.isascii() and part.isdigit() for part in parts)
    return [int(part) for part in parts] if plain else []


def names_of(found: list[GpuGeneration]) -> str:
    """Return the names of generations for prose, each once: `Pascal and Volta`."""
    return " and ".join(dict.fromkeys(generation.name for generation in found))


def driver_major(view: View) -> int | None:
    """Return the branch of the host's driver, None where it is not told."""
    major = view.host.driver.partition(".")[0]
    return int(major) if major.isdigit() else None
