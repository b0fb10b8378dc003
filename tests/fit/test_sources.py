"""Shapes from a GGUF file and from a server, and what is told when they are no good."""
# ruff: noqa: E402

import builtins
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools import require_package

require_package("gguf")  # what follows imports it

from benchmarks.skeleton import Outline, write
from generator.cli.fit_text import as_data, model_text
from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.compute import compute_bytes
from generator.fit.header import shape_of_file
from generator.fit.kv import kv_layers
from generator.fit.metadata import Tensor, shape_from
from generator.fit.server import loaded, shape_of_server
from generator.fit.shape import Load, Shape
from generator.fit.verdict import judge
from tests.commands import run
from tests.facts import facts_at
from tests.fit.shapes import GIB, ask, cpu, gpus, kv_bytes

SMALL = Outline(
    architecture="gemma3", layers=6, embedding=256, feed_forward=512, heads=4, kv_heads=2,
    head_length=64, vocabulary=1000, context=8192, tied=True, window=512,
)  # fmt: skip


def test_a_header_is_read_without_the_weights(tmp_path: Path) -> None:
    file = tmp_path / "small.gguf"
    write(SMALL, file)
    found = shape_of_file(str(file), facts_at())
    assert (found.name, found.architecture, found.quantisation) == ("small.gguf", "gemma3", "F16")
    assert (found.embedding, found.heads, found.kv_heads) == (256, 4, (2,) * 6)
    assert found.windows == (512, 512, 512, 512, 512, 0)
    assert found.vocabulary == 1000
    assert found.input_bytes == 256 * 1000 * 2
    # Two matrices of 256 × 256, two of 256 × 128, three of 256 × 512, at f16; 4 vectors of 256
    # and two of 64 at f32.
    assert found.layer_bytes[0] == 2 * (131072 + 65536 + 3 * 131072) + 4 * (4 * 256 + 2 * 64)
    assert file.stat().st_blocks * 512 < 65536


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a GGUF file"),
        (b"#!/bin/sh\n", "not a GGUF file"),
        (b"GGUF", "not a whole GGUF file"),
        (b"GGUF" + b"\xff" * 100, "not a whole GGUF file"),
        (b"GGUF\x03\0\0\0" + b"\0" * 16, "no `general.architecture`"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(HostwrightError) as caught:
        shape_of_file(str(file), facts_at())
    assert message in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.gguf", tmp_path / "cut.gguf"
    write(SMALL, whole)
    for size in (20, 200, 2000, 20000):
        cut.write_bytes(whole.read_bytes()[:size])
        with pytest.raises(HostwrightError) as caught:
            shape_of_file(str(cut), facts_at())
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(("name", "code"), [("absent.gguf", 2), (".", 2), ("pipe.gguf", 2)])
def test_what_is_no_file_is_told(tmp_path: Path, name: str, code: int) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(HostwrightError) as caught:
        shape_of_file(str(tmp_path / name), facts_at())
    assert caught.value.exit_code == code


def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "small.gguf"
    write(SMALL, file)
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "gguf":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EnvironmentFailure) as caught:
        shape_of_file(str(file), facts_at())
    assert caught.value.hint == "pip install 'hostwright[fit]'"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"deepseek2.attention.kv_lora_rank": 512}, "compressed KV cache (MLA)"),
        ({"deepseek2.ssm.state_size": 128}, "recurrent state"),
        ({"deepseek2.block_count": "many"}, "`deepseek2.block_count` is odd"),
        ({"deepseek2.block_count": 1 << 31}, "`deepseek2.block_count` is 2147483648"),
        ({"deepseek2.attention.head_count": 0}, "no attention heads"),
        ({"deepseek2.embedding_length": None}, "`deepseek2.embedding_length` is missing"),
    ],
)
def test_what_is_not_modelled_is_refused(more: dict[str, object], message: str) -> None:
    metadata = {
        "general.architecture": "deepseek2",
        "deepseek2.block_count": 1,
        "deepseek2.embedding_length": 64,
        "deepseek2.attention.head_count": 1,
        **more,
    }
    with pytest.raises(HostwrightError) as caught:
        shape_from("x", metadata, [Tensor(name="blk.0.a", dimensions=(8,), size=8)], facts_at())
    assert message in caught.value.message


