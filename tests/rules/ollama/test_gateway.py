"""HW576, HW625, HW638, HW639 and HW655 to HW659: configurations of LiteLLM before Ollama."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, checked, service, sides, told


def litellm(model: str = "ollama_chat/qwen3:8b", more: str = "", params: str = "") -> Text:
    return {
        "config.yaml": "model_list:\n  - model_name: main\n    litellm_params:\n"
        f"      model: {model}\n{params}{more}"
    }


def base(address: str) -> str:
    return f"      api_base: {address}\n"


def cache(params: str) -> Text:
    settings = f"litellm_settings:\n  cache: true\n  cache_params: {{{params}}}\n"
    return litellm(more=settings)


def falls(name: str) -> Text:
    return litellm(more=f"router_settings:\n  fallbacks: [{{main: [{name}]}}]\n")


PULLS = {"pull.sh": "docker run -d --name ollama ollama/ollama:0.32.15\nollama pull qwen3:8b\n"}
KEPT = "type: redis, ttl: 3600, namespace: llm"


def redis(image: str) -> Text:
    return {"compose.yaml": f"services:\n  redis:\n    image: {image}\n    restart: always\n"}


# rule: (caught, left alone)
CASES: Cases = {
    "HW576": (
        (litellm(more="litellm_settings: {fallback: [{main: [main]}]}\n"),
         litellm(more="router_settings: {num-retries: 2}\n"),
         cache(f"{KEPT}, supported_call_type: [acompletion]")),
        (litellm(more="litellm_settings: {fallbacks: [{main: [main]}], max_budget: 2}\n"),
         cache(f"{KEPT}, supported_call_types: [acompletion]")),
    ),
    "HW625": (
        (cache("type: memcached"), cache("type: [redis, redis-semantic]")),
        (cache(KEPT), cache("ttl: 60"), cache("type: os.environ/KIND"), cache("type: local")),
    ),
    "HW638": (
        (litellm("ollama_chat/qwen3:14b") | PULLS, litellm("ollama_chat/llama3.2") | PULLS),
        (litellm() | PULLS, litellm("ollama_chat/*") | PULLS, litellm("ollama_chat/qwen3:14b"),
         litellm("ollama_chat/qwen3:14b") | service()),
    ),
    "HW639": (
        (litellm(more="general_settings:\n  cache: {type: redis}\n"),
         litellm(more="cache_params: {type: redis}\n")),
        (litellm(), cache(KEPT), litellm(more="general_settings: {master_key: os.environ/KEY}\n")),
    ),
    "HW655": (
        (litellm("ollama/qwen3:8b"), litellm('"ollama/qwen3:8b"')),
        (litellm(), litellm("ollama/nomic-embed-text"),
         litellm("ollama/own", "    model_info: {mode: embedding}\n")),
    ),
    "HW656": (
        (litellm(params=base("http://ollama:11434/v1")),
         litellm("openai/qwen3:8b", params=base("http://ollama:11434"))),
        (litellm(params=base("http://ollama:11434/")), litellm(params=base("os.environ/BASE")),
         litellm("openai/qwen3:8b", params=base("http://ollama:11434/v1"))),
    ),
    "HW657": (
        (cache("type: redis"), litellm(more="litellm_settings: {cache: true}\n"),
         cache("type: redis, ttl: 60")),
        (cache(KEPT), cache("type: local"), litellm(more="litellm_settings: {cache: false}\n")),
    ),
    "HW579": (
        (cache("type: redis-semantic, host: redis") | redis("redis:7"),),
        (cache("type: redis-semantic, host: redis") | redis("redis:8"),
         cache("type: redis-semantic"), cache("type: redis") | redis("redis:7")),
    ),
    "HW658": (
        (cache("type: redis-semantic, similarity_threshold: 0.8"), cache("type: qdrant-semantic")),
        (cache(KEPT), cache("type: qdrant-semantic, semantic_cache_scope: end_user")),
    ),
    "HW659": (
        (falls("spare"),),
        (falls("main"), falls("openai/gpt-5"), litellm()),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_of_a_good_configuration_nothing_is_said(tmp_path: Path) -> None:
    report = checked(tmp_path, cache(KEPT))
    assert (report.findings, report.not_judged) == ((), ())


def test_what_no_library_has_is_told_of_names_behind_the_route(tmp_path: Path) -> None:
    assert "HW557" in told(tmp_path, litellm("ollama_chat/qwn3:8b"))
