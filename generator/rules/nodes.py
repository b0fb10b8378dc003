"""HW634, HW665 and HW666: nodes of GPUs that are handed into a container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import truthy
from generator.rules.helpers.containers import is_official
from generator.rules.rule import Hit, Hits, Rule
from generator.view import LIMIT, NODE, POD

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Container, Place, View

_KFD: Final = "/dev/kfd"
_DRI: Final = "/dev/dri"
_CHOOSE: Final = ("HSA_OVERRIDE_GFX_VERSION", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_VULKAN: Final = "OLLAMA_VULKAN"
_OF_ROCM: Final = re.compile(r"\brocm\b")


@Rule(
    id="HW665",
    severity="error",
    title="a GPU's node under the name of another one",
    why="Behind the colon stands the path in the container. The libraries of ROCm open /dev/kfd "
    "and what is below /dev/dri by these names: under another one they find no GPU, and the CPU "
    "computes.",
    bad="devices: [/dev/dri:/dev/kfd]",
    good="devices: [/dev/kfd, /dev/dri]",
    source="docs.docker.com: docker run --device; docs/docker.mdx@v0.32.15",
)
def renamed_node(view: View, _: Facts) -> Hits:
    for text, place in view.container.nodes if view.container else ():
        source, colon, rest = text.partition(":")
        target = rest.partition(":")[0]
        named = colon and target.startswith("/") and source.startswith((_KFD, _DRI))
        if named and _family(source) != _family(target):
            yield Hit(
                message=f"`{text}` puts {source} where the libraries look for {target}: they find "
                "no GPU",
                place=place,
                fix=f"hand in both by their own names: {_KFD} and {_DRI}",
            )


def _of_nvidia(view: View, box: Container) -> Place | None:
    """Return the place of a container that is surely given a card of NVIDIA; None: it is not.

    A plain request for GPUs may be for the runtime of AMD.
    """
    driver = any(line.value == "nvidia" for line in view.lines_named("driver"))
    named = bool(box.gpus) and all(one.startswith("nvidia.com/") for one in box.gpus)
    told = driver or named or box.gpu_access == "runtime" or view.acceleration == "cuda"
    return box.place if told and box.gpu_access in _GIVEN else None


_GIVEN: Final = frozenset({"reservation", "cdi", "runtime"})


def _is_renamed(text: str) -> bool:
    """Whether a node has another name in the container: `/dev/kfd:/dev/kfd` has its own."""
    source, colon, rest = text.partition(":")
    target = rest.partition(":")[0]
    return bool(colon) and target.startswith("/") and target != source


def _family(path: str) -> str:
    return "/".join(path.split("/")[:3])


@Rule(
    id="HW666",
    title="a part of what a graphics card needs",
    why="ROCm asks the kernel's compute driver at /dev/kfd, and reaches the card's memory by the "
    "nodes below /dev/dri. With one of them alone, or none, it finds no GPU: the server computes "
    "on the CPU, and says so in its log alone. The plain image has no ROCm at all: it reaches such "
    "a card, and one of Intel, by Vulkan, which does not read HSA_OVERRIDE_GFX_VERSION: not before "
    "0.12.11, and before 0.30 where OLLAMA_VULKAN=1 asks for it.",
    bad="image: ollama/ollama:0.32.15-rocm\ndevices: [/dev/kfd]",
    good="image: ollama/ollama:0.32.15-rocm\ndevices: [/dev/kfd, /dev/dri]",
    source="docs/docker.mdx@v0.32.15; rocm.docs.amd.com: Running ROCm Docker containers",
)
def half_of_rocm(view: View, facts: Facts) -> Hits:
    box = view.container
    if box is None or view.adds:
        return
    yield from _by_vulkan(view, box, facts)
    if box.privileged or not (view.phrases.devices_told or _of_nvidia(view, box)):
        return
    yield from _without_rocm(view, facts) if view.phrases.devices_told else ()
    if not _OF_ROCM.search(box.tag) or view.lines_named("extends"):
        return
    given = [text for text, _ in box.nodes]
    if (place := _of_nvidia(view, box)) and not given:
        yield Hit(
            message="the image is for ROCm, and the container is given a card of NVIDIA: it has no "
            "CUDA, and the CPU computes",
            place=place,
            fix="take the image without `rocm` in its tag",
        )
        return
    if (box.gpu_access and not given) or any("$" in one or "{" in one for one in given):
        return
    missing = [path for path in (_KFD, _DRI) if not _has(box, path)]
    renamed = any(map(_is_renamed, given))
    # A variable that chooses among GPUs is told of where none is handed in (HW561).
    chosen = not given and any(view.variable(name) for name in _CHOOSE)
    if missing and not renamed and not chosen:
        yield Hit(
            message=f"the image is for ROCm, and the container is not given {' and '.join(missing)}"
            ": the CPU computes",
            place=box.nodes[0][1] if box.nodes else box.place,
            fix=f"hand in {' and '.join(missing)}",
        )


def _without_rocm(view: View, facts: Facts) -> Hits:
    """Yield what is for ROCm in the engine's plain image, where nothing reads it."""
    box = view.container
    if box is None or not is_official(view, facts) or re.search(r"rocm|\$", box.tag) or box.digest:
        return
    if view.lines_named("RUN", "COPY", "ADD"):
        return  # It may have been put in.
    override = next((v for n in _CHOOSE[:1] if (v := view.variable(n)) and v.value), None)
    kfd = any(text.startswith(_KFD) for text, _ in box.nodes)
    on = _asks_for_vulkan(view, facts)
    if not facts.image.rocm_tag or not kfd or (on and override is None):
        return
    by_vulkan = "the card is reached by Vulkan, which does not read it"
    yield Hit(
        message=f"this image has no ROCm: {override.name if on and override else _KFD} is for "
        f"nobody, and {by_vulkan if on else 'the CPU computes'}",
        place=box.place,
        fix=f"write `{facts.image.repository}:{facts.image.rocm_tag.format(release=view.release)}`"
        + (f", or leave {override.name} out" if on and override else ""),
    )


