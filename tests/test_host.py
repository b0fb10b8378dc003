"""Threads, quota and memory: what is derived, no rule objects to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.host import quota_acts, quota_for, reserve, threads_for, threads_within
from tests.plans import environment, plan, rules

GIB = 2**30
# Rules about what is derived here: threads, CPU time and memory.
OBJECTIONS = {"HW201", "HW202", "HW204", "HW206", "HW208"}


@pytest.mark.parametrize(
    ("memory", "kept"),
    [(256, 32), (64, 8), (32, 4), (16, 2), (8, 2), (4, 2), (3, 1.5), (1, 0.5), (0, 0)],
)
def test_the_system_keeps_an_eighth_two_gib_at_least_and_half_at_most(
    memory: float, kept: float
) -> None:
    assert reserve(int(memory * GIB)) == int(kept * GIB)


@pytest.mark.parametrize(
    ("percent", "threads"),
    [(50, 1), (100, 1), (101, 1), (200, 1), (201, 2), (400, 3), (401, 4), (1300, 12)],
)
def test_threads_leave_the_server_some_of_a_quota(percent: int, threads: int) -> None:
    assert threads_within(percent) == threads


def test_a_quota_has_a_cpu_for_each_thread_and_one_for_the_server() -> None:
    assert [quota_for(threads) for threads in (1, 4, 12)] == [200, 500, 1300]


@pytest.mark.parametrize(
    ("percent", "cpus", "acts"),
    [(799, 8, True), (800, 8, False), (900, 8, False), (900, 0, True)],
)
def test_a_quota_of_all_cpus_takes_nothing_away(percent: int, cpus: int, acts: bool) -> None:
    assert quota_acts(percent, cpus) is acts


@pytest.mark.parametrize(
    ("cores", "cpus", "quota", "threads"),
    [
        (12, 24, None, 12),
        (12, 24, 2400, 12),
        (12, 24, 1300, 12),
        (12, 24, 1200, 11),
        (8, 16, 400, 3),
        (12, 4, None, 4),
        (12, 4, 400, 4),
        (12, 4, 300, 2),
        (8, 0, 400, 3),
        (1, 1, 50, 1),
    ],
)
def test_threads(cores: int, cpus: int, quota: int | None, threads: int) -> None:
    assert threads_for(cores, cpus, quota) == threads


@st.composite
def hosts(draw: st.DrawFn) -> dict[str, object]:
    cores = draw(st.integers(1, 128))
    threads = cores * draw(st.sampled_from([1, 2]))
    cpu = {"cores": cores, "threads": threads}
    resources: dict[str, object] = {}
    if draw(st.booleans()):
        resources["cpu_quota"] = f"{draw(st.integers(1, threads * 100))}%"
    if draw(st.booleans()):
        resources["allowed_cpus"] = f"0-{draw(st.integers(0, threads - 1))}"
    memory = draw(st.integers(GIB // 2, 2048 * GIB))
    return {"host": {"cpu": cpu, "memory": memory}, "resources": resources}


@given(hosts())
def test_no_rule_objects_to_what_is_derived(data: dict[str, object]) -> None:
    decided = plan(data)
    assert environment(decided)["LLAMA_ARG_THREADS"].isdecimal()
    assert not rules(decided) & OBJECTIONS


@given(st.integers(1, 64), st.sampled_from([1, 2]), st.data())
def test_no_rule_objects_to_the_quota_of_a_thread_count(
    cores: int, each: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, cores))
    cpu = {"cores": cores, "threads": cores * each}
    decided = plan({"host": {"cpu": cpu}, "threads": {"count": count}})
    assert not rules(decided) & OBJECTIONS
