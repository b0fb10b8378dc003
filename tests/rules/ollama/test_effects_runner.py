"""HW115-HW117: variables of llama-server."""

from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import Edit, LocatedFinding, Place, View
from tests.facts import facts_at
from tests.views import FILE, found, view

RULE = every_rule()
LINE = Place(FILE, 1)

# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW115": (view({"LLAMA_ARG_N_CPU_MOE": ""}), view({"LLAMA_ARG_N_CPU_MOE": "4"})),
    "HW116": (view({"LLAMA_ARG_CTX_SIZE": "8192"}), view({"OLLAMA_CONTEXT_LENGTH": "8192"})),
    "HW117": (
        view({"LLAMA_API_KEY": "secret"}),
        view({"LLAMA_API_KEY": "secret"}, release="0.24.0"),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULE[rule], caught)
    assert not found(RULE[rule], left)


def only(rule: str, name: str, value: str, **more: Any) -> LocatedFinding:
    placed = found(RULE[rule], view({name: value}, **more))
    assert len(placed) == 1
    return placed[0]


class TestMalformed:
    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("LLAMA_ARG_THREADS", "", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_THREADS", "all", "`all` is not a whole number: llama-server exits on it"),
            ("LLAMA_ARG_CACHE_RAM", "99999999999", "is not a whole number: llama-server exits"),
            ("LLAMA_ARG_N_GPU_LAYERS", "max", "`max` is not a whole number"),
            ("LLAMA_ARG_FIT", "maybe", "`maybe` is not one of on, off, enabled"),
            ("LLAMA_ARG_NUMA", "1", "`1` is not one of distribute, isolate, numactl"),
            ("LLAMA_ARG_CACHE_TYPE_K", "q6_0", "`q6_0` is not one of f32, f16, bf16"),
            ("LLAMA_ARG_FIT_TARGET", "1024,", "`1024,` is not a list of whole numbers"),
            ("LLAMA_ARG_FIT_TARGET", "", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_KV_OFFLOAD", "True", "`True` is neither on nor off"),
            ("LLAMA_ARG_MMAP", "", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_SPLIT_MODE", "", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_FLASH_ATTN", "yes", "`yes` is not one of on, off, auto"),
            ("LLAMA_ARG_N_PREDICT", "", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_DEVICE", " ", "is empty: llama-server exits on it"),
            ("LLAMA_ARG_DEVICE", "0", "`0` is nothing that it takes: llama-server exits on it"),
            ("LLAMA_ARG_DEVICE", "cuda", "`cuda` is nothing that it takes"),
            ("LLAMA_ARG_TENSOR_SPLIT", "8,all", "`8,all` is nothing that it takes"),
            ("LLAMA_ARG_N_PARALLEL", "0", "`0` is nothing that it takes"),
            ("LLAMA_ARG_REASONING", "yes", "`yes` is nothing that it takes"),
            ("LLAMA_ARG_THINK", "1", "`1` is nothing that it takes"),
            ("LLAMA_ARG_TOP_K", "many", "`many` is nothing that it takes"),
            ("LLAMA_ARG_YARN_EXT_FACTOR", "x", "`x` is nothing that it takes"),
            ("LLAMA_ARG_DRAFT_MAX", "16", "`16` is nothing that it takes"),
        ],
    )
    def test_it_stops_every_load(self, name: str, value: str, message: str) -> None:
        finding = only("HW115", name, value).finding
        assert finding.severity == "error"
        assert finding.message.startswith(f"{name} ")
        assert message in finding.message
        assert finding.message.endswith("; no GPU is found, no model loads")

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            (
                "LLAMA_ARG_CACHE_RAM",
                "8G",
                "LLAMA_ARG_CACHE_RAM `8G` is not a whole number: only `8` is read",
            ),
            (
                "LLAMA_ARG_MLOCK",
                "yes",
                "LLAMA_ARG_MLOCK `yes` is none of on, enabled, true and 1: it stays off",
            ),
            ("LLAMA_ARG_NO_MMAP", "0", "LLAMA_ARG_NO_MMAP is set by any value, `0` too"),
            ("LLAMA_ARG_NO_PERF", "false", "LLAMA_ARG_NO_PERF is set by any value, `false` too"),
        ],
    )
    def test_it_is_misread(self, name: str, value: str, message: str) -> None:
        finding = only("HW115", name, value).finding
        assert finding.severity == "warning"
        assert finding.message == message

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LLAMA_ARG_THREADS", "-1"),
            ("LLAMA_ARG_THREADS", " 8"),
            ("LLAMA_ARG_N_GPU_LAYERS", "all"),
            ("LLAMA_ARG_FIT", "1"),
            ("LLAMA_ARG_FIT_TARGET", "2048,1024"),
            ("LLAMA_ARG_MLOCK", "0"),
            ("LLAMA_ARG_SWA_FULL", ""),
            ("LLAMA_ARG_NO_MMAP", "1"),
            ("LLAMA_ARG_MMAP", "off"),
            ("LLAMA_ARG_TENSOR_SPLIT", "8,6"),
            ("LLAMA_CACHE", ""),
            ("LLAMA_ARG_HOST", ""),
            ("LLAMA_ARG_MMPROJ", ""),
            ("LLAMA_ARG_NUMA", ""),
            ("LLAMA_ARG_DEVICE", "CUDA0,CUDA1"),
            ("LLAMA_ARG_DEVICE", "none"),
            ("LLAMA_ARG_TENSOR_SPLIT", "0.6/0.4"),
            ("LLAMA_ARG_OVERRIDE_TENSOR", "exps=CPU"),
            ("LLAMA_ARG_CHAT_TEMPLATE_KWARGS", '{"enable_thinking": false}'),
            ("LLAMA_ARG_REASONING", "off"),
            ("LLAMA_ARG_REASONING", "-1"),
            ("LLAMA_ARG_PERF", "1"),
            ("LLAMA_ARG_SPEC_TYPE", "draft-mtp,ngram-mod"),
            ("LLAMA_ARG_YARN_EXT_FACTOR", "1.5"),
            ("LLAMA_ARG_N_GPU_LAYERS_DRAFT", "all"),
            ("LLAMA_ARG_THINK", "deepseek"),
        ],
    )
    def test_what_it_reads_is_fine(self, name: str, value: str) -> None:
        assert not found(RULE["HW115"], view({name: value}))

    def test_no_release_before_0_30_has_it(self) -> None:
        assert not found(RULE["HW115"], view({"LLAMA_ARG_THREADS": ""}, release="0.24.0"))
        assert found(RULE["HW115"], view({"LLAMA_ARG_THREADS": ""}, release="0.30.0"))

    def test_the_certain_is_mended(self) -> None:
        switch = only("HW115", "LLAMA_ARG_KV_OFFLOAD", "True")
        assert switch.edits == (Edit(LINE, "LLAMA_ARG_KV_OFFLOAD=True", "LLAMA_ARG_KV_OFFLOAD=1"),)
        assert only("HW115", "LLAMA_ARG_THREADS", "").edits == (
            Edit(LINE, "LLAMA_ARG_THREADS", ""),
        )
        # Whoever writes NO_MMAP=0 wants the mapping.
        assert only("HW115", "LLAMA_ARG_NO_MMAP", "0").edits == (
            Edit(LINE, "LLAMA_ARG_NO_MMAP", ""),
        )
        assert only("HW115", "LLAMA_ARG_CACHE_RAM", "8G").edits == ()


