"""The servers that `make engines` asks: a program that is missing is a failure, with its reason."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRIES = 120
PAUSE = 0.5
OLLAMA_BIN = "OLLAMA_BIN"


def program(name: str, variable: str) -> Path:
    """Return the program that the environment variable names, or `name` on the PATH."""
    given = os.environ.get(variable) or name
    found = shutil.which(given)
    if not found:
        pytest.fail(f"there is no {given}: install it, or name the program by {variable}")
    return Path(found)


def ollama_program() -> str | None:
    """Return the program of Ollama that is there to be asked; None: there is none."""
    return shutil.which(os.environ.get(OLLAMA_BIN) or "ollama")


ASKS_OLLAMA = [
    pytest.mark.ollama,
    pytest.mark.skipif(
        ollama_program() is None, reason=f"there is no ollama: name its program by {OLLAMA_BIN}"
    ),
]
"""The marks of tests that ask a real Ollama where there is one."""


def _has_llama_server() -> bool:
    there = Path(ollama_program() or "/bin/ollama").resolve()
    return (there.parent.parent / "lib/ollama/llama-server").exists()


NEEDS_LLAMA_SERVER = pytest.mark.skipif(
    not _has_llama_server(), reason="this Ollama runs models by itself: it is older than 0.30"
)
"""The mark of tests about what only llama-server reads, or says."""


@dataclass(frozen=True)
class Ollama:
    """A running server: where it answers, its home, and what it has written."""

    binary: Path
    address: str
    home: Path

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self.home / "log").read_text(encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the program as a client of this server."""
        return subprocess.run(
            [str(self.binary), *words],
            env={"PATH": os.defpath, "HOME": str(self.home), "OLLAMA_HOST": self.address},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


@contextlib.contextmanager
def ollama(home: Path, variables: Mapping[str, str]) -> Iterator[Ollama]:
    """Run `ollama serve` on a free local port, with these variables only, for as long as needed."""
    binary = program("ollama", OLLAMA_BIN)
    address = f"127.0.0.1:{_free_port()}"
    own = {"PATH": os.defpath, "HOME": str(home), "OLLAMA_HOST": address}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary), "serve"], env={**variables, **own}, stdout=log, stderr=log
        )
    server = Ollama(binary, address, home)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait(server: Ollama, process: subprocess.Popen[bytes]) -> None:
    for _ in range(TRIES):
        if server.run("list").returncode == 0:
            return
        if process.poll() is not None:
            break
        time.sleep(PAUSE)
    pytest.fail(f"ollama serve does not answer:\n{server.log}")


def release(server: Ollama) -> str:
    """Return the release that the server says it is."""
    found = re.search(r"version is (\S+)", server.run("--version").stdout)
    assert found, "ollama --version tells no release"
    return found[1]
