"""HW203, HW204, HW206, HW208, HW210, HW214, HW218 and HW219: limits on CPU time and memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.fit.host import size_of
from generator.host import reserve
from generator.rules.helpers.containers import is_client
from generator.rules.rule import Hit, Hits, Rule
from generator.units import MIB, format_size, gib

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Bound, View


DEFAULT_WEIGHT: Final = 100  # systemd.resource-control(5): CPUWeight=


@Rule(
    id="HW203",
    severity="info",
    title="a CPU weight that is the default",
    why="CPUWeight= is a share under contention; 100, as every service has, is no priority.",
    bad="CPUWeight=100    # high priority",
    good="CPUWeight=500",
    source="systemd.resource-control(5)",
)
def weight_is_the_default(view: View, _: Facts) -> Hits:
    weight = view.bound("cpu_weight")
    if weight is not None and weight.value == DEFAULT_WEIGHT:
        name, default = view.phrases.weight
        yield Hit(
            message=f"{name} {default} is the default of every service and gives no precedence",
            place=weight.place,
            fix=f"write more than {default} for precedence, or leave it out",
        )


@Rule(
    id="HW204",
    title="more CPUs than the machine has",
    why="A quota above all CPUs never acts, and CPUs that are not there cannot be used. Docker "
    "refuses to start such a container; systemd says nothing.",
    bad="CPUQuota=3200%    # on 24 hardware threads",
    good="CPUQuota=2000%",
    source="systemd.resource-control(5); moby daemon/daemon_unix.go",
)
def beyond_the_machine(view: View, _: Facts) -> Hits:
    threads = view.host.threads
    quota, allowed = view.bound("cpu_quota"), view.bound("allowed_cpus")
    percent = int(quota.value or 0) if quota is not None else 0
    if threads and quota is not None and percent > threads * 100:
        yield _beyond(
            view,
            quota,
            f"a quota of {view.phrases.quota_in_prose(quota, percent)} is more than the "
            f"{threads} hardware threads of this machine",
            f"write at most `{view.phrases.quota(quota, threads * 100)}`, or leave it out",
        )
    highest = highest_cpu(str(allowed.value)) if allowed is not None else None
    if threads and allowed is not None and highest is not None and highest >= threads:
        message = f"there is no CPU {highest}: this machine has 0-{threads - 1}"
        yield _beyond(view, allowed, message, "name CPUs that exist")


def _beyond(view: View, bound: Bound, message: str, fix: str) -> Hit:
    refused = view.phrases.refuses(bound)
    return Hit(
        message=f"{message}; Docker refuses to start it" if refused else message,
        place=bound.place,
        severity="error" if refused else None,
        fix=fix,
    )


_LONGEST: Final = 9  # No machine has a CPU of ten digits.


def highest_cpu(cpus: str) -> int | None:
    """Return the highest CPU of a list like `0-3,8` or `0-3 8`; None: it is no such list."""
    parts = cpus.replace(",", " ").replace("-", " ").split()
    digits = all(part.isascii() and part.isdigit() for part in parts)
    short = all(len(part) <= _LONGEST for part in parts)
    return max(int(part) for part in parts) if parts and digits and short else None


_CPU: Final = 100


@Rule(
    id="HW214",
    title="a CPU quota of less than one CPU",
    why="A quota counts single CPUs: 100% is one of them, whatever the machine has. With less, "
    "each thread stops for a part of every tenth of a second, and a model on the CPU hardly "
    "answers.",
    bad="CPUQuota=80%    # meant as most of 16 CPUs",
    good="CPUQuota=1200%",
    source="systemd.resource-control(5), CPUQuota=; docs.docker.com: Resource constraints",
)
def less_than_one_cpu(view: View, _: Facts) -> Hits:
    quota, threads = view.bound("cpu_quota"), view.host.threads
    percent = int(quota.value or 0) if quota is not None else 0
    if quota is None or not 0 < percent < _CPU or is_client(view):
        return
    told = view.phrases.quota_in_prose(quota, percent)
    part = f"{percent / _CPU:g} of one CPU, not of the machine" if "%" in told else "less than one"
    share = f"`{view.phrases.quota(quota, max(_CPU, percent * threads))}` is that share of"
    yield Hit(
        message=f"a quota of {told} is {part}",
        place=quota.place,
        fix=f"{share} its {threads} hardware threads; or leave it out"
        if threads
        else f"write `{view.phrases.quota(quota, 4 * _CPU)}` for four CPUs, or leave it out",
    )


@Rule(
    id="HW206",
    title="a memory limit that is no limit",
    why="Before it acts the machine is out of memory, and the kernel kills any process.",
    bad="MemoryMax=32G    # on a machine with 32 GiB",
    good="MemoryMax=28G",
    source="systemd.resource-control(5)",
)
def limit_above_memory(view: View, _: Facts) -> Hits:
    bound, memory = view.bound("memory_max"), view.host.memory
    limit = size_of(bound)
    if bound is None or limit is None or not memory or limit < memory:
        return
    more = "more than" if limit > memory else "all of"
    room = format_size((memory - reserve(memory)) // MIB * MIB) + view.phrases.size_suffix
    yield Hit(
        message=f"a memory limit of {bound.written or gib(limit)} is {more} this machine's "
        f"{gib(memory)}: it never acts, and leaves nothing to the system",
        place=bound.place,
        fix=f"write `{room}` or less",
    )


@Rule(
    id="HW208",
    title="a soft memory limit that never acts",
    why="Above MemoryHigh= the kernel reclaims and slows the service down, above MemoryMax= it "
    "kills. A soft limit that is not below the hard one is never reached first.",
    bad="MemoryHigh=20G\nMemoryMax=20G",
    good="MemoryHigh=18G\nMemoryMax=20G",
    source="systemd.resource-control(5)",
)
def soft_limit_above_hard(view: View, _: Facts) -> Hits:
    bound = view.bound("memory_high")
    high, top = size_of(bound), size_of(view.bound("memory_max"))
    reserves = view.phrases.soft_limit_reserves and high == top
    if bound is None or high is None or top is None or high < top or reserves:
        return
    word = "not below" if high == top else "above"
    yield Hit(
        message=f"the soft memory limit, {format_size(high)}, is {word} the hard one, "
        f"{format_size(top)}: it never acts",
        place=bound.place,
        fix=f"write less than `{format_size(top)}`, or leave it out",
    )


@Rule(
    id="HW210",
    severity="info",
    title="a memory limit without one on swap",
    why="At its memory limit a service is swapped out before anything is killed, and a model that "
    "decodes from swap answers in minutes. Docker allows as much swap again by default.",
    bad="MemoryMax=20G",
    good="MemoryMax=20G\nMemorySwapMax=0",
    source="systemd.resource-control(5); docs.docker.com: Resource constraints",
)
def no_limit_on_swap(view: View, _: Facts) -> Hits:
    bound = view.bound("memory_max")
    if bound is None or size_of(bound) is None:
        return
    size = bound.written or format_size(size_of(bound) or 0)
    book = view.phrases
    barred = book.unit_no_swap if book.limits_unit(bound) else book.no_swap.format(size)
    if barred and view.bound("memory_swap_max") is None and not is_client(view):
        yield Hit(
            message="at this limit the kernel swaps model memory out before it kills, if the host "
            "has swap: answers then take minutes",
            place=bound.place,
            fix=barred,
        )


@Rule(
    id="HW218",
    severity="error",
    title="a limit on swap that Docker refuses",
    why="`memswap_limit` and `--memory-swap` count memory and swap together, so they need a limit "
    "on memory, and one that is not above them. Otherwise no container is created.",
    bad="services:\n  ollama:\n    memswap_limit: 8g",
    good="services:\n  ollama:\n    mem_limit: 8g\n    memswap_limit: 8g",
    source="moby daemon/daemon_unix.go, verifyPlatformContainerResources; podman-run(1), "
    "--memory-swap",
)
def refused_swap(view: View, _: Facts) -> Hits:
    both, bound = view.bound("memory_and_swap"), view.bound("memory_max")
    total, memory = size_of(both), size_of(bound)
    untold = bound is not None and memory is None
    if both is None or total is None or view.adds or untold or total >= (memory or total + 1):
        return
    message = "there is a limit on memory and swap together, and none on memory"
    fix = "write a limit on memory as well, of the same size for no swap"
    if memory is not None:
        message = f"memory and swap together, {gib(total)}, are less than the memory, {gib(memory)}"
        fix = "make it as large as the limit on memory, for no swap, or larger"
    yield Hit(
        message=f"{message}: the container is not created",
        place=both.place,
        fix=fix,
    )


@Rule(
    id="HW219",
    severity="info",
    title="a reservation that does nothing",
    why="CPUs are reserved by the scheduler of a swarm alone. `docker compose up` reads the limits "
    "of `deploy.resources`, and of the reservations memory and devices; no CPU is kept free.",
    bad="deploy: {resources: {reservations: {cpus: '4'}}}",
    good="deploy: {resources: {limits: {cpus: '4'}}}",
    source="docker/compose pkg/compose/create.go, setReservations",
)
def idle_reservation(view: View, _: Facts) -> Hits:
    idle, unless = re.compile(view.phrases.idle), re.compile(view.phrases.idle_unless)
    found = [line for line in view.lines if idle.fullmatch(line.place.key)]
    if not found or any(unless.fullmatch(line.place.key) for line in view.lines):
        return
    for line in found:
        yield Hit(
            message="without a swarm a reservation of CPUs keeps none of them free",
            place=line.place,
            fix="give the others less of them, or leave it out",
        )
