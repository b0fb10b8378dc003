"""How a running Ollama is read: the line of its log, and what values mean."""

from typing import Any

import pytest

from generator.engines.base import AskApi
from generator.engines.ollama.running import RunningOllama
from generator.errors import EnvironmentFailure
from tests.facts import facts_at

OLLAMA = RunningOllama(facts_at())
LINE = (
    'time=2026-11-30T09:11:34.654Z level=INFO source=routes.go:1951 msg="server config" '
    'env="map[CUDA_VISIBLE_DEVICES: HTTPS_PROXY: OLLAMA_CONTEXT_LENGTH:8192 OLLAMA_DEBUG:INFO '
    "OLLAMA_HOST:http://127.0.0.1:11434 OLLAMA_KEEP_ALIVE:24h0m0s OLLAMA_LLM_LIBRARY: "
    "OLLAMA_MODELS:/srv/my models OLLAMA_ORIGINS:[http://localhost A_B:c app://*] "
    'OLLAMA_REMOTES:[ollama.com] OLLAMA_VULKAN:true http_proxy:http://p:1 no_proxy:]"'
)


def test_the_line_of_the_log() -> None:
    assert OLLAMA.config(f"first\n{LINE}\nlast") == {
        "CUDA_VISIBLE_DEVICES": "",
        "HTTPS_PROXY": "",
        "OLLAMA_CONTEXT_LENGTH": "8192",
        "OLLAMA_DEBUG": "INFO",
        "OLLAMA_HOST": "http://127.0.0.1:11434",
        "OLLAMA_KEEP_ALIVE": "24h0m0s",
        "OLLAMA_LLM_LIBRARY": "",
        "OLLAMA_MODELS": "/srv/my models",
        "OLLAMA_ORIGINS": "[http://localhost A_B:c app://*]",
        "OLLAMA_REMOTES": "[ollama.com]",
        "OLLAMA_VULKAN": "true",
        "http_proxy": "http://p:1",
        "no_proxy": "",
    }


def test_the_last_line_counts() -> None:
    later = LINE.replace("8192", "4096")
    assert OLLAMA.config(f"{LINE}\n{later}")["OLLAMA_CONTEXT_LENGTH"] == "4096"


@pytest.mark.parametrize("log", ["", 'msg="server config"', 'msg="server config" env="map[', "\0"])
def test_a_log_that_does_not_say(log: str) -> None:
    assert OLLAMA.config(log) == {}


# Both sides as a real server of 0.33.0-rc2 was given them and printed them.
AGREE = [
    ("OLLAMA_FLASH_ATTENTION", "1", "true"),
    ("OLLAMA_FLASH_ATTENTION", "off", "true"),
    ("OLLAMA_NOPRUNE", "0", "false"),
    ("OLLAMA_KEEP_ALIVE", "24h", "24h0m0s"),
    ("OLLAMA_KEEP_ALIVE", "300", "5m0s"),
    ("OLLAMA_KEEP_ALIVE", "-1", "2562047h47m16.854775807s"),
    ("OLLAMA_LOAD_TIMEOUT", "0", "2562047h47m16.854775807s"),
    ("OLLAMA_HOST", "127.0.0.1", "http://127.0.0.1:11434"),
    ("OLLAMA_HOST", "http://127.0.0.1", "http://127.0.0.1:80"),
    ("OLLAMA_HOST", ":14103", "http://:14103"),
    ("OLLAMA_HOST", "[::1]:80", "http://[::1]:80"),
    ("OLLAMA_HOST", "", "http://127.0.0.1:11434"),
    ("OLLAMA_NUM_PARALLEL", '"4"', "4"),
    ("OLLAMA_KV_CACHE_TYPE", "Q8_0", "q8_0"),
    ("OLLAMA_DEBUG", "1", "DEBUG"),
    ("OLLAMA_DEBUG", "2", "DEBUG-4"),
    ("OLLAMA_DEBUG", "yes", "INFO"),
    ("OLLAMA_ORIGINS", "http://a,http://b", "[http://a http://b http://localhost]"),
]
DIFFER = [
    ("OLLAMA_KEEP_ALIVE", "1d", "5m0s"),
    ("OLLAMA_NUM_PARALLEL", "4x", "1"),
    ("OLLAMA_HOST", "127.0.0.1:11434", "http://0.0.0.0:11434"),
    ("OLLAMA_MODELS", "/a", "/b"),
    ("OLLAMA_ORIGINS", "http://c", "[http://localhost]"),
    ("OLLAMA_NOPRUNE", "1", "false"),
]


