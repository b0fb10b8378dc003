"""`gen bench` beyond answers under load: vectors, cold starts, held requests, what was used."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.bench import environment
from generator.bench.measurement import Workload
from generator.errors import HostwrightError
from generator.live.client import Server
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.hostile import Answer, Serve, body
from tests.live.stub import Installed, Stub, serving

FEW = ("--requests", "4", "--output-tokens", "3", "--concurrency", "1")
MINE = Installed("mine:1b")
VECTORS = Installed("mine:1b", able=("embedding",))


def bench(url: str, *more: str) -> subprocess.CompletedProcess[str]:
    return called("bench", "-m", "mine:1b", "--url", url, *more)


def measured(url: str, *more: str) -> dict[str, Any]:
    done = bench(url, "--json", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return validated("bench", done.stdout)


def test_a_model_that_makes_vectors_is_asked_for_some() -> None:
    with serving(Stub([VECTORS])) as stub:
        found = measured(stub.url, *FEW, "--texts", "3")
        text = bench(stub.url, *FEW, "--texts", "3").stdout
    bodies = [each for each in stub.bodies if "input" in each]
    assert {len(each["input"]) for each in bodies} == {3}
    assert len({text for each in bodies[:5] for text in each["input"]}) == 15
    (told,) = found["summaries"]
    assert (found["workload"]["task"], told["failed"], told["ttft"]) == ("embed", 0, None)
    assert {each["vectors"] for each in found["levels"][0]["samples"]} == {3}
    assert told["vectors_per_second"] == pytest.approx(3 * told["requests_per_second"])
    assert "vectors/s" in text
    assert "first token" not in text


KEY = "sk-of-nobody"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def keyed() -> Iterator[Stub]:
    with serving(Stub([MINE], key=KEY)) as stub:
        yield stub


@pytest.mark.parametrize("api", ["ollama", "openai"])
def test_a_key_of_a_file_is_sent_and_said_nowhere(keyed: Stub, tmp_path: Path, api: str) -> None:
    file, page = tmp_path / "key", tmp_path / "page.html"
    file.write_text(f"{KEY}\n", encoding="utf-8")
    asked = (*FEW, "--api", api, "--api-key-file", str(file))
    done = bench(keyed.url, *asked, "--json", "--html", str(page))
    assert (done.returncode, done.stderr) == (0, f"wrote {page}\n")
    assert validated("bench", done.stdout)["summaries"][0]["failed"] == 0
    assert KEY not in done.stdout + page.read_text(encoding="utf-8")


def test_the_variable_of_openai_is_for_its_api_alone(keyed: Stub) -> None:
    def asked(api: str, key: str) -> subprocess.CompletedProcess[str]:
        words = ("bench", "-m", "mine:1b", "--url", keyed.url, *FEW, "--api", api)
        return called(*words, env={"OPENAI_API_KEY": key})

    assert asked("openai", KEY).returncode == 0
    for done in (asked("openai", "another-key"), asked("openai", ""), asked("ollama", KEY)):
        assert (done.returncode, done.stdout) == (3, "")
        assert "answers 401: Incorrect API key provided" in done.stderr
        assert "--api-key-file" in done.stderr
        assert KEY not in done.stderr
        assert "another-key" not in done.stderr


@pytest.mark.parametrize("text", ["", "\n", "sk-1\nsk-2", "Bearer sk-3", "sk-\u00e9", "k" * 9000])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text, encoding="utf-8")
    by_file = bench(NOWHERE, "--api-key-file", str(file))
    words = ("--api", "openai", "--timeout", "1s")
    by_variable = called("bench", "-m", "m", "--url", NOWHERE, *words, env={"OPENAI_API_KEY": text})
    assert (by_file.returncode, by_variable.returncode) == (2, 2 if text.strip() else 3)
    told = by_file.stderr + by_variable.stderr
    assert "on one line" in told
    assert not [word for word in text.split() if word in told]


@pytest.mark.parametrize(
    ("shown", "family", "task"),
    [
        ({"capabilities": ["embedding"]}, "llama", "embed"),
        ({"capabilities": ["completion"]}, "nomic-bert", "generate"),
        ({}, "nomic-bert", "embed"),
        ({}, "llama", "generate"),
        (None, "bert", "embed"),
    ],
)
def test_a_server_that_lists_no_capabilities(
    monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any] | None, family: str, task: str
) -> None:
    """As 0.24 and before, which refuse such a model: "does not support generate"."""

    def asked(_: Server, path: str, __: object = None) -> dict[str, Any]:
        if path == "/api/show" and shown is None:
            raise HostwrightError("no such path")
        listed = [{"name": "mine:1b", "details": {"family": family}}]
        told: dict[str, dict[str, Any]] = {
            "/api/version": {"version": "0.24.0"},
            "/api/tags": {"models": listed},
        }
        return told.get(path, shown or {})

    monkeypatch.setattr(environment, "asked", asked)
    work = Workload(api="ollama", requests=1, prompt_tokens=1, output_tokens=1, seed=1)
    server = Server.at("http://127.0.0.1:9", 1)
    assert environment.environment_of(server, "mine:1b", work)[1] == task


def test_vectors_of_openai() -> None:
    with serving(Stub([VECTORS])) as stub:
        found = measured(stub.url, *FEW, "--api", "openai", "--embed")
    assert "/v1/embeddings" in stub.asked
    assert found["summaries"][0]["vectors_per_second"] > 0
    assert found["levels"][0]["samples"][0]["prompt_tokens"] == 7


TAGS = {"version": "1", "models": [{"name": "mine:1b", "capabilities": ["embedding"]}]}


@pytest.mark.parametrize(
    "answer",
    [
        {"embeddings": []}, {"embeddings": 7}, {}, {"embeddings": [[1]], "total_duration": -1},
        {"embeddings": [[1]], "prompt_eval_count": "\x1b[2J"},
    ],
)  # fmt: skip
def test_vectors_that_are_none(serve: Serve, answer: dict[str, Any]) -> None:
    told = json.dumps(TAGS).encode()
    answers = iter((body(told), body(told)))
    rest: Answer = body(json.dumps(answer).encode())

    def told_then(connection: socket.socket) -> None:
        next(answers, rest)(connection)

    done = bench(serve(told_then), "--timeout", "5s")
    assert (done.returncode, done.stdout, "\x1b" in done.stderr) == (3, "", False)


def test_cold_starts(tmp_path: Path) -> None:
    blob = tmp_path / "sha256-1"
    blob.write_bytes(b"x" * 8192)
    model = Installed("mine:1b", modelfile=f"FROM {blob}\n")
    with serving(Stub([model], load_seconds=0.02)) as stub:
        found = measured(stub.url, *FEW, "--cold", "2")
    _, kept, warm = found["starts"]
    assert [each["kind"] for each in found["starts"]] == ["dropped", "kept", "warm"]
    assert min(each["load"] for each in kept["samples"]) >= 0.02e9
    assert (len(kept["samples"]), len(warm["samples"])) == (2, 2)
    with serving(Stub([MINE])) as stub:
        text = bench(stub.url, *FEW, "--cold", "1").stdout
    assert "cold, from the disk: the server does not say which file the model is" in text
    assert "cold, cached" in text


def test_requests_that_are_held_are_compared_with_those_that_are_not() -> None:
    with serving(Stub([MINE], slots=4)) as stub:
        ask = ("--requests", "8", "--output-tokens", "3", "--rate", "200", "--batch-window", "20ms")
        found = measured(stub.url, *ask)
        text = bench(stub.url, *ask).stdout
    assert [each["window"] for each in found["levels"]] == [0, 20_000_000]
    dues = [sorted(one["due"] for one in each["samples"]) for each in found["levels"]]
    assert dues[0] == dues[1]
    differences = found["batching"]["differences"]
    assert {each["load"] for each in differences} == {"200/s held 20ms"}
    assert "held to be sent together" in text


def test_what_the_server_used(tmp_path: Path) -> None:
    """The server is in this very process."""
    page = tmp_path / "page.html"
    with serving(Stub([Installed("mine:1b", size=2**20)], on_gpus=0.5)) as stub:
        found = measured(stub.url, *FEW)
        text = bench(stub.url, *FEW, "--html", str(page)).stdout
    used = found["levels"][0]["usage"]
    assert used["memory"] > 2**20
    assert used["cpus"] > 0
    assert used["gpus"][-1]["memory"] == 2**19 or used["gpus"][-1]["total"]
    assert "while it ran" in text
    assert max(map(len, text.partition("while it ran")[2].splitlines())) <= 80
    assert "What the server used" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--batch-window", "50ms"), "--rate"),
        (("--rate", "2", "--batch-window", "2h"), "more than anybody waits"),
        (("--rate", "2", "--batch-window", "x"), "--batch-window"),
        (("--cold", "2", "--api", "openai"), "leave out --api"),
        (("--cold", "0"), "--cold"),
    ],
)
def test_what_cannot_be_asked(args: tuple[str, ...], message: str) -> None:
    done = bench("http://127.0.0.1:9", *args)
    assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True)


def test_the_checklist(tmp_path: Path) -> None:
    before, page = tmp_path / "before.json", tmp_path / "page.html"
    with serving(Stub([MINE], slots=10)) as stub:
        before.write_text(bench(stub.url, *FEW, "--json").stdout)
        ask = ("--requests", "10", "--output-tokens", "3", "--checklist")
        found = measured(stub.url, *ask)
        text = bench(stub.url, *ask, "--baseline", str(before), "--html", str(page)).stdout
    assert [each["at_once"] for each in found["levels"]] == [1, 4, 10]
    assert len({body["prompt"] for body in stub.bodies if "prompt" in body}) > 30
    assert len(found["repeated"]) == 3
    assert len(found["checklist"]) == 13
    assert "[x] the model stays loaded  (report 001, line 386)\n    for good" in text
    assert "The checklist" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "args",
    [("--checklist", "--rate", "2"), ("--checklist", "--api", "openai"), ("--baseline", "x")],
)
def test_what_is_no_checklist(args: tuple[str, ...]) -> None:
    done = bench("http://127.0.0.1:9", *args)
    assert (done.returncode, done.stdout) == (2, "")
