"""HW675, HW678, HW679 and HW685: the cards of a server, and the memory on and between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, number, options, options_in
from generator.rules.helpers.containers import is_own_image, repository, target
from generator.rules.rule import Hit, Hits, Rule
from generator.view import SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.catalogue.facts import Facts
    from generator.engines.vllm.rules.helpers.options import Told
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
    if not view.phrases.devices_told or view.lines_named("extends"):
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


@Rule(
    id="HW685",
    severity="error",
    title="servers that want more of a card than it has",
    why="Each takes its share of the whole card at its start, `--gpu-memory-utilization`, and not "
    "of what is left: 0.9 or more unless it is told. Where shares on one card are more than 1 "
    "together, the server that comes second ends with `Free memory on device … is less than "
    "desired GPU memory utilization`. A `count: 1` of Docker is the first card for everybody.",
    bad="command: [org/chat]    # and another one with [org/embed], both with count: 1",
    good="command: [org/chat, --gpu-memory-utilization, '0.6']    # and '0.3' for the other one",
    source="vllm/config/cache.py@0.33.0:215; vllm/v1/worker/utils.py@0.33.0, request_memory; "
    "daemon/internal/nvidia (moby): countToDevices",
)
def card_is_taken(view: View, _: Facts) -> Hits:
    own = _share(options(view))
    before = [line for line in view.lines_in(SHARES) if line.place.line < view.place.line]
    others = [_share(options_in(line.value.split("\n"), line.place)) for line in before]
    if own is None or not others or None in others:
        return
    total = own + sum(one for one in others if one is not None)
    told = last(view, _UTILISATION)
    if total > 1:
        names = " and ".join(f"`{line.name}`" for line in before)
        yield Hit(
            message=f"{names} and this server are on one card, and want {total:.2f} of its memory "
            "together: the one that starts last ends",
            place=told.of_value if told else view.container.place if view.container else view.place,
            fix="give each a share by `--gpu-memory-utilization`, of less than 1 together, or a "
            "card of its own",
        )


_UTILISATION: Final = "--gpu-memory-utilization"
_USUAL: Final = 0.9
"""What a server takes at least where it is not told: 0.92 since 0.20, 0.9 before."""
_OTHERWISE: Final = frozenset({"--kv-cache-memory-bytes", "--config", "--enable-sleep-mode"})


def _share(told: Iterable[Told]) -> float | None:
    """Return the share of a card that a server wants; None: nobody can tell."""
    named = {one.name: one.value for one in told}
    value = named.get(_UTILISATION, str(_USUAL))
    if named.keys() & _OTHERWISE or not re.fullmatch(r"0?\.\d{1,6}|1(?:\.0{1,6})?", value):
        return None
    return float(value)
