"""Every command that takes a profile, with one of several servers: an answer, or which to name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.commands import called

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PAIR = "dual-pascal-pair"
NAMES = ("p4000", "gtx1060")
NOBODY = "127.0.0.1:9"
OF_ONE = (
    ("advise",),
    ("bench", "--requests", "1"),
    ("clients",),
    ("doctor",),
    ("diff",),
    ("tune", "--vary", "num_parallel"),
    ("fit", "--html", "-"),
    ("verify", "--watch", "1s"),
    ("verify", "--format", "nagios"),
    ("verify", "--url", f"http://{NOBODY}"),
    ("warmup", "--url", f"http://{NOBODY}"),
)
OF_ALL = (
    ("show",),
    ("fit",),
    ("fit", "--json"),
    ("plan",),
    ("outgrow", "--rate", "2", "--tokens", "300"),
    ("verify",),
    ("verify", "--json"),
    ("warmup",),
)


def asked(verb: tuple[str, ...], *more: str) -> subprocess.CompletedProcess[str]:
    done = called(verb[0], PAIR, *verb[1:], *more)
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("verb", OF_ONE, ids=" ".join)
def test_what_is_about_one_names_them_all(verb: tuple[str, ...]) -> None:
    done = asked(verb)
    assert done.returncode == 2
    assert "has several servers: `p4000`, `gtx1060`" in done.stderr
    assert "--instance" in done.stderr


@pytest.mark.parametrize("verb", OF_ALL, ids=" ".join)
def test_what_is_about_all_answers_or_says_that_nobody_does(verb: tuple[str, ...]) -> None:
    done = asked(verb)
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "--instance" not in done.stderr


@pytest.mark.parametrize("verb", [("clients",), ("fit",), ("show",)], ids=" ".join)
def test_the_one_that_is_named_is_asked_about(verb: tuple[str, ...]) -> None:
    done = asked(verb, "--instance", "gtx1060")
    assert done.returncode in {0, 1}, done.stderr
    assert "hermes3" not in done.stdout
    assert "qwen3:4b" in done.stdout


def test_a_value_that_is_tried_of_one_counts_more_than_its_own() -> None:
    done = asked(("show",), "--instance", "p4000", "--set", "ollama.num_parallel=7", "--json")
    told = {row["setting"]: row["value"] for row in json.loads(done.stdout)["settings"]}
    assert told["OLLAMA_NUM_PARALLEL"] == "7"


def test_a_server_that_is_not_there_is_told_with_those_that_are() -> None:
    done = asked(("advise",), "--instance", "p400")
    assert done.returncode == 2
    assert "has no server `p400`" in done.stderr
    assert all(name in done.stderr for name in NAMES)


def test_what_fits_is_told_of_each_card() -> None:
    told = json.loads(asked(("fit", "--json")).stdout)
    placed = {
        each["service"]: [
            (model["verdict"], [room["name"] for room in model["rooms"]][:1])
            for model in each["models"]
        ]
        for each in told["services"]
    }
    assert placed == {
        "p4000": [("fits", ["Quadro P4000"])],
        "gtx1060": [("fits", ["NVIDIA GeForce GTX 1060 6GB"])],
    }


def test_every_target_is_written_and_clean(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    done = called("render", PAIR, "-t", "all", "-o", out)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    checked = called("check", out, "--json")
    assert checked.returncode == 0, checked.stdout
    assert all(finding["ignored"] for finding in json.loads(checked.stdout)["findings"])


def test_a_fleet_says_that_its_modules_are_about_one(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(f'schema_version = 1\n[hosts.a]\nprofile = "{PAIR}"\n')
    done = called("fleet", str(fleet))
    assert done.returncode == 2
    assert "hosts.a.profile: has several servers" in done.stderr
