#!/usr/bin/env python3
"""Writes what node_exporter does not tell: the control group of each server, its models, its GPUs.

    usage: textfile.py CONFIG

CONFIG is textfile.json of the bundle. The file hostwright.prom appears, whole, in the directory
that CONFIG names, from where node_exporter reads it (--collector.textfile.directory). What cannot
be asked is told by hostwright_collect_success, and on stderr; the rest is written all the same.
Status 0: written, 2: usage, 3: the file cannot be written.
The script is the same for every host, and needs Python 3.8 alone.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 10  # that a program has, and a server for each answer
MOST = 1 << 22  # bytes of an answer
UNLIMITED = "max"
NAME = "hostwright.prom"
# The machine is below DESTDIR: empty on a real host.
ROOT = Path(os.environ.get("DESTDIR") or "/")
GAUGE, COUNTER = "gauge", "counter"
METRICS = {
    "hostwright_collected_timestamp_seconds": (GAUGE, "When this file was written."),
    "hostwright_collect_success": (GAUGE, "Whether that part could be asked."),
    "hostwright_restarts_total": (COUNTER, "Starts by the manager, after the first one."),
    "hostwright_cpu_usage_seconds_total": (COUNTER, "CPU time of the service."),
    "hostwright_cpu_periods_total": (COUNTER, "Periods of the CPU quota; 0 without one."),
    "hostwright_cpu_throttled_periods_total": (COUNTER, "Periods in which it was throttled."),
    "hostwright_cpu_throttled_seconds_total": (COUNTER, "Time for which it was throttled."),
    "hostwright_memory_anon_bytes": (GAUGE, "Memory of its own, without the page cache."),
    "hostwright_memory_file_bytes": (GAUGE, "Page cache that is counted as its."),
    "hostwright_memory_current_bytes": (GAUGE, "All memory that is counted as its."),
    "hostwright_memory_max_bytes": (GAUGE, "Limit of its memory; missing: there is none."),
    "hostwright_memory_events_total": (COUNTER, "Events of memory.events, by kind."),
    "hostwright_models_loaded": (GAUGE, "Models in memory."),
    "hostwright_model_size_bytes": (GAUGE, "What a loaded model takes."),
    "hostwright_model_vram_bytes": (GAUGE, "Of that, on GPUs."),
    "hostwright_model_installed_bytes": (GAUGE, "Size of a model on disk."),
    "hostwright_models_disk_avail_bytes": (GAUGE, "Free on the disk of the models."),
    "hostwright_models_disk_size_bytes": (GAUGE, "Size of the disk of the models."),
    "hostwright_gpu_info": (GAUGE, "1 for each GPU that the driver tells of."),
    "hostwright_gpu_memory_used_bytes": (GAUGE, "Memory of a GPU in use, by all programs."),
    "hostwright_gpu_memory_total_bytes": (GAUGE, "Memory of a GPU."),
    "hostwright_gpu_utilization_ratio": (GAUGE, "Share of time in which the GPU was at work."),
    "hostwright_gpu_temperature_celsius": (GAUGE, "Temperature of a GPU."),
}
QUERY = (
    "index",
    "uuid",
    "name",
    "memory.used",
    "memory.total",
    "utilization.gpu",
    "temperature.gpu",
)
SAMPLE = re.compile(r"([A-Za-z_:][\w:]*) ([-+.\deE]+)")
TYPED = re.compile(r"# (HELP|TYPE) ([A-Za-z_:][\w:]*) (.+)")
PROGRAM = "import sys,urllib.request as u;print(u.urlopen(sys.argv[1],timeout=5).read().decode())"


class Unasked(Exception):
    """Somebody cannot be asked; the message says why."""


class Book:
    """All samples, by metric."""

    def __init__(self) -> None:
        self.samples: dict[str, list[str]] = {}
        self.kinds = dict(METRICS)

    def add(self, name: str, value: float, **labels: str) -> None:
        """Add one sample."""
        inside = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
        line = f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}"
        self.samples.setdefault(name, []).append(line)

    def part(self, service: str, part: str, collect: Callable[..., None], *given: object) -> None:
        """Collect a part, and tell whether that could be done."""
        why = ""
        try:
            collect(self, *given)
        except (Unasked, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            why = str(error) or type(error).__name__
            print(f"{service}: {part}: {why}", file=sys.stderr)
        self.add("hostwright_collect_success", not why, service=service, part=part)

    def text(self) -> str:
        """Return the file."""
        lines: list[str] = []
        for name, (kind, told) in self.kinds.items():
            if name in self.samples:
                lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}", *self.samples[name]]
        return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    """Return the value of a label."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def run(*command: str) -> str:
    """Return what a program prints. Raises Unasked."""
    try:
        done = subprocess.run(
            command,
            capture_output=True, timeout=SECONDS, check=False, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise Unasked(f"{command[0]}: {error}") from None
    if done.returncode:
        raise Unasked(f"{command[0]}: {done.stderr.strip().partition(chr(10))[0]}")
    return done.stdout


def get(address: str, path: str, body: str = "") -> str:
    """Return the answer of a server. Raises Unasked."""
    try:
        with closing(http.client.HTTPConnection(address, timeout=SECONDS)) as line:
            line.request("POST" if body else "GET", path, body or None)
            answer = line.getresponse()
            text = answer.read(MOST).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise Unasked(f"{address}{path}: {error}") from None
    if answer.status != http.client.OK:
        raise Unasked(f"{address}{path}: {answer.status}")
    return text


def models(address: str, path: str) -> list[dict[str, Any]]:
    """Return the models of an answer. Raises Unasked."""
    found = json.loads(get(address, path))
    listed = found.get("models") if isinstance(found, dict) else None
    return [one for one in listed or [] if isinstance(one, dict) and one.get("name")]


# ── Where a service is ────────────────────────────────────────────────────────────────────────────


def placed(one: dict[str, Any]) -> tuple[Path, int]:
    """Return the control group of a service, and how often its manager has started it again."""
    if one["manager"] == "docker":
        form = "{{.State.Pid}} {{.RestartCount}}"
        pid, restarts = run("docker", "inspect", "--format", form, one["container"]).split()
        return group_of(int(pid)), int(restarts)
    user = ["--user"] if one["user"] else []
    told = run("systemctl", *user, "show", "-p", "ControlGroup", "-p", "NRestarts", one["unit"])
    found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    if not found.get("ControlGroup"):
        raise Unasked(f"{one['unit']} is not running")
    return ROOT / "sys/fs/cgroup" / found["ControlGroup"].lstrip("/"), int(found["NRestarts"])


def group_of(pid: int) -> Path:
    """Return the control group of a process. Raises Unasked where it has none of version 2."""
    text = (ROOT / f"proc/{pid}/cgroup").read_text()
    for line in text.splitlines():
        if line.startswith("0::"):
            return ROOT / "sys/fs/cgroup" / line[3:].lstrip("/")
    raise Unasked("the host has no control groups of version 2")


def processes(group: Path) -> list[int]:
    """Return the processes of a group and of those below it, but not what watches a container."""
    files = [group / "cgroup.procs", *group.glob("**/cgroup.procs")]
    every = {int(word) for file in files if file.is_file() for word in file.read_text().split()}
    return sorted(pid for pid in every if "conmon" not in words_of(pid)[:1][0])


def words_of(pid: int) -> list[str]:
    """Return the command line of a process."""
    try:
        text = (ROOT / f"proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return [""]
    return text.rstrip("\0").split("\0")


def pairs(file: Path) -> dict[str, int]:
    """Return a file of the kernel with a name and a number on each line."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines if words[1:]}


# ── What is told ──────────────────────────────────────────────────────────────────────────────────


def group(book: Book, service: str, one: dict[str, Any]) -> None:
    """CPU time and memory, by the control group."""
    folder, restarts = placed(one)
    book.add("hostwright_restarts_total", restarts, service=service)
    cpu = pairs(folder / "cpu.stat")
    book.add("hostwright_cpu_usage_seconds_total", cpu["usage_usec"] / 1e6, service=service)
    book.add("hostwright_cpu_periods_total", cpu.get("nr_periods", 0), service=service)
    book.add("hostwright_cpu_throttled_periods_total", cpu.get("nr_throttled", 0), service=service)
    lost = cpu.get("throttled_usec", 0) / 1e6
    book.add("hostwright_cpu_throttled_seconds_total", lost, service=service)
    memory = pairs(folder / "memory.stat")
    book.add("hostwright_memory_anon_bytes", memory["anon"], service=service)
    book.add("hostwright_memory_file_bytes", memory["file"], service=service)
    current = int((folder / "memory.current").read_text())
    book.add("hostwright_memory_current_bytes", current, service=service)
    limit = (folder / "memory.max").read_text().strip()
    if limit != UNLIMITED:
        book.add("hostwright_memory_max_bytes", int(limit), service=service)
    for event, count in pairs(folder / "memory.events").items():
        book.add("hostwright_memory_events_total", count, service=service, event=event)


def loaded(book: Book, service: str, one: dict[str, Any]) -> None:
    """The models in memory."""
    found = models(one["address"], one["loaded"])
    book.add("hostwright_models_loaded", len(found), service=service)
    for model in found:
        own = {"service": service, "model": str(model["name"])}
        book.add("hostwright_model_size_bytes", int(model.get("size") or 0), **own)
        book.add("hostwright_model_vram_bytes", int(model.get("size_vram") or 0), **own)


def installed(book: Book, service: str, one: dict[str, Any]) -> None:
    """The models on disk."""
    for model in models(one["address"], one["installed"]):
        own = {"service": service, "model": str(model["name"])}
        book.add("hostwright_model_installed_bytes", int(model.get("size") or 0), **own)


def disk(book: Book, service: str, one: dict[str, Any]) -> None:
    """The disk that the models are on, as the server sees it."""
    pid = next(iter(processes(placed(one)[0])), None)
    if pid is None:
        raise Unasked("no process of it runs")
    root = ROOT / f"proc/{pid}/root"
    path = root / one["models"].lstrip("/")
    while not path.exists() and path != root:
        path = path.parent
    told = os.statvfs(path)
    book.add("hostwright_models_disk_avail_bytes", told.f_bavail * told.f_frsize, service=service)
    book.add("hostwright_models_disk_size_bytes", told.f_blocks * told.f_frsize, service=service)


def runners(book: Book, service: str, one: dict[str, Any]) -> None:
    """What the program of each model tells of its tokens: each has a port of its own."""
    names: dict[str, str] = {}
    for pid in processes(placed(one)[0]):
        words = words_of(pid)
        if Path(words[0]).name != one["runner"] or not set(words) >= {"--port", "--model"}:
            continue
        port, weights = (words[words.index(flag) + 1] for flag in ("--port", "--model"))
        names = names or by_weights(one)
        url = f"http://127.0.0.1:{int(port)}{one['metrics']}"
        told = (
            inside(pid, url) if one["container"] else get(f"127.0.0.1:{int(port)}", one["metrics"])
        )
        tell(book, told, service=service, model=names.get(Path(weights).name, Path(weights).name))


def inside(pid: int, url: str) -> str:
    """Return what answers within the network of a process."""
    user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return run("nsenter", f"--target={pid}", *user, "--net", sys.executable, "-c", PROGRAM, url)


def by_weights(one: dict[str, Any]) -> dict[str, str]:
    """Return the names of loaded models by the files that they are loaded from."""
    found: dict[str, str] = {}
    for model in models(one["address"], one["loaded"]):
        body = json.dumps({"model": model["name"]})
        text = str(json.loads(get(one["address"], one["show"], body)).get("modelfile"))
        for file in re.findall(r"(?m)^FROM (\S+)", text):
            found.setdefault(Path(file).name, str(model["name"]))
    return found


def tell(book: Book, text: str, **labels: str) -> None:
    """Add the samples of others, under their names."""
    told: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        typed, sample = TYPED.fullmatch(line), SAMPLE.fullmatch(line)
        if typed:
            told.setdefault(typed[2], {})[typed[1]] = typed[3]
        elif sample and sample[1] not in METRICS:
            kind = told.get(sample[1], {})
            book.kinds[sample[1]] = (kind.get("TYPE", "untyped"), kind.get("HELP", "Of a model."))
            book.add(sample[1], float(sample[2]), **labels)


def nvidia(book: Book) -> None:
    """The GPUs, by the program of NVIDIA's driver; what it does not tell is left out."""
    form = "--format=csv,noheader,nounits"
    for line in run("nvidia-smi", f"--query-gpu={','.join(QUERY)}", form).splitlines():
        index, uuid, name, used, total, busy, warm = (word.strip() for word in line.split(","))
        book.add("hostwright_gpu_info", 1, gpu=index, uuid=uuid, card=name)
        every = (
            ("memory_used_bytes", used, 1 << 20),
            ("memory_total_bytes", total, 1 << 20),
            ("utilization_ratio", busy, 0.01),
            ("temperature_celsius", warm, 1),
        )
        for what, text, unit in every:
            if text.replace(".", "", 1).isdigit():
                book.add(f"hostwright_gpu_{what}", float(text) * unit, gpu=index)


def amdgpu(book: Book) -> None:
    """The GPUs, by the kernel's driver for those of AMD."""
    for number, total in enumerate(
        sorted(ROOT.glob("sys/class/drm/card*/device/mem_info_vram_total"))
    ):
        folder, gpu = total.parent, str(number)
        book.add("hostwright_gpu_info", 1, gpu=gpu, card=folder.parent.name)
        used = int((folder / "mem_info_vram_used").read_text())
        book.add("hostwright_gpu_memory_used_bytes", used, gpu=gpu)
        book.add("hostwright_gpu_memory_total_bytes", int(total.read_text()), gpu=gpu)
        busy = folder / "gpu_busy_percent"
        if busy.is_file():
            book.add("hostwright_gpu_utilization_ratio", int(busy.read_text()) / 100, gpu=gpu)


def parts(one: dict[str, Any]) -> Iterator[tuple[str, Callable[..., None]]]:
    """Yield what is asked of a service."""
    yield "group", group
    yield "disk", disk
    if one["loaded"]:
        yield "loaded", loaded
    if one["installed"]:
        yield "installed", installed
    if one["runner"]:
        yield "runners", runners


def collected(config: dict[str, Any]) -> str:
    """Return the file."""
    book = Book()
    book.add("hostwright_collected_timestamp_seconds", int(time.time()))
    for one in config["services"]:
        for part, collect in parts(one):
            book.part(one["service"], part, collect, one["service"], one)
    cards = {"nvidia-smi": nvidia, "amdgpu": amdgpu}.get(config["cards"])
    if cards:
        book.part("host", "gpus", cards)
    return book.text()


def main() -> int:
    """Write the file in place of the one before."""
    if len(sys.argv) != 1 + 1:
        print(__doc__, file=sys.stderr)
        return 2
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text, folder = collected(config), ROOT / config["directory"].lstrip("/")
    try:
        new = folder / f".{NAME}.{os.getpid()}"
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(folder / NAME)
    except OSError as error:
        print(f"{folder}: {error.strerror}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
