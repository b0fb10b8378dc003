"""HW527, HW544 and HW546: volumes under the models, and what is logged."""

import pytest

from generator.rules.registry import every_rule
from generator.view import Container, ModelUse, Place, View, Volume
from tests.views import found, view

RULE = every_rule()
GIB = 2**30
PLACE = Place("compose.yaml", 3)
MODELS = "/root/.ollama"


def holding(*models: str, env: dict[str, str] | None = None, **volume: object) -> View:
    fields = {"target": MODELS, "place": Place("compose.yaml", 12), **volume}
    box = Container(image="ollama/ollama", place=PLACE, volumes=(Volume(**fields),))  # type: ignore[arg-type]
    uses = tuple(ModelUse(name=name, place=PLACE) for name in models)
    return view(env, kind="compose", container=box, models=uses)


CASES: dict[str, tuple[View, View]] = {
    "HW544": (holding(network="nfs"), holding(network="nfs", target="/backup")),
    "HW546": (view({"OLLAMA_DEBUG": "1"}), view({"OLLAMA_DEBUG": "0"})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(RULE[rule], caught)] == [rule]
    assert found(RULE[rule], left) == ()


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (holding("llama3.1:8b", "qwen2.5-coder:7b", size=8 * GIB), "take 8.9 GiB"),
        (holding("llama3.1:8b", size=8 * GIB), ""),
        (holding("nobody/knows:1b", size=1), ""),
        (holding(size=1), ""),
        (holding("llama3.1:8b"), ""),
        (holding("llama3.1:8b", size=GIB, target="/cache"), ""),
        (
            holding("llama3.1:8b", size=GIB, target="/m", env={"OLLAMA_MODELS": "/m"}),
            "take 4.6 GiB",
        ),
        (holding("llama3.1:8b", size=GIB, env={"OLLAMA_MODELS": "/m"}), ""),
    ],
)
def test_what_is_counted_against_a_volume(seen: View, told: str) -> None:
    assert [told in p.finding.message for p in found(RULE["HW527"], seen)] == [True] * bool(told)


@pytest.mark.parametrize(
    ("value", "told"),
    [("true", True), ("2", True), ("", False), ("false", False), ("off", False), ("-1", False)],
)
def test_debugging_that_is_on(value: str, *, told: bool) -> None:
    assert bool(found(RULE["HW546"], view({"OLLAMA_DEBUG": value}))) == told