@pytest.mark.parametrize(("name", "value", "told"), AGREE)
def test_the_log_says_what_was_meant(name: str, value: str, told: str) -> None:
    assert OLLAMA.agrees(name, value, told)


@pytest.mark.parametrize(("name", "value", "told"), DIFFER)
def test_the_log_says_otherwise(name: str, value: str, told: str) -> None:
    assert not OLLAMA.agrees(name, value, told)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("OLLAMA_KEEP_ALIVE", "5m0s"),
        ("HOME", None),
        ("HTTP_PROXY", None),
        ("OLLAMA_NOHISTORY", None),
        ("ANYTHING", None),
    ],
)
def test_whose_a_variable_is(name: str, default: str | None) -> None:
    assert OLLAMA.default(name) == default


def test_what_is_not_read_says_what_is() -> None:
    assert OLLAMA.unread("OLLAMA_KEEP_ALIVE") == ""
    assert "OLLAMA_NUM_PARALLEL" in OLLAMA.unread("OLLAMA_NUM_PARALELL")


def answering(told: dict[str, Any]) -> AskApi:
    return lambda path, body=None: told


@pytest.mark.parametrize("told", [{}, {"version": 7}, {"version": ""}, {"version": "\x1b[2J"}])
def test_no_release(told: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentFailure, match="no answer of an Ollama server"):
        OLLAMA.release(answering(told))


def test_a_build_without_a_release() -> None:
    assert OLLAMA.release(answering({"version": "0.0.0"})) == ""
    assert OLLAMA.release(answering({"version": "0.32.4"})) == "0.32.4"


def test_models_of_odd_types() -> None:
    odd = {"models": [7, {"name": 5, "size": "x", "details": []}, {"name": "a", "size": 10**400}]}
    assert [(m.name, m.size) for m in OLLAMA.installed(answering(odd))] == [("", 0), ("a", 0)]
    for wrong in ({"models": 7}, {"models": {"a": 1}}):
        with pytest.raises(EnvironmentFailure):
            OLLAMA.loaded(answering(wrong))


def test_parameters_as_the_server_prints_them() -> None:
    lines = ("num_ctx                    1024", 'stop   "</s> a"', 'stop "say \\"x\\""', "top_k 5")
    text = "\n".join(lines)
    assert OLLAMA.parameters(answering({"parameters": text}), "tiny") == (
        ("num_ctx", "1024"), ("stop", "</s> a"), ("stop", 'say "x"'), ("top_k", "5"),
    )  # fmt: skip
    for odd in ({}, {"parameters": 7}, {"parameters": ""}, {"parameters": "\x1b"}):
        assert OLLAMA.parameters(answering(odd), "tiny") == ()


COMPUTE = (
    'time=x level=INFO msg="inference compute" id=GPU-452cac9f library=cuda variant=v12 '
    'compute=6.1 driver=12.7 name="NVIDIA GeForce GT 1030" total="3.9 GiB"'
)


def test_what_it_computes_on() -> None:
    """Lines of before the last start are of another server."""
    log = f"{COMPUTE}\n{LINE}\n{COMPUTE}\n{COMPUTE.replace('cuda', 'ROCm')}\n"
    assert OLLAMA.devices(log) == ("cuda", "rocm")
    assert OLLAMA.devices(f"{COMPUTE}\n{LINE}\n") == ()
    assert OLLAMA.devices(COMPUTE) == ("cuda",)
