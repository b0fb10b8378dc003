"""`textfile.py` of a bundle: what it tells of a machine, as node_exporter and promtool read it."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "generator/templates/monitor/textfile.py"
GROUP = {
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_periods 40\nnr_throttled 10\n"
    "throttled_usec 750000\n",
    "memory.stat": "anon 1073741824\nfile 7516192768\nkernel 5\n",
    "memory.current": "8589934592\n",
    "memory.max": "21474836480\n",
    "memory.events": "low 0\nhigh 3\nmax 0\noom 1\noom_kill 1\n",
    "cgroup.procs": "71\n72\n",
}
PS = {"models": [{"name": 'a"\\b:1b', "size": 6000, "size_vram": 1500, "digest": "x"}]}
TAGS = {"models": [{"name": "c:7b", "size": 4700000000}]}
SHOW = {"modelfile": "# a\nFROM /models/blobs/sha256-abc\nTEMPLATE x\n"}
RUNNER = """\
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 1234
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 2
hostwright_cpu_periods_total 666
broken{ line
"""
CARDS = """\
0, GPU-1, Quadro P4000, 3041, 8192, 37, 52
1, GPU-2, NVIDIA GB10, [N/A], [N/A], 5, 41
"""


class Asked(http.server.BaseHTTPRequestHandler):
    """A server of models, and the program of one."""

    answers: dict[str, str]

    def do_GET(self) -> None:
        text = self.answers.get(self.path)
        self.send_response(200 if text is not None else 404)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(name="address")
def _address() -> Iterator[str]:
    answers = {"/ps": PS, "/tags": TAGS, "/show": SHOW}
    every = {path: json.dumps(told) for path, told in answers.items()} | {"/metrics": RUNNER}
    handler = type("Handler", (Asked,), {"answers": every})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Machine:
    """A root directory, and programs that tell of it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.root, self.bin = folder / "root", folder / "bin"
        self.address = address
        self.own = {
            "service": "main", "manager": "systemd", "unit": "x.service", "container": "",
            "user": False, "models": "/srv/models/blobs", "address": address, "loaded": "/ps",
            "installed": "/tags", "show": "/show", "runner": "runner", "metrics": "/metrics",
        }  # fmt: skip
        for name, text in GROUP.items():
            self.put(f"sys/fs/cgroup/system.slice/x.service/{name}", text)
        command = f"/opt/runner --model /models/blobs/sha256-abc --port {address.split(':')[1]}"
        self.put("proc/71/cmdline", "/usr/bin/conmon\0-x\0")
        self.put("proc/72/cmdline", "\0".join([*command.split(), ""]))
        self.put("proc/72/root/srv/models/manifest", "")
        self.put("proc/72/cgroup", "0::/system.slice/x.service\n")
        self.put("textfiles/.keep", "")
        self.program("systemctl", "ControlGroup=/system.slice/x.service\nNRestarts=4\n")
        self.program("nvidia-smi", CARDS)
        self.program("docker", "72 5\n")

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def program(self, name: str, prints: str, status: int = 0) -> None:
        self.bin.mkdir(exist_ok=True)
        file = self.bin / name
        file.write_text(f"#!/bin/sh\ncat <<'X'\n{prints}X\nexit {status}\n", encoding="utf-8")
        file.chmod(0o755)

    def run(self, *, cards: str = "", fails: int = 0, **changes: object) -> str:
        """Return what the script has written; what it says of failures is in `said`."""
        config = self.root / "textfile.json"
        services = [{**self.own, **changes}]
        told: dict[str, Any] = {"directory": "/textfiles", "cards": cards, "services": services}
        config.write_text(json.dumps(told), encoding="utf-8")
        environment = {"DESTDIR": str(self.root), "PATH": f"{self.bin}:{os.environ['PATH']}"}
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(config)],
            env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == fails, done.stderr
        self.said = done.stderr
        file = self.root / "textfiles/hostwright.prom"
        return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, address: str) -> Machine:
    return Machine(tmp_path, address)


def lines(text: str) -> set[str]:
    return {line for line in text.splitlines() if not line.startswith("#")}


def test_a_service_of_systemd(machine: Machine) -> None:
    text = machine.run()
    assert machine.said == ""
    assert lines(text) >= {
        'hostwright_restarts_total{service="main"} 4',
        'hostwright_cpu_usage_seconds_total{service="main"} 2.5',
        'hostwright_cpu_periods_total{service="main"} 40',
        'hostwright_cpu_throttled_periods_total{service="main"} 10',
        'hostwright_cpu_throttled_seconds_total{service="main"} 0.75',
        'hostwright_memory_anon_bytes{service="main"} 1073741824',
        'hostwright_memory_max_bytes{service="main"} 21474836480',
        'hostwright_memory_events_total{service="main",event="oom_kill"} 1',
        'hostwright_models_loaded{service="main"} 1',
        'hostwright_model_size_bytes{service="main",model="a\\"\\\\b:1b"} 6000',
        'hostwright_model_vram_bytes{service="main",model="a\\"\\\\b:1b"} 1500',
        'hostwright_model_installed_bytes{service="main",model="c:7b"} 4700000000',
        'llamacpp:tokens_predicted_total{service="main",model="a\\"\\\\b:1b"} 1234',
        'llamacpp:requests_processing{service="main",model="a\\"\\\\b:1b"} 2',
        *(
            f'hostwright_collect_success{{service="main",part="{part}"}} 1'
            for part in ("group", "disk", "loaded", "installed", "runners")
        ),
    }
    assert "hostwright_models_disk_avail_bytes" in text
    assert "periods_total 666" not in text
    assert {path.name for path in (machine.root / "textfiles").iterdir()} == {
        ".keep",
        "hostwright.prom",
    }


