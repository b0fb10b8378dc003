"""HW204, HW205 and HW215: CPUs that are not there or spared for others, idle threads."""

import dataclasses
from typing import Any

import pytest

from generator.engines.ollama.rules.cpu import threads_above_quota, unbound_beside_others
from generator.host import Gpu
from generator.rules.limits import beyond_the_machine, highest_cpu, weight_is_the_default
from generator.rules.registry import every_rule, judge
from generator.view import Bound, Container, Line, ModelUse, Place, View
from tests.facts import facts_at
from tests.views import found, view

FILE = Place("compose.yaml", 2)
XEON = {"cores": 12, "threads": 24}
BOX = Container(image="ollama/ollama", place=FILE)
RULES = every_rule()


def compose(bounds: dict[str, int | str | None] | None = None, **more: Any) -> View:
    return view({}, bounds, **{"kind": "compose", "container": BOX, "place": FILE, **more})


ADA = Gpu(name="RTX 4090", memory=24 * 2**30, compute_capability="8.9", vendor="nvidia")
SMALL = (ModelUse(name="llama3.1:8b", place=FILE),)
LARGE = (*SMALL, ModelUse(name="llama3.3:70b", place=FILE))


def beside_a_gpu(models: tuple[ModelUse, ...], bounds: dict[str, int | str | None]) -> View:
    host = {"cores": 16, "threads": 32, "memory": 64 * 2**30, "gpus": (ADA,)}
    env = {"LLAMA_ARG_THREADS": "16", "OLLAMA_CONTEXT_LENGTH": "8192"}
    return view(env, bounds, host=host, models=models, acceleration="cuda")


