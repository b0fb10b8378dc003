"""HW2xx: compute threads, quota and weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue import Catalogue
    from generator.plan import Plan
    from generator.profile import Profile

DEFAULT_WEIGHT = 100  # systemd.resource-control(5): CPUWeight=


def _threads(plan: Plan) -> int | None:
    names = {"LLAMA_ARG_THREADS", "OMP_NUM_THREADS"}
    return next((int(s.value) for s in plan.environment if s.name in names), None)


def threads_above_cores(plan: Plan, profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW201: a second thread on a core waits for the same memory."""
    threads, cpu = _threads(plan), profile.host.cpu
    if threads is not None and cpu is not None and threads > cpu.cores:
        yield Finding(
            rule="HW201",
            severity="warning",
            message=f"{threads} compute threads on {cpu.cores} physical cores: decoding waits for "
            f"memory, so the second thread of a core seldom helps",
            where="threads.count",
            fix=f"try `count = {cpu.cores}` and measure both",
            link="ollama#2496, ollama#2929",
        )


def threads_above_quota(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW202: the kernel stops the whole service when the quota of a period is used up."""
    threads, quota = _threads(plan), plan.limit("cpu_quota")
    if threads is None or quota is None or threads * 100 < int(quota.value):
        return
    below = threads * 100 > int(quota.value)
    yield Finding(
        rule="HW202",
        severity="warning" if below else "info",
        message=f"{threads} compute threads under a quota of {quota.value}%: they wait for each "
        f"other at barriers, so one stopped thread stalls all of them"
        + ("" if below else ", and the server itself wants some time too"),
        where="resources.cpu_quota",
        fix=f"write `{(threads + 1) * 100}%`, or fewer threads",
        link="ollama#17916",
    )


def weight_is_the_default(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW203: 100 is what every service has, so it gives no precedence."""
    weight = plan.limit("cpu_weight")
    if weight is not None and weight.value == DEFAULT_WEIGHT:
        yield Finding(
            rule="HW203",
            severity="info",
            message="CPUWeight 100 is the default of every service and gives no precedence",
            where="resources.cpu_weight",
            fix="write more than 100 for precedence, or leave it out",
            link="systemd.resource-control(5)",
        )
