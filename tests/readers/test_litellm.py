"""Configurations of LiteLLM: whose models they are, and what is left."""

from pathlib import Path

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
