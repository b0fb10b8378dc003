"""The tools that know what no file says, and how they are run. None of them changes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.detect import nvml

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENCE: Final = 15  # seconds; the first nvidia-smi after a boot takes a few
CARDS: Final = (
    "index", "name", "uuid", "pci.bus_id", "memory.total", "memory.used", "driver_version",
    "mig.mode.current", "compute_cap",
)  # fmt: skip
"""What is asked of each NVIDIA GPU; drivers before 495 do not know the last."""
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
        return nvml.cards(CARDS).encode() or _cards()
    if name == "models-disk.txt":
        return _models_disk()
    return _run(ARGV[name])


def _cards() -> bytes:
    """Ask nvidia-smi, once more without what an old driver does not know."""
    for fields in (CARDS, CARDS[:-1]):
        answer = _run(("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv"))
        if answer.startswith(b"index"):
            return answer
    return answer


def _models_disk() -> bytes:
    """Return what `stat -c '%d %n'` prints of the first directory that is there."""
    for directory in MODEL_DIRECTORIES:
        try:
            return f"{Path(directory).stat().st_dev} {directory}\n".encode()
        except OSError:  # not there, or below what this user may look into
            continue
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
