"""A host that is watched: a real Prometheus and real exporters, on the loopback.

The server is a stub, and so is who takes the alerts: Debian's Alertmanager starts only where its
package is installed. Nobody waits for longer than what is waited for takes; no time is asserted.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from generator.targets import all_files
from tests.plans import plan
from tests.targets.test_monitor_textfile import GROUP
from tests.tools import require
from tools.dashboard_page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 90.0
ANSWERS = {
    "/api/version": {"version": "0.32.15"},
    "/api/ps": {"models": [{"name": "qwen3:14b", "size": 9000, "size_vram": 9000}]},
    "/api/tags": {"models": [{"name": "qwen3:14b", "size": 9000}]},
}


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers what a server is asked that computes nothing, and takes alerts."""

    told: ClassVar[dict[str, dict[str, Any]]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body if isinstance(body, list) else ():
            self.told[alert["labels"]["alertname"]] = alert
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        found = ANSWERS.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        pass


def free(count: int) -> list[int]:
    with contextlib.ExitStack() as open_ones:
        every = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in every:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in every]


@contextlib.contextmanager
def serving(port: int) -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Stub)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until(what: str, found: Callable[[], Any]) -> Any:
    """Return what is found, once something is."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            if told := found():
                return told
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {DEADLINE} s")


class Watching:
    """Programs on ports of their own, as a bundle has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = free(7)
        self.server, self.node, self.blackbox, self.alertmanager, self.prometheus = ports[:5]
        self.front, metrics = ports[5:]
        data = {
            "host": {"memory": "64GiB"},
            "resources": {"memory_max": "20G", "cpu_quota": "400%"},
            "ollama": {"port": self.server},
            "models": [{"name": "qwen3:14b"}],
            "front": {"port": self.front, "metrics_port": metrics},
            "monitor": {
                "enable": True,
                "interval": "1s",
                "node_port": self.node,
                "blackbox_port": self.blackbox,
                "alertmanager": f"127.0.0.1:{self.alertmanager}",
                "receiver": {"webhook": "http://127.0.0.1:9/"},
            },
        }
        for file in all_files("systemd", plan(data)):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        rules = self.at("prometheus-rules.yml")
        # Nobody here waits for minutes: what has to last, lasts for a second.
        text = re.sub(r'for: "\d+s"', 'for: "1s"', rules.read_text(encoding="utf-8"))
        rules.write_text(text, encoding="utf-8")

        self.proxy = folder / "haproxy.cfg"
        text = (folder / "etc/hostwright/front/haproxy.cfg").read_text(encoding="utf-8")
        self.proxy.write_text(re.sub(r".*stats socket.*\n", "", text), encoding="utf-8")

    def at(self, name: str) -> Path:
        return self.folder / "monitor" / name

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        texts = self.folder / "texts"
        texts.mkdir()
        with contextlib.ExitStack() as every:
            for command in (
                ("haproxy", "-f", str(self.proxy)),
                (
                    "prometheus-node-exporter", "--collector.disable-defaults",
                    "--collector.textfile", f"--collector.textfile.directory={texts}",
                    f"--web.listen-address=127.0.0.1:{self.node}",
                ),
                (
                    "prometheus-blackbox-exporter", f"--config.file={self.at('blackbox.yml')}",
                    f"--web.listen-address=127.0.0.1:{self.blackbox}",
                ),
                (
                    "prometheus", f"--config.file={self.at('prometheus.yml')}",
                    f"--storage.tsdb.path={self.folder / 'series'}",
                    f"--web.listen-address=127.0.0.1:{self.prometheus}",
                ),
            ):  # fmt: skip
                every.enter_context(started(*command, folder=self.folder))
            yield

    def ask(self, path: str, **given: str) -> Any:
        return self._ask(self.prometheus, f"/api/v1/{path}?{urllib.parse.urlencode(given)}")["data"]

    def compute(self) -> int:
        """Ask the front for an answer, and return the status."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.front)) as line:
            line.request("POST", "/api/generate", "{}")
            return line.getresponse().status

    def firing(self) -> set[str]:
        every = self.ask("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in every if one["state"] == "firing"}

    @staticmethod
    def _ask(port: int, path: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as line:
            line.request("GET", path)
            return json.loads(line.getresponse().read())


@contextlib.contextmanager
def started(tool: str, *words: str, folder: Path) -> Iterator[None]:
    with (folder / f"{tool}.log").open("wb") as log:
        process = subprocess.Popen([require(tool), *words], stdout=log, stderr=log, cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def textfile(watching: Watching, *, second: int) -> None:
    """Write what the script tells, with counters that have gone on by `second` seconds."""
    group = GROUP["cpu.stat"].split()
    assert group[:2] == ["usage_usec", "2500000"]
    own = 'service="ollama"'
    model = f'{own},model="qwen3:14b"'
    now = int(time.time())
    samples = {
        f"hostwright_collected_timestamp_seconds {now}",
        f'hostwright_collect_success{{{own},part="group"}} 1',
        f"hostwright_restarts_total{{{own}}} 0",
        f"hostwright_cpu_usage_seconds_total{{{own}}} {2.5 + 3 * second}",
        f"hostwright_cpu_periods_total{{{own}}} {40 + 10 * second}",
        f"hostwright_cpu_throttled_periods_total{{{own}}} 10",
        f"hostwright_memory_anon_bytes{{{own}}} 1073741824",
        f"hostwright_memory_max_bytes{{{own}}} 21474836480",
        f"hostwright_models_loaded{{{own}}} 1",
        f"hostwright_model_size_bytes{{{model}}} 9000",
        f"hostwright_model_vram_bytes{{{model}}} 9000",
        f"hostwright_model_installed_bytes{{{model}}} 9000",
        f"hostwright_models_disk_avail_bytes{{{own}}} 500000",
        f"hostwright_models_disk_size_bytes{{{own}}} 900000",
        f"llamacpp:tokens_predicted_total{{{model}}} {40 * second}",
        f"llamacpp:tokens_predicted_seconds_total{{{model}}} {second}",
        f"llamacpp:n_decode_total{{{model}}} {20 * second}",
        f"llamacpp:prompt_tokens_total{{{model}}} {900 * second}",
        f"llamacpp:prompt_seconds_total{{{model}}} {second}",
        f"llamacpp:requests_processing{{{model}}} 2",
    }
    file = watching.folder / "texts" / "hostwright.prom"
    new = file.with_suffix(".new")
    new.write_text("\n".join([*sorted(samples), ""]), encoding="utf-8")
    new.replace(file)


def test_a_server_that_stops_is_told_and_one_that_is_back_is_not(tmp_path: Path) -> None:
    """And while it answers, every panel of the dashboard has series."""
    watching = Watching(tmp_path)
    board = json.loads(watching.at("dashboard.json").read_text(encoding="utf-8"))
    exprs = {t["expr"] for panel in board["panels"] for t in panel.get("targets", ())}
    with watching.running(), serving(watching.alertmanager):
        with serving(watching.server):
            ticks = iter(range(10**6))

            def asked_of(expr: str) -> Any:
                textfile(watching, second=next(ticks))
                return watching.ask("query", query=expr)["result"]

            for expr in sorted(exprs):
                until(expr, partial(asked_of, expr))
            speed = until("speed", partial(asked_of, "hostwright:tokens_per_second"))
            assert {one["metric"]["model"] for one in speed} == {"qwen3:14b"}
            assert float(speed[0]["value"][1]) == pytest.approx(40, rel=0.01)
            (both,) = asked_of("hostwright:decode_tokens_per_second")
            assert float(both["value"][1]) == pytest.approx(80, rel=0.01)
            assert watching.compute() == HTTPStatus.OK
            drawn = page(board, f"http://127.0.0.1:{watching.prometheus}", seconds=30)
            assert drawn.count("<polyline") >= len(exprs) - 2
            assert "no series" not in drawn
            assert watching.firing() == set()
        alert = until("who is told", lambda: Stub.told.get("OllamaDown"))
        assert alert["labels"]["severity"] == "critical"
        assert alert["annotations"]["summary"] == "ollama does not answer"
        with serving(watching.server):
            until("the end of it", lambda: "OllamaDown" not in watching.firing())
