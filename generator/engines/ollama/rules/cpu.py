"""HW201, HW202, HW205, HW213 and HW215: compute threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers import need
from generator.fit.host import computes_on_cpu
from generator.host import quota_acts, quota_for, threads_within
from generator.rules.helpers.containers import is_client
from generator.rules.rule import Hit, Hits, Rule
from generator.units import cpu_list, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Bound, Place, View

NAME: Final = "LLAMA_ARG_THREADS"
CPU: Final = 100
"""Percent of one."""
_MANY: Final = 8 * CPU
"""A quota that many a host has no more cores than."""


def threads_of(view: View, facts: Facts) -> tuple[int, Place] | None:
    """Return the compute threads that the service asks for, and where: by the variable that the
    release reads, or by what its models are made with.
    """
    variable, fact = view.variable(NAME), facts.variable(NAME)
    if fact is not None and fact.works and variable is not None:
        count = whole(variable.value)
        return None if count is None else (count, variable.place)
    carried = max((model.threads for model in view.models), default=0)
    return (carried, view.at("threads.count")) if carried else None


@Rule(
    id="HW201",
    title="more compute threads than physical cores",
    why="Decoding waits for memory. A second thread on the same core waits for the same memory, "
    "and all threads meet at a barrier for every layer, so it seldom helps and often harms.",
    bad="LLAMA_ARG_THREADS=20    # on 12 cores, 24 hardware threads",
    good="LLAMA_ARG_THREADS=12",
    source="ollama#2496, ollama#2929",
)
def threads_above_cores(view: View, facts: Facts) -> Hits:
    asked, cores = threads_of(view, facts), view.host.cores
    if asked and cores and asked[0] > cores:
        yield Hit(
            message=f"{asked[0]} compute threads on {cores} physical cores: decoding waits for "
            f"memory, so the second thread of a core seldom helps",
            place=asked[1],
            fix=f"try `{cores}` and measure both",
        )


@Rule(
    id="HW202",
    title="more compute threads than the CPU quota lets run",
    why="A spent quota stops the service, and the threads of a layer wait for each other at a "
    "barrier: eight threads under a quota of four CPUs decoded 0.27 tokens a second instead of 12.",
    bad="CPUQuota=400%\nEnvironment=LLAMA_ARG_THREADS=8",
    good="CPUQuota=500%\nEnvironment=LLAMA_ARG_THREADS=4",
    source="ollama#17916",
)
def threads_above_quota(view: View, facts: Facts) -> Hits:
    asked, quota = threads_of(view, facts), view.bound("cpu_quota")
    if asked is None or quota is None or quota.value is None:
        return
    threads, percent, allowed = asked[0], int(quota.value), view.bound("allowed_cpus")
    listed = cpu_list(str(allowed.value)) if allowed is not None else None
    cpus = len(listed or ()) or view.host.threads
    if threads <= threads_within(percent) or not quota_acts(percent, cpus):
        return
    enough, cores = quota_for(threads), view.host.cores
    below = threads * CPU > percent
    spare = quota_acts(enough, cpus) and not (below and 0 < cores * CPU < enough)
    yield Hit(
        message=f"{threads} compute threads under a quota of "
        f"{view.phrases.quota_in_prose(quota, percent)}: they wait for each other at barriers, "
        f"so one stopped thread stalls all of them"
        + ("" if below else ", and the server itself wants some time too"),
        place=quota.place,
        severity=None if below else "info",
        fix=f"write `{view.phrases.quota(quota, enough)}`, or fewer threads"
        if spare
        else f"leave the quota out, or write fewer threads, like `{threads_within(percent)}`",
    )


@Rule(
    id="HW213",
    title="a CPU quota, and nobody tells the threads",
    why="The server takes a thread per physical core of the machine: it does not see the quota. "
    "Once that is spent all of them stop, and the threads of a layer wait for each other: eight "
    "threads under a quota of four CPUs decoded 0.27 tokens a second instead of 12. Under one of "
    "more than eight CPUs it is a remark where nobody knows the cores: there may be no more. "
    "Releases 0.13 to 0.24 do see that of their container.",
    bad="cpus: 4    # on 8 cores",
    good="cpus: 4\nenvironment:\n  LLAMA_ARG_THREADS: 3",
    source="common/common.cpp@4df29be (llama.cpp); ollama#17916; otwld/ollama-helm#93",
)
def quota_without_threads(view: View, facts: Facts) -> Hits:
    quota, cores = view.bound("cpu_quota"), view.host.cores
    told = not view.lacks(NAME) or threads_of(view, facts) is not None
    if told or is_client(view):
        return
    if quota is None or quota.value is None:
        yield from _cpus_without_threads(view, facts)
        return
    percent = int(quota.value)
    # Below one CPU it is HW214, and what a GPU computes needs no more than one.
    if percent < CPU or (cores and cores * CPU <= percent) or not _on_cpu(view):
        return
    if _sees(view, quota, facts):
        return
    taken = f"{cores} threads, one per core" if cores else "a thread per core, however many"
    yield Hit(
        severity=None if cores or percent <= _MANY else "info",
        message=f"under a quota of {view.phrases.quota_in_prose(quota, percent)} the server takes "
        f"{taken}: they wait for each other at barriers, so one stopped thread stalls all of them",
        place=quota.place,
        fix=_tell(facts, threads_within(percent)),
    )


def _sees(view: View, quota: Bound, facts: Facts) -> bool:
    """Return whether the release takes as many threads as a quota lets run.

    It reads the file at the top of its tree of cgroups: that of a container, where it has its own.
    """
    of_host = any(line.value == "host" for line in view.lines_named(*_NAMESPACES))
    boxed = view.container is not None and not view.phrases.limits_unit(quota)
    return boxed and not of_host and facts.behaves("cpu-quota-seen")


_NAMESPACES: Final = frozenset({"cgroup", "cgroupns", "cgroupns_mode", "Cgroupns"})


def _cpus_without_threads(view: View, facts: Facts) -> Hits:
    """Yield the list of CPUs that is shorter than the threads which the server takes."""
    allowed, cores = view.bound("allowed_cpus"), view.host.cores
    listed = cpu_list(str(allowed.value)) if allowed is not None else None
    if allowed is None or not listed or (cores and cores <= len(listed)) or not _on_cpu(view):
        return
    taken = f"{cores} threads, one per core" if cores else "a thread per core of the machine"
    yield Hit(
        message=f"on {len(listed)} CPUs the server takes {taken}: it does not see the list, and "
        "its threads wait for each other at barriers",
        place=allowed.place,
        severity=None if cores else "info",
        fix=_tell(facts, len(listed)).replace("the quota", "the list"),
    )


@Rule(
    id="HW616",
    title="more compute threads than CPUs that the service may use",
    why="The threads of a layer meet at a barrier. Where two of them share a CPU, all wait for the "
    "one that is not running.",
    bad="AllowedCPUs=0-3\nEnvironment=LLAMA_ARG_THREADS=8",
    good="AllowedCPUs=0-3\nEnvironment=LLAMA_ARG_THREADS=4",
    source="ggml/src/ggml-cpu/ggml-cpu.c (llama.cpp), ggml_barrier; ollama#17916",
)
def threads_above_cpus(view: View, facts: Facts) -> Hits:
    asked, allowed = threads_of(view, facts), view.bound("allowed_cpus")
    listed = cpu_list(str(allowed.value)) if allowed is not None else None
    if asked is not None and allowed is not None and listed and asked[0] > len(listed):
        yield Hit(
            message=f"{asked[0]} compute threads on {len(listed)} CPUs: they wait for each other "
            "at barriers, so two on one CPU stall all of them",
            place=allowed.place,
            fix=f"write `{len(listed)}` threads at most, or more CPUs",
        )


_OF_GPUS: Final = (
    *("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"),
    *("HSA_OVERRIDE_GFX_VERSION", "GGML_VK_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"),
    *("LLAMA_ARG_N_GPU_LAYERS", "OLLAMA_VULKAN", "OLLAMA_SCHED_SPREAD", "OLLAMA_GPU_OVERHEAD"),
)


def _on_cpu(view: View) -> bool:
    """Return whether the CPU computes, or nothing tells of a GPU that would."""
    chosen = any(view.variable(name) is not None for name in _OF_GPUS)
    untold = not (view.acceleration or view.container or chosen or view.host.gpus)
    return computes_on_cpu(view) or (untold and (view.host.cores > 0 or view.starts is not None))


def _tell(facts: Facts, threads: int) -> str:
    """Return how the release is told of its threads."""
    fact = facts.variable(NAME)
    if fact is not None and fact.works:
        return f"set {NAME} to `{threads}`, or leave the quota out"
    return f"make the model with `PARAMETER num_thread {threads}`, or leave the quota out"


@Rule(
    id="HW215",
    severity="info",
    title="compute threads beside models that are all on the GPU",
    why="A GPU that holds all layers computes all of them, and one thread hands it the work: their "
    "number changes nothing until a model overflows to the host. Nothing is said where CPU time is "
    "bounded, for then a number keeps the threads that are there within it.",
    bad="[threads]\ncount = 16    # beside an 8B model on 24 GiB of GPU memory",
    good="# left out: one per core, should a model ever overflow",
    source="llama.cpp common/common.cpp@4df29be, ggml/src/ggml-backend.cpp (a split a device); "
    "llm/llama_server.go@v0.32.15:596",
)
def threads_without_work(view: View, facts: Facts) -> Hits:
    asked = threads_of(view, facts)
    bounds = [view.bound(name) for name in ("cpu_quota", "allowed_cpus")]
    bounded = any(bound is not None and not bound.derived for bound in bounds)
    if asked is None or bounded or not view.models or computes_on_cpu(view):
        return
    fits = [need.placed(view, facts, used) for used in view.models]
    if all(fit is not None and fit.placement.on_gpus > fit.shape.layers for fit in fits):
        names = ", ".join(f"`{used.name}`" for used in view.models[:3])
        yield Hit(
            message=f"{asked[0]} compute threads have nothing to compute: all layers of {names} "
            f"are on the GPU",
            place=asked[1],
            fix="leave it out, or write why it is there",
        )


@Rule(
    id="HW205",
    severity="info",
    title="no bound on CPU time beside other services",
    why="On a CPU a model computes with a thread per physical core, and its threads spin while "
    "they wait for each other. Services of the same file get what is left.",
    bad="services:\n  ollama: {image: ollama/ollama}\n  app: {image: app}",
    good="services:\n  ollama: {image: ollama/ollama, cpus: 6}\n  app: {image: app}",
    source="common/common.cpp@4df29be (llama.cpp); ollama#17916",
)
def unbound_beside_others(view: View, facts: Facts) -> Hits:
    bounds = ("cpu_quota", "allowed_cpus", "cpu_weight")
    unknown = view.variable(NAME) is None and not view.lacks(NAME)
    bound = unknown or threads_of(view, facts) or any(view.bound(name) for name in bounds)
    if bound or view.adds or is_client(view) or not view.neighbours or not computes_on_cpu(view):
        return
    others = ", ".join(f"`{name}`" for name in view.neighbours[:3])
    more = " and others" if view.neighbours[3:] else ""
    yield Hit(
        message=f"nothing bounds its CPU time, beside {others}{more}: a model on the CPU takes "
        f"every core",
        place=view.place,
        fix=view.phrases.share_cpus,
    )