def test_promtool_has_nothing_to_say(machine: Machine) -> None:
    text = machine.run(cards="nvidia-smi")
    done = subprocess.run(
        [require("promtool"), "check", "metrics"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # The names of llama.cpp have a colon, which promtool would rather see in recordings alone.
    said = [line for line in done.stderr.splitlines() if not line.startswith("llamacpp:")]
    assert (done.stdout, said) == ("", [])


def test_gpus_tell_what_they_have(machine: Machine) -> None:
    """One without memory of its own is there, and its memory is not."""
    found = lines(machine.run(cards="nvidia-smi"))
    assert 'hostwright_gpu_memory_used_bytes{gpu="0"} 3188719616' in found
    assert 'hostwright_gpu_memory_total_bytes{gpu="0"} 8589934592' in found
    assert 'hostwright_gpu_utilization_ratio{gpu="0"} 0.37' in found
    assert 'hostwright_gpu_info{gpu="1",uuid="GPU-2",card="NVIDIA GB10"} 1' in found
    assert not [
        line for line in found if line.startswith("hostwright_gpu_memory") and '"1"' in line
    ]


def test_gpus_of_amd(machine: Machine) -> None:
    machine.put("sys/class/drm/card0/device/mem_info_vram_total", "100\n")
    machine.put("sys/class/drm/card0/device/mem_info_vram_used", "40\n")
    machine.put("sys/class/drm/card0/device/gpu_busy_percent", "12\n")
    found = lines(machine.run(cards="amdgpu"))
    assert found >= {
        'hostwright_gpu_info{gpu="0",card="card0"} 1',
        'hostwright_gpu_memory_used_bytes{gpu="0"} 40',
        'hostwright_gpu_memory_total_bytes{gpu="0"} 100',
        'hostwright_gpu_utilization_ratio{gpu="0"} 0.12',
    }


def test_a_container_of_docker_is_found_by_its_process(machine: Machine) -> None:
    found = lines(machine.run(manager="docker", container="x", runner=""))
    assert 'hostwright_restarts_total{service="main"} 5' in found
    assert 'hostwright_memory_anon_bytes{service="main"} 1073741824' in found


def test_what_cannot_be_asked_is_told_and_the_rest_is_written(machine: Machine) -> None:
    machine.put("sys/fs/cgroup/system.slice/x.service/memory.max", "max\n")
    machine.program("nvidia-smi", "no devices were found\n", 6)
    text = machine.run(cards="nvidia-smi", address="127.0.0.1:9")
    assert lines(text) >= {
        'hostwright_collect_success{service="main",part="group"} 1',
        'hostwright_collect_success{service="main",part="loaded"} 0',
        'hostwright_collect_success{service="main",part="installed"} 0',
        'hostwright_collect_success{service="host",part="gpus"} 0',
    }
    assert "hostwright_memory_max_bytes" not in text
    assert "main: loaded: 127.0.0.1:9/ps" in machine.said
    assert "Traceback" not in machine.said


@pytest.mark.parametrize(
    "answer", ["[]", '{"models": 7}', "{", "null", '{"models": [{"name": []}]}']
)
def test_a_strange_answer_is_no_end(answer: str, machine: Machine) -> None:
    """Whatever a server says, the control group is told."""
    machine.put("proc/72/cmdline", "x\0")
    odd = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Odd", (Asked,), {"answers": {"/ps": answer, "/tags": answer}})
    )
    thread = threading.Thread(target=odd.serve_forever, args=(0.01,))
    thread.start()
    try:
        text = machine.run(address=f"127.0.0.1:{odd.server_port}")
    finally:
        odd.shutdown()
        odd.server_close()
        thread.join()
    assert 'hostwright_memory_anon_bytes{service="main"} 1073741824' in text
    assert "Traceback" not in machine.said


def test_a_stopped_service_is_told(machine: Machine) -> None:
    machine.program("systemctl", "ControlGroup=\nNRestarts=0\n")
    found = lines(machine.run())
    assert 'hostwright_collect_success{service="main",part="group"} 0' in found
    assert "x.service is not running" in machine.said


def test_a_directory_that_is_not_there_is_an_error(machine: Machine) -> None:
    (machine.root / "textfiles/.keep").unlink()
    (machine.root / "textfiles").rmdir()
    assert machine.run(fails=3) == ""
    assert "No such file" in machine.said
