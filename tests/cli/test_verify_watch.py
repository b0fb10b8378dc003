"""`gen verify --watch`: a screen on a terminal, blocks or lines elsewhere, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = str(ROOT / "tests/verify/small.toml")
EVIL = "\x1b]0;pwn\x07"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub([Installed("tiny:1b"), Installed(f"x{EVIL}")])) as one:
        one.loaded |= {"tiny:1b", f"x{EVIL}"}
        yield one


def command(stub: Stub, *more: str) -> list[str]:
    via = ("--via", "api", "--url", stub.url, "--watch", "100ms")
    return [sys.executable, "-m", "generator", "verify", SMALL, *via, *more]


def until(fd: int, ending: re.Pattern[bytes], seconds: float = 300) -> bytes:
    """Read until something is there: the loop ends at the latest when the time is over."""
    read, end = b"", time.monotonic() + seconds
    while not ending.search(read) and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:  # the other side of a terminal has gone
                break
            read += piece
            if not piece:
                break
    return read


def test_blocks_on_a_pipe_and_the_code_of_the_last_verdict(stub: Stub) -> None:
    with subprocess.Popen(command(stub), stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        told = until(process.stdout.fileno(), re.compile(rb"(?s)at odds.*at odds"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert b"\x1b" not in told
    assert b"\x07" not in told
    assert re.search(rb"tiny:1b +1000000|tiny:1b +\S+ \S* +4096 +0%  never", told)


def test_lines_of_json(stub: Stub) -> None:
    with subprocess.Popen(command(stub, "--json"), stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        told = until(process.stdout.fileno(), re.compile(rb"\n[^\n]*\n"))
        stub.version = "0.1.0"  # of another era: drift
        told += until(process.stdout.fileno(), re.compile(rb'"exit_code":1[^\n]*\n'))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 1
    first, *others = told.decode().splitlines()
    document = validated("verify", first)
    assert (document["exit_code"], document["rows"]) == (0, [])
    assert [model["context"] for model in document["models"]] == [4096, 4096]
    assert any(json.loads(line)["rows"] for line in others if line.endswith("}"))


def test_a_server_that_goes_is_no_end(stub: Stub) -> None:
    gone = command(stub, "--json")
    gone[gone.index(stub.url)] = "http://127.0.0.1:9"
    with subprocess.Popen(gone, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        told = until(process.stdout.fileno(), re.compile(rb"\n[^\n]*\n"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 3
    assert "cannot reach http://127.0.0.1:9" in json.loads(told.splitlines()[0])["error"]


def test_a_screen_that_is_put_right_at_the_end(stub: Stub) -> None:
    terminal, inner = pty.openpty()
    process = subprocess.Popen(command(stub), stdin=inner, stdout=inner, stderr=inner, cwd=ROOT)
    os.close(inner)
    told = until(terminal, re.compile(rb"(?s)\x1b\[H.*\x1b\[H.*\x1b\[J"))
    process.send_signal(signal.SIGINT)
    told += until(terminal, re.compile(rb"(?!)"), 30)
    assert process.wait(30) == 0
    os.close(terminal)
    assert told.startswith(b"\x1b[?1049h\x1b[?25l\x1b[?7l")
    assert told.rstrip().endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")
    assert b"\x1b]0;pwn" not in told
    assert b"tiny:1b" in told


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--watch", "never"), "--watch"),
        (("--watch", "2s", "--root", "x"), "leave --root out"),
        (("--watch", "2s", "--via", "kubectl"), "no cluster"),
        (("--watch", "2s", "--format", "nagios"), "--format nagios"),
        (("--watch", "2s", "--wait", "3s"), "leave --wait out"),
    ],
)
def test_bad_usage(more: tuple[str, ...], message: str) -> None:
    done = called("verify", SMALL, *more)
    assert (done.returncode, message in done.stderr) == (2, True)
