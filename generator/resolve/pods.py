"""How a service runs in Kubernetes: its pod, what that asks of nodes and storage, and its end."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.errors import Problem
from generator.meaning import parse_go_duration
from generator.pod import Chart, NodeRule, Pod, PodGpus, Probe, Storage
from generator.units import GIB, is_local, written_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.engines.base import Case, Decided, Server
    from generator.host import Gpu
    from generator.plan import Devices, Job, Limit, Model, Service
    from generator.pod import Maker
    from generator.profiles.schema import KubernetesChoice, Profile

HOME: Final = "/home/server"
# Above the numbers that hosts give to people and services.
USER: Final = 10001
_USER: Final = "Nobody's number on a node: a pod need not be root."
_ASKED_USER: Final = "As `container.user` says."
_SCRATCH: Final = ("/tmp",)  # noqa: S108 -- of the pod
_CACHES: Final = (".cache", ".nv")
ARCHITECTURES: Final = {"x86_64-linux": "amd64", "aarch64-linux": "arm64"}
"""What `kubernetes.io/arch` calls the platforms of Nix."""
# A model of unknown size: one of 27 billion weights at four bits.
UNKNOWN_MODEL: Final = 16 * GIB
# Weights in billions, as names have them, some for each of several experts; and bits of each.
_BILLIONS: Final = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)b(?![a-z0-9])")
_BITS: Final = re.compile(r"(?<![a-z0-9])(?:b?f|fp|i?q)(\d{1,2})(?![0-9])")
_USUAL_BITS: Final = 4
# Of a host without models in its profile.
NO_MODELS: Final = 50 * GIB
STEP: Final = 5 * GIB
# The server itself, and what it reads a model by.
LEAST_CPU: Final = 1000
LEAST_MEMORY: Final = 2 * GIB
# A proxy with some thousand connections.
BESIDE_CPU: Final = 100
BESIDE_MEMORY: Final = 256 * 2**20
_LEAST: Final = (
    "The profile bounds nothing; a pod that asks for nothing is the first to be evicted."
)
_IN_FULL: Final = "Asked for in full: what others take of it is not there when a model needs it."
EVERYWHERE: Final = "Every pod and node reaches it, as `host` says; the API has no authentication."
WITHIN: Final = "Pods of this namespace reach it, and no others; the API has no authentication."
_AS_THE_CARDS: Final = "Devices like the cards of this profile, or better ones."
DRAIN_SECONDS: Final = 5
"""After which no proxy of a Service sends a new connection to a pod that is to stop."""
MARGIN_SECONDS: Final = 30
# $1 is the port as /proc/net/tcp has it, $2 how often it looks. There state 01 is a connection that
# is established, and what the server has accepted has its port as the local one.
DRAIN: Final = (
    f"sleep {DRAIN_SECONDS}; n=0; while [ $n -lt $2 ]; do busy=; "
    "for file in /proc/net/tcp /proc/net/tcp6; do [ -r $file ] && "
    "while read -r _ here _ state _; do "
    'case $here/$state in *:"$1"/01) busy=1;; esac; done <$file; done; '
    '[ "$busy" ] || exit 0; sleep 2; n=$((n+1)); done'
)
_CLASS: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class _Vendor(NamedTuple):
    """What whoever hands out GPUs calls them: to a device plugin, and to a driver of claims."""

    resource: str
    device_class: str


# https://github.com/NVIDIA/k8s-device-plugin, https://github.com/ROCm/k8s-device-plugin,
# https://github.com/intel/intel-device-plugins-for-kubernetes, and the drivers for claims:
# https://github.com/NVIDIA/k8s-dra-driver-gpu, https://github.com/ROCm/k8s-gpu-dra-driver,
# https://github.com/intel/intel-resource-drivers-for-kubernetes (2026-11-30).
VENDORS: Final[dict[Maker, _Vendor]] = {
    "nvidia": _Vendor("nvidia.com/gpu", "gpu.nvidia.com"),
    "amd": _Vendor("amd.com/gpu", "gpu.amd.com"),
    "intel": _Vendor("gpu.intel.com/i915", "gpu.intel.com"),
}


def pod_of(case: Case, server: Server, decided: Decided, limits: Sequence[Limit]) -> Pod:
    """Return the pod of a service, for the same profile that its host would run."""
    choice, container = case.profile.k8s, case.profile.container
    cpu, memory = _cpu(limits, case.threads.number), _memory(limits)
    alone = not cpu and not memory
    seconds = -(-parse_go_duration(choice.longest_answer) // 10**9)
    local = is_local(case.listen.host)
    beside, why = _beside(case.profile, seconds)
    return Pod(
        namespace=_namespace(case.profile),
        replicas=choice.replicas,
        most=choice.replicas,
        domain=choice.cluster_domain,
        user=int(container.user.partition(":")[0]) if container.user else USER,
        user_reason=_ASKED_USER if container.user else _USER,
        home=posixpath.join(HOME, posixpath.relpath(case.facts.image.home_path, "/root")),
        home_variable=HOME,
        writes=(
            *_SCRATCH,
            *(f"{HOME}/{name}" for name in _CACHES if case.devices),
            *(f"{HOME}/{name}" for name in server.writes),
        ),
        read_only=container.read_only
        and (server.read_only or "read_only" in container.model_fields_set),
        escalates=not container.no_new_privileges,
        storage=storage_of(choice, decided.models, case.facts, cached=bool(decided.cache)),
        cpu=LEAST_CPU if alone else cpu,
        memory=LEAST_MEMORY if alone else memory,
        requests_reason=_LEAST if alone else _IN_FULL,
        gpus=_gpus(choice, case.devices, case.gpus, decided.gpus),
        nodes=tuple(_nodes(choice, case.host.system, case.devices, case.gpus)),
        runtime_class=choice.runtime_class or "",
        wait_seconds=4 * server.health.start_seconds,
        start=_start(server, decided.jobs),
        ready=_asking(server, 3, "Until then, and while it does not answer, nobody is sent to it."),
        alive=_asking(server, 6, "A server that no longer answers is started again."),
        beside_cpu=BESIDE_CPU,
        beside_memory=BESIDE_MEMORY,
        beside_seconds=beside,
        beside_reason=why,
        leave_seconds=DRAIN_SECONDS,
        drain=_drain(case.facts.image.port, seconds),
        drain_reason="No new requests come; it ends when the last connection does. A client that "
        "keeps one open without a request is waited for as well.",
        grace_seconds=DRAIN_SECONDS + seconds + MARGIN_SECONDS,
        grace_reason=f"The longest answer, {choice.longest_answer}, may end; then the server is "
        "stopped.",
        everywhere=not local,
        reach_reason=EVERYWHERE if not local else WITHIN,
        chart=_chart(case.facts),
    )


def faults(profile: Profile, services: Sequence[Service], facts: Facts) -> Iterator[Problem]:
    """Yield what no cluster takes: names of GPUs of another kind, and a claim that is too small."""
    own, dra = profile.k8s.gpu_resource or "", profile.k8s.gpu == "dra"
    if dra and own and not _CLASS.fullmatch(own):
        message = f"`{own}` is no device class, as a claim names it"
        yield Problem("k8s.gpu_resource", message, "write one that `kubectl get deviceclass` shows")
    if not dra and own and "/" not in own:
        message = f"`{own}` is no resource of a device plugin: it has no domain"
        yield Problem("k8s.gpu_resource", message, "write it like `nvidia.com/mig-1g.10gb`")
    room = profile.k8s.storage
    need = max((_known(service, facts) for service in services), default=0)
    if room is not None and room < need:
        message = f"{written_size(room)} hold no models of {written_size(-(-need // GIB) * GIB)}"
        yield Problem("k8s.storage", message, "write more, or leave it out")


def _chart(facts: Facts) -> Chart | None:
    known = facts.chart
    if known is None:
        return None
    return Chart(name=known.name, repository=known.repository, version=known.version)


def _known(service: Service, facts: Facts) -> int:
    """Return how large the models of a service are, without those of unknown size."""
    names = {model.name: _size(model, facts) for model in service.models}
    return sum(names.values())


def _namespace(profile: Profile) -> str:
    """Return the namespace: a front asks the DNS for servers by names that have it in them."""
    own = profile.name.replace(".", "-")[:63].rstrip("-") if profile.front is not None else ""
    return profile.k8s.namespace or own


def storage_of(
    choice: KubernetesChoice,
    models: Sequence[Model],
    facts: Facts,
    *,
    cached: bool,
    once: bool = False,
) -> Storage:
    """Return the claim: all models, the largest once more while it is updated, a tenth beside.

    With `once` a pod has its models anew each time, so that none is updated.
    """
    named = choice.storage_class or ""
    if choice.storage is not None:
        reason = "As the profile asks."
        return Storage(size=choice.storage, storage_class=named, reason=reason, key="k8s.storage")
    known = {model.name: _size(model, facts) for model in models}
    unknown = [name for name, size in known.items() if not size]
    sizes = [size or _guessed(name) for name, size in known.items()]
    total = sum(sizes) + (0 if once else max(sizes, default=0))
    need = total * 11 // 10 + (GIB if cached else 0) if sizes else NO_MODELS
    size = -(-need // STEP) * STEP
    reason = _room(sizes, unknown, once=once)
    return Storage(size=size, storage_class=named, reason=reason, key="models.name")


def _size(model: Model, facts: Facts) -> int:
    found = facts.named_model(model.name)
    if found is None:
        return 0
    return found.parameters * model.bits // 8 if model.bits else found.file_bytes


def _guessed(name: str) -> int:
    """Return the size of a model that nobody knows: more than usual where its name says so."""
    told, bits = _BILLIONS.search(name.lower()), _BITS.search(name.lower())
    if told is None:
        return UNKNOWN_MODEL
    weights = int(told[1] or 1) * float(told[2]) * 10**9
    # A quantisation keeps some tensors, and the scales of the rest, in more bits.
    each = (int(bits[1]) if bits else _USUAL_BITS) + 1
    return max(UNKNOWN_MODEL, int(weights * each / 8))


def _room(sizes: Sequence[int], unknown: Sequence[str], *, once: bool) -> str:
    if not sizes:
        return f"The profile names no models; {written_size(NO_MODELS)} hold a few."
    models = "The model has" if len(sizes) == 1 else f"{len(sizes)} models have"
    told = f"{models} {written_size(-(-sum(sizes) // GIB) * GIB)}"
    least = written_size(UNKNOWN_MODEL)
    guessed = f", with {least} or what its name says for each of unknown size" if unknown else ""
    if once:
        each = "it" if len(sizes) == 1 else "them"
        return f"{told}{guessed}, and each pod downloads {each} anew; a tenth is beside."
    return f"{told}{guessed}; there is room to pull the largest anew, and a tenth beside."


def _cpu(limits: Sequence[Limit], threads: int) -> int:
    """Return the thousandths of a CPU to ask for: the quota, else one for each thread."""
    quota = next((int(one.value) for one in limits if one.name == "cpu_quota"), 0)
    return quota * 10 or threads * 1000


def _memory(limits: Sequence[Limit]) -> int:
    top = next((one.value for one in limits if one.name == "memory_max"), 0)
    return top if isinstance(top, int) else 0


def _gpus(
    choice: KubernetesChoice, devices: Devices | None, cards: Sequence[Gpu], used: int
) -> PodGpus | None:
    if devices is None:
        return None
    maker = _maker(devices, cards)
    vendor, dra = VENDORS[maker], choice.gpu == "dra"
    count = used or len(devices.ids) or len(cards) or 1
    own = choice.gpu_resource or ""
    resource = vendor.resource if dra or not own else own
    chosen = tuple(_selectors(maker, _used(devices, cards))) if dra and not own else ()
    return PodGpus(
        mode=choice.gpu,
        maker=maker,
        resource=resource,
        count=count,
        device_class=own or vendor.device_class if dra else "",
        selectors=chosen,
        selectors_reason=_AS_THE_CARDS if chosen else "",
        taints=tuple(dict.fromkeys((resource, vendor.resource))),
        reason=f"{count} of them, whichever the node has free.",
    )


def _maker(devices: Devices, cards: Sequence[Gpu]) -> Maker:
    if devices.vendor == "dri":
        return "intel" if any(card.vendor == "intel" for card in cards) else "amd"
    return devices.vendor


def _used(devices: Devices, cards: Sequence[Gpu]) -> Sequence[Gpu]:
    """Return the cards that are named, by their index or id; all where nobody knows."""
    named = [
        card for number, card in enumerate(cards) if {str(number), card.uuid} & set(devices.ids)
    ]
    return named if len(named) == len(devices.ids) and named else cards


def _selectors(maker: Maker, cards: Sequence[Gpu]) -> Iterator[str]:
    """Yield what a device must be so that what the plan holds for fits: memory and capability.

    Attributes and capacities are those of NVIDIA's driver; of others, memory alone.
    """
    domain = VENDORS[maker].device_class
    sizes = [card.memory for card in cards if card.memory and not card.unified]
    if sizes:
        yield enough(domain, usable(min(sizes)) // 2**20)
    told = [card.compute_capability for card in cards if card.compute_capability]
    if told and maker == "nvidia":
        least = min(told, key=lambda text: [int(part) for part in text.split(".")])
        yield (
            f"device.attributes['{domain}'].cudaComputeCapability"
            f".compareTo(semver('{least}.0')) >= 0"
        )


def usable(memory: int) -> int:
    """Return what a driver may tell of a card: a little less than is printed on it."""
    return memory * 95 // 100


def enough(domain: str, mebibytes: int) -> str:
    """Return the CEL that is true of devices with so much memory."""
    return f"device.capacity['{domain}'].memory.compareTo(quantity('{mebibytes}Mi')) >= 0"


def _nodes(
    choice: KubernetesChoice, system: str, devices: Devices | None, cards: Sequence[Gpu]
) -> Iterator[NodeRule]:
    if machine := ARCHITECTURES.get(system, ""):
        why = "The host of this profile is such a machine."
        yield NodeRule(label="kubernetes.io/arch", values=(machine,), reason=why)
    for label, value in choice.node_selector.items():
        yield NodeRule(label=label, values=(value,), reason="As the profile asks.")
    own = choice.node_selector or choice.gpu_resource or choice.gpu == "dra"
    if own or devices is None or devices.vendor != "nvidia":
        return
    used = _used(devices, cards)
    values = tuple(dict.fromkeys(name for card in used for name in _products(card.name)))
    if values:
        why = "What this plan is for, as GPU feature discovery labels nodes."
        yield NodeRule(label="nvidia.com/gpu.product", values=values, reason=why)


def _products(name: str) -> Iterator[str]:
    """Yield what feature discovery may call a card: as the driver does, blanks as `-`."""
    plain = "-".join(name.split())
    bare = plain.removeprefix("NVIDIA-")
    for text in (plain, bare if bare != plain else f"NVIDIA-{plain}"):
        if _LABEL.fullmatch(text):
            yield text


def _start(server: Server, jobs: Sequence[Job]) -> Probe:
    """Return how the start is seen: by loading the models, where the profile wants that."""
    health = server.health
    warm = next((job for job in jobs if job.kind == "warmup" and job.probe), None)
    if warm and warm.probe:
        return Probe(
            argv=warm.filled(warm.probe).argv,
            interval_seconds=10,
            timeout_seconds=warm.timeout_seconds or 3600,
            failures=3,
            reason="Loads the models, and nobody is sent to the server before they are.",
        )
    asked = _asking(server, 0, "Asked often until the first answer.")
    tries = -(-4 * health.start_seconds // health.startup_seconds)
    return replace(asked, interval_seconds=health.startup_seconds, failures=tries)


def _asking(server: Server, failures: int, reason: str) -> Probe:
    """Return how the kubelet asks a server that runs: for its release, where that has a path."""
    health = server.health
    return Probe(
        path=server.api.release if server.api else "",
        argv=() if server.api else health.step.argv,
        interval_seconds=10,
        timeout_seconds=health.timeout_seconds,
        failures=failures,
        reason=reason,
    )


def _beside(profile: Profile, seconds: int) -> tuple[int, str]:
    """Return how long a front may go on when it is to stop: what it hands on, servers compute."""
    front = profile.front
    if front is None or "drain_timeout" not in front.model_fields_set:
        return seconds, "Answers that run may end: as long as a server has, `k8s.longest_answer`."
    told = -(-parse_go_duration(front.drain_timeout) // 10**9)
    return told, "Answers that run may end, as `front.drain_timeout` says."


def _drain(port: int, seconds: int) -> tuple[str, ...]:
    return ("/bin/sh", "-c", DRAIN, "sh", f"{port:04X}", str(-(-seconds // 2)))
