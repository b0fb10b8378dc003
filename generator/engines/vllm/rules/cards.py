"""HW675, HW678 and HW679: the cards that a server gets, and the memory between its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, number, options
from generator.rules.helpers.containers import is_own_image, repository, target
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_TENSOR: Final = "--tensor-parallel-size"
_SHARED: Final = "/dev/shm"  # noqa: S108 -- to recognise
_ELSEWHERE: Final = frozenset({"--nnodes", "--distributed-executor-backend", "--config"})
_NONE: Final = frozenset({"", "none", "void"})


@Rule(
    id="HW675",
    title="several cards, and no memory that their processes share",
    why="With `--tensor-parallel-size` above 1 a process for each card hands tensors to the others "
    "by /dev/shm, of which a container has 64 MiB unless told otherwise. Then NCCL fails at the "
    "start, or under load.",
    bad="image: vllm/vllm-openai:v0.33.0\ncommand: [org/name, -tp, '2']",
    good="image: vllm/vllm-openai:v0.33.0\ncommand: [org/name, -tp, '2']\nshm_size: 4gb",
    source="docs/getting_started/installation/gpu.cuda.inc.md@0.33.0:311-314",
)
def no_shared_memory(view: View, _: Facts) -> Hits:
    box, told = view.container, last(view, _TENSOR)
    if box is None or view.adds or box.shared or told is None or number(view, _TENSOR) == 1:
        return
    if not view.phrases.volumes_told:
        return  # Whoever runs it may share more.
    inside = {*box.scratch, *(target(text) for text, _ in box.mounts)}
    if _SHARED not in {one.rstrip("/") for one in inside}:
        yield Hit(
            message=f"{told.value} processes share 64 MiB of memory",
            place=told.place,
            fix=view.phrases.shared_memory,
        )


@Rule(
    id="HW678",
    severity="error",
    title="more cards asked for than there are",
    why="Each part of a layer needs a card of its own: with fewer the server ends at its start.",
    bad="command: [org/name, -tp, '4']\n# and count: 2",
    good="command: [org/name, -tp, '2']\n# and count: 2",
    source="vllm/config/parallel.py@0.33.0:295",
)
def more_than_there_are(view: View, _: Facts) -> Hits:
    told, there = last(view, _TENSOR), _cards(view)
    asked = number(view, _TENSOR) * number(view, "--pipeline-parallel-size")
    if told is None or not there or asked <= there:
        return
    if not any(one.name in _ELSEWHERE for one in options(view)):
        yield Hit(
            message=f"{asked} cards are asked for, and there {'is' if there == 1 else 'are'} "
            f"{there}",
            place=told.of_value,
            fix=f"write at most {there}, or hand in more",
        )


def _cards(view: View) -> int:
    """Return how many cards the server gets; 0: nobody says."""
    box = view.container
    if box is not None and box.gpu_number:
        return box.gpu_number
    ids = box.gpus if box else ()
    if ids and not any(one.rpartition("=")[2] == "all" for one in ids):
        return len(ids)
    chosen = view.variable("CUDA_VISIBLE_DEVICES") or view.variable("NVIDIA_VISIBLE_DEVICES")
    if chosen is not None and not chosen.unresolved and chosen.value not in {*_NONE, "all"}:
        return len(chosen.value.split(","))
    return len(view.host.gpus)


@Rule(
    id="HW679",
    title="vLLM without a GPU",
    why="Its image for cards computes on nothing else: without one it ends with `Failed to infer "
    "device type`. Only a host whose default runtime is that of NVIDIA hands its cards to every "
    "container.",
    bad="image: vllm/vllm-openai:v0.33.0",
    good="image: vllm/vllm-openai:v0.33.0\ndeploy:\n  resources:\n    reservations:\n"
    "      devices:\n        - driver: nvidia\n          count: all\n"
    "          capabilities: [gpu]",
    source="vllm/config/device.py@0.33.0; docs/deployment/docker.md@0.33.0",
)
def no_card(view: View, _: Facts) -> Hits:
    box = view.container
    if box is None or box.gpu_access or box.privileged or box.nodes or view.adds:
        return
    if not view.phrases.devices_told or any(line.name == "extends" for line in view.lines):
        return
    runtime = view.variable("NVIDIA_VISIBLE_DEVICES")
    if not is_own_image(view) or repository(box.image).endswith("-cpu"):
        return
    if runtime is None or runtime.value in _NONE:
        yield Hit(
            message="the container is given no GPU, and this image computes on nothing else",
            place=box.place,
            fix="hand one in, or take the image vllm/vllm-openai-cpu",
        )
