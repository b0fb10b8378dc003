"""HW203 and HW204: quota and weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def weight_is_the_default(view: View, _: Facts) -> Iterator[Hit]:
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
    severity="warning",
    title="more CPUs than the machine has",
    why="A quota above all CPUs never acts, and CPUs that are not there cannot be used. Docker "
    "refuses to start such a container; systemd says nothing.",
    bad="CPUQuota=3200%    # on 24 hardware threads",
    good="CPUQuota=2000%",
    source="systemd.resource-control(5); moby daemon/daemon_unix.go",
)
def beyond_the_machine(view: View, _: Facts) -> Iterator[Hit]:
    threads = view.host.threads
    quota, allowed = view.bound("cpu_quota"), view.bound("allowed_cpus")
    percent = int(quota.value or 0) if quota is not None else 0
    if threads and quota is not None and percent > threads * 100:
        yield _beyond(
            quota,
            f"a quota of {view.phrases.quota_in_prose(quota, percent)} is more than the "
            f"{threads} hardware threads of this machine",
            f"write at most `{view.phrases.quota(quota, threads * 100)}`, or leave it out",
            refused=view.phrases.refuses(quota),
        )
    highest = highest_cpu(str(allowed.value)) if allowed is not None else None
    if threads and allowed is not None and highest is not None and highest >= threads:
        yield _beyond(
            allowed,
            f"there is no CPU {highest}: this machine has 0-{threads - 1}",
            "name CPUs that exist",
            refused=view.phrases.refuses(allowed),
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
