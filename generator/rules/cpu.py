"""HW2xx: compute threads, quota and weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.container import is_client
from generator.rules.need import computes_on_cpu
from generator.rules.rule import Hit, Rule, rule
from generator.share import quota_acts, quota_for, threads_within
from generator.units import cpu_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Bound, Variable, View

DEFAULT_WEIGHT: Final = 100  # systemd.resource-control(5): CPUWeight=


def threads_of(view: View) -> tuple[int, Variable] | None:
    """Return the compute threads that the service asks for, and the variable that says so."""
    for name in ("LLAMA_ARG_THREADS", "OMP_NUM_THREADS"):
        variable = view.variable(name)
        if variable is not None and variable.value.isascii() and variable.value.isdigit():
            return int(variable.value), variable
    return None


def _in_percent(view: View, quota: Bound) -> bool:
    """Whether systemd reads the quota: limits of a unit are no options of its container."""
    of_unit = view.container is None or quota.place.key == "CPUQuota"
    return view.origin == "profile" or (of_unit and view.origin not in {"compose", "helm"})


def _spelt(view: View, quota: Bound, percent: int) -> str:
    """Return a quota as that file spells one."""
    if _in_percent(view, quota):
        return f"{percent}%"
    cpus = f"{percent / 100:g}"
    return {"compose": f"cpus: {cpus}", "helm": f'cpu: "{cpus}"'}.get(view.origin, f"--cpus={cpus}")


def _told(view: View, quota: Bound, percent: int) -> str:
    return f"{percent}%" if _in_percent(view, quota) else f"{percent / 100:g} CPUs"


@rule(
    "HW201",
    severity="warning",
    title="more compute threads than physical cores",
    why="Decoding waits for memory. A second thread on the same core waits for the same memory, "
    "and all threads meet at a barrier for every layer, so it seldom helps and often harms.",
    bad="LLAMA_ARG_THREADS=20    # on 12 cores, 24 hardware threads",
    good="LLAMA_ARG_THREADS=12",
    source="ollama#2496, ollama#2929",
)
def threads_above_cores(view: View, _: Facts) -> Iterator[Hit]:
    """A second thread on a core waits for the same memory."""
    asked, cores = threads_of(view), view.host.cores
    if asked and cores and asked[0] > cores:
        yield Hit(
            message=f"{asked[0]} compute threads on {cores} physical cores: decoding waits for "
            f"memory, so the second thread of a core seldom helps",
            place=asked[1].place,
            fix=f"try `{cores}` and measure both",
        )


@rule(
    "HW202",
    severity="warning",
    title="more compute threads than the CPU quota lets run",
    why="CPUQuota= stops the whole service when the quota of a period is used up. The threads of a "
    "layer wait for each other at a barrier, so one stopped thread stalls all of them: eight "
    "threads under a quota of four CPUs decoded 0.27 tokens a second instead of 12.",
    bad="CPUQuota=400%\nEnvironment=LLAMA_ARG_THREADS=8",
    good="CPUQuota=500%\nEnvironment=LLAMA_ARG_THREADS=4",
    source="ollama#17916",
)
def threads_above_quota(view: View, _: Facts) -> Iterator[Hit]:
    """The kernel stops the whole service when the quota of a period is used up."""
    asked, quota = threads_of(view), view.bound("cpu_quota")
    if asked is None or quota is None or quota.value is None:
        return
    threads, percent, cpus = asked[0], int(quota.value), _usable_cpus(view)
    if threads <= threads_within(percent) or not quota_acts(percent, cpus):
        return
    enough = quota_for(threads)
    below = threads * 100 > percent
    yield Hit(
        message=f"{threads} compute threads under a quota of {_told(view, quota, percent)}: they "
        f"wait for each other at barriers, so one stopped thread stalls all of them"
        + ("" if below else ", and the server itself wants some time too"),
        place=quota.place,
        severity=None if below else "info",
        fix=f"write `{_spelt(view, quota, enough)}`, or fewer threads"
        if quota_acts(enough, cpus)
        else "leave the quota out, or write fewer threads",
    )


def _usable_cpus(view: View) -> int:
    """Return how many CPUs the service may run on; 0: not told."""
    allowed = view.bound("allowed_cpus")
    listed = cpu_list(str(allowed.value)) if allowed is not None else None
    return len(listed or ()) or view.host.threads


@rule(
    "HW203",
    severity="info",
    title="a CPU weight that is the default",
    why="CPUWeight= is a share under contention, and 100 is what every service has. It is no "
    "priority over anything.",
    bad="CPUWeight=100    # high priority",
    good="CPUWeight=500",
    source="systemd.resource-control(5)",
)
def weight_is_the_default(view: View, _: Facts) -> Iterator[Hit]:
    """100 is what every service has, so it gives no precedence."""
    weight = view.bound("cpu_weight")
    if weight is not None and weight.value == DEFAULT_WEIGHT:
        shares = view.origin == "compose"
        name, default = ("cpu_shares", 1024) if shares else ("CPUWeight", DEFAULT_WEIGHT)
        yield Hit(
            message=f"{name} {default} is the default of every service and gives no precedence",
            place=weight.place,
            fix=f"write more than {default} for precedence, or leave it out",
        )


@rule(
    "HW204",
    severity="warning",
    title="more CPUs than the machine has",
    why="A quota above all CPUs never acts, and CPUs that are not there cannot be used. Docker "
    "refuses to start such a container; systemd says nothing.",
    bad="CPUQuota=3200%    # on 24 hardware threads",
    good="CPUQuota=2000%",
    source="systemd.resource-control(5); moby daemon/daemon_unix.go",
)
def beyond_the_machine(view: View, _: Facts) -> Iterator[Hit]:
    """A quota above all CPUs never acts, and CPUs that are not there cannot be used."""
    threads = view.host.threads
    quota, allowed = view.bound("cpu_quota"), view.bound("allowed_cpus")
    if threads and quota is not None and int(quota.value or 0) > threads * 100:
        yield _beyond(
            quota,
            f"a quota of {_told(view, quota, int(quota.value or 0))} is more than the {threads} "
            f"hardware threads of this machine",
            f"write at most `{_spelt(view, quota, threads * 100)}`, or leave it out",
            refused=view.origin == "compose" and quota.place.key.endswith("cpus"),
        )
    highest = highest_cpu(str(allowed.value)) if allowed is not None else None
    if threads and allowed is not None and highest is not None and highest >= threads:
        yield _beyond(
            allowed,
            f"there is no CPU {highest}: this machine has 0-{threads - 1}",
            "name CPUs that exist",
            refused=view.origin == "compose",
        )


def _beyond(bound: Bound, message: str, fix: str, *, refused: bool) -> Hit:
    return Hit(
        message=f"{message}; Docker refuses to start it" if refused else message,
        place=bound.place,
        severity="error" if refused else None,
        fix=fix,
    )


def highest_cpu(cpus: str) -> int | None:
    """Return the highest CPU of a list like `0-3,8` or `0-3 8`; None: it is no such list."""
    parts = cpus.replace(",", " ").replace("-", " ").split()
    digits = all(part.isascii() and part.isdigit() for part in parts)
    return max(int(part) for part in parts) if parts and digits else None


@rule(
    "HW205",
    severity="info",
    title="no bound on CPU time beside other services",
    why="On a CPU a model computes with a thread per physical core, and its threads spin while "
    "they wait for each other. Services of the same file get what is left.",
    bad="services:\n  ollama: {image: ollama/ollama}\n  app: {image: app}",
    good="services:\n  ollama: {image: ollama/ollama, cpus: 6}\n  app: {image: app}",
    source="common/common.cpp@4df29be (llama.cpp); ollama#17916",
)
def unbound_beside_others(view: View, _: Facts) -> Iterator[Hit]:
    """Services beside it get what the compute threads leave."""
    bounds = ("cpu_quota", "allowed_cpus", "cpu_weight")
    bound = any(view.bound(name) is not None for name in bounds) or threads_of(view) is not None
    if bound or is_client(view) or not view.neighbours or not computes_on_cpu(view):
        return
    others = ", ".join(f"`{name}`" for name in view.neighbours[:3])
    more = " and others" if len(view.neighbours) > len(view.neighbours[:3]) else ""
    yield Hit(
        message=f"nothing bounds its CPU time, beside {others}{more}: a model on the CPU takes "
        f"every core",
        place=view.place,
        fix="add `cpus`, one more than LLAMA_ARG_THREADS, or less `cpu_shares` than the others have"
        if view.origin == "compose"
        else "bound the CPU time, or give the others more weight",
    )


RULES: Final[tuple[Rule, ...]] = (
    threads_above_cores,
    threads_above_quota,
    weight_is_the_default,
    beyond_the_machine,
    unbound_beside_others,
)
