"""A Shape from a running server, and servers that do not answer as one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from generator.cli.fit_text import model_text
from generator.engines.ollama.scheduler.server import loaded, shape_of_server
from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.verdict import judge
from generator.live.client import Server
from tests.cli.test_output_schemas import validated
from tests.commands import called, run
from tests.facts import facts_at
from tests.fit.shapes import GIB, ask, cpu

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
TABLE = SHOW["tensors"][0]
ATTENTION = {"head_count", "head_count_kv"}


def shown(*, tensor: object = None, **metadata: object) -> dict[str, object]:
    """Return the answer with the shape of a tensor, or a key of the metadata, as given."""
    prefixed = {
        f"llama.{'attention.' * (key in ATTENTION)}{key}": value for key, value in metadata.items()
    }
    shapes = SHOW["tensors"] if tensor is None else [{**SHOW["tensors"][1], "shape": tensor}]
    return {**SHOW, "model_info": {**SHOW["model_info"], **prefixed}, "tensors": shapes}


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
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_tells_the_shape(serve: Serve) -> None:
    found = shape_of_server(Server.at(serve({"/api/show": (200, SHOW)})), "mine", facts_at())
    assert (found.name, found.quantisation, found.vocabulary) == ("mine", "Q4_0", 1000)
    # 18 bytes for 32 weights, 144 for 256, and 2 for one.
    assert (found.input_bytes, found.layer_bytes) == (144 * 1000, (144 * 256,))
    assert found.output_bytes == 512000


def test_a_server_need_not_tell_the_quantisation(serve: Serve) -> None:
    answer = {**SHOW, "details": {}}
    found = shape_of_server(Server.at(serve({"/api/show": (200, answer)})), "mine", facts_at())
    fit = judge(found, ask(on_cpu=True), cpu(8 * GIB))
    title = model_text(fit, ask(on_cpu=True), cpu(8 * GIB)).splitlines()[0]
    assert title == "mine · Ollama 0.32.15"


def test_a_server_tells_what_it_has_loaded(serve: Serve) -> None:
    models = {"models": [{"name": "a:1b", "size": 100, "size_vram": 50}, "odd", {"size": "x"}]}
    url = serve({"/api/ps": (200, models)})
    assert loaded(Server.at(url.removeprefix("http://"))) == (("a:1b", 100, 50), ("", 0, 0))


def test_what_a_server_has_loaded_is_part_of_the_answer(serve: Serve) -> None:
    models = {"models": [{"name": "a:1b", "size": 100, "size_vram": 50}]}
    url = serve({"/api/show": (200, SHOW), "/api/ps": (200, models)})
    asked = ("fit", "xeon-cpu", "--server", url, "-m", "mine")
    document = validated("fit", run(*asked, "--json").stdout)
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
        (200, {**SHOW, "tensors": []}, 3, "no layers among its tensors"),
        (200, {**SHOW, "tensors": [TABLE] * 140_000}, 3, "lists and objects"),
        (200, json.dumps(SHOW).replace("[256, 256]", "[64, 1e999]").encode(), 3, "cannot size"),
        (200, json.dumps(SHOW).replace("[256, 256]", "[NaN]").encode(), 3, "NaN is no number"),
        (200, shown(tensor=[-64, 64]), 3, "cannot size"),
        (200, shown(tensor=[0]), 3, "cannot size"),
        (200, shown(tensor=[]), 3, "cannot size"),
        (200, shown(tensor=[64, True]), 3, "cannot size"),
        (200, shown(tensor="64"), 3, "cannot size"),
        (200, shown(tensor=[1 << 32] * 4), 3, "larger than any model's"),
        (200, shown(tensor=[1 << 33]), 3, "cannot size"),
        (200, shown(tensor=[10**400]), 3, "cannot size"),
        (200, shown(block_count=0), 3, "`llama.block_count` is 0"),
        (200, shown(block_count=-1), 3, "`llama.block_count` is odd"),
        (200, shown(block_count=10**12), 3, "`llama.block_count` is odd"),
        (200, shown(block_count=True), 3, "`llama.block_count` is odd"),
        (200, shown(embedding_length=10**7), 3, "`llama.embedding_length` is 10000000"),
        (200, shown(head_count=10**12), 3, "`llama.attention.head_count` is odd"),
        (200, shown(head_count=10**6), 3, "`llama.attention.head_count` is odd"),
        (200, shown(head_count="4"), 3, "`llama.attention.head_count` is odd"),
        (200, shown(head_count_kv=-2), 3, "`llama.attention.head_count_kv` is odd"),
        (200, shown(feed_forward_length=1 << 30), 3, "`llama.feed_forward_length` is odd"),
    ],
)
def test_a_server_that_does_not_tell(
    serve: Serve, status: int, answer: object, code: int, message: str
) -> None:
    with pytest.raises(HostwrightError) as caught:
        shape_of_server(Server.at(serve({"/api/show": (status, answer)})), "mine", facts_at())
    assert message in caught.value.message
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:9", 3), ("file:///etc/passwd", 2), ("http://[::1", 2), ("http://", 2)],
)
def test_an_address_that_is_no_server(url: str, code: int) -> None:
    with pytest.raises(HostwrightError) as caught:
        shape_of_server(Server.at(url), "mine", facts_at())
    assert caught.value.exit_code == code


def test_what_is_loaded_and_cannot_be(serve: Serve) -> None:
    models = [{"name": "a", "size": 10**400, "size_vram": -1}, {"name": 7, "size": True}]
    url = serve({"/api/ps": (200, {"models": models})})
    assert loaded(Server.at(url)) == (("a", 0, 0), ("", 0, 0))


@pytest.mark.parametrize("models", [7, "x", {"a": 1}, [{}] * 10_001])
def test_a_list_of_what_is_loaded_that_is_none(serve: Serve, models: object) -> None:
    with pytest.raises(EnvironmentFailure, match="no answer of an Ollama server"):
        loaded(Server.at(serve({"/api/ps": (200, {"models": models})})))


def test_nothing_that_a_server_says_controls_the_terminal(serve: Serve) -> None:
    evil = "\x1b[2J\x1b]0;pwn\x07\u202e\x9b31m"
    answer = {**SHOW, "details": {"quantization_level": evil}}
    models = {"models": [{"name": f"a{evil}", "size": 100, "size_vram": 50}]}
    url = serve({"/api/show": (200, answer), "/api/ps": (200, models)})
    found = called("fit", "xeon-cpu", "--server", url, "-m", "mine")
    assert found.returncode == 0, found.stderr
    assert "a\\x1b[2J\\x1b]0;pwn" in found.stdout
    assert not set("\x1b\x07\u202e\x9b") & set(found.stdout + found.stderr)
    answer["model_info"] = {**SHOW["model_info"], "general.architecture": evil}
    url = serve({"/api/show": (200, answer)})
    found = called("fit", "xeon-cpu", "--server", url, "-m", "mine")
    assert found.returncode == 3
    assert "no `general.architecture`" in found.stderr
