"""HW302, HW307, HW308, HW311 to HW314, HW318 and HW569: drivers, and which GPUs a server sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import is_client
from generator.rules.helpers.gpus import VISIBLE, driver_major, indices, names_of
from generator.rules.helpers.names import nearest
from generator.rules.helpers.variables import corrected
from generator.rules.rule import Hit, Hits, Rule
from generator.view import POD, Edit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.catalogue.facts import Facts
    from generator.view import Container, Line, Variable, View


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
    title="GPU numbers without an order",
    why="CUDA numbers GPUs from the fastest on, nvidia-smi by their place on the PCI bus. One "
    "number can be two cards, until CUDA_DEVICE_ORDER=PCI_BUS_ID makes the two agree.",
    bad="Environment=CUDA_VISIBLE_DEVICES=1",
    good="Environment=CUDA_DEVICE_ORDER=PCI_BUS_ID\nEnvironment=CUDA_VISIBLE_DEVICES=1",
    source="CUDA C Programming Guide: CUDA environment variables",
)
def numbers_without_order(view: View, _: Facts) -> Hits:
    found, cards = _selected(view), view.host.gpus
    if found is None or not view.lacks("CUDA_DEVICE_ORDER"):
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
def number_for_a_card(view: View, _: Facts) -> Hits:
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
def wrong_kernel_modules(view: View, facts: Facts) -> Hits:
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
            unsafe=True,
        )


@Rule(
    id="HW302",
    title="a driver too new for the card",
    why="NVIDIA drops old generations from its drivers. 580 is the last branch that knows Maxwell, "
    "Pascal and Volta; a newer one ignores the card without an error.",
    bad="driver 595 with a Quadro P4000",
    good="the 580 branch",
    source="nixos-hardware#1843, nixos-hardware#1880",
)
def driver_too_new(view: View, facts: Facts) -> Hits:
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


RUNTIME: Final = "NVIDIA_VISIBLE_DEVICES"
CDI: Final = "nvidia.com/gpu="
NONE: Final = {"", "none", "void"}
WORDS: Final = {
    "reservation": "a device reservation",
    "cdi": "CDI",
    "runtime": "the nvidia runtime",
    "devices": "device nodes",
}


def _reserved(box: Container) -> list[str]:
    """Return the GPUs that get into the container, by id; empty: all, or not told."""
    ids = [gpu.removeprefix(CDI) for gpu in box.gpus]
    return [] if "all" in ids else ids


def _inside(view: View, box: Container) -> list[str]:
    """Return the same, also where a variable of the runtime says it."""
    ids, runtime = _reserved(box), view.variable(RUNTIME)
    if ids or runtime is None or box.gpu_access not in {"", "runtime"}:
        return ids
    named = [part.strip() for part in runtime.value.split(",")]
    return [] if "all" in named or runtime.value.strip() in NONE else named


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
def numbers_of_the_host(view: View, _: Facts) -> Hits:
    variable, box = view.variable(VISIBLE), view.container
    if variable is None or box is None:
        return
    ids, numbers = _inside(view, box), indices(variable.value)
    count = len(ids) or box.gpu_number or len(view.host.gpus)
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
    "NVIDIA_VISIBLE_DEVICES itself from it. In a pod it is the other way round: what the manifest "
    "says comes behind what the device plugin sets. CUDA_VISIBLE_DEVICES can only narrow that "
    "down, and says nothing where it names all of them, takes the last one where it names another, "
    "and hides them all where it is empty or `-1`.",
    bad='device_ids: ["0", "1"]\nenvironment: {CUDA_VISIBLE_DEVICES: "0,1"}',
    good='device_ids: ["0", "1"]',
    source="moby daemon/nvidia_linux.go; docs.docker.com: GPU access",
)
def said_twice(view: View, _: Facts) -> Hits:
    yield from _runtime_beside_reservation(view)
    yield from _hidden(view)
    variable, box = view.variable(VISIBLE), view.container
    ids = _inside(view, box) if box is not None else []
    if variable is None or not ids:
        return
    named = [part.strip() for part in variable.value.split(",")]
    # A container counts from 0 on, and so do the ids where they are numbers.
    count = list(range(len(ids)))
    whole = sorted(indices(variable.value)) == count and indices(",".join(ids)) in ([], count)
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


def _hidden(view: View) -> Hits:
    """Yield the variable that hides every GPU from a container that is given some."""
    variable, box = view.variable(VISIBLE), view.container
    if variable is None or variable.unresolved or box is None or view.acceleration != "cuda":
        return
    given = box.gpu_access in {"reservation", "cdi", "runtime"} and not view.phrases.empty_is_none
    value = variable.value.strip("\"' ")
    if given and value in _NO_GPU:
        yield Hit(
            message=f"{VISIBLE} hides every GPU that the container is given: the CPU computes",
            place=variable.place,
            # Who writes `-1` may mean it; an empty value is what has been left.
            severity=None if value else "warning",
            fix=f"leave {VISIBLE} out, or give the container no GPU",
        )


def _runtime_beside_reservation(view: View) -> Hits:
    variable, box = view.variable(RUNTIME), view.container
    if variable is None or variable.unresolved or box is None or box.gpu_access != "reservation":
        return
    named = {part.strip() for part in variable.value.split(",")}
    if view.phrases.plugged:
        yield Hit(
            message=f"{RUNTIME} of the pod comes behind what the device plugin sets, and wins: the "
            f"container sees `{variable.value}`, not the GPUs that it was given",
            place=variable.place,
            severity="warning",
            fix=f"leave {RUNTIME} out; the limit on `nvidia.com/gpu` is enough",
            link="kubernetes pkg/kubelet/kubelet_pods.go, GenerateRunContainerOptions",
        )
        return
    # One more than the variable names is another number of them already.
    counted = [str(number) for number in range(min(box.gpu_number, len(named) + 1))]
    same = named == set(_reserved(box) or counted or ["all"])
    yield Hit(
        message=f"{RUNTIME} has no say beside a device reservation, "
        + ("which gives the same GPUs" if same else "which gives other GPUs than it names"),
        place=variable.place,
        severity=None if same else "warning",
        fix=f"leave {RUNTIME} out" + ("" if same else ", and name the GPUs in `device_ids`"),
    )


_RESERVED: Final = ".deploy.resources.reservations.devices"


@Rule(
    id="HW318",
    severity="error",
    title="a device reservation that nobody fulfils",
    why="Docker knows the drivers `nvidia`, `cdi` and, where AMD's container runtime is installed "
    "and NVIDIA's is not, `amd`; with another name it refuses to create the container. `cdi` takes "
    "names of devices from `device_ids`, and gives none without. By what is asked for in "
    "`capabilities` Docker finds a driver where none is named, and older releases hold a named one "
    "against that as well. Compose refuses a reservation without `capabilities`, and one with both "
    "`count` and `device_ids`.",
    bad="devices:\n  - driver: nvidia.com/gpu\n    count: all\n    capabilities: [gpu]",
    good="devices:\n  - driver: cdi\n    device_ids: [nvidia.com/gpu=all]\n    capabilities: [gpu]",
    source="moby daemon/devices.go, daemon/devices_nvidia_linux.go, allNvidiaCaps; moby#50717; "
    "docs.docker.com/compose/gpu-support",
)
def nobody_fulfils(view: View, facts: Facts) -> Hits:
    for request in _requests(view):
        first = request[0]
        told = {line.name: line for line in request}
        driver = told.get("driver", first)
        name = driver.value if "driver" in told else ""
        if name and name not in facts.docker_drivers and "$" not in name:
            yield Hit(
                message=f"Docker has no device driver `{name}`, and refuses to create the "
                "container",
                place=driver.place,
                fix="write `driver: nvidia`, or `driver: cdi` with "
                "`device_ids: [nvidia.com/gpu=all]`",
            )
        elif name == "cdi" and "device_ids" not in told:
            yield Hit(
                message="`driver: cdi` gives the devices that `device_ids` names: here none",
                place=driver.place,
                fix="add `device_ids: [nvidia.com/gpu=all]`",
            )
        elif name == "amd" and _has_nodes(view):
            yield Hit(
                message="`driver: amd` needs the container runtime of AMD: without it Docker "
                "refuses to create the container, which gets its devices anyway",
                place=driver.place,
                severity="warning",
                fix="take the reservation out; `devices` is enough",
            )
        count = told.get("count")
        if count is not None and count.value.strip("\"'") == "0" and "device_ids" not in told:
            yield Hit(
                message="`count: 0` gives the container no GPU: the server takes the CPU",
                place=count.place,
                severity="warning",
                fix="write `count: all`, or how many; or take the reservation out",
            )
        if "capabilities" not in told and first.section.endswith(_RESERVED):
            yield Hit(
                message="a reservation has no `capabilities`, without which Compose refuses the "
                "file",
                place=first.place,
                fix="add `capabilities: [gpu]` to it",
            )
        if name != "cdi":
            yield from _not_capable(request, name, facts)
        if {"count", "device_ids"} <= told.keys():
            yield Hit(
                message="`count` and `device_ids` exclude each other: Compose refuses the file",
                place=told["count"].place,
                fix="keep `device_ids` to name the GPUs, or `count` for that many of them",
            )


def _not_capable(request: Iterable[Line], driver: str, facts: Facts) -> Hits:
    """Yield the capabilities of a request that none of Docker's drivers has."""
    known = frozenset[str]().union(*facts.docker_drivers.values())
    for line in request:
        if line.name != "capabilities" or line.value in known or "$" in line.value:
            continue
        meant, certain = nearest(line.value, sorted(known))
        who = "older releases of Docker refuse" if driver else "Docker refuses"
        yield Hit(
            message=f"no driver of Docker has the capability `{line.value}`: {who} to create the "
            "container",
            place=line.place,
            severity="warning" if driver else None,
            fix=f"write `{meant or 'gpu'}`",
            edits=(Edit(line.place, line.value, meant),) if certain else (),
        )