def test_heads_may_differ_from_layer_to_layer() -> None:
    metadata = {
        "general.architecture": "other",
        "other.block_count": 2,
        "other.embedding_length": 64,
        "other.attention.head_count": [4, 8],
        "other.attention.head_count_kv": [1, 2],
        "other.attention.sliding_window": 128,
        "other.attention.sliding_window_pattern": [True, False],
    }
    tensors = [
        Tensor(name="token_embd.weight", dimensions=(64, 100), size=6400),
        Tensor(name="blk.0.a", dimensions=(8,), size=8),
        Tensor(name="blk.1.a", dimensions=(8,), size=16),
        Tensor(name="output.weight", dimensions=(64, 100), size=100),
    ]
    found = shape_from("x", metadata, tensors, facts_at())
    assert (found.kv_heads, found.windows, found.layer_bytes) == ((1, 2), (128, 0), (8, 16))
    assert (found.heads, found.key_length, found.tied, found.tensor_bytes) == (8, 8, False, 6524)


def windowed(architecture: str, layers: int, **more: object) -> Shape:
    keys = {name.replace("__", "."): value for name, value in more.items()}
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.block_count": layers,
        f"{architecture}.embedding_length": 64,
        f"{architecture}.context_length": 131072,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.attention.head_count_kv": 2,
        **{f"{architecture}.{key}": value for key, value in keys.items()},
    }
    tensors = [Tensor(name="token_embd.weight", dimensions=(64, 100), size=6400)]
    tensors += [Tensor(name=f"blk.{i}.a", dimensions=(8,), size=8) for i in range(layers)]
    return shape_from("x", metadata, tensors, facts_at())


@pytest.mark.parametrize(
    ("architecture", "layers", "told", "windows"),
    [
        ("cohere2", 5, 4096, (4096, 4096, 4096, 0, 4096)),
        ("olmo2", 4, 512, (512, 512, 512, 0)),
        ("olmo2", 4, None, (0, 0, 0, 0)),
        ("gemma2", 2, None, (4096, 0)),
        ("gemma3n", 6, 512, (512, 512, 512, 512, 0, 512)),
        ("gpt-oss", 3, 128, (128, 0, 128)),
        # Chunks of 8192 whatever is told, but not at all if 0 is.
        ("llama4", 4, None, (8192, 8192, 8192, 0)),
        ("llama4", 4, 100, (8192, 8192, 8192, 0)),
        ("llama4", 4, 0, (0, 0, 0, 0)),
        ("smallthinker", 5, 1, (0, 4096, 4096, 4096, 0)),
        ("exaone4", 30, 4096, (0,) * 30),
        ("exaone4", 64, None, (4096, 4096, 4096, 0) * 16),
        ("phi3", 3, 262144, (0, 0, 0)),
        ("llama", 3, 4096, (0, 0, 0)),
    ],
)
def test_windows_are_those_of_llama_cpp(
    architecture: str, layers: int, told: int | None, windows: tuple[int, ...]
) -> None:
    found = windowed(architecture, layers, attention__sliding_window=told)
    assert found.windows == windows
    assert found.window_unknown == 0


def test_command_r7b_keeps_a_quarter_of_its_cache_whole() -> None:
    """Four slots of 32768: llama.cpp@0c1e570 allocated 5824 MiB.

    32 layers, 8 heads of 128 at f16, 4 KiB a token: 8 layers of 131072 tokens are 4096 MiB, the
    other 24 keep 4096 tokens and a batch of 512 for each slot: 1728 MiB.
    """
    found = windowed(
        "cohere2", 32, attention__sliding_window=4096, attention__head_count_kv=8,
        attention__key_length=128, attention__value_length=128,
    )  # fmt: skip
    assert kv_bytes(found, Load(context=32768, slots=4)) == 5824 << 20


def test_layers_with_a_window_may_have_other_lengths_or_no_cache_of_their_own() -> None:
    found = windowed(
        "gemma4", 4, attention__sliding_window=256, attention__key_length=512,
        attention__value_length=512, attention__key_length_swa=256,
        attention__value_length_swa=256, attention__shared_kv_layers=2,
        attention__sliding_window_pattern=[True, False, True, False],
    )  # fmt: skip
    # Two heads of f16: 2 × 512 × 768 tokens, 2 × 1024 × 4096; the last two use these.
    sizes = [2 * 512 * 768 * 2, 2 * 1024 * 4096 * 2, 0, 0]
    assert kv_layers(found, Load(context=4096)) == tuple(sizes)
    # Of gemma3n only 20 layers have one.
    assert windowed("gemma3n", 30, attention__sliding_window=512).uncached == 10


