"""`gen tune`: the best value of a setting, found and written, and the server as it was."""

from __future__ import annotations

import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from generator.files.backup import find
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.hostile import body, hangs, says
from tests.live.machine import Machine
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.hostile import Answer, Serve

Done = subprocess.CompletedProcess[str]
PROFILE = """\
schema_version = 1
name = "here"
host.cpu = { cores = 16, threads = 16 }
host.gpus = [{ name = "NVIDIA RTX 4090", memory = "24GiB" }]

# As somebody has guessed.
[threads]
count = 3 # a guess

[[models]]
name = "mine:1b"
"""


@pytest.fixture
def machine() -> Machine:
    return Machine(1)


@pytest.fixture
def stub(machine: Machine) -> Iterator[Stub]:
    with serving(Stub([Installed("mine:1b", size=33 << 30)], machine=machine)) as running:
        yield running


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "here.toml"
    file.write_text(PROFILE)
    return file


def tune(profile: Path, url: str, *more: str) -> Done:
    return called("tune", str(profile), "--url", url, *more)


def tuned(profile: Path, url: str, *more: str) -> dict[str, Any]:
    done = tune(profile, url, "--json", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return validated("tune", done.stdout)


def test_the_best_is_written_with_its_reason(profile: Path, stub: Stub, machine: Machine) -> None:
    profile.chmod(0o640)
    done = tune(profile, stub.url, "--vary", "threads", "--write")
    assert done.returncode == 0, done.stderr
    best = int(done.stdout.split("Best: threads ")[1].split(":")[0])
    assert machine.per_token({"num_thread": best}) <= 1.05 * min(
        machine.per_token({"num_thread": number}) for number in range(1, 17)
    )
    text = profile.read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("count = "))
    assert line.startswith(f"count = {best} # a guess; measured: gen tune 2")
    assert "against 3; mine:1b" in line
    assert text.replace(line, "count = 3 # a guess") == PROFILE
    assert f"-count = 3 # a guess\n+{line}\n" in done.stderr
    assert profile.stat().st_mode & 0o777 == 0o640
    [kept] = [each.kept for each in find(profile).backups]
    assert kept.read_text() == PROFILE
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_says_what_was_measured(profile: Path, stub: Stub) -> None:
    found = tuned(profile, stub.url, "--vary", "threads", "--values", "2,8,14", "--budget", "6")
    assert (found["vary"], found["key"], found["current"]) == ("threads", "threads.count", 3)
    assert [one["value"] for one in found["candidates"]] == [2, 3, 8, 14]
    assert found["visits"] <= 6
    assert found["gain"]["low"] <= found["gain"]["share"] <= found["gain"]["high"]
    assert {one["verdict"] for one in found["candidates"]} <= {
        "best", "no difference", "worse", "not tried",
    }  # fmt: skip


def test_a_model_that_was_not_loaded_is_unloaded_at_the_end(profile: Path, stub: Stub) -> None:
    tuned(profile, stub.url, "--vary", "threads", "--values", "2,8", "--budget", "2")
    assert stub.bodies[-1] == {"model": "mine:1b", "keep_alive": 0, "stream": False}
    assert not stub.loaded


def test_a_model_that_was_loaded_for_ever_is_again(profile: Path, stub: Stub) -> None:
    stub.loaded.add("mine:1b")
    tuned(profile, stub.url, "--vary", "threads", "--values", "2,8", "--budget", "2")
    assert stub.bodies[-1] == {"model": "mine:1b", "keep_alive": -1, "stream": False}


def test_layers_stop_at_the_limit_and_the_server_is_asked_for_no_more(
    profile: Path, stub: Stub, machine: Machine
) -> None:
    """33 layers of 1 GiB on a card of 24: 21 are 90 %, and the model is larger than that."""
    found = tuned(profile, stub.url, "--vary", "gpu_layers", "--vram-limit", "90%")
    asked = [each["num_gpu"] for each in machine.loads if "num_gpu" in each]
    assert 0 < max(asked) <= 21
    assert found["best"] <= 21
    whys = [one["why"] for one in found["candidates"] if one["why"]]
    assert any("more than 90% of 24 GiB" in why for why in whys)


