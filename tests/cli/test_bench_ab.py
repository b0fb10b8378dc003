"""`gen bench --ab`: values of a setting in turns, in pairs, and the server as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.machine import Machine
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

PROFILE = """\
schema_version = 1
name = "here"
host.memory = "64GiB"
models = [{ name = "mine:1b" }]
"""
FEW = ("--rounds", "3", "--requests", "2", "--output-tokens", "4")


@pytest.fixture
def stub() -> Iterator[Stub]:
    slow = Stub([Installed("mine:1b"), Installed("other:1b")], token_seconds=0.002)
    with serving(slow) as running:
        yield running


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "here.toml"
    file.write_text(PROFILE)
    return file


def ab(*words: str) -> subprocess.CompletedProcess[str]:
    return called("bench", *words)


def compared(*words: str) -> dict[str, Any]:
    done = ab(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return validated("bench", done.stdout)


def test_an_option_in_turns() -> None:
    """Four threads of sixteen are half as fast: the counters say so, and every round both ask."""
    machine = Machine(1)
    with serving(Stub([Installed("mine:1b")], machine=machine)) as stub:
        words = ("-m", "mine:1b", "--url", stub.url, *FEW)
        found = compared("--ab", "num_thread=4,8", *words)
    assert (found["key"], found["rounds"]) == ("num_thread", 3)
    assert [one["value"] for one in found["tried"]] == ["4", "8"]
    options = [body["options"].get("num_thread") for body in stub.bodies if body.get("prompt")]
    # A request before those that count, and two that do.
    assert len(options) == 2 * 3 * 3
    rounds = [options[at : at + 6 : 3] for at in (0, 6, 12)]
    assert all(sorted(one) == [4, 8] for one in rounds)
    prompts = [body["prompt"] for body in stub.bodies if body.get("prompt")]
    assert sorted(prompts[1:3]) == sorted(prompts[4:6])
    assert not {*prompts[1:3]} & {*prompts[7:9]}


def test_models_without_a_profile(stub: Stub) -> None:
    words = ("--ab", "model=mine:1b,other:1b", "--url", stub.url, *FEW)
    found = compared(*words)
    assert [one["model"] for one in found["tried"]] == ["mine:1b", "other:1b"]
    assert {one["measure"] for one in found["pairs"]} == {
        "first token", "between tokens", "whole answer", "tokens/s",
    }  # fmt: skip
    assert all(len(one["before"]) == 3 for one in found["pairs"])
    assert stub.bodies[-1]["keep_alive"] == 0
    text = ab(*words).stdout
    assert "model: other:1b against mine:1b, 3 rounds of 2 requests each" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_slower_value_is_surely_worse(profile: Path, stub: Stub, tmp_path: Path) -> None:
    """The command of the user makes the server slow where it is told to have one slot."""
    script = tmp_path / "restart.sh"
    script.write_text(f"#!/bin/sh\necho ${{OLLAMA_NUM_PARALLEL-none}} >> {tmp_path}/told\n")
    script.chmod(0o755)
    words = (str(profile), "--ab", "ollama.num_parallel=2,1", "--url", stub.url, *FEW)
    page = tmp_path / "ab.html"
    more = ("--restart-command", str(script), "--html", str(page))
    done = ab(*words, *more)
    assert done.returncode == 0, done.stderr
    assert "nobody here may see whether the server got the variables" in done.stdout
    told = (tmp_path / "told").read_text().split()
    assert (len(told), sorted(told[:2]), told[-1]) == (7, ["1", "2"], "none")
    assert "ollama.num_parallel" in page.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--ab", "ollama.sched_spread=true"), "needs values to compare"),
        (("--ab", "ollama.sched_spread"), "needs values to compare"),
        (("--ab", "ollama.nope=1,2"), "unknown key"),
        (("--ab", "ollama.sched_spread=true,7"), "sched_spread"),
        (("--ab", "ollama.port=1,2"), "moves the server to another address"),
        (("--ab", "description=a,b"), "changes neither a variable or limit"),
        (("--ab", "num_thread=4,many"), "`many` is no whole number"),
        (("--ab", "num_thread=4,8", "--compose", "x"), "nothing is started anew"),
        (("--ab", "ollama.sched_spread=true,false", "--compose", "/no/such"), "there is no file"),
        (
            ("--ab", "ollama.sched_spread=true,false", "--url", "http://192.0.2.1:1"),
            "is another machine",
        ),
    ],
)
def test_what_cannot_be_tried(profile: Path, words: tuple[str, ...], told: str) -> None:
    done = ab(str(profile), *words)
    assert done.returncode == 2
    assert told in done.stderr + done.stdout


def test_a_key_of_a_profile_needs_one() -> None:
    done = ab("--ab", "ollama.sched_spread=true,false", "-m", "x")
    assert done.returncode == 2
    assert "for a key of a profile name one" in done.stderr


def test_a_dry_run(profile: Path) -> None:
    words = ("--ab", "ollama.kv_cache_type=f16,q8_0", "--restart-command", "true", "--dry-run")
    done = ab(str(profile), *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    OLLAMA_KV_CACHE_TYPE=q8_0" in done.stdout


def test_its_help_is_its_own() -> None:
    assert "--restart-command" in ab("--ab", "x", "--help").stdout
    assert "--ab" in called("bench", "--help").stdout
