"""HAProxy and Caddy themselves, before servers that answer when a test says so.

A Stub answers as an Ollama does, and streams: the first part of an answer comes at once, the rest
when the test lets it. No test asks the clock; each waits, within a bound, for what must come.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.engines import load_engine
from generator.profiles.schema import Profile
from generator.resolve.front import front_of
from generator.targets.front.config import At, beside, front_file
from tests.plans import CATALOGUE, plan
from tests.tools import require

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping

    from generator.plan import Plan

ROOT: Final = Path(__file__).parents[2]
BOUND: Final = 300  # seconds, for what must come at all: machines stand still for half a minute
FIRST, REST = b'{"message":{"content":"a"}}\n', b'{"done":true}\n'


def program(name: str) -> str:
    """Return HAProxy or Caddy: that of the system, or the one that is unpacked for the tests."""
    own = ROOT / ".tools" / name
    return str(own) if own.exists() else require(name)


def complaints(name: str, text: str, folder: Path, secrets: Mapping[str, str]) -> list[str]:
    """Return what the program says against a configuration; nothing: it takes it."""
    (folder / "secrets").mkdir(exist_ok=True)
    for secret, content in secrets.items():
        (folder / "secrets" / secret).write_text(content)
    path = folder / {"haproxy": "haproxy.cfg", "caddy": "Caddyfile"}[name]
    path.write_text(text)
    words = {
        "haproxy": ["-c", "-f", str(path)],
        "caddy": ["validate", "--adapter", "caddyfile", "--config", str(path)],
    }[name]
    done = subprocess.run(
        [program(name), *words],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(folder),
    )
    lines = (done.stdout + done.stderr).splitlines()
    bad = [one for one in lines if "[ALERT]" in one or "[WARNING]" in one or "Error" in one]
    return bad or ([] if done.returncode == 0 else lines)


def _environment(folder: Path) -> dict[str, str]:
    own = {"CREDENTIALS_DIRECTORY": str(folder / "secrets"), "HOME": str(folder)}
    return {**os.environ, **own}


def certificate(folder: Path) -> dict[str, str]:
    """Return a certificate and its key, made for the test."""
    openssl = require("openssl")
    key, cert = folder / "made.key", folder / "made.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    where = ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert), "-days", "2"]
    subprocess.run([openssl, *words, *where], check=True, capture_output=True)
    return {"certificate.pem": cert.read_text(), "certificate.pem.key": key.read_text()}


# ── servers ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Stub:
    """A server: answers wait for `go`, and what follows their first part for `rest`, however long.

    One that `breaks` ends the connection in place of an answer.
    """

    port: int
    go: threading.Event = field(default_factory=threading.Event)
    rest: threading.Event = field(default_factory=threading.Event)
    loaded: list[str] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    breaks: bool = False
    running: int = 0
    most: int = 0

    def release(self) -> None:
        """Let all answers go to their end."""
        self.go.set()
        self.rest.set()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request as long as it is computed."""
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            yield
        finally:
            with self.lock:
                self.running -= 1

    @property
    def asked(self) -> list[str]:
        """The paths that were asked, but for that of checks."""
        return [path for _, path, _ in self.seen if path not in {"/api/version", "/api/ps"}]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        stub = self._noted()
        models = [{"name": name, "model": name} for name in stub.loaded]
        body = {"/api/ps": {"models": models}}.get(self.path, {"version": "0.32.15"})
        self._whole(json.dumps(body).encode())

    def do_OPTIONS(self) -> None:
        self._noted()
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        stub = self._noted()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if stub.breaks:
            self.close_connection = True
            return
        with stub.counted():
            stub.go.wait()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._part(FIRST)
            stub.rest.wait()
            self._part(REST)
        # Who has the end of it may send the next at once, which is computed after this one.
        self._part(b"")

    def _noted(self) -> Stub:
        stub: Stub = self.server.stub  # type: ignore[attr-defined]
        named = {name.lower(): value for name, value in self.headers.items()}
        stub.seen.append((self.command, self.path, named))
        return stub

    def _whole(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _part(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that a front has closed."""


@contextmanager
def stubs(count: int) -> Iterator[list[Stub]]:
    """Yield servers on ports of their own."""
    servers = []
    for _ in range(count):
        server = _Server(("127.0.0.1", 0), _Handler)
        server.stub = Stub(port=server.server_address[1])  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
    try:
        yield [server.stub for server in servers]  # type: ignore[attr-defined]
    finally:
        for server in servers:
            server.stub.release()  # type: ignore[attr-defined]
            server.shutdown()
            server.server_close()


# ── a front before them ───────────────────────────────────────────────────────────────────────


def fronted(
    data: Mapping[str, Any], ports: Mapping[str, int], models: Mapping[str, tuple[str, ...]] = {}
) -> Plan:
    """Return a Plan with a server of each name at its port, those with their own `models`."""
    decided = plan(data)
    served = decided.service
    services = tuple(
        replace(
            served,
            name=name,
            listen=replace(served.listen, port=port, address=f"127.0.0.1:{port}"),
            models=tuple(m for m in served.models if m.served in models.get(name, (m.served,))),
        )
        for name, port in ports.items()
    )
    profile = Profile.model_validate({"schema_version": 1, "name": "test", **data}, strict=False)
    facts = CATALOGUE.at("ollama", CATALOGUE.release(None))
    front = front_of(profile, load_engine("ollama"), facts, services)
    return replace(decided, services=services, front=front)


@dataclass
class Running:
    """A front that runs: its process, and where it is asked."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    folder: Path

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "",
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND)
        try:
            connection.request(
                method or ("GET" if body is None else "POST"), path, body, dict(headers or {})
            )
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    @contextmanager
    def opened(self, path: str = "/api/chat") -> Iterator[http.client.HTTPResponse]:
        """Yield an answer whose first part has come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND)
        try:
            connection.request("POST", path, b"{}")
            answer = connection.getresponse()
            assert answer.readline() == FIRST
            yield answer
        finally:
            connection.close()

    def left(self, path: str, length: int = 2, key: str = "") -> socket.socket:
        """Return a connection that has asked, of a body that may be longer, and does not read."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=BOUND)
        known = f"Authorization: Bearer {key}\r\n" if key else ""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{known}Content-Length: {length}\r\n\r\n"
        client.sendall(f"{head}{{}}".encode())
        return client

    def metrics(self) -> dict[str, float]:
        """Return what it tells Prometheus, by the name with its labels."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=BOUND)
        try:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        finally:
            connection.close()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def healthy(self) -> bool:
        """Return whether it has a server to ask."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=BOUND)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def hears(self, told: signal.Signals) -> bool:
        """Return whether its process does something of its own at a signal by now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (told - 1) & 1)

    def command(self, text: str) -> str:
        """Return what HAProxy says to a command on its socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.folder / "admin.sock"))
            client.sendall(f"{text}\n".encode())
            return b"".join(iter(lambda: client.recv(4096), b"")).decode()


