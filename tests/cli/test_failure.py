"""With `--json` a failure is a document on stdout; what people read stays on stderr."""

import json
from pathlib import Path
from typing import Any

import pytest

from generator.cli.failure import wants_json
from tests.commands import called


def failure(*args: str, cwd: Path, code: int) -> dict[str, Any]:
    done = called(*args, cwd=cwd)
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["exit_code"] == code
    assert f"error: {document['error']}\n" in done.stderr
    return document


@pytest.mark.parametrize("verb", ["render", "show", "plan", "fit"])
def test_all_problems_of_a_profile(verb: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'schema_version = 1\nname = "mine"\n'
        '[ollama]\nkeep_alive = "1d"\n[resources]\ncpu_qouta = "2000%"\n'
    )
    document = failure(verb, "mine.toml", "--json", cwd=tmp_path, code=2)
    assert document["error"] == "mine.toml has 2 problems"
    assert document["problems"][1] == {
        "where": "resources.cpu_qouta",
        "message": "unknown key",
        "hint": "did you mean `cpu_quota`?",
        "source": "mine.toml",
    }


@pytest.mark.parametrize(
    ("args", "where"),
    [
        (("show", "--json"), "--profile"),
        (("--json", "-t", "swarm", "xeon-cpu"), "--target"),
        (("list", "--jsno", "--json"), "--jsno"),
        (("detct", "--json"), "detct"),
        (("fleet", "--json"), "FLEET.toml"),
        (("fit", "xeon-cpu", "--json", "--context", "many"), "--context"),
        (("check", "--format", "json", "--fixx"), "--fixx"),
        (("check", "--format=json", "--fixx"), "--fixx"),
        (("detect", "--json", "-o", "x"), "--json"),
        (("explain", "--json"), ""),
        (("list", "--json", "more"), ""),
        (("plan", "xeon-cpu", "--json", "--set"), "--set"),
        (("schema", "--json", "--markdown"), "--markdown"),
    ],
)
def test_bad_usage_of_every_kind(args: tuple[str, ...], where: str, tmp_path: Path) -> None:
    (problem,) = failure(*args, cwd=tmp_path, code=2)["problems"]
    assert problem["where"] == where
    assert problem["message"]
    assert not problem["message"].endswith(".")


def test_what_is_not_there_and_what_fails(tmp_path: Path) -> None:
    missing = failure("explain", "OLLAMA_KEEP_ALIV", "--json", cwd=tmp_path, code=2)
    assert "did you mean `OLLAMA_KEEP_ALIVE`" in missing["problems"][0]["hint"]
    args = ("fit", "xeon-cpu", "--server", "http://127.0.0.1:1", "-m", "x", "--json")
    assert "cannot reach" in failure(*args, cwd=tmp_path, code=3)["error"]


def test_without_the_option_stdout_stays_empty(tmp_path: Path) -> None:
    for args in (("show", "nope"), ("show", "--", "--json"), ("check", "--format", "sarif", "-x")):
        done = called(*args, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")


def test_what_asks_for_json() -> None:
    assert wants_json(["show", "x", "--json"])
    assert wants_json(["check", "--format", "json"])
    assert not wants_json(["check", "--format", "junit"])
    assert not wants_json(["show", "--", "--json"])
