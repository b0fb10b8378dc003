"""HW312, HW313 and HW314: GPUs of containers, and what is said of them twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.gpus import VISIBLE, indices
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Container, Variable, View


RUNTIME: Final = "NVIDIA_VISIBLE_DEVICES"
CDI: Final = "nvidia.com/gpu="
NONE: Final = {"", "none", "void"}
WORDS: Final = {
    "reservation": "a device reservation",
    "cdi": "CDI",
    "runtime": "the nvidia runtime",
    "devices": "device nodes",
}


def reserved(box: Container) -> list[str]:
    """Return the GPUs that get into the container, by id; empty: all, or not told."""
    ids = [gpu.removeprefix(CDI) for gpu in box.gpus]
    return [] if "all" in ids else ids


def _inside(view: View) -> tuple[Variable, list[str]] | None:
    """Return the variable that picks GPUs in a container, and those that are in it."""
    variable, box = view.variable(VISIBLE), view.container
    if variable is None or box is None:
        return None
    runtime = view.variable(RUNTIME)
    ids = reserved(box)
    if not ids and runtime is not None and box.gpu_access in {"", "runtime"}:
        ids = [part.strip() for part in runtime.value.split(",")]
        ids = [] if "all" in ids or runtime.value.strip() in NONE else ids
    return variable, ids


@Rule(
    id="HW312",
    severity="error",
    title="GPU numbers of the host inside a container",
    why="CUDA_VISIBLE_DEVICES counts a container's own GPUs, from 0 again; the driver ignores it "
    "from the first number on that is not there: no GPU is left, and the CPU computes.",
    bad='devices: [{driver: nvidia, device_ids: ["1"], capabilities: [gpu]}]\n'
    "environment: {CUDA_VISIBLE_DEVICES: 1}",
    good='devices: [{driver: nvidia, device_ids: ["1"], capabilities: [gpu]}]',
    source="CUDA C Programming Guide: CUDA environment variables; docs.docker.com: GPU access",
)
def numbers_of_the_host(view: View, _: Facts) -> Iterator[Hit]:
    found = _inside(view)
    if found is None:
        return
    variable, ids = found
    numbers, count = indices(variable.value), len(ids) or len(view.host.gpus)
    if not numbers or not count:
        return
    beyond = [number for number in numbers if number >= count]
    others = [n for n in numbers if n < len(ids) and str(n) in ids and ids[n] != str(n)]
    last = f"0 to {count - 1}" if count > 1 else "0"
    if beyond:
        nothing = numbers[0] == beyond[0]
        effect = "no GPU is left" if nothing else f"what follows GPU {numbers[0]} may be lost"
        yield Hit(
            message=f"there is no GPU {beyond[0]} in this container, which counts {last}: {effect}",
            place=variable.place,
            severity=None if nothing else "warning",
            fix=f"leave {VISIBLE} out: what the container is given decides",
        )
    elif others:
        yield Hit(
            message=f"`{others[0]}` is GPU {ids[others[0]]} of the host here: a container counts "
            f"the GPUs that it is given from 0 on",
            place=variable.place,
            severity="warning",
            fix=f"leave {VISIBLE} out, and give the container what it shall use",
        )


@Rule(
    id="HW313",
    severity="info",
    title="GPUs of a container said twice",
    why="A reservation decides which GPUs get into the container; Docker sets "
    "NVIDIA_VISIBLE_DEVICES itself from it. CUDA_VISIBLE_DEVICES can only narrow that down, and "
    "says nothing where it names all of them, or takes the last one where it names another.",
    bad='device_ids: ["0", "1"]\nenvironment: {CUDA_VISIBLE_DEVICES: "0,1"}',
    good='device_ids: ["0", "1"]',
    source="moby daemon/nvidia_linux.go; docs.docker.com: GPU access",
)
def said_twice(view: View, _: Facts) -> Iterator[Hit]:
    yield from _runtime_beside_reservation(view)
    found = _inside(view)
    if found is None or not found[1]:
        return
    variable, ids = found
    named = [part.strip() for part in variable.value.split(",")]
    whole = sorted(indices(variable.value)) == list(range(len(ids))) and _in_order(ids)
    uuids = all(name.startswith("GPU-") for name in (*named, *ids))
    if whole or (uuids and set(named) == set(ids)):
        yield Hit(
            message=f"{VISIBLE} names every GPU that the container is given, which is so anyway",
            place=variable.place,
            fix=f"leave {VISIBLE} out",
        )
    elif uuids and not set(named) <= set(ids):
        strange = next(name for name in named if name not in ids)
        yield Hit(
            message=f"`{strange}` is not among the GPUs that the container is given: CUDA ignores "
            f"it and what follows it",
            place=variable.place,
            severity="error",
            fix=f"leave {VISIBLE} out, or give the container that GPU",
        )


def _in_order(ids: list[str]) -> bool:
    """Return whether the ids, where they are numbers, count as the container does: from 0 on."""
    numbers = indices(",".join(ids))
    return not numbers or numbers == list(range(len(ids)))


def _runtime_beside_reservation(view: View) -> Iterator[Hit]:
    variable, box = view.variable(RUNTIME), view.container
    if variable is None or variable.unresolved or box is None or box.gpu_access != "reservation":
        return
    named = {part.strip() for part in variable.value.split(",")}
    same = named == set(reserved(box) or ["all"])
    yield Hit(
        message=f"{RUNTIME} has no say beside a device reservation, "
        + ("which gives the same GPUs" if same else "which gives other GPUs than it names"),
        place=variable.place,
        severity=None if same else "warning",
        fix=f"leave {RUNTIME} out" + ("" if same else ", and name the GPUs in `device_ids`"),
    )


@Rule(
    id="HW314",
    severity="warning",
    title="two ways for GPUs into a container",
    why="CDI gives a container the devices that are named, and reads no variable: "
    "NVIDIA_VISIBLE_DEVICES is for the nvidia runtime and its hook. With both at work the devices "
    "are injected twice, and the container may fail to start, or gets more than was meant.",
    bad="AddDevice=nvidia.com/gpu=all\nEnvironment=NVIDIA_VISIBLE_DEVICES=0",
    good="AddDevice=nvidia.com/gpu=0",
    source="NVIDIA Container Toolkit: Support for Container Device Interface",
)
def two_ways_in(view: View, _: Facts) -> Iterator[Hit]:
    box, variable = view.container, view.variable(RUNTIME)
    if box is None:
        return
    ways = [way for way in dict.fromkeys((box.gpu_access, *box.gpu_also)) if way]
    if "cdi" in ways and len(ways) > 1:
        other = next(way for way in ways if way != "cdi")
        yield Hit(
            message=f"GPUs get in by CDI and by {WORDS[other]}: they may be injected twice",
            place=box.place,
            fix="keep one of them",
        )
    elif "cdi" in ways and variable is not None and variable.value.strip() not in NONE:
        yield Hit(
            message=f"CDI does not read {RUNTIME}: every device that is named for CDI gets in",
            place=variable.place,
            fix=f"leave {RUNTIME} out, and name the device, like `{CDI}0`",
        )
