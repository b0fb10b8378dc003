"""`gen warmup`: a server that answers as Ollama, and whatever else answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.hostile import LATE, NONSENSE, Answer, Serving
from tests.live.stub import Installed, Stub, serving

PROFILE = """
schema_version = 1
name = "mine"
host = { memory = "64GiB", cpu = { cores = 16, threads = 16 } }
ollama = { keep_alive = "24h" }
models = [{ name = "a:1b" }]
"""


@pytest.fixture
def profile(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(PROFILE, encoding="utf-8")
    return str(tmp_path / "mine.toml")


@pytest.fixture
def odd() -> Iterator[list[Serving]]:
    every: list[Serving] = []
    yield every
    for one in every:
        one.close()


def test_a_model_and_what_became_of_it(profile: str) -> None:
    with serving(Stub([Installed("a:1b")], on_gpus=0.5)) as stub:
        done = called("warmup", profile, "--url", stub.url)
        assert (done.returncode, done.stderr) == (0, "")
        head, names, row = done.stdout.splitlines()
        assert head == f"mine · Ollama · {stub.url}"
        assert names.split() == ["model", "state", "took", "load_duration", "context", "memory",
                                 "kept"]  # fmt: skip
        assert row.split("  ")[0] == "a:1b"
        assert "4096     976.6 KiB, 50% GPU  for ever" in row
        told = validated("warmup", called("warmup", profile, "--url", stub.url, "--json").stdout)
    (one,) = told["models"]
    assert (told["url"], one["state"], one["already"]) == (stub.url, "loaded", True)


def test_one_that_is_missing(profile: str) -> None:
    with serving(Stub()) as stub:
        done = called("warmup", profile, "--url", stub.url)
        assert done.returncode == 3
        assert done.stdout.splitlines()[-1] == "  the server does not have it; --pull downloads it"
        as_json = called("warmup", profile, "--url", stub.url, "--json")
        assert as_json.returncode == 3
        assert validated("warmup", as_json.stdout)["models"][0]["state"] == "missing"


def test_no_escape_of_a_server_reaches_the_screen(profile: str) -> None:
    with serving(Stub([Installed("a:1b")], broken="\x1b[2J\x1b]0;mine\x07 no\nroom")) as stub:
        done = called("warmup", profile, "--url", stub.url)
        assert done.returncode == 3
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
        assert "\\x1b[2J" in done.stdout


@pytest.mark.parametrize("kind", [*LATE, *NONSENSE])
def test_whatever_answers(profile: str, odd: list[Serving], kind: str) -> None:
    answer: Answer = LATE[kind] if kind in LATE else NONSENSE[kind][0]
    odd.append(Serving(answer))
    done = called("warmup", profile, "--url", odd[0].url, "--timeout", "400ms")
    assert (done.returncode, done.stdout) == (3, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert "\x1b" not in done.stderr


def test_a_time_that_is_none(profile: str) -> None:
    done = called("warmup", profile, "--timeout", "0s")
    assert (done.returncode, "no time to wait" in done.stderr) == (2, True)