@pytest.mark.parametrize(
    ("shared", "used", "batch", "size"),
    [
        # What llama-fit-params of llama.cpp@0c1e570 told of 24 layers of 2048, 60 experts of 1408
        # and 1024 tokens of vocabulary, at 4096 and 8192 tokens of context.
        (20480, 4, 512, 156), (20480, 2, 512, 148), (20480, 8, 512, 172), (30720, 6, 512, 224),
        (20480, 4, 2048, 641), (20480, 8, 2048, 705), (11264, 4, 512, 102),
    ],
)  # fmt: skip
def test_a_shared_expert_counts_for_the_compute_buffer(
    shared: int, used: int, batch: int, size: int
) -> None:
    found = windowed(
        "qwen2moe", 1, embedding_length=2048, attention__head_count=16, expert_count=60,
        attention__head_count_kv=16, expert_used_count=used, expert_feed_forward_length=1408,
        expert_shared_feed_forward_length=shared,
    )  # fmt: skip
    load = Load(context=4096 if batch == 512 else 8192, batch=batch, outputs=1)
    assert compute_bytes(found, load) >> 20 == pytest.approx(size, abs=1)


@pytest.mark.parametrize(("used", "size"), [(2, 1283), (4, 1315), (8, 1380)])
def test_a_shared_expert_widens_the_logits_of_a_batch(used: int, size: int) -> None:
    # The same tool, of the same model with 151936 tokens of vocabulary.
    found = windowed(
        "qwen2moe", 1, embedding_length=2048, attention__head_count=16, expert_count=60,
        attention__head_count_kv=16, expert_used_count=used, expert_feed_forward_length=1408,
        expert_shared_feed_forward_length=5632,
    )  # fmt: skip
    wide = replace(found, vocabulary=151936)
    assert compute_bytes(wide, Load(context=8192, batch=2048)) >> 20 == pytest.approx(size, abs=1)


def test_a_window_without_a_known_pattern_is_told() -> None:
    found = windowed("brandnew", 2, attention__sliding_window=1024)
    assert (found.windows, found.window_unknown) == ((0, 0), 1024)
    fit = judge(found, ask(on_cpu=True), cpu(8 * GIB))
    text = " ".join(model_text(fit, ask(on_cpu=True), cpu(8 * GIB)).split())
    assert "Some layers may keep 1024 tokens only: which ones is not known of brandnew" in text
    assert "an upper bound" in text
    assert as_data(fit)["kv_is_upper_bound"] is True


KEYS = (
    "block_count", "embedding_length", "feed_forward_length", "context_length", "expert_count",
    "expert_used_count", "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.sliding_window", "attention.sliding_window_pattern",
)  # fmt: skip
ODD = st.one_of(
    st.integers(-2, 64), st.integers(), st.none(), st.text(max_size=3), st.booleans(),
    st.floats(), st.lists(st.integers(0, 9), max_size=9),
)  # fmt: skip


@settings(deadline=None)  # up to 10000 layers
@given(
    values=st.dictionaries(st.sampled_from(KEYS), ODD),
    architecture=st.sampled_from(["llama", "qwen2", "gemma3", "gpt-oss", "phi3"]),
    release=st.sampled_from(["0.9.6", "0.24.0", "0.32.15"]),
    sizes=st.lists(st.integers(0, 1 << 36), min_size=1, max_size=4),
)
def test_odd_metadata_are_judged_or_refused(
    values: dict[str, object], architecture: str, release: str, sizes: list[int]
) -> None:
    metadata = {
        "general.architecture": architecture,
        **{f"{architecture}.{k}": 4 for k in KEYS[:4]},
        f"{architecture}.attention.head_count": 2,
        **{f"{architecture}.{key}": value for key, value in values.items()},
    }
    tensors = [Tensor(name="token_embd.weight", dimensions=(4, 9), size=36)]
    tensors += [Tensor(name=f"blk.{i}.a", dimensions=(1,), size=s) for i, s in enumerate(sizes)]
    try:
        found = shape_from("x", metadata, tensors, facts_at())
    except HostwrightError:
        return
    for host in (cpu(8 * GIB), gpus(8 * GIB, 6 * GIB)):
        fit = judge(found, ask(release, on_cpu=not host.devices), host)
        taken = sum(room.need.weights for room in fit.rooms)
        assert found.tensor_bytes <= taken <= found.tensor_bytes + found.input_bytes


