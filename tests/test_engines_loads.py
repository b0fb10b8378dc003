"""How Ollama loads a model: what a program was told, what it says, and what the Plan wants."""

from __future__ import annotations

import pytest

from generator.engines.ollama import loads
from tests.facts import facts_at

FACTS = facts_at()
# As 0.33.0-rc2 with llama-server b10488 has written it, shortened; the line of layers is that of
# src/llama-model.cpp:1675 of that build.
LOG = """
time=x level=INFO source=llama_server.go:433 msg="starting llama-server" cmd="/lib/llama-server \
--model /m/blobs/sha256-a57 --port 1 --host 127.0.0.1 -c 4096 -np 2 --cache-type-k q8_0"
cmn  common_param: system_info: n_threads = 1 (n_threads_batch = 1) / 2 | CPU : SSE3 = 1
print_info: n_ctx_train           = 8192
load_tensors: offloaded 20/33 layers to GPU
llama_context: flash_attn            = enabled
llama_kv_cache: size =    0.13 MiB (  1024 cells,   2 layers,  1/1 seqs), K (q8_0):    0.07 MiB
srv    load_model: initializing, n_slots = 2, n_ctx_slot = 2048, kv_unified = 'false'
srv    load_model: prompt cache is enabled, size limit: 8192 MiB
"""
COMMAND = (
    "/lib/llama-server", "--model", "/m/blobs/sha256-a57", "-c", "4096", "-np", "2",
    "--cache-type-k", "q8_0", "--flash-attn", "on",
)  # fmt: skip


def test_what_a_program_says() -> None:
    assert loads.said(LOG) == ({
        "weights": "sha256-a57", "threads": "1", "slots": "2", "context": "2048",
        "trained": "8192", "flash attention": "on", "cache type": "q8_0",
        "prompt cache": "8192 MiB", "layers": "20/33",
    },)  # fmt: skip


def test_the_last_load_of_a_model_counts() -> None:
    again = LOG.replace("n_threads = 1 ", "n_threads = 3 ")
    other = LOG.replace("sha256-a57", "sha256-b")
    found = loads.said(f"n_threads = 9\n{LOG}{other}{again}")
    assert {one["weights"]: one["threads"] for one in found} == {
        "sha256-a57": "3", "sha256-b": "1",
    }  # fmt: skip


@pytest.mark.parametrize("log", ["", "\0", 'msg="starting llama-server"', LOG[:90]])
def test_a_log_that_says_little(log: str) -> None:
    assert all("threads" not in one for one in loads.said(log))


def test_what_a_program_was_told() -> None:
    assert loads.told(COMMAND, {"LLAMA_ARG_THREADS": "4", "LLAMA_ARG_CACHE_RAM": "0"}) == {
        "weights": "sha256-a57", "slots": "2", "context": "2048", "threads": "4",
        "cache type": "q8_0", "flash attention": "on", "prompt cache": "none",
    }  # fmt: skip
    # An option comes before the variable.
    by_option = loads.told((*COMMAND, "-t", "8"), {"LLAMA_ARG_THREADS": "4"})
    assert (by_option["threads"], by_option["by"]) == ("8", "option")
    assert loads.told(("other", "--port", "1"), {}) == {}
    assert loads.told(("x", "--model"), None) == {}


def test_what_a_runner_of_old_releases_was_told() -> None:
    old = ("/bin/ollama", "runner", "--model", "/m/sha256-1", "--ctx-size", "8192", "--parallel",
           "4", "--threads", "8", "--kv-cache-type", "q8_0", "--n-gpu-layers", "33")  # fmt: skip
    assert loads.told(old, None) == {
        "weights": "sha256-1", "slots": "4", "context": "2048", "threads": "8", "by": "option",
        "cache type": "q8_0", "layers": "33",
    }  # fmt: skip