def _has_nodes(view: View) -> bool:
    """Return whether the nodes of AMD's cards are handed in one by one."""
    nodes = view.container.nodes if view.container is not None else ()
    return any(node.startswith(("/dev/kfd", "/dev/dri")) for node, _ in nodes)


def _requests(view: View) -> list[list[Line]]:
    """Return the lines of each item of a list of reservations."""
    found: list[list[Line]] = []
    before: Line | None = None
    for line in view.lines if view.container is not None else ():
        if not line.section.endswith((_RESERVED, ".gpus")):
            continue
        names = [one.name for one in found[-1]] if found else []
        here = before is not None and before.section == line.section
        again = line.name in names and before is not None and before.name != line.name
        if not here or again:
            found.append([])
        found[-1].append(line)
        before = line
    return found


_MEANS_A_GPU: Final = {
    "HSA_OVERRIDE_GFX_VERSION": "/dev/kfd and /dev/dri",
    "ROCR_VISIBLE_DEVICES": "/dev/kfd and /dev/dri",
    "HIP_VISIBLE_DEVICES": "/dev/kfd and /dev/dri",
    "CUDA_VISIBLE_DEVICES": "an NVIDIA GPU",
    "NVIDIA_VISIBLE_DEVICES": "an NVIDIA GPU",
    "OLLAMA_NUM_GPU": "a GPU",
    "LLAMA_ARG_N_GPU_LAYERS": "a GPU",
    "NVIDIA_DRIVER_CAPABILITIES": "an NVIDIA GPU",
}
_NO_GPU: Final = NONE | {"-1", "NoDevFiles"}


