"""`gen bench`: a server that queues as Ollama, and whatever else answers."""

import dataclasses
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from generator.bench.summary import PARTS, summary
from generator.cli.bench_text import bench_text
from tests.bench.samples import level, measurement, sample
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.hostile import CHUNKED, LATE, NONSENSE, Answer, Serve, body, drips, floods, says
from tests.live.stub import Installed, Stub, serving

Done = subprocess.CompletedProcess[str]
FEW = ("--requests", "4", "--output-tokens", "5", "--concurrency", "1")
LINE = b'{"response":"w","done":false}\n'


def bench(url: str, *more: str) -> Done:
    return called("bench", "-m", "mine:1b", "--url", url, *more)


def measured(url: str, *more: str) -> dict[str, Any]:
    done = bench(url, "--json", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return validated("bench", done.stdout)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub([Installed("mine:1b")], prompt_seconds=0.05, token_seconds=0.01)) as running:
        yield running


def test_parts_add_up_to_the_clock_of_the_client() -> None:
    """One slot, four at once: three wait for it, as they do in Ollama's queue."""
    slow = Stub([Installed("mine:1b")], load_seconds=0.1, prompt_seconds=0.1, token_seconds=0.04)
    with serving(slow) as running:
        alone = measured(running.url, *FEW[:4], "--concurrency", "1")
        assert running.crowd == 1
        found = measured(running.url, *FEW[:4], "--concurrency", "1,4")
        assert running.crowd > 1
    # How small each is, is the machine's affair; `tests/bench/test_request.py` has the arithmetic.
    for each in (one["split"] for one in found["summaries"]):
        parts = [each[part] for part in PARTS[:-1]]
        assert min(parts) >= 0
        assert sum(parts) == pytest.approx(each["latency"])
    # Only a lower bound is sure: a machine that is busy waits for longer, and for anything.
    assert alone["warmup"]["load"] >= 0.1e9
    (four,) = (level["samples"] for level in found["levels"] if level["at_once"] == 4)
    assert sum(one["total"] for one in four) > sum(one["prefill"] + one["decode"] for one in four)


def test_tables_for_people(stub: Stub) -> None:
    done = bench(stub.url, *FEW)
    assert done.returncode == 0
    for words in ("first token, ms", "between tokens, ms", "tokens/s of one", "client | server",
                  "queue", "Warm-up, not counted"):  # fmt: skip
        assert words in done.stdout
    assert "Ollama 0.32.15" in done.stdout


def test_tables_are_no_wider_than_a_terminal() -> None:
    """Whatever the times are: of a machine that is busy they have more digits."""
    found = measurement(*(level(*(sample(9000 + n, 900) for n in range(8)), at_once=n)
                          for n in (1, 4)))  # fmt: skip
    summaries = [summary(each, None) for each in found.levels]
    text = click.unstyle(bench_text(found, summaries))
    assert max(map(len, text.splitlines())) <= 80


def test_what_was_asked(stub: Stub) -> None:
    found = measured(stub.url, *FEW[:4], "--concurrency", "2,3")
    assert [each["at_once"] for each in found["levels"]] == [2, 3]
    assert [len(each["samples"]) for each in found["levels"]] == [4, 4]
    # A request before all others, which is not counted.
    assert stub.asked.count("/api/generate") == 9
    assert found["environment"]["digest"] == "a" * 64
    assert found["environment"]["context"] == 4096
    assert {one["tokens"] for each in found["levels"] for one in each["samples"]} == {5}


def test_an_open_loop(stub: Stub) -> None:
    (found,) = measured(stub.url, *FEW[:4], "--rate", "50")["levels"]
    assert (found["at_once"], found["per_second"], len(found["samples"])) == (0, 50, 4)
    dues = sorted(each["due"] for each in found["samples"])
    assert dues[0] == 0 < dues[1]