CASES: dict[str, tuple[View, View]] = {
    "HW204": (
        view({}, {"cpu_quota": 3200}, host=XEON),
        view({}, {"cpu_quota": 2000, "allowed_cpus": "0-23"}, host=XEON),
    ),
    "HW205": (
        compose(neighbours=("app", "db")),
        compose({"cpu_quota": 600}, neighbours=("app", "db")),
    ),
    # One that is larger than the card overflows to the host, whose threads compute then.
    "HW215": (beside_a_gpu(SMALL, {}), beside_a_gpu(LARGE, {})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULES[rule], caught)
    assert not found(RULES[rule], left)


def test_idle_threads_that_keep_to_a_bound_are_left_alone() -> None:
    assert not found(RULES["HW215"], beside_a_gpu(SMALL, {"cpu_quota": 400}))
    assert not found(RULES["HW215"], beside_a_gpu((), {}))
    (placed,) = found(RULES["HW215"], beside_a_gpu(SMALL, {}))
    assert placed.finding.message == (
        "16 compute threads have nothing to compute: all layers of `llama3.1:8b` are on the GPU"
    )


def test_a_quota_above_all_cpus_says_what_to_write() -> None:
    (placed,) = found(beyond_the_machine, CASES["HW204"][0])
    assert placed.finding.severity == "warning"
    assert placed.finding.message == (
        "a quota of 3200% is more than the 24 hardware threads of this machine"
    )
    assert placed.finding.fix == "write at most `2400%`, or leave it out"


def test_docker_refuses_what_systemd_ignores() -> None:
    place = Place("compose.yaml", 4, "services.ollama.cpus")
    bound = Bound(name="cpu_quota", value=3200, place=place, written="32")
    seen = dataclasses.replace(compose(host=XEON), bounds=(bound,))
    (placed,) = found(beyond_the_machine, seen)
    assert placed.finding.severity == "error"
    assert placed.finding.message.endswith("; Docker refuses to start it")
    assert placed.finding.fix == "write at most `cpus: 24`, or leave it out"


def test_cpus_that_are_not_there() -> None:
    (placed,) = found(beyond_the_machine, view({}, {"allowed_cpus": "0-7,24"}, host=XEON))
    assert placed.finding.message == "there is no CPU 24: this machine has 0-23"


@pytest.mark.parametrize(
    "bounds", [{"cpu_quota": None}, {"allowed_cpus": "all"}, {"cpu_quota": 2400}, {}]
)
def test_what_bounds_nothing_or_fits_is_left_alone(bounds: dict[str, int | str | None]) -> None:
    assert not found(beyond_the_machine, view({}, bounds, host=XEON))


def test_without_a_machine_nothing_is_said() -> None:
    assert not found(beyond_the_machine, view({}, {"cpu_quota": 99900, "allowed_cpus": "999"}))


@pytest.mark.parametrize(
    ("cpus", "highest"), [("0-3,8", 8), ("0-3 12", 12), ("7", 7), ("", None), ("a-b", None)]
)
def test_the_highest_cpu_of_a_list(cpus: str, highest: int | None) -> None:
    assert highest_cpu(cpus) == highest


def test_an_unbound_service_names_those_that_suffer() -> None:
    (placed,) = found(unbound_beside_others, compose(neighbours=("app", "db", "proxy", "ui")))
    assert placed.finding.severity == "info"
    assert "beside `app`, `db`, `proxy` and others" in placed.finding.message
    assert placed.place == FILE


@pytest.mark.parametrize(
    "seen",
    [
        compose(),
        compose({"cpu_weight": 50}, neighbours=("app",)),
        compose({"allowed_cpus": "0-5"}, neighbours=("app",)),
        compose(
            neighbours=("app",),
            container=Container(image="ollama/ollama", place=FILE, gpu_access="reservation"),
        ),
        view({"LLAMA_ARG_THREADS": "6"}, kind="compose", container=BOX, neighbours=("app",)),
        compose(
            neighbours=("app",),
            lines=(Line(section="", name="command", value="ollama pull llama3:8b", place=FILE),),
        ),
    ],
    ids=["alone", "weight", "cpus", "on a GPU", "threads", "a client"],
)
def test_what_is_bound_or_harmless_is_left_alone(seen: View) -> None:
    assert not found(unbound_beside_others, seen)


@pytest.mark.parametrize(
    ("origin", "key", "box", "told", "fix"),
    [
        ("compose", "services.ollama.cpus", BOX, "6 CPUs", "cpus: 13"),
        ("compose", "services.ollama.cpu_quota", BOX, "6 CPUs", "cpus: 13"),
        ("helm", "resources.limits.cpu", BOX, "6 CPUs", 'cpu: "13"'),
        ("quadlet", "PodmanArgs", BOX, "6 CPUs", "--cpus=13"),
        ("quadlet", "CPUQuota", BOX, "600%", "1300%"),
        ("systemd", "ExecStart", BOX, "6 CPUs", "--cpus=13"),
        ("systemd", "CPUQuota", None, "600%", "1300%"),
        ("nixos", "systemd.services.ollama.serviceConfig.CPUQuota", None, "600%", "1300%"),
        ("profile", "resources.cpu_quota", BOX, "600%", "1300%"),
    ],
)
def test_a_quota_is_spelt_as_its_file_spells_one(
    origin: str, key: str, box: Container | None, told: str, fix: str
) -> None:
    bound = Bound(name="cpu_quota", value=600, place=Place("x", 2, key))
    told_by = view({"LLAMA_ARG_THREADS": "12"}, kind=origin, container=box)
    seen = dataclasses.replace(told_by, bounds=(bound,))
    (placed,) = found(threads_above_quota, seen)
    assert placed.finding.message.startswith(f"12 compute threads under a quota of {told}: ")
    assert placed.finding.fix == f"write `{fix}`, or fewer threads"


def test_the_default_of_compose_is_a_number_of_shares() -> None:
    (placed,) = found(weight_is_the_default, compose({"cpu_weight": 100}))
    assert placed.finding.message.startswith("cpu_shares 1024 is the default")
    assert placed.finding.fix.startswith("write more than 1024")


@pytest.mark.parametrize(
    ("quota", "allowed", "fix"),
    [
        (700, None, "write `900%`, or fewer threads"),
        (800, "0-9", "write `900%`, or fewer threads"),
        # Nine CPUs are not to be had of eight.
        (700, "0-7", "leave the quota out, or write fewer threads, like `6`"),
        # All of the CPUs that it may run on: that takes nothing away.
        (800, "0-7", None),
    ],
)
def test_a_quota_counts_where_it_takes_something_away(
    quota: int, allowed: str | None, fix: str | None
) -> None:
    bounds = {"cpu_quota": quota} | ({"allowed_cpus": allowed} if allowed else {})
    seen = view({"LLAMA_ARG_THREADS": "8"}, bounds, host=XEON)
    assert [p.finding.fix for p in found(threads_above_quota, seen)] == ([fix] if fix else [])


def test_one_thread_waits_for_no_other() -> None:
    assert not found(
        threads_above_quota, view({"LLAMA_ARG_THREADS": "1"}, {"cpu_quota": 50}, host=XEON)
    )


@pytest.mark.parametrize("rule", ["HW201", "HW202"])
def test_threads_that_nobody_reads_do_not_count(rule: str) -> None:
    env, quota = {"OMP_NUM_THREADS": "20"}, {"cpu_quota": 400}
    assert not found(RULES[rule], view(env, quota, host=XEON))
    before = view({"LLAMA_ARG_THREADS": "20"}, quota, host=XEON, release="0.24.0")
    assert not found(RULES[rule], before)


def test_of_such_a_variable_one_rule_speaks() -> None:
    told = judge(view({"OMP_NUM_THREADS": "20"}, host=XEON), facts_at("0.32.15"))
    assert [placed.finding.rule for placed in told] == ["HW121"]


def test_a_variable_that_nobody_reads_bounds_nothing() -> None:
    seen = compose(neighbours=("app",))
    assert found(
        RULES["HW205"],
        dataclasses.replace(seen, variables=view({"OMP_NUM_THREADS": "2"}).variables),
    )