@Rule(
    id="HW561",
    title="a GPU that is meant, and not handed in",
    why="A variable chooses among the GPUs that a container has; it hands none in. Without a "
    "device the server computes on the CPU, and says so in its log alone. Only a host whose "
    "default runtime is that of NVIDIA hands its GPUs to every container.",
    bad="image: ollama/ollama:rocm\nenvironment: {HSA_OVERRIDE_GFX_VERSION: 10.3.0}",
    good="image: ollama/ollama:rocm\nenvironment: {HSA_OVERRIDE_GFX_VERSION: 10.3.0}\n"
    "devices: [/dev/kfd, /dev/dri]",
    source="docs/docker.mdx@v0.32.15; NVIDIA Container Toolkit: default runtime",
)
def no_device_handed_in(view: View, _: Facts) -> Hits:
    box = view.container
    if box is None or box.gpu_access or box.privileged or view.adds:
        return
    if not view.phrases.devices_told or view.lines_named("extends"):
        return
    for name, wanted in _MEANS_A_GPU.items():
        variable = view.variable(name)
        value = "" if variable is None else variable.value.strip()
        none = value in _NO_GPU or (value == "0" and not name.endswith("VISIBLE_DEVICES"))
        if variable is None or variable.unresolved or none:
            continue
        nvidia = wanted.endswith("GPU")
        otherwise = ", unless the default runtime of the host is that of NVIDIA" if nvidia else ""
        what = "chooses a GPU" if wanted != "a GPU" else "puts layers on a GPU"
        yield Hit(
            message=f"`{name}` {what}, and the container is given none: it computes on the "
            f"CPU{otherwise}",
            place=variable.place,
            severity="info" if nvidia else None,
            fix=f"hand in {wanted}",
        )
        return