def test_servers_of_openai(stub: Stub) -> None:
    found = measured(stub.url, *FEW, "--api", "openai")
    (told,) = found["summaries"]
    assert (told["failed"], told["split"], told["server"]["ttft"]) == (0, None, 0)
    assert told["client"]["itl"] > 0
    assert found["environment"]["cores"] > 0  # of this machine, whatever serves on it
    assert "client | server" in bench(stub.url, *FEW, "--api", "openai").stdout


def test_prompts_of_a_file(stub: Stub, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("one\n\ntwo\n", encoding="utf-8")
    assert measured(stub.url, *FEW, "--prompts", str(file))["workload"]["prompts"] == 2


def test_goodput_under_the_promises_of_a_profile(stub: Stub, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'schema_version = 1\nname = "mine"\nmodels = [{ name = "mine:1b" }]\n'
        # Who has no time to read gets tokens that were sent apart at once: no time between two is
        # too short for this.
        'slo = { ttft = "1h", itl = "1ns", p95 = "1h" }\n'
    )
    done = called("bench", str(file), "--url", stub.url, *FEW, "--json")
    (told,) = validated("bench", done.stdout)["summaries"]
    assert told["goodput"] == {
        "kept": 0, "per_second": 0, "missed": [{"objective": "itl", "requests": 4}], "p95": True,
        "vram": None,
    }  # fmt: skip
    text = called("bench", str(file), "--url", stub.url, *FEW).stdout
    assert "0 of 4" in text
    assert "itl by 4" in text


def test_forms_for_others(stub: Stub, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = bench(stub.url, *FEW, "--html", str(page), "--format", "benchstat")
    assert done.stdout.count("BenchmarkAnswer/at-once=1 1 ") == 4
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 4
    assert "Where the time goes" in text
    assert bench(stub.url, *FEW, "--html", "-").stdout.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--rate", "1", "--concurrency", "2"), "two loads"),
        (("--concurrency", "0"), "no list of numbers"),
        (("--concurrency", "2,2"), "no list of numbers"),
        (("--concurrency", "²"), "no list of numbers"),
        (("--concurrency", "1001"), "no list of numbers"),
        (("--timeout", "0s"), "no time to wait"),
        (("--set", "threads.count=1"), "name one"),
        (("--rate", "0"), "0"),
        (("--rate", "nan"), "no number of requests"),
        (("--requests", "3", "--concurrency", "2,4"), "3 are never 4 at once"),
        (("--requests", "9", "--checklist"), "9 are never 10 at once"),
    ],
)
def test_what_cannot_be_asked(args: tuple[str, ...], message: str) -> None:
    done = bench("http://127.0.0.1:9", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_model_must_be_named_and_there(stub: Stub) -> None:
    assert called("bench", "--url", stub.url).returncode == 2
    done = called("bench", "-m", "none", "--url", stub.url)
    assert done.returncode == 2
    assert "has no model `none`" in done.stderr


# Comparing


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    """A measurement, and another with a first token that comes twice as late."""
    names = (str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    for name, ttft in zip(names, (100, 200), strict=True):
        found = measurement(level(*(sample(ttft + n % 7) for n in range(20))))
        document = {"schema_version": 1, **dataclasses.asdict(found)}
        Path(name).write_text(json.dumps(document), encoding="utf-8")
    return names


def test_a_regression(two: tuple[str, str]) -> None:
    done = called("bench", "compare", *two)
    assert done.returncode == 0
    assert "first token" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "worse" in done.stdout
    assert called("bench", "compare", *two, "--fail-on-regression", "5%").returncode == 1
    assert called("bench", "compare", *two, "--fail-on-regression", "500%").returncode == 0
    assert called("bench", "compare", *reversed(two), "--fail-on-regression=5%").returncode == 0
    found = validated("bench", called("bench", "compare", *two, "--json").stdout)
    first = found["differences"][0]
    assert (first["load"], first["verdict"]) == ("1", "worse")
    assert 0.9 < first["low"] <= first["share"] <= first["high"] < 1.1


def test_what_was_measured_is_compared(stub: Stub, tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for name in names:
        Path(name).write_text(bench(stub.url, *FEW, "--json").stdout, encoding="utf-8")
    done = called("bench", "compare", *names)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)


@pytest.mark.parametrize("share", ["5", "x%", "-5%", "%", "nan%"])
def test_a_share_that_is_none(two: tuple[str, str], share: str) -> None:
    done = called("bench", "compare", *two, f"--fail-on-regression={share}")
    assert (done.returncode, "no share" in done.stderr) == (2, True)


def test_files_that_are_none(two: tuple[str, str], tmp_path: Path) -> None:
    other = tmp_path / "c.json"
    other.write_text("{}")
    assert called("bench", "compare", two[0], two[0]).returncode == 2
    assert called("bench", "compare", two[0], str(tmp_path / "none")).returncode != 0
    done = called("bench", "compare", two[0], str(other))
    assert (done.returncode, "is no measurement" in done.stderr) == (2, True)


# Whatever else answers


def in_one_line(done: Done) -> None:
    assert (done.returncode, done.stdout) == (3, "")
    first, *others = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert all(line.startswith("hint: ") for line in others)


@pytest.mark.parametrize("api", ["ollama", "openai"])
@pytest.mark.parametrize("kind", LATE)
def test_a_server_that_takes_too_long(serve: Serve, kind: str, api: str) -> None:
    done = bench(serve(LATE[kind]), "--timeout", "200ms", "--api", api)
    in_one_line(done)
    assert "did not answer within 0.2 s" in done.stderr


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_server_that_talks_nonsense(serve: Serve, kind: str) -> None:
    in_one_line(bench(serve(NONSENSE[kind][0])))


@pytest.mark.parametrize("data", [b'{"models": 7}', b'{"version": [1]}', b'{"models": null}'])
def test_a_server_of_wrong_types(serve: Serve, data: bytes) -> None:
    in_one_line(bench(serve(body(data))))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


ABLE = {"name": "mine:1b", "capabilities": ["completion"]}
TAGS = json.dumps({"version": "1", "models": [ABLE]}).encode()
STREAMS: dict[str, Answer] = {
    "dropped": says(CHUNKED, chunk(LINE), b"ff\r\n{"),
    "ended": says(CHUNKED, chunk(LINE), chunk(b"")),
    "garbage": says(CHUNKED, chunk(LINE), chunk(b"<html>\n"), chunk(b"")),
    "wrong counters": says(CHUNKED, chunk(b'{"done":true,"eval_count":"\x1b[2J"}\n'), chunk(b"")),
    "negative": says(CHUNKED, chunk(b'{"done":true,"eval_duration":-5}\n'), chunk(b"")),
    "error": says(CHUNKED, chunk(b'{"error":"\\u001b[2Jpwn \\u202e"}\n'), chunk(b"")),
    "dripped": drips(CHUNKED + chunk(LINE), chunk(LINE)),
    "endless": floods(CHUNKED, chunk(LINE * 2000)),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_goes_wrong(serve: Serve, kind: str) -> None:
    """Its first questions are answered well, its streams are not."""
    answers: Iterator[Answer] = iter((body(TAGS), body(TAGS)))

    def answer(connection: socket.socket) -> None:
        next(answers, STREAMS[kind])(connection)

    done = bench(serve(answer), "--timeout", "1500ms")
    in_one_line(done)
    assert not {"\x1b", "\u202e"} & {*done.stderr}


def test_failures_after_a_good_start(serve: Serve) -> None:
    last = b'{"done":true,"eval_count":2,"total_duration":9}\n'
    good = says(CHUNKED, chunk(LINE), chunk(LINE), chunk(last), chunk(b""))
    evil = says(CHUNKED, chunk(b'{"error":"\\u001b[2Jpwn"}\n'), chunk(b""))
    answers = iter([body(TAGS), body(TAGS), good, good, evil, STREAMS["dropped"], good, body(TAGS)])

    def answer(connection: socket.socket) -> None:
        next(answers)(connection)

    done = bench(serve(answer), *FEW, "--timeout", "20s")
    assert done.returncode == 0
    assert "1 at once: 1 request failed: " in done.stdout
    assert "pwn" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
