"""HW302, HW305, HW307, HW308 and HW311: drivers, and which GPUs a server sees by which names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.edits import corrected
from generator.rules.helpers.gpus import VISIBLE, driver_major, indices, names_of
from generator.rules.rule import Hit, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


def _selected(view: View) -> tuple[Variable, list[int]] | None:
    """Return the variable that picks GPUs of this machine by number, and the numbers."""
    variable = view.variable(VISIBLE)
    foreign = view.acceleration not in {"", "cuda"} or view.container is not None
    if variable is None or foreign:
        return None
    numbers = indices(variable.value)
    return (variable, numbers) if numbers else None


@Rule(
    id="HW307",
    severity="warning",
    title="GPU numbers without an order",
    why="CUDA numbers GPUs from the fastest on, nvidia-smi by their place on the PCI bus. One "
    "number can be two cards, until CUDA_DEVICE_ORDER=PCI_BUS_ID makes the two agree.",
    bad="Environment=CUDA_VISIBLE_DEVICES=1",
    good="Environment=CUDA_DEVICE_ORDER=PCI_BUS_ID\nEnvironment=CUDA_VISIBLE_DEVICES=1",
    source="CUDA C Programming Guide: CUDA environment variables",
)
def numbers_without_order(view: View, _: Facts) -> Iterator[Hit]:
    found, cards = _selected(view), view.host.gpus
    if found is None or view.variable("CUDA_DEVICE_ORDER") is not None:
        return
    variable, numbers = found
    kinds = {card.name for card in cards}
    # One card has one number, and cards of one kind tie in speed.
    if len(kinds) == 1 or (not cards and numbers == [0]):
        return
    everything = bool(cards) and set(numbers) >= set(range(len(cards)))
    yield Hit(
        message=f"`{variable.value}` counts from the fastest GPU on, which is not the order of "
        f"nvidia-smi",
        place=variable.place,
        severity=None if cards and not everything else "info",
        fix="add `CUDA_DEVICE_ORDER=PCI_BUS_ID`, or name the cards by their UUIDs",
    )


@Rule(
    id="HW308",
    severity="info",
    title="some of the GPUs, by number",
    why="A number is a place on the bus: a card that is moved, added or lost gives it to another "
    "one. A UUID stays with its card.",
    bad="Environment=CUDA_VISIBLE_DEVICES=1    # of two",
    good="Environment=CUDA_VISIBLE_DEVICES=GPU-b1c5…",
    source="docs/gpu.mdx@v0.32.15: GPU Selection",
)
def number_for_a_card(view: View, _: Facts) -> Iterator[Hit]:
    found, cards = _selected(view), view.host.gpus
    if found is None or not cards or set(found[1]) >= set(range(len(cards))):
        return
    variable, numbers = found
    order = view.variable("CUDA_DEVICE_ORDER")
    by_bus = order is not None and order.value.strip() == "PCI_BUS_ID"
    known = [cards[n].uuid for n in numbers if n < len(cards) and cards[n].uuid and by_bus]
    uuids = ",".join(known) if len(known) == len(numbers) else ""
    message = (
        f"`{variable.value}` picks from {len(cards)} cards by their place: it is another "
        f"card once one is moved or lost"
    )
    yield corrected(view, variable, message, uuids, "write the UUIDs that `nvidia-smi -L` prints")


@Rule(
    id="HW311",
    severity="error",
    title="kernel modules that do not drive the card",
    why="NVIDIA's open kernel modules begin with Turing, and Blackwell, GB10 among it, has no "
    "others. With the wrong ones the driver loads and finds no card.",
    bad="hardware.nvidia.open = false;    # on a DGX Spark",
    good="hardware.nvidia.open = true;",
    source="NVIDIA driver README: Open Linux Kernel Modules; nixos-hardware common/gpu/nvidia",
)
def wrong_kernel_modules(view: View, facts: Facts) -> Iterator[Hit]:
    lines = [ln for ln in view.lines if f"{ln.section}.{ln.name}".endswith("hardware.nvidia.open")]
    value = lines[-1].value.strip() if lines else ""
    wanted = {"false": "open", "true": "closed"}.get(value)
    wrong = [g for g in facts.generations(view.host.gpus) if g.kernel_modules == wanted]
    if wrong:
        place, right = lines[-1].place, "true" if value == "false" else "false"
        yield Hit(
            message=f"{names_of(wrong)} runs on the {wanted} kernel modules alone",
            place=place,
            fix=f"write `hardware.nvidia.open = {right};`",
            edits=(Edit(place, value, right),) if place.line else (),
        )


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
    major = driver_major(view)
    for generation in dict.fromkeys(facts.generations(view.host.gpus)):
        last = generation.last_driver
        if major is not None and last is not None and major > last:
            yield Hit(
                message=f"driver {view.host.driver} does not know {generation.name} any more",
                place=view.at("host.driver"),
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
