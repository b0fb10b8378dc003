"""Configurations of LiteLLM: whose models they are, and what is left."""

from pathlib import Path

import pytest

from tests.texts import checked

OTHER = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-5}\n"
OURS = "  - model_name: b\n    litellm_params: {model: openai/qwen3, api_base: 'http://o:11434'}\n"


def test_an_address_makes_it_ours_as_well(tmp_path: Path) -> None:
    (placed,) = checked(tmp_path, {"llm.yaml": OTHER + OURS}).findings
    assert (placed.finding.rule, placed.place.line) == ("HW656", 5)


def test_one_of_others_is_not_called_clean(tmp_path: Path) -> None:
    (gap,) = checked(tmp_path, {"llm.yaml": f"# not ollama\n{OTHER}"}).not_judged
    assert gap.reason == "nothing in it leads to Ollama"


def test_one_is_not_taken_for_something_else(tmp_path: Path) -> None:
    compose = "services:\n  a: {image: ollama/ollama:0.32.15, restart: always}\n"
    report = checked(tmp_path, {"compose.yaml": f"x: 1\n{compose}model_list: []\n"})
    assert {p.finding.rule for p in report.findings} == {"HW522", "HW518"}


@pytest.mark.parametrize(
    ("key", "count", "naming"),
    [
        ("sk-9f8a7b6c", 1, []),
        ("os.environ/MASTER_KEY", 0, []),
        ("${MASTER_KEY}", 0, ["HW120"]),  # the name of a variable, and no secret
    ],
)
def test_a_key_for_all_is_no_text_of_the_file(
    key: str, count: int, naming: list[str], tmp_path: Path
) -> None:
    text = f"model_list:\n{OURS}general_settings: {{master_key: '{key}'}}\n"
    findings = checked(tmp_path, {"llm.yaml": text}).findings
    assert [p.place.line for p in findings if p.finding.rule == "HW406"] == [4] * count
    assert [p.finding.rule for p in findings if key in p.finding.message] == naming


@pytest.mark.parametrize(("ttl", "says"), [("1h", "`1h`"), ("''", "not set")])
def test_a_time_that_is_no_number_is_none(ttl: str, says: str, tmp_path: Path) -> None:
    kept = f"litellm_settings:\n  cache: true\n  cache_params: {{type: redis, ttl: {ttl}}}\n"
    findings = checked(tmp_path, {"llm.yaml": f"model_list:\n{OURS}{kept}"}).findings
    assert [says in p.finding.message for p in findings if p.finding.rule == "HW657"] == [True]
