"""HW306-HW308, HW310 and HW311: which GPUs the server sees, and by which names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.gpu import driver_major, generations, truthy
from generator.rules.rule import Hit, Rule, rule
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.hardware import GpuGeneration
    from generator.host import Gpu
    from generator.view import Variable, View

LIBRARY: Final = "OLLAMA_LLM_LIBRARY"
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
CUDA_13_DRIVER: Final = 580  # discover/cuda_common.go@v0.11.11: cuda_v13 for a CUDA 13 driver
SYSTEM: Final = "x86_64-linux"
STRICT: Final = "llm-library-strict"
MISJUDGES: Final = "newest-cuda-for-a-new-driver"


def indices(value: str) -> list[int]:
    """Return the GPUs that a list names by number; empty where it names one in another way."""
    parts = [part.strip() for part in value.split(",")]
    plain = all(part.isascii() and part.isdigit() for part in parts)
    return [int(part) for part in parts] if plain else []


def names_of(found: list[GpuGeneration]) -> str:
    """Return the names of generations for prose, each once: `Pascal and Volta`."""
    return " and ".join(dict.fromkeys(generation.name for generation in found))


def replaced(variable: Variable, new: str) -> tuple[Edit, ...]:
    """Return the Edit that gives a variable another value, where the file's spelling is known."""
    if not variable.place.line or variable.value not in variable.written:
        return ()
    written = variable.written
    return (Edit(variable.place, written, written.replace(variable.value, new, 1)),)


@rule(
    "HW306",
    severity="error",
    title="a CUDA library without kernels for the card",
    why="cuda_v13 begins with Turing; Maxwell, Pascal and Volta have their kernels in cuda_v12 "
    "alone. From 0.12.4 on a library that does not serve a card leaves it out; before, the load "
    "fails with `no kernel image`. 0.11.11 chose cuda_v13 by itself for every CUDA 13 driver.",
    bad="Environment=OLLAMA_LLM_LIBRARY=cuda_v13    # with a Quadro P4000",
    good="# left out: the server finds the library by itself",
    releases="0.11.11 and later",
    source="llama/server/CMakePresets.json@v0.32.15:71,103; ollama#12316, ollama#12408",
)
def library_without_kernels(view: View, facts: Facts) -> Iterator[Hit]:
    """What is built for newer cards alone leaves older ones out, or fails."""
    variable = view.variable(LIBRARY)
    asked = variable.value.strip() if variable is not None else ""
    known, system = generations(view, facts), view.host.system or SYSTEM
    served = {g.capability: g.cuda_libraries(system) for g in known}
    fact = facts.variable(LIBRARY)
    there = (fact and fact.allowed(system)) or ()
    if variable is not None and asked in there:
        lacking = [g for g in known if asked not in served[g.capability]]
        if asked.startswith("cuda_") and lacking:
            yield _asked_for(view, variable, lacking, strict=facts.behaves(STRICT))
    elif facts.behaves(MISJUDGES) and (driver_major(view) or 0) >= CUDA_13_DRIVER:
        lacking = [g for g in known if "cuda_v13" not in served[g.capability]]
        if lacking:
            yield _chosen_wrongly(view, facts, lacking)


def _asked_for(
    view: View, variable: Variable, lacking: list[GpuGeneration], *, strict: bool
) -> Hit:
    effect = "the server leaves such a card out" if strict else "every load fails on such a card"
    return Hit(
        message=f"`{variable.value.strip()}` has no kernels for {names_of(lacking)}: in "
        f"{view.release} {effect}",
        place=variable.place,
        fix=f"leave {LIBRARY} out: the server finds the library by itself",
    )


def _chosen_wrongly(view: View, facts: Facts, lacking: list[GpuGeneration]) -> Hit:
    fact = facts.behaviour(MISJUDGES)
    return Hit(
        message=f"with driver {view.host.driver} Ollama {view.release} takes cuda_v13, which "
        f"has no kernels for {names_of(lacking)}: every load fails",
        place=view.at("ollama.version"),
        fix=f"use {fact.until} or newer, or write `{LIBRARY}=cuda_v12`",
        link=fact.source,
    )


def _selected(view: View) -> tuple[Variable, list[int]] | None:
    """Return the variable that picks GPUs of this machine by number, and the numbers."""
    variable = view.variable(VISIBLE)
    foreign = view.acceleration not in {"", "cuda"} or view.container is not None
    if variable is None or foreign:
        return None
    numbers = indices(variable.value)
    return (variable, numbers) if numbers else None


