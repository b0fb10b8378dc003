"""What the machine that this runs on is asked: psutil, and the tools that know what no file says.

None of them changes anything. A captured machine is read from files, tools' output among them.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.detect.detected import Memory
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Answer = TypeVar("Answer")
_PATIENCE: Final = 15  # seconds; the first nvidia-smi after a boot takes a few
CARDS: Final = (
    "index", "name", "uuid", "pci.bus_id", "memory.total", "memory.used", "driver_version",
    "mig.mode.current", "compute_cap",
)  # fmt: skip
"""What is asked of each NVIDIA GPU; drivers before 495 do not know the last."""
APPS: Final = ("gpu_uuid", "process_name", "used_memory")
"""What is asked of each program that computes on an NVIDIA GPU."""
SERVERS: Final = ("ollama", "llama-server")
"""How the programs of a model server begin; of others a capture holds nothing."""
MODEL_DIRECTORIES: Final = (
    "/usr/share/ollama/.ollama/models",
    "/var/lib/ollama/models",
    "/var/lib/private/ollama/models",
    "/usr/share/ollama",
    "/var/lib",
    "/",
)
"""Where models are, or would be; the first that is there counts."""
ARGV: Final[dict[str, tuple[str, ...]]] = {
    "nvidia-smi-L.txt": ("nvidia-smi", "-L"),
    "nvidia-smi-version.txt": ("nvidia-smi", "--version"),
    "nvidia-ctk.txt": ("nvidia-ctk", "--version"),
    "systemctl.txt": ("systemctl", "--version"),
    "docker.txt": ("docker", "--version"),
    "docker-runtimes.json": ("docker", "info", "--format", "{{json .Runtimes}}"),
    "podman.txt": ("podman", "--version"),
    "ollama.txt": ("ollama", "--version"),
}
"""What each captured output is the output of; the others are asked in their own way."""


def output(name: str) -> bytes:
    """Return what the tool prints on this machine; nothing where it is missing or hangs."""
    if name == "nvidia-smi.csv":
        return nvml_cards().encode() or _cards()
    if name == "models-disk.txt":
        return _models_disk()
    if name == "models-mount.txt":
        return _models_mount()
    if name == "nvidia-smi-apps.csv":
        return _apps()
    return _run(ARGV[name])


def _cards() -> bytes:
    """Ask nvidia-smi, once more without what an old driver does not know."""
    for fields in (CARDS, CARDS[:-1]):
        answer = _run(("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv"))
        if answer.startswith(b"index"):
            return answer
    return answer


def _apps() -> bytes:
    """Return the model servers on GPUs, a line for each: whose program it is, and not where."""
    answer = _run(("nvidia-smi", f"--query-compute-apps={','.join(APPS)}", "--format=csv,noheader"))
    rows = (line.split(", ") for line in answer.decode(errors="replace").splitlines())
    named = ((row[0], row[1].rpartition("/")[2], row[2]) for row in rows if len(row) == len(APPS))
    return "".join(f"{', '.join(row)}\n" for row in named if row[1].startswith(SERVERS)).encode()


def nvml_cards() -> str:
    """Return the GPUs as CSV with a head, as nvidia-smi prints it, so that one reader serves both.

    It asks NVIDIA's management library, where its Python package is installed (extra `nvidia`);
    nothing without the package, the library or a driver.
    """
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return ""
    try:
        nvml.nvmlInit()
        try:
            rows = [_row(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        finally:
            nvml.nvmlShutdown()
    except nvml.NVMLError:
        return ""
    return "\n".join(", ".join(row) for row in (CARDS, *rows)) + "\n"


def _row(nvml: Any, index: int) -> list[str]:  # noqa: ANN401 -- a module
    device = nvml.nvmlDeviceGetHandleByIndex(index)
    ask: dict[str, Callable[[], object]] = {
        "index": lambda: index,
        "name": lambda: nvml.nvmlDeviceGetName(device),
        "uuid": lambda: nvml.nvmlDeviceGetUUID(device),
        "pci.bus_id": lambda: nvml.nvmlDeviceGetPciInfo(device).busId,
        "memory.total": lambda: f"{nvml.nvmlDeviceGetMemoryInfo(device).total // MIB} MiB",
        "memory.used": lambda: f"{nvml.nvmlDeviceGetMemoryInfo(device).used // MIB} MiB",
        "driver_version": nvml.nvmlSystemGetDriverVersion,
        "mig.mode.current": lambda: (
            "Enabled" if nvml.nvmlDeviceGetMigMode(device)[0] else "Disabled"
        ),
        "compute_cap": lambda: ".".join(map(str, nvml.nvmlDeviceGetCudaComputeCapability(device))),
    }
    return [_answer(nvml, ask[field]) for field in CARDS]


def _answer(nvml: Any, ask: Callable[[], object]) -> str:  # noqa: ANN401 -- a module
    """Return the answer as text. GB10 has no memory of its own to report, old cards no MIG."""
    try:
        answer = ask()
    except nvml.NVMLError:
        return "[N/A]"
    # Before version 12 of the package texts are bytes.
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


def _models_disk() -> bytes:
    """Return what `stat -c '%d %n'` prints of the first directory that is there."""
    for directory in MODEL_DIRECTORIES:
        try:
            return f"{Path(directory).stat().st_dev} {directory}\n".encode()
        except OSError:  # not there, or below what this user may look into
            continue
    return b""


def _models_mount() -> bytes:
    """Return the type of the file system there and where it is mounted, not of which machine."""
    number = int(_models_disk().partition(b" ")[0] or 0)
    device = f"{os.major(number)}:{os.minor(number)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return b""
    for line in reversed(lines):
        fields, _, kind = line.partition(" - ")
        if fields.split(" ")[2:3] == [device]:
            return f"{kind.partition(' ')[0]} {fields.split(' ')[4]}\n".encode()
    return b""


def _run(argv: Sequence[str]) -> bytes:
    if shutil.which(argv[0]) is None:
        return b""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout


def memory() -> Memory | None:
    """Return what there is, what is free for new work, and the swap; None: unknown."""
    found = _ask(lambda psutil: (psutil.virtual_memory(), psutil.swap_memory().total))
    if found is None:
        return None
    now, swap = found
    return Memory(now.total, min(now.available, now.total), swap)


def cpus() -> tuple[int, int]:
    """Return the physical cores and the hardware threads; 0: unknown."""
    found = _ask(lambda psutil: (psutil.cpu_count(logical=False), psutil.cpu_count()))
    cores, threads = found or (None, None)
    return cores or 0, threads or 0


def disk_of(directory: str) -> str:
    """Return the name of the device that is mounted where a directory is, like `sda2`.

    Empty: none is, or it is unknown.
    """
    mounts = _ask(lambda psutil: {m.mountpoint: m.device for m in psutil.disk_partitions()}) or {}
    above = (at for at in mounts if Path(directory).is_relative_to(at))
    device = Path(mounts.get(max(above, key=len, default=""), ""))
    return device.resolve().name if device.is_relative_to("/dev") else ""


def _ask(question: Callable[[Any], Answer]) -> Answer | None:
    """Return psutil's answer; it fails where a container hides a part of /proc."""
    try:
        import psutil

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that nobody here looks at
            return question(psutil)
    except (ImportError, LookupError, OSError, RuntimeError, ValueError):
        return None
