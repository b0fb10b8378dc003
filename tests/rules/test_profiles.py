"""Rules on profiles: a case that each catches, and one that it leaves alone."""

from collections.abc import Mapping

import pytest

from tests.plans import plan, rules

GB10 = {"gpus": [{"name": "NVIDIA GB10", "memory": "119GiB"}]}
PASCAL = {"gpus": [{"name": "Quadro P4000", "memory": "8GiB"}]}
CPU = {"cpu": {"cores": 4, "threads": 8}}
WARM = [{"name": "a", "preload": True}, {"name": "b", "preload": True}]

# rule: (caught, left alone)
CASES: dict[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
    "HW201": (
        {"host": CPU, "threads": {"count": 6}},
        {"host": CPU, "threads": {"count": 4}},
    ),
    "HW202": (
        {"threads": {"count": 4}, "resources": {"cpu_quota": "399%"}},
        {"threads": {"count": 4}, "resources": {"cpu_quota": "500%"}},
    ),
    "HW203": ({"resources": {"cpu_weight": 100}}, {"resources": {"cpu_weight": 200}}),
    "HW301": (
        {"host": PASCAL | {"driver": "550.54"}},
        {"host": PASCAL | {"driver": "570"}},
    ),
    "HW302": ({"host": PASCAL | {"driver": "590"}}, {"host": GB10 | {"driver": "590"}}),
    "HW303": (
        {"host": GB10, "ollama": {"sched_spread": True}},
        {"host": GB10, "ollama": {"sched_spread": False}},
    ),
    "HW304": ({"host": GB10}, {"host": GB10, "ollama": {"context_length": 4096}}),
    "HW401": ({"ollama": {"host": "::"}}, {"ollama": {"host": "127.0.0.2"}}),
    "HW501": (
        {"models": WARM, "ollama": {"keep_alive": "0s"}},
        {"models": WARM, "ollama": {"keep_alive": "-1"}},
    ),
    "HW502": (
        {"models": WARM, "ollama": {"max_loaded_models": 1}},
        {"models": WARM, "ollama": {"max_loaded_models": 2}},
    ),
    "HW504": (
        {"models": [{"name": "a", "role": "embedding", "preload": True}]},
        {"models": [{"name": "a", "role": "main", "preload": True}]},
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert rule in rules(plan(caught))
    assert rule not in rules(plan(left))


@pytest.mark.parametrize("rule", CASES)
def test_a_finding_says_what_where_and_what_to_do(rule: str) -> None:
    finding = next(f for f in plan(CASES[rule][0]).findings if f.rule == rule)
    assert finding.message
    assert finding.where
    assert finding.fix
    assert finding.link