def test_a_context_that_leaves_less_on_the_card_is_out(
    profile: Path, stub: Stub, machine: Machine
) -> None:
    """All are as fast for short prompts; the largest that the card holds is meant."""
    machine.holds = 20_000
    found = tuned(profile, stub.url, "--vary", "context")
    assert found["best"] == 16384
    verdicts = {one["value"]: (one["verdict"], one["why"]) for one in found["candidates"]}
    assert verdicts[32768] == ("not possible", "leaves 21 GiB of 33 GiB to the CPU")
    assert verdicts[16384][0] == "best"
    text = tune(profile, stub.url, "--vary", "context").stdout
    assert "Best: context 16384, the largest that fits" in text


def test_a_context_for_which_there_is_no_memory_is_not_tried(
    profile: Path, stub: Stub, machine: Machine
) -> None:
    """By its shape qwen3:14b at 1 slot has 24 GiB for 60000 tokens or so."""
    profile.write_text(PROFILE.replace("mine:1b", "qwen3:14b"))
    stub.models[0] = Installed("qwen3:14b", size=9 << 30)
    found = tuned(profile, stub.url, "--vary", "context", "--values", "2048,8192,1000000")
    whys = {one["value"]: one["why"] for one in found["candidates"]}
    assert "`gen fit` expects" in whys[1_000_000]
    assert max(each.get("num_ctx", 0) for each in machine.loads) <= 8192
    assert found["best"] == 8192


@pytest.mark.parametrize(("named", "asked"), [("mine:latest", "mine"), ("mine", "mine:latest")])
def test_a_model_has_one_name_with_its_tag_and_without(
    profile: Path, machine: Machine, named: str, asked: str
) -> None:
    profile.write_text(PROFILE.replace("mine:1b", named))
    more = ("--vary", "num_batch", "--values", "8,512", "--budget", "12", "--write", "-m", asked)
    with serving(Stub([Installed(asked)], machine=machine)) as stub:
        done = tune(profile, stub.url, *more)
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(profile.read_text())["models"][0]["parameters"]["num_batch"] == 512
    tuned_name = "mine:latest-tuned" if ":" in named else "mine:tuned"
    assert f"the profile now makes `{tuned_name}` with it, in place of `{named}`" in done.stderr


def test_a_value_with_which_no_model_loads_is_out(
    profile: Path, stub: Stub, machine: Machine
) -> None:
    """The model's file says nothing of what it takes: the card is full, the server goes on."""
    stub.models[0].size = 1 << 20
    machine.layer = 8 << 30
    found = tuned(profile, stub.url, "--vary", "gpu_layers", "--vram-limit", "100%")
    assert found["best"] <= 3
    assert any("resource limitations" in one["why"] for one in found["candidates"])
    assert len([each for each in machine.loads if each.get("num_gpu", 0) > 3]) == 1


def test_slots_are_tried_by_a_command(profile: Path, stub: Stub, tmp_path: Path) -> None:
    script = tmp_path / "restart.sh"
    script.write_text(f'#!/bin/sh\necho "${{OLLAMA_NUM_PARALLEL-none}}" >> {tmp_path}/told\n')
    script.chmod(0o755)
    more = ("--vary", "num_parallel", "--values", "1,2", "--budget", "2", "--requests", "2")
    few = ("--output-tokens", "2", "--concurrency", "2", "--restart-command", str(script))
    found = tuned(profile, stub.url, *more, *few)
    assert found["key"] == "ollama.num_parallel"
    told = (tmp_path / "told").read_text().split()
    assert (sorted(told[:-1]), told[-1]) == (["1", "2"], "none")


