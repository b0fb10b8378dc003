"""`gen doctor` of servers that answer, hang and talk nonsense; what it says of machines is tested
in `tests/doctor`.
"""

from __future__ import annotations

import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from generator.verify import look
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.hostile import LATE, NONSENSE, Serve
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from pathlib import Path

Done = subprocess.CompletedProcess[str]


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no server count that happens to run on the machine of these tests."""
    monkeypatch.setattr(look, "_local", lambda *_: (None, None))


def asked(url: str, *more: str) -> Done:
    return called("doctor", "--url", url, *more)


def words(done: Done) -> dict[str, str]:
    return {one["check"]: one["word"] for one in validated("doctor", done.stdout)["results"]}


def test_a_server_that_answers() -> None:
    with serving(Stub([Installed("tiny:1b")])) as stub:
        done = asked(stub.url, "--json")
        found = words(done)
        assert (found["reachable"], found["models"]) == ("ok", "ok")
        # Nothing but questions.
        assert {*stub.asked} == {"/api/version", "/api/tags", "/api/ps"}


def test_no_terminal_escape_of_the_server_reaches_the_screen() -> None:
    evil = "\x1b[2J\x1b]0;pwn\x07\u202e"
    with serving(Stub([Installed(f"a{evil}")])) as stub:
        done = asked(stub.url, "--all")
        assert "pwn" in done.stdout
        assert not {"\x1b", "\x07", "\u202e"} & {*done.stdout, *done.stderr}


@pytest.mark.parametrize("kind", LATE)
def test_a_server_that_takes_too_long(serve: Serve, kind: str) -> None:
    done = asked(serve(LATE[kind]), "--timeout", "200ms")
    assert (done.returncode, done.stdout, done.stderr.count("error:")) == (3, "", 1)
    assert "did not answer within 0.2 s" in done.stderr


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_server_that_talks_nonsense(serve: Serve, kind: str) -> None:
    done = asked(serve(NONSENSE[kind][0]))
    assert (done.returncode, done.stdout, done.stderr.count("error:")) == (3, "", 1)
    assert "Traceback" not in done.stderr


def test_bad_usage(tmp_path: Path) -> None:
    for arguments, where in {
        ("--root", str(tmp_path), "--url", "http://x"): "--url",
        ("--set", "threads.count=2"): "--set",
        ("--timeout", "-3s"): "--timeout",
    }.items():
        done = called("doctor", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), where
        assert where in done.stderr
    assert called("doctor", "--root", str(tmp_path)).returncode == 2


def test_a_capture_says_elsewhere_what_the_machine_says(tmp_path: Path) -> None:
    file = tmp_path / "host.tar.gz"
    with serving(Stub([Installed("tiny:1b")], version="0.32.15")) as stub:
        here = asked(stub.url, "--json")
        done = asked(stub.url, "--capture", str(file))
        assert (done.returncode, done.stdout) == (0, "")
        assert f"gen doctor --root {file}" in done.stderr
        again = asked(stub.url, "--capture", str(file))
        assert (again.returncode, "--force" in again.stderr) == (2, True)
    there = called("doctor", "--root", str(file), "--json")
    told = {"reachable", "the right server", "models", "models folder", "memory", "disk"}
    assert {name: word for name, word in words(there).items() if name in told} == {
        name: word for name, word in words(here).items() if name in told
    }
    with tarfile.open(file) as archive:
        # Of processes only those of servers, and what stands there for all.
        assert not [name for name in archive.getnames() if name.startswith("proc/1/")]