GIVEN = {
    "OLLAMA_NUM_PARALLEL": "4",
    "OLLAMA_CONTEXT_LENGTH": "4096",
    "LLAMA_ARG_THREADS": "8",
    "LLAMA_ARG_CACHE_RAM": "-1",
    "OLLAMA_FLASH_ATTENTION": "0",
}


OLDER = """
msg="starting runner" cmd="/bin/ollama runner --ollama-engine --port 1"
msg="starting runner" cmd="/bin/ollama runner --model /m/sha256-c --port 2"
msg=load request="{Operation:fit LoraPath:[] Parallel:9 BatchSize:9 KvSize:9}"
msg=load request="{Operation:commit LoraPath:[] Parallel:2 BatchSize:512 FlashAttention:Enabled \
KvSize:2048 KvCacheType: NumThreads:2 GPULayers:[] MultiUserCache:false}"
print_info: n_ctx_train      = 8192
"""


def test_what_a_runner_of_old_releases_says() -> None:
    """As 0.24.0 writes it, and without what only looks for devices."""
    assert loads.said(OLDER) == (
        {
            "weights": "sha256-c", "slots": "2", "context": "1024", "threads": "2",
            "cache type": "f16", "flash attention": "on", "trained": "8192",
        },
    )  # fmt: skip
    alone = OLDER.replace("Parallel:2 BatchSize:512", "Parallel:1 BatchSize:2048")
    (found,) = loads.said(alone.replace("FlashAttention:Enabled", "FlashAttention:false"))
    assert (found["kind"], found["flash attention"]) == ("embedding", "off")
    # Such a model has one slot, whatever the profile says.
    assert [*loads.faults({"slots": "2"}, {}, found)] == [("slots", "1", "")]


def test_what_is_wanted() -> None:
    assert loads.wanted(GIVEN, {}, "llama3.2:3b", FACTS) == {
        "slots": "4", "context": "4096", "threads": "8", "prompt cache": "no limit",
        "flash attention": "off",
    }  # fmt: skip
    made = {"num_ctx": "1024", "num_thread": "2", "num_gpu": "10"}
    found = loads.wanted(GIVEN, made, "llama3.2:3b", FACTS)
    assert (found["context"], found["threads"], found["layers"]) == ("1024", "2", "10")
    # Ollama gives it one slot, whatever it is told.
    assert loads.wanted(GIVEN, {}, "llama3.2-vision:11b", FACTS)["slots"] == "1"


@pytest.mark.parametrize(
    ("word", "want", "has", "says", "why"),
    [
        ("slots", "4", {"slots": "1"}, {}, "started with 1"),
        ("slots", "4", {"slots": "1", "kind": "embedding"}, {}, ""),
        ("slots", "4", {"slots": "4"}, {"slots": "4"}, ""),
        ("context", "8192", {"context": "4096"}, {"trained": "4096"}, ""),
        ("context", "8192", {"context": "2048"}, {"trained": "4096"}, "a client has asked for"),
        ("threads", "8", {"threads": "2", "by": "option"}, {"threads": "2"}, "`num_thread`"),
        ("threads", "8", {"threads": "8"}, {"threads": "2"}, "says 2"),
        ("layers", "999", {}, {"layers": "33/33"}, ""),
        ("layers", "20", {}, {"layers": "20/33"}, ""),
        ("layers", "30", {}, {"layers": "20/33"}, "says 20/33"),
        ("layers", "auto", {"layers": "x"}, {"layers": "1/2"}, ""),
        ("layers", "x", {"layers": "33"}, {}, "started with 33"),
    ],
)
def test_what_is_wrong(
    word: str, want: str, has: dict[str, str], says: dict[str, str], why: str
) -> None:
    ((found, _, told),) = loads.faults({word: want}, has, says)
    assert found == word
    assert (why in told) if why else not told


def test_what_nobody_tells_of() -> None:
    assert [*loads.faults({"slots": "4"}, {}, {})] == []
