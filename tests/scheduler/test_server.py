"""A Shape from a running server, and servers that do not answer as one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from generator.cli.fit_text import model_text
from generator.engines.ollama.scheduler.server import loaded, shape_of_server
from generator.errors import HostwrightError
from generator.fit.verdict import judge
from tests.cli.test_output_schemas import validated
from tests.commands import run
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