def _asks_for_vulkan(view: View, facts: Facts) -> bool:
    vulkan, asked = facts.variable(_VULKAN), view.variable(_VULKAN)
    default = vulkan.default if vulkan else ""
    return truthy(asked.value if asked else default or "")


def _by_vulkan(view: View, box: Container, facts: Facts) -> Hits:
    """Yield a card that the engine's plain image reaches by Vulkan alone, which is off."""
    vulkan, asked = facts.variable(_VULKAN), view.variable(_VULKAN)
    if vulkan is None or not is_official(view, facts) or re.search(r"rocm|[${]", box.tag):
        return
    on = _asks_for_vulkan(view, facts)
    # A layer of the image, or a file of variables, may turn it on.
    if (on and vulkan.known) or (asked is None and not view.lacks(_VULKAN)) or view.more_variables:
        return
    told = _only_by_vulkan(view, box)
    if told is not None and facts.known:
        what, place = told
        how = f"has with `{_VULKAN}=1` alone" if vulkan.known else "does not have"
        by_itself = next(one.since for one in vulkan.defaults if truthy(one.value))
        mended = f"set `{_VULKAN}=1`" if vulkan.known else f"take a release from {by_itself} on"
        yield Hit(
            message=f"{what} is for nobody: this image reaches such a card by Vulkan, which "
            f"{view.release} {how}, and the CPU computes",
            place=place,
            fix=mended,
        )


def _only_by_vulkan(view: View, box: Container) -> tuple[str, Place] | None:
    """Return what hands in a card that only Vulkan can reach; None: nothing does."""
    for line in view.lines_in(POD):
        if line.name == LIMIT:
            return f"`{line.value}`", line.place
    alone = not box.gpu_also and box.gpu_access in {"", "devices"} and not box.privileged
    if not alone or any(
        text.startswith((_KFD, "/dev/nvidia", "nvidia.com")) for text, _ in box.nodes
    ):
        return None
    found = next((one for one in box.nodes if one[0].startswith(_DRI)), None)
    return (f"`{found[0]}`", found[1]) if found else None


def _has(box: Container, path: str) -> bool:
    """Whether a node is handed in, as a device or as a volume of all of /dev."""
    paths = [part for text, _ in (*box.nodes, *box.mounts) for part in text.split(":")]
    return any(path.startswith(one) or one.startswith(path) for one in paths if one[:4] == "/dev")


@Rule(
    id="HW634",
    title="a GPU that a pod sees, and may not open",
    why="A volume puts the node of a device into the container, and gives no right to it: the "
    "kernel lets a container open the devices that its runtime names, and refuses the others with "
    "`operation not permitted`. The server finds no GPU, and computes on the CPU. A device plugin "
    "hands it in by a limit of the container; only a privileged one may open all.",
    bad="volumes: [{name: dri, hostPath: {path: /dev/dri}}]",
    good="resources: {limits: {gpu.intel.com/i915: 1}}    # or amd.com/gpu, nvidia.com/gpu",
    source="kubernetes.io: Device Plugins; docs.kernel.org: cgroup-v2, Device controller",
)
def may_not_open(view: View, _: Facts) -> Hits:
    found = [line for line in view.lines_in(POD) if line.name == NODE]
    if found and not view.adds:
        names = " and ".join(f"`{line.value}`" for line in found)
        yield Hit(
            message=f"a volume hands {names} in, and the container may not open what is there: the "
            "CPU computes",
            place=found[0].place,
            fix="ask a device plugin for it, by a limit of the container",
        )