@Rule(
    id="HW314",
    title="two ways for GPUs into a container",
    why="CDI gives a container the devices that are named, and reads no variable: "
    "NVIDIA_VISIBLE_DEVICES is for the nvidia runtime and its hook. With both at work the devices "
    "are injected twice, and the container may fail to start, or gets more than was meant.",
    bad="AddDevice=nvidia.com/gpu=all\nEnvironment=NVIDIA_VISIBLE_DEVICES=0",
    good="AddDevice=nvidia.com/gpu=0",
    source="NVIDIA Container Toolkit: Support for Container Device Interface",
)
def two_ways_in(view: View, _: Facts) -> Hits:
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
        # The same said twice: every GPU gets in by either. Without an id it is every one.
        if variable.value.strip() == "all" and (
            not box.gpus or any(gpu.endswith("=all") for gpu in box.gpus)
        ):
            return
        yield Hit(
            message=f"CDI does not read {RUNTIME}: every device that is named for CDI gets in",
            place=variable.place,
            fix=f"leave {RUNTIME} out, and name the device, like `{CDI}0`",
        )


@Rule(
    id="HW319",
    severity="error",
    title="a GPU that is requested without a limit",
    why="Kubernetes gives GPUs by their limit, and shares none: a request without the same limit "
    "is refused, and with it the whole manifest. A limit alone is enough.",
    bad="resources: {requests: {nvidia.com/gpu: 1}}",
    good="resources: {limits: {nvidia.com/gpu: 1}}",
    source="kubernetes.io: Schedule GPUs; pkg/apis/core/validation, limit must be set for non "
    "overcommitable resources",
)
def gpu_without_a_limit(view: View, _: Facts) -> Hits:
    for line in view.lines_in(POD):
        if line.name == "gpu-request":
            yield Hit(
                message=f"`{line.value}` is requested and has no limit: Kubernetes refuses the "
                "manifest",
                place=line.place,
                fix="write it below `limits`",
            )


@Rule(
    id="HW320",
    severity="info",
    title="a node with a GPU, and no GPU for the pod",
    why="A node selector or a toleration has the pod run where a GPU is; it gives it none. Without "
    "a limit, or a runtime class that hands in all of them, the server computes on the CPU.",
    bad='nodeSelector: {nvidia.com/gpu.present: "true"}',
    good='nodeSelector: {nvidia.com/gpu.present: "true"}\n'
    "containers: [{resources: {limits: {nvidia.com/gpu: 1}}}]",
    source="kubernetes.io: Schedule GPUs; NVIDIA k8s-device-plugin, README",
)
def node_without_its_gpu(view: View, _: Facts) -> Hits:
    told = (line for line in view.lines_in(POD) if line.name == "gpu-node")
    line = next(told, None)
    if line is not None and not is_client(view):
        kind = line.value.partition("/")[0]
        yield Hit(
            message=f"`{line.value}` chooses a node with a GPU, and the container asks for none: "
            "it computes on the CPU, unless the node's default runtime hands in all",
            place=line.place,
            fix=f"add a limit like `{kind}/gpu: 1`, or name a runtime class",
        )


_CAPABILITIES: Final = "NVIDIA_DRIVER_CAPABILITIES"


@Rule(
    id="HW569",
    title="a capability that the NVIDIA driver does not have",
    why="The list says which libraries of the driver come into the container, and replaces that of "
    "the image, `compute,utility`. NVIDIA's runtime refuses to start a container that asks for one "
    "that it does not know; without `compute` there is no CUDA, and the server is left to the CPU.",
    bad="NVIDIA_DRIVER_CAPABILITIES=compute,gpu",
    good="NVIDIA_DRIVER_CAPABILITIES=compute,utility",
    source="docs.nvidia.com/datacenter/cloud-native/container-toolkit: Driver Capabilities",
)
def unknown_capability(view: View, facts: Facts) -> Hits:
    variable, fact = view.variable(_CAPABILITIES), facts.variable(_CAPABILITIES)
    known = fact.allowed("linux/amd64") if fact is not None else None
    if view.container is None or variable is None or variable.unresolved or not known:
        return
    asked = [word.strip() for word in variable.value.strip("\"' ").split(",") if word.strip()]
    strange = [word for word in asked if word not in known]
    if strange or (asked and not {"all", "compute"} & set(asked)):
        yield corrected(
            view,
            variable,
            f"`{strange[0]}` is no capability of the NVIDIA driver"
            if strange
            else f"without `compute` in {_CAPABILITIES} there is no CUDA in the container",
            "compute,utility",
            "write `compute,utility`",
            certain=False,
        )