@rule(
    "HW307",
    severity="warning",
    title="GPU numbers without an order",
    why="CUDA numbers GPUs from the fastest to the slowest, nvidia-smi by their place on the PCI "
    "bus. The same number can be two different cards, until CUDA_DEVICE_ORDER=PCI_BUS_ID makes "
    "the two agree.",
    bad="Environment=CUDA_VISIBLE_DEVICES=1",
    good="Environment=CUDA_DEVICE_ORDER=PCI_BUS_ID\nEnvironment=CUDA_VISIBLE_DEVICES=1",
    source="CUDA C Programming Guide: CUDA environment variables",
)
def numbers_without_order(view: View, _: Facts) -> Iterator[Hit]:
    """CUDA counts from the fastest card, nvidia-smi along the PCI bus."""
    found, cards = _selected(view), view.host.gpus
    if found is None or view.variable("CUDA_DEVICE_ORDER") is not None:
        return
    variable, numbers = found
    told = {card.name for card in cards}
    # One card has one number, and cards of one kind tie in speed.
    if len(told) == 1 or (not cards and numbers == [0]):
        return
    everything = bool(cards) and set(numbers) >= set(range(len(cards)))
    yield Hit(
        message=f"`{variable.value}` counts from the fastest GPU on, which is not the order of "
        f"nvidia-smi",
        place=variable.place,
        severity=None if cards and not everything else "info",
        fix="add `CUDA_DEVICE_ORDER=PCI_BUS_ID`, or name the cards by their UUIDs",
    )


@rule(
    "HW308",
    severity="info",
    title="some of the GPUs, by number",
    why="A number is a place on the bus: a card that is moved, added or lost gives it to another "
    "one. A UUID stays with its card.",
    bad="Environment=CUDA_VISIBLE_DEVICES=1    # of two",
    good="Environment=CUDA_VISIBLE_DEVICES=GPU-b1c5…",
    source="docs/gpu.mdx@v0.32.15: GPU Selection",
)
def number_for_a_card(view: View, _: Facts) -> Iterator[Hit]:
    """A number is a place on the bus, not a card."""
    found, cards = _selected(view), view.host.gpus
    if found is None or not cards or set(found[1]) >= set(range(len(cards))):
        return
    variable, numbers = found
    order = view.variable("CUDA_DEVICE_ORDER")
    by_bus = order is not None and order.value.strip() == "PCI_BUS_ID"
    known = [cards[n].uuid for n in numbers if n < len(cards) and cards[n].uuid and by_bus]
    uuids = ",".join(known) if len(known) == len(numbers) else ""
    yield Hit(
        message=f"`{variable.value}` picks from {len(cards)} cards by their place: it is another "
        f"card once one is moved or lost",
        place=variable.place,
        fix=f"write `{uuids}`" if uuids else "write the UUIDs that `nvidia-smi -L` prints",
        edits=replaced(variable, uuids) if uuids else (),
    )


@rule(
    "HW310",
    severity="error",
    title="the only GPU is switched off as an integrated one",
    why="OLLAMA_IGPU_ENABLE=0 drops every integrated GPU, and GB10 and Jetson are integrated for "
    "CUDA. Left out, CUDA's integrated GPUs are used and others are not.",
    bad="Environment=OLLAMA_IGPU_ENABLE=0    # on a DGX Spark",
    good="# left out",
    releases="0.30.0 and later",
    source="discover/runner.go@v0.32.15:382-440",
)
def integrated_dropped(view: View, facts: Facts) -> Iterator[Hit]:
    """0 drops GB10 and Jetson, too."""
    variable, fact = view.variable("OLLAMA_IGPU_ENABLE"), facts.variable("OLLAMA_IGPU_ENABLE")
    cards = view.host.gpus
    reads = fact is not None and fact.works
    if variable is None or not variable.value.strip() or truthy(variable.value.strip()):
        return
    if reads and cards and all(_integrated(card, facts) for card in cards):
        yield Hit(
            message=f"`{variable.value}` drops integrated GPUs, and {cards[0].name} is one: the "
            f"server computes on the CPU",
            place=variable.place,
            fix="leave it out, or write `1`",
            edits=replaced(variable, "1"),
        )


def _integrated(card: Gpu, facts: Facts) -> bool:
    known, generation = facts.card(card.name), facts.generation(card.compute_capability)
    jetson = generation is not None and generation.jetson
    return card.unified or jetson or (known is not None and known.unified)


@rule(
    "HW311",
    severity="error",
    title="kernel modules that do not drive the card",
    why="NVIDIA's open kernel modules begin with Turing, and Blackwell, GB10 among it, has no "
    "others. With the wrong ones the driver loads and finds no card.",
    bad="hardware.nvidia.open = false;    # on a DGX Spark",
    good="hardware.nvidia.open = true;",
    source="NVIDIA driver README: Open Linux Kernel Modules; nixos-hardware common/gpu/nvidia",
)
def wrong_kernel_modules(view: View, facts: Facts) -> Iterator[Hit]:
    """Blackwell has open kernel modules only, and what is older than Turing closed ones."""
    lines = [ln for ln in view.lines if f"{ln.section}.{ln.name}".endswith("hardware.nvidia.open")]
    value = lines[-1].value.strip() if lines else ""
    wanted = {"false": "open", "true": "closed"}.get(value)
    wrong = [g for g in generations(view, facts) if g.kernel_modules == wanted]
    if wrong:
        place, right = lines[-1].place, "true" if value == "false" else "false"
        yield Hit(
            message=f"{names_of(wrong)} runs on the {wanted} kernel modules alone",
            place=place,
            fix=f"write `hardware.nvidia.open = {right};`",
            edits=(Edit(place, value, right),) if place.line else (),
        )


RULES: Final[tuple[Rule, ...]] = (
    library_without_kernels,
    numbers_without_order,
    number_for_a_card,
    integrated_dropped,
    wrong_kernel_modules,
)