@pytest.mark.parametrize("value", ["", "maybe", "0"])
def test_of_every_name_it_says_what_the_program_did(value: str) -> None:
    facts = facts_at("0.32.15")
    told = {}
    for name in facts.readings:
        placed = found(RULE["HW115"], view({name: value}))
        told[name] = any(one.finding.severity == "error" for one in placed)
    # One of these is no LLAMA_ARG_ name, one is a switch that any value sets.
    assert told == {name: value in reading.refuses for name, reading in facts.readings.items()}


class TestOverridden:
    def test_what_ends_the_program_is_no_remark_on_the_command_line(self) -> None:
        assert not found(RULE["HW116"], view({"LLAMA_ARG_N_PARALLEL": "0"}))

    @pytest.mark.parametrize(
        ("name", "value", "fix", "new"),
        [
            ("LLAMA_ARG_CTX_SIZE", "8192", "use OLLAMA_CONTEXT_LENGTH", None),
            ("LLAMA_ARG_N_PARALLEL", "4", "use OLLAMA_NUM_PARALLEL", "OLLAMA_NUM_PARALLEL"),
            ("LLAMA_ARG_FLASH_ATTN", "on", "use OLLAMA_FLASH_ATTENTION", None),
            ("LLAMA_ARG_BATCH", "512", "use PARAMETER num_batch N in a Modelfile", None),
            ("LLAMA_ARG_HOST", "::", "use OLLAMA_HOST", None),
            ("LLAMA_ARG_MODEL", "/m.gguf", "remove it", ""),
        ],
    )
    def test_ollama_passes_its_own(self, name: str, value: str, fix: str, new: str | None) -> None:
        placed = only("HW116", name, value)
        assert placed.finding.fix == fix
        assert placed.edits == (() if new is None else (Edit(LINE, name, new),))

    def test_the_argument_is_named(self) -> None:
        assert only("HW116", "LLAMA_ARG_UBATCH", "512").finding.message == (
            "`LLAMA_ARG_UBATCH` has no effect: Ollama always passes `-ub`"
        )

    def test_what_reaches_the_runner_is_left_alone(self) -> None:
        env = {"LLAMA_ARG_THREADS": "8", "LLAMA_ARG_CACHE_RAM": "512", "HF_TOKEN": "x"}
        assert not found(RULE["HW116"], view(env))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("LLAMA_API_KEY", "every completion fails with 401, while /health still answers 200"),
        ("LLAMA_ARG_API_PREFIX", "internal paths answer 404: no load ever becomes ready"),
        ("LLAMA_ARG_SSL_CERT_FILE", "internal TLS, which Ollama's plain client does not speak"),
        ("LLAMA_ARG_RERANKING", "starts every runner in rerank mode"),
    ],
)
def test_what_shuts_ollama_out_is_an_error(name: str, why: str) -> None:
    placed = only("HW117", name, "secret")
    assert placed.finding.severity == "error"
    assert placed.finding.message == f"`{name}` breaks every model: {why}"
    assert placed.edits == (Edit(LINE, name, ""),)
