"""What would make a model fit, and which quantisations do."""

import json
from typing import Any

import pytest

from generator.errors import ProfileError
from generator.units import GIB
from tests.commands import run

CARD = ("fit", "--gpu", "RTX 3060", "--ram", "32GiB", "--json")


def asked(*options: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(run(*CARD, *options).stdout)
    return data


def ways(*options: str) -> list[dict[str, Any]]:
    several = asked(*options)["ways"]
    assert len(several) == 1
    return list(several[0])


def test_what_fits_needs_no_way() -> None:
    assert asked("--model", "qwen3:8b")["ways"] == [[]]


def test_the_service_first_then_the_model_then_hardware() -> None:
    found = ways("--model", "qwen3:14b", "--context", "32768", "--parallel", "2")
    (shorter,) = (one for one in found if one["context"])
    assert 2048 <= shorter["context"] < 32768
    assert shorter["fit"]["placement"]["kind"] == "one"
    assert all(one["fit"]["verdict"] != "does not fit" for one in found)
    hardware = [bool(one["gpu"]) for one in found]
    assert any(hardware)
    assert hardware == sorted(hardware)


def test_what_only_several_changes_do_is_one_way() -> None:
    found = ways("--model", "qwen3:14b", "--context", "24576", "--parallel", "2")
    assert [(one["cache_type"], one["slots"], bool(one["context"])) for one in found[:2]] == [
        ("", 0, True),
        ("q8_0", 1, False),
    ]


def test_a_model_that_is_too_large_at_all() -> None:
    found = ways("--model", "llama3.3:70b")
    assert not any(one["cache_type"] or one["slots"] or one["context"] for one in found)
    (instead,) = (one for one in found if one["gpu"] and not one["beside"])
    # 39.6 GiB of weights: 32 GiB are too little, and the next card has 48.
    assert instead["gpu"] == "RTX A6000"


def test_memory_where_only_the_cpu_computes() -> None:
    data = json.loads(run("fit", "xeon-cpu", "--model", "llama3.3:70b", "--json").stdout)
    (found,) = data["ways"]
    # 45.5 GiB, and an eighth stays with the system: 56 of 64 GiB.
    assert [one["memory"] for one in found if one["memory"]] == [64 * GIB]


def test_every_quantisation_of_a_model() -> None:
    found = asked("--model", "llama3.1:8b", "--quantisations")["quantisations"]
    sizes = [sum(room["weights"] for room in one["rooms"]) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    assert {"F16", "Q8_0", "Q4_K_M"} <= {one["quantisation"] for one in found}
    contexts = {one["quantisation"]: one["largest_context"] for one in found}
    assert contexts["Q8_0"] < contexts["Q6_K"] < contexts["Q4_K_M"] < contexts["Q2_K"]
    assert len(found) > 30
    assert sum(bool(one["best"]) for one in found) == 1


def test_models_that_stay_side_by_side_step_down_together() -> None:
    alone = asked("--together", "qwen3:8b", "--context", "8192")
    several = asked("--together", "qwen3:8b,qwen2.5:7b", "--context", "8192")

    def losses(data: dict[str, Any]) -> list[str]:
        models: list[dict[str, str]] = data["models"]
        return [one["quantisation"] for one in models]

    assert losses(alone) == ["Q8_0"]
    assert losses(several) != ["Q8_0", "Q8_0"]
    assert several["together"]["evicting"] == []


def test_models_that_do_not_stay_end_with_one() -> None:
    result = run(*CARD, "--together", "llama3.3:70b,qwen3:32b")
    assert (result.return_value or result.exit_code) == 1


def test_a_model_that_nobody_knows() -> None:
    for options in (("--together", "nope"), ("--quantisations", "--model", "nope")):
        assert isinstance(run(*CARD, *options).exception, ProfileError)


@pytest.mark.parametrize("options", [("--quantisations",)])
def test_bad_usage(options: tuple[str, ...]) -> None:
    assert "needs --model" in str(run("fit", "xeon-cpu", *options).exception)