def until(holds: Callable[[], object]) -> None:
    """Wait for what must come; AssertionError where it does not within the bound."""
    end = time.monotonic() + BOUND
    while not holds():
        assert time.monotonic() < end, "what must come has not come"
        time.sleep(0.01)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running(
    decided: Plan, folder: Path, secrets: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Yield the front of a Plan as it runs, from when it listens."""
    assert decided.front
    port, metrics_port = free_ports(2)
    front = replace(decided.front, port=port, metrics_port=metrics_port)
    at = At(
        reach=beside,
        host="127.0.0.1",
        port=port,
        metrics_host="127.0.0.1",
        socket=str(folder / "admin.sock"),
    )
    text = front_file(decided, front, at).text.replace("inter 5s", "inter 200ms")
    with started(front.kind, text, folder, (port, metrics_port), secrets) as one:
        yield one


@contextmanager
def started(
    name: str,
    text: str,
    folder: Path,
    ports: tuple[int, int],
    secrets: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Yield a program that runs with a configuration, from when it listens on both ports."""
    assert complaints(name, text, folder, secrets or {}) == []
    words = {
        "haproxy": ["-W", "-db", "-f", str(folder / "haproxy.cfg")],
        "caddy": ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")],
    }[name]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program(name), *words], stdout=log, stderr=log, env=_environment(folder)
        )
        try:
            until(lambda: all(map(_listens, ports)))
            yield Running(process, *ports, folder)
        finally:
            process.kill()
            process.wait(BOUND)