def test_a_dry_run_asks_nobody(profile: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    done = tune(profile, nowhere, "--vary", "num_parallel", "--values", "1,4", "--dry-run",
                "--restart-command", "/no/such/command --now")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "  run /no/such/command --now" in done.stdout
    assert "    OLLAMA_NUM_PARALLEL=4" in done.stdout
    assert "at the end, whatever ends it: empty /" in done.stdout
    done = tune(profile, nowhere, "--vary", "threads", "--dry-run")
    assert "num_thread=16: requests with num_thread 16" in done.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--vary", "threads", "--values", "4"), "is no list of numbers"),
        (("--vary", "threads", "--values", "4,x"), "is no list of numbers"),
        (("--vary", "threads", "--values", "4,99999999999999999999"), "is no list of numbers"),
        (("--vary", "gpu_layers", "--vram-limit", "a lot"), "is no share"),
        (("--vary", "threads", "--restart-command", "x"), "nothing is started anew"),
        (("--vary", "num_parallel", "--restart-command", "x", "--compose", "y"), "are two ways"),
        (("--vary", "num_batch", "--write", "-m", "other"), "itself has no model `other`"),
    ],
)
def test_what_makes_no_sense_is_refused(
    profile: Path, stub: Stub, more: tuple[str, ...], words: str
) -> None:
    done = tune(profile, stub.url, *more)
    assert done.returncode == 2
    assert words in done.stderr
    assert not stub.loaded


def test_a_shipped_profile_is_not_written_to(stub: Stub) -> None:
    more = ("--vary", "threads", "--write", "-m", "mine:1b")
    done = called("tune", "xeon-cpu", "--url", stub.url, *more)
    assert done.returncode == 2
    assert 'extends = "xeon-cpu"' in done.stderr
    assert stub.bodies == []


EVIL = b'{"models": [], "version": "\\u001b[2J", "error": "\\u001b[31m"}'


@pytest.mark.parametrize("answer", [hangs, body(b"<html>"), body(EVIL), says()])
def test_servers_that_are_none(profile: Path, serve: Serve, answer: Answer) -> None:
    more = ("--vary", "threads", "--values", "2,4", "--timeout", "200ms")
    done = tune(profile, serve(answer), *more)
    assert done.returncode in {2, 3}
    assert len(done.stderr.splitlines()) <= 2
    assert "\x1b" not in done.stderr


def test_where_no_value_loads_nothing_is_written(profile: Path, stub: Stub) -> None:
    stub.broken = "out of \x1b[31mmemory"
    done = tune(profile, stub.url, "--vary", "threads", "--values", "2,4", "--write")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no value could be measured" in done.stderr
    assert "\x1b" not in done.stderr
    assert profile.read_text() == PROFILE


def test_a_page(profile: Path, stub: Stub, tmp_path: Path) -> None:
    page = tmp_path / "tune.html"
    done = tune(profile, stub.url, "--vary", "num_batch", "--html", str(page))
    assert done.returncode == 0
    text = page.read_text()
    assert "Best: num_batch" in text
    assert tomllib.loads(PROFILE)["models"][0]["name"] in text


def test_what_nobody_knows_for_sure_is_not_written(profile: Path, stub: Stub) -> None:
    """The profile says nothing of it, and after one round nobody can say which is better."""
    more = ("--vary", "num_batch", "--values", "256,512", "--budget", "2", "--write")
    done = tune(profile, stub.url, *more)
    assert (done.returncode, "nothing is written; --budget 4 may tell" in done.stderr) == (0, True)
    assert profile.read_text() == PROFILE


def test_whether_it_may_be_written_is_known_first(
    profile: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda place, _: place != profile)
    done = tune(profile, stub.url, "--vary", "threads", "--write")
    assert (done.returncode, "may not be written to" in done.stderr) == (2, True)
    assert stub.bodies == []
