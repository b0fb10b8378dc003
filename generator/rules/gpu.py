"""HW302 and HW305: drivers, and what decides on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.gpus import HOST_DRIVER, driver_major, generations
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW302",
    severity="warning",
    title="a driver too new for the card",
    why="NVIDIA drops old generations from its drivers. 580 is the last branch that knows Maxwell, "
    "Pascal and Volta; a newer one ignores the card without an error.",
    bad="driver 595 with a Quadro P4000",
    good="the 580 branch",
    source="nixos-hardware#1843, nixos-hardware#1880",
)
def driver_too_new(view: View, facts: Facts) -> Iterator[Hit]:
    """NVIDIA drops old generations from its drivers."""
    major = driver_major(view)
    for generation in dict.fromkeys(generations(view, facts)):
        last = generation.last_driver
        if major is not None and last is not None and major > last:
            yield Hit(
                message=f"driver {view.host.driver} does not know {generation.name} any more",
                place=view.at(HOST_DRIVER),
                fix=f"install the {last} branch",
                link=generation.source,
            )


UNKNOWN_CAPABILITY: Final = Rule(
    id="HW305",
    severity="warning",
    title="a GPU of unknown compute capability",
    why="Which driver branch, CUDA library and build serve a card follows from its compute "
    "capability. Where neither the profile nor the catalogue has it, nothing is chosen.",
    bad='gpus = [{ name = "Tesla X", memory = "8GiB" }]',
    good='gpus = [{ name = "Tesla X", memory = "8GiB", compute_capability = "6.1" }]',
    source="CUDA C Programming Guide, compute capabilities; "
    "llama/server/CMakePresets.json@v0.32.15:71",
)