SHOW: dict[str, Any] = {
    "details": {"quantization_level": "Q4_0"},
    "model_info": {
        "general.architecture": "llama",
        "llama.block_count": 1,
        "llama.embedding_length": 256,
        "llama.feed_forward_length": 512,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.context_length": 4096,
    },
    "tensors": [
        {"name": "token_embd.weight", "type": "Q4_0", "shape": [256, 1000]},
        {"name": "blk.0.attn_q.weight", "type": "Q4_K", "shape": [256, 256]},
        {"name": "output.weight", "type": "F16", "shape": [256, 1000]},
    ],
}
Serve = Callable[[dict[str, tuple[int, object]]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(answers: dict[str, tuple[int, object]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, answer = answers.get(self.path, (404, {}))
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_tells_the_shape(serve: Serve) -> None:
    found = shape_of_server(serve({"/api/show": (200, SHOW)}), "mine", facts_at())
    assert (found.name, found.quantisation, found.vocabulary) == ("mine", "Q4_0", 1000)
    # 18 bytes for 32 weights, 144 for 256, and 2 for one.
    assert (found.input_bytes, found.layer_bytes) == (144 * 1000, (144 * 256,))
    assert found.output_bytes == 512000


def test_a_server_need_not_tell_the_quantisation(serve: Serve) -> None:
    answer = {**SHOW, "details": {}}
    found = shape_of_server(serve({"/api/show": (200, answer)}), "mine", facts_at())
    fit = judge(found, ask(on_cpu=True), cpu(8 * GIB))
    title = model_text(fit, ask(on_cpu=True), cpu(8 * GIB)).splitlines()[0]
    assert title == "mine · Ollama 0.32.15"


def test_a_server_tells_what_it_has_loaded(serve: Serve) -> None:
    models = {"models": [{"name": "a:1b", "size": 100, "size_vram": 50}, "odd", {"size": "x"}]}
    url = serve({"/api/ps": (200, models)})
    assert loaded(url.removeprefix("http://")) == (("a:1b", 100, 50), ("", 0, 0))


def test_what_a_server_has_loaded_is_part_of_the_answer(serve: Serve) -> None:
    models = {"models": [{"name": "a:1b", "size": 100, "size_vram": 50}]}
    url = serve({"/api/show": (200, SHOW), "/api/ps": (200, models)})
    asked = ("fit", "xeon-cpu", "--server", url, "-m", "mine")
    document = json.loads(run(*asked, "--json").stdout)
    assert document["loaded"] == [{"model": "a:1b", "size": 100, "on_gpus": 50}]
    assert [model["model"] for model in document["models"]] == ["mine"]
    assert "Loaded on the server now:" in run(*asked).stdout


@pytest.mark.parametrize(
    ("status", "answer", "code", "message"),
    [
        (404, {}, 2, "has no model `mine`"),
        (500, {}, 3, "answers 500"),
        (200, b"<html>", 3, "no answer of an Ollama server"),
        (200, [], 3, "no answer of an Ollama server"),
        (200, {"model_info": {}}, 3, "reports no shape"),
        (200, {**SHOW, "tensors": [{"name": "x"}]}, 3, "a tensor that Hostwright cannot size"),
    ],
)
def test_a_server_that_does_not_tell(
    serve: Serve, status: int, answer: object, code: int, message: str
) -> None:
    with pytest.raises(HostwrightError) as caught:
        shape_of_server(serve({"/api/show": (status, answer)}), "mine", facts_at())
    assert message in caught.value.message
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:9", 3), ("file:///etc/passwd", 2), ("http://[::1", 3), ("http://", 3)],
)
def test_an_address_that_is_no_server(url: str, code: int) -> None:
    with pytest.raises(HostwrightError) as caught:
        shape_of_server(url, "mine", facts_at())
    assert caught.value.exit_code == code
