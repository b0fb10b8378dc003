"""A real LiteLLM with the files of a target, before a server and a Qdrant that are stubs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import pytest

from generator.targets import load_target
from tests.engines.programs import program
from tests.host import put
from tests.plans import plan
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-of-a-test"
TRIES = 600
LITELLM = "HOSTWRIGHT_LITELLM"


class Answer(NamedTuple):
    """What came back: its headers, its text, and the seconds that it took."""

    headers: dict[str, str]
    text: str
    seconds: float


@dataclass(frozen=True)
class Gateway:
    """A running LiteLLM: where it answers, and its process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, model: str, text: str, **more: object) -> Answer:
        """Ask as a client of OpenAI does."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        request = urllib.request.Request(  # noqa: S310 -- on the loopback
            f"{self.url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 -- as above
            told = json.load(answer)
            headers = {name.lower(): value for name, value in answer.headers.items()}
        content = told["choices"][0]["message"]["content"]
        return Answer(headers, content, time.perf_counter() - began)

    @property
    def cpu_seconds(self) -> float:
        """What its processes have computed."""
        first = psutil.Process(self.process.pid)
        times = (each.cpu_times() for each in (first, *first.children(recursive=True)))
        return float(sum(each.user + each.system for each in times))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def gateway(data: dict[str, Any], folder: Path) -> Iterator[Gateway]:
    """Run Redis and LiteLLM with the files of the target `systemd` for a profile."""
    port, redis_port = free_port(), free_port()
    cache = {"port": port, "redis_port": redis_port, **data.get("cache", {})}
    decided = plan({**data, "cache": cache})
    put(load_target("systemd").render(decided), folder)
    conf, config = folder / "etc/hostwright/redis.conf", folder / "etc/hostwright/litellm.yaml"
    argv = [program("litellm", LITELLM), "--config", config, "--host", "127.0.0.1"]
    names = ("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_TELEMETRY_DISABLED")
    env = {"PATH": os.defpath, "HOME": str(folder), "LITELLM_MASTER_KEY": KEY}
    env |= dict.fromkeys(names, "True")
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "litellm.log").open("wb"))
        if conf.exists():
            redis = [require("redis-server"), str(conf)]
            stack.enter_context(_running(redis, folder, {}, log))
        run = [*map(str, argv), "--port", str(port)]
        process = stack.enter_context(_running(run, folder, env, log))
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/health/liveliness", process, folder / "litellm.log")
        yield Gateway(url, process, folder / "litellm.log")


@contextlib.contextmanager
def _running(
    argv: list[str], folder: Path, env: dict[str, str], log: Any
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(TRIES):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10):  # noqa: S310
            return
        time.sleep(0.5)
    pytest.fail(f"LiteLLM does not answer:\n{log.read_text(encoding='utf-8')[-4000:]}")


# ── a Qdrant that has nothing ─────────────────────────────────────────────────────────────────


@dataclass
class Qdrant:
    """What was asked of it, as (method, path, body)."""

    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def qdrant() -> Iterator[Qdrant]:
    """A stub that keeps what it is asked, has no collection at first, and finds nothing."""
    stub = Qdrant()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stub.asked.append((self.command, self.path, json.loads(text) if text else None))
            result: Any = {"exists": False} if self.path.endswith("/exists") else True
            answer = json.dumps({"result": [] if "search" in self.path else result}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = _answer  # noqa: N815 -- names that the base class calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
