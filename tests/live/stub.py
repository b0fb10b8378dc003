"""A server that answers as Ollama does: streams, nanoseconds, a queue, a slow first load.

Fields and words are those of api/types.go, server/routes.go and server/sched.go at v0.33.0-rc2.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.live.machine import Machine, TooMuch

BUSY = "server busy, please try again.  maximum pending requests exceeded"
MODIFIED = "2026-11-01T12:00:00.5+01:00"
FOREVER = "2318-03-10T06:33:12.5Z"  # what `keep_alive: -1` becomes


@dataclass
class Installed:
    """A model that the server has on disk."""

    name: str
    size: int = 1_000_000
    digest: str = "a" * 64
    quantisation: str = "Q4_K_M"
    modified: str = MODIFIED
    parameters: str = ""
    context: int = 4096
    able: tuple[str, ...] = ("completion",)
    modelfile: str = ""
    blocks: int = 32

    @property
    def details(self) -> dict[str, Any]:
        return {
            "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
            "parameter_size": "1B", "quantization_level": self.quantisation,
        }  # fmt: skip


@dataclass
class Stub:
    """What the server has, how many it serves at once, and how long each thing takes (seconds)."""

    models: list[Installed] = field(default_factory=list)
    version: str = "0.32.15"
    slots: int = 1
    queue: int = 512
    load_seconds: float = 0.0
    prompt_seconds: float = 0.0
    token_seconds: float = 0.0
    on_gpus: float = 0.0
    silent: int = 0  # the first requests that get no answer, as while a server starts
    url: str = ""
    loaded: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    library: list[Installed] = field(default_factory=list)  # what can be pulled
    most: int = 0  # models in memory at once; 0: all
    broken: str = ""  # why no model can be loaded
    says: str = ""  # the answer to a chat that is no stream, in place of words
    key: str = ""  # without which it answers 401, and says again what came in its place
    machine: Machine | None = None  # whose times the counters tell, and nobody waits for

    def __post_init__(self) -> None:
        self.waiting = self.crowd = 0  # now, and at most
        self.lock = threading.Lock()
        self.free = threading.Semaphore(self.slots)

    def find(self, name: str) -> Installed | None:
        names = {name, f"{name}:latest"}
        return next((model for model in self.models if model.name in names), None)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a slot; False: too many wait already."""
        with self.lock:
            room = self.waiting < self.slots + self.queue
            self.waiting += room
            self.crowd = max(self.crowd, self.waiting)
        if not room:
            yield False
            return
        self.free.acquire()
        try:
            yield True
        finally:
            self.free.release()
            with self.lock:
                self.waiting -= 1

    def load(self, model: Installed) -> int:
        """Load a model, once; return the nanoseconds that it took."""
        began = time.perf_counter_ns()
        with self.lock:
            if model.name not in self.loaded:
                time.sleep(self.load_seconds)
                if self.most and len(self.loaded) >= self.most:
                    self.loaded.clear()
                self.loaded.add(model.name)
        return time.perf_counter_ns() - began

    def tags(self) -> dict[str, Any]:
        return {
            "models": [
                {"name": m.name, "model": m.name, "modified_at": m.modified, "size": m.size,
                 "digest": m.digest, "details": m.details, "capabilities": list(m.able)}
                for m in self.models
            ]
        }  # fmt: skip

    def on_cards(self, model: Installed) -> int:
        return self.machine.on_gpus if self.machine else int(model.size * self.on_gpus)

    def ps(self) -> dict[str, Any]:
        there = [m for m in self.models if m.name in self.loaded]
        return {
            "models": [
                {"name": m.name, "model": m.name, "size": m.size, "digest": m.digest,
                 "details": m.details, "expires_at": FOREVER,
                 "size_vram": self.on_cards(m), "context_length": m.context}
                for m in there
            ]
        }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with chunks, as Go's server writes a stream."""

    protocol_version = "HTTP/1.1"
    stub: Stub

    def setup(self) -> None:
        super().setup()
        self.turn = ExitStack()  # in the queue; over before the client can know that it is

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.stub.asked.append(path)
        if len(self.stub.asked) <= self.stub.silent:
            self.close_connection = True
            return
        if self.stranger():
            return
        answers = {
            "/api/version": lambda: {"version": self.stub.version},
            "/api/tags": self.stub.tags,
            "/api/ps": self.stub.ps,
        }
        if path == "/":
            self.whole(b"Ollama is running", kind="text/plain")
        elif path in answers:
            self.json(answers[path]())
        else:
            self.whole(b"404 page not found", 404, "text/plain")

    def stranger(self) -> bool:
        """Refuse who has not the key, in the words of OpenAI."""
        came = self.headers.get("Authorization", "")
        if not self.stub.key or came == f"Bearer {self.stub.key}":
            return False
        self.json({"error": {"message": f"Incorrect API key provided: {came}", "code": 401}}, 401)
        return True

    def do_HEAD(self) -> None:
        """What Ollama's own client asks first."""
        self.whole(b"")

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.stub.asked.append(path)
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        except ValueError:
            return self.json({"error": "invalid character"}, 400)
        self.came = time.perf_counter_ns()
        return None if self.stranger() else self.posted(path, body)

    def posted(self, path: str, body: dict[str, Any]) -> None:
        self.stub.bodies.append(body)
        if path == "/api/pull":
            return self.pull(str(body.get("model", "")))
        model = self.stub.find(str(body.get("model") or body.get("name", "")))
        if model is None:
            return self.json({"error": f"model '{body.get('model')}' not found"}, 404)
        if path == "/api/show":
            info = {"llama.block_count": model.blocks, "llama.context_length": 131072}
            shown = {"details": model.details, "parameters": model.parameters, "model_info": info}
            shown["modelfile"] = model.modelfile
            return self.json(shown | {"capabilities": list(model.able)})
        with self.turn:
            if not self.turn.enter_context(self.stub.turn()):
                return self.json({"error": BUSY}, 503)
            return self.answer(path, model, body)

    def pull(self, name: str) -> None:
        """A stream of what is done; what goes wrong is a part of it, too."""
        there = next((model for model in self.stub.library if model.name == name), None)
        self.begin("application/x-ndjson")
        self.chunk({"status": "pulling manifest"})
        if there is None:
            self.chunk({"error": "pull model manifest: file does not exist"})
            return self.end()
        for done in (0, there.size // 2, there.size):
            layer = {"digest": f"sha256:{there.digest}", "total": there.size, "completed": done}
            self.chunk({"status": f"pulling {there.digest[:12]}", **layer})
        self.stub.models.append(there)
        self.chunk({"status": "success"})
        return self.end()

    def answer(self, path: str, model: Installed, body: dict[str, Any]) -> None:
        if self.stub.broken:
            return self.json({"error": self.stub.broken}, 500)
        try:
            loading = self.load(model, body.get("options") or {})
        except TooMuch as error:
            return self.json({"error": str(error)}, 500)
        if body.get("keep_alive") == 0:
            self.stub.loaded.discard(model.name)
        if path == "/api/embed":
            texts = body.get("input") or []
            number = len(texts) if isinstance(texts, list) else 1
            return self.json(
                {"model": model.name, "embeddings": [[0.5, 0.25]] * number,
                 "total_duration": loading + 1, "load_duration": loading,
                 "prompt_eval_count": number}
            )  # fmt: skip
        parts = {"/api/generate": self.native, "/api/chat": self.native}
        parts["/v1/chat/completions"] = self.events
        parts["/v1/embeddings"] = self.vectors
        return parts[path](path, model, body, loading)

    def load(self, model: Installed, options: dict[str, Any]) -> int:
        waited = self.stub.load(model)
        return self.stub.machine.load(options) if self.stub.machine else waited

    def simulated(self, path: str, model: Installed, body: dict[str, Any], loading: int) -> None:
        """The counters of a machine that there is not, at once."""
        assert self.stub.machine
        count = int(body.get("options", {}).get("num_predict", 3))
        words = len(str(body["prompt"]).split())
        prefill, decode = self.stub.machine.answer(words, count)
        self.begin("application/x-ndjson")
        self.chunk(self.part(path, model, "w"))
        last = {
            "done": True, "done_reason": "length", "total_duration": loading + prefill + decode,
            "load_duration": loading, "prompt_eval_count": words, "prompt_eval_duration": prefill,
            "eval_count": count, "eval_duration": decode,
        }  # fmt: skip
        self.last({**self.part(path, model, ""), **last})

    def native(self, path: str, model: Installed, body: dict[str, Any], loading: int) -> None:
        """A stream of JSON lines, or one object; the last has the counters."""
        count = int(body.get("options", {}).get("num_predict", 3))
        nothing = not body.get("prompt") and not body.get("messages")
        if self.stub.machine and not nothing:
            return self.simulated(path, model, body, loading)
        reading = time.perf_counter_ns()
        time.sleep(0 if nothing else self.stub.prompt_seconds)
        began = time.perf_counter_ns()
        lines = []
        self.begin("application/x-ndjson") if body.get("stream", True) else None
        for word in [] if nothing else [f"w{i} " for i in range(count)]:
            time.sleep(self.stub.token_seconds)
            lines.append(self.part(path, model, word))
            self.chunk(lines[-1]) if body.get("stream", True) else None
        took = time.perf_counter_ns() - began
        total = time.perf_counter_ns() - self.came  # with the time in the queue
        last = {**self.part(path, model, ""), "done": True, "done_reason": "load"}
        if not nothing:
            last |= {
                "done_reason": "length", "total_duration": total, "load_duration": loading,
                "prompt_eval_count": 5, "prompt_eval_duration": max(began - reading, 1),
                "eval_count": count,
                "eval_duration": took,
            }  # fmt: skip
        if not body.get("stream", True):
            text = self.stub.says or "".join(f"w{i} " for i in range(count))
            message = {"message": {"role": "assistant", "content": text}}
            return self.json(last | (message if path == "/api/chat" else {"response": text}))
        return self.last(last)

    def part(self, path: str, model: Installed, word: str) -> dict[str, Any]:
        told: dict[str, Any] = {"model": model.name, "created_at": MODIFIED, "done": False}
        chat = path == "/api/chat"
        return told | (
            {"message": {"role": "assistant", "content": word}} if chat else {"response": word}
        )

    def vectors(self, path: str, model: Installed, body: dict[str, Any], loading: int) -> None:
        """As the interface of OpenAI has them."""
        del path, loading
        data = [{"object": "embedding", "embedding": [0.5], "index": at}
                for at, _ in enumerate(body["input"])]  # fmt: skip
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        return self.json({"object": "list", "data": data, "model": model.name, "usage": usage})

    def events(self, path: str, model: Installed, body: dict[str, Any], loading: int) -> None:
        """A stream of server-sent events, as the interface of OpenAI has them."""
        self.begin("text/event-stream")
        time.sleep(self.stub.prompt_seconds)
        for at in range(int(body.get("max_tokens", 3))):
            time.sleep(self.stub.token_seconds)
            delta = {"choices": [{"index": 0, "delta": {"content": f"w{at} "}}]}
            self.raw(f"data: {json.dumps(delta)}\n\n".encode())
        self.turn.close()
        self.raw(b"data: [DONE]\n\n")
        self.end()

    def begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: object) -> None:
        self.raw(json.dumps(data).encode() + b"\n")

    def last(self, data: object) -> None:
        """The line that says it is done: who reads it may ask again at once, and finds room."""
        self.turn.close()
        self.chunk(data)
        self.end()

    def raw(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def json(self, data: object, status: int = 200) -> None:
        self.whole(json.dumps(data).encode(), status, "application/json; charset=utf-8")

    def whole(self, data: bytes, status: int = 200, kind: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.turn.close()
        self.end_headers()
        self.wfile.write(data)


class Quiet(ThreadingHTTPServer):
    """A server to which a client that has gone is no error."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """Serve on a free port for as long as needed; `url` says where."""
    handler = type("Bound", (Handler,), {"stub": stub})
    server = Quiet(("127.0.0.1", 0), handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
