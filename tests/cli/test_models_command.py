"""`gen models`: what it lists, finds and tells of one."""

import json

import pytest

from generator.cli import models_command
from generator.cli.options import Misuse
from generator.explain import models
from tests.cli.test_output_schemas import validated
from tests.commands import run


def names(*args: str) -> list[str]:
    return [each["name"] for each in json.loads(run("models", *args, "--json").output)["models"]]


def test_words_are_looked_for_in_all_names() -> None:
    found = names("qwen", "coder")
    assert {"qwen2.5-coder:7b", "qwen3-coder:30b", "qwen3-coder-next"} <= set(found)
    assert not any(name.startswith("llama") for name in found)


def test_what_others_superseded_is_left_out_where_nothing_is_asked() -> None:
    everything, current = names("--all"), names()
    assert len(everything) > 400
    assert "mistral:7b" in everything
    assert "mistral:7b" not in current
    assert "qwen3:8b" in current


def test_it_is_filtered_by_use_and_size() -> None:
    found = json.loads(run("models", "--for", "vision", "--max-size", "8GiB", "--json").output)
    assert len(found["models"]) > 10
    for model in found["models"]:
        assert "vision" in model["use"]
        assert model["bytes"] <= 8 * 2**30


def test_it_is_sorted() -> None:
    sizes = [
        m["bytes"] for m in json.loads(run("models", "--sort", "size", "--json").output)["models"]
    ]
    assert sizes == sorted(sizes)
    dates = [
        m["released"]
        for m in json.loads(run("models", "--sort", "released", "--json").output)["models"]
    ]
    known = [date for date in dates if date]
    assert known == sorted(known, reverse=True)
    assert dates[: len(known)] == known
    assert names("--sort", "name") == sorted(names("--sort", "name"))


def test_a_release_lists_what_it_loads() -> None:
    assert "gemma4:31b" not in names("--ollama-version", "0.9")
    assert "gemma4:31b" in names("--ollama-version", "0.32")


def test_one_has_every_quantisation_and_where_its_size_is_from() -> None:
    told = validated("models", run("models", "qwen3.6:27b", "--json").output)["model"]
    sizes = {each["quantisation"]: each for each in told["sizes"]}
    assert sizes["Q8_0"]["tag"] == "qwen3.6:27b-q8_0"
    assert sizes["Q8_0"]["shown"] == "30GB"
    # Derived, and within what rounding of the library leaves.
    assert sizes["Q8_0"]["known"] == "derived"
    assert sizes["Q8_0"]["bytes"] == pytest.approx(30e9, rel=0.025)
    assert sizes["IQ3_XS"]["tag"] == ""
    assert told["since"] == "0.17.1"
    assert told["licence"] == "apache-2.0"


def test_the_page_of_one() -> None:
    text = run("models", "mistral:7b").output
    assert text.startswith("mistral:7b · model of the library\n")
    assert "superseded: by `ministral-3:8b`" in text
    assert "mistral:7b-instruct-" in text
    assert "llama-quantize makes it" in text
    assert run("explain", "mistral:7b").output == text


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("qwn3:8b", "did you mean `qwen3:8b`?"),
        ("kimi-k2.5", "ran in Ollama's cloud alone"),
        ("zzz", "`gen models` lists"),
    ],
)
def test_what_there_is_none_of(name: str, hint: str) -> None:
    wrong = run("models", name).exception
    assert isinstance(wrong, Misuse)
    assert hint in wrong.hint


def test_a_size_that_is_none() -> None:
    result = run("models", "--max-size", "8 apples")
    assert isinstance(result.exception, Misuse)


def test_the_words_of_the_command_are_those_of_the_room() -> None:
    assert models.USES == models_command.USES
    assert tuple(models.ORDERS) == models_command.ORDERS
