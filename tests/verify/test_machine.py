"""The machine that is asked: programs within one time, and what a capture has of answers."""

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure
from generator.verify.machine import Machine


def test_the_time_of_programs_begins_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that somebody may have waited for the server."""
    machine, real = Machine(None, 30), time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 100)
    assert machine.told("x", ["echo", "a"]) == "a\n"
    monkeypatch.setattr(time, "monotonic", lambda: real() + 200)
    assert machine.told("x", ["echo", "a"]) == ""
    assert "has not answered" in machine.gaps["echo"]


def test_who_is_not_there_is_no_gap_and_who_fails_is_one() -> None:
    machine = Machine(None, 30)
    assert machine.told("x", ["no-such-program"]) == ""
    assert machine.gaps == {}
    assert machine.told("x", ["sh", "-c", "echo out; echo no >&2; exit 1"]) == "out\n"
    assert machine.gaps == {"sh": "no"}
    assert machine.told("x", ["sh", "-c", "echo out; echo err >&2"], both=True) == "out\nerr\n"


def captured(folder: Path, files: Mapping[str, str]) -> Machine:
    tools = folder / ".hostwright/tools"
    tools.mkdir(parents=True)
    for name, text in files.items():
        (tools / f"{name}.json").write_text(text)
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text("MemTotal: 1 kB\n")
    return Machine(str(folder), 1)


def test_answers_of_a_capture(tmp_path: Path) -> None:
    told = {
        "api-ps": '{"models": []}',
        "api-show-a-b": '{"a": 1}',
        "api-tags": "[1]",
    }
    ask = captured(tmp_path, told).api("http://x")
    assert ask("/api/ps") == {"models": []}
    assert ask("/api/show", {"model": "a:b"}) == {"a": 1}
    for path in ("/api/tags", "/api/version"):
        with pytest.raises(EnvironmentFailure, match="the capture has no api-"):
            ask(path)


def test_the_room_of_a_capture_is_what_df_has_told(tmp_path: Path) -> None:
    machine = captured(tmp_path, {})
    assert machine.room("/") is None
    told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 90 30 60 34% /\n"
    (tmp_path / ".hostwright/tools/models-room.txt").write_text(told)
    assert Machine(str(tmp_path), 1).room("/") == 61440
    assert (Machine(None, 1).room("/no/such/folder") or 0) > 0
