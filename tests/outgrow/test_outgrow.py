"""`gen outgrow`: whether one server is enough, by numbers that can be done again by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from generator.outgrow.words import number
from tests.cli.test_output_schemas import validated
from tests.commands import called


def told(*args: str, code: int, stdin: str = "") -> dict[str, Any]:
    done = called("outgrow", *args, "--json", stdin=stdin)
    assert done.returncode == code, done.stderr
    return validated("outgrow", done.stdout)


def text(*args: str, code: int, stdin: str = "") -> str:
    done = called("outgrow", *args, stdin=stdin)
    assert done.returncode == code, done.stderr
    return " ".join(done.stdout.split())


def test_what_one_server_carries_is_enough() -> None:
    found = told("dgx-spark", "--rate", "0.1", code=0)
    assert found["enough"]
    assert (found["servers"], found["steps"], found["leaving"]) == (1, [], [])
    assert found["busy"] == pytest.approx(0.1 * found["pace"]["seconds"])
    assert found["carries"] == pytest.approx(4 / found["pace"]["seconds"])


def test_who_hardly_waits_is_told_without_an_exponent() -> None:
    said = text("dgx-spark", "--rate", "0.01", code=0)
    assert "fewer than 0.1 % of the requests wait for a slot, all others not at all" in said
    assert number(0.00005) == "0.00005"
    assert number(1e-12) == "0"


def test_a_server_that_nobody_has_measured_is_to_be_measured() -> None:
    done = called("outgrow", "dgx-spark", "--set", "engine=vllm", "--rate", "2")
    assert done.returncode == 2
    assert "gen bench PROFILE --api openai --json" in done.stderr


def test_what_it_does_not_carry_takes_slots_then_servers() -> None:
    found = told("dgx-spark", "--rate", "2", "--tokens", "300", code=1)
    slots, servers = found["steps"]
    assert slots["sets"][0].startswith("ollama.num_parallel=")
    assert slots["carries"] > found["carries"]
    assert found["servers"] == -int(-found["busy"] // 3.2)
    # More servers have more slots too, and so are fewer.
    busy = 2 * slots["seconds"]
    assert (servers["slots"], servers["seconds"]) == (slots["slots"], slots["seconds"])
    assert servers["servers"] == -int(-busy // (0.8 * slots["slots"])) < found["servers"]
    assert {loss["what"] for loss in found["leaving"]} >= {"/api/*", "calls of tools"}


def test_a_hundred_a_second_is_answered_with_arithmetic() -> None:
    said = text("xeon-cpu", "--rate", "100", code=1)
    assert "one server carries 4 slots /" in said
    assert "100 requests/s ×" in said
    assert "two servers on the same processor share its memory, and gain nothing" in said
    assert "num_parallel" not in said  # each would get less than people read


def test_what_is_promised_decides_how_many() -> None:
    loose, tight = (
        told("dgx-spark", "--rate", "4", "--slo", f"ttft={most}", code=1)["servers"]
        for most in ("5s", "300ms")
    )
    assert loose < tight
    hopeless = text("dgx-spark", "--rate", "1", "--slo", "ttft=1ms", code=1)
    assert "no number of servers like it keeps what is promised" in hopeless
    assert "and no number of them is" in hopeless
    of_profile = told("dgx-spark", "--rate", "4", "--set", "slo.ttft=300ms", code=1)
    assert of_profile["servers"] == tight


def test_a_server_goes_to_each_card_that_holds_the_model() -> None:
    said = text("dual-pascal", "--rate", "1", code=1)
    assert "this host has 1 card that the model fits on" in said


def test_a_log_answers_the_thresholds(tmp_path: Path) -> None:
    rows = [{"time": n, "seconds": 9, "prompt": str(n % 5)} for n in range(50)]
    log = tmp_path / "prompts.jsonl"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    said = text("dgx-spark", "--log", str(log), code=1)
    assert "the log: 50 requests in 50 s" in said
    assert "a request takes 9 s in a slot, by the log" in said
    assert "more than 4 at once:" in said
    assert "the same prompt within an hour: 90 % of the requests; a cache of exact" in said
    found = told("dgx-spark", "--log", "-", code=1, stdin=log.read_text())
    assert found["demand"] == {
        "per_second": 1.0, "tokens": 200, "prompt_tokens": 512, "source": "log"
    }  # fmt: skip
    assert found["busy"] == 9


def test_a_measurement_tells_how_fast_it_is(tmp_path: Path) -> None:
    second = 10**9
    sample = {
        "due": 0, "first": second // 10, "ended": 2 * second, "gaps": [], "prompt_tokens": 9,
        "tokens": 50, "total": 0, "load": 0, "prefill": 0, "decode": 0, "vectors": 0, "error": "",
    }  # fmt: skip
    level = {
        "at_once": 4, "per_second": 0.0, "wall": 20 * second, "samples": [sample] * 40,
        "window": 0, "usage": None,
    }  # fmt: skip
    workload = {
        "api": "ollama", "requests": 40, "prompt_tokens": 9, "output_tokens": 50, "seed": 1
    }  # fmt: skip
    whole = {
        "schema_version": 1, "profile": "", "url": "", "model": "m", "workload": workload,
        "environment": {}, "warmup": sample, "levels": [level],
    }  # fmt: skip
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(whole))
    found = told("dgx-spark", "--bench", str(file), "--rate", "1", code=0)
    assert (found["pace"]["source"], found["carries"]) == ("bench", 2.0)
    # What was measured is more than one server carries with room left.
    assert told("dgx-spark", "--bench", str(file), code=1)["demand"]["per_second"] == 2.0


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("dgx-spark",), "nothing says how many requests come a second"),
        (("dgx-spark", "--rate", "nan"), "nan is no number"),
        (("dgx-spark", "--rate", "1", "--slo", "tftt=1s"), "tftt"),
        (("dgx-spark", "--rate", "1", "--log", "-", "--bench", "-"), "stands twice for stdin"),
        (("dgx-spark", "--log", "-"), "has no request for a model"),
        (("dgx-spark", "--log", "/dev/zero"), "is no regular file"),
        (("dgx-spark", "--rate", "1", "--bench", "README.md"), "is no JSON"),
    ],
)
def test_what_makes_no_sense_is_said(args: tuple[str, ...], why: str) -> None:
    done = called("outgrow", *args)
    assert done.returncode == 2
    assert why in done.stderr


def test_a_log_tells_how_fast_a_host_is_of_which_nothing_is_known() -> None:
    line = '{"time": 1764500000, "seconds": 3.2, "prompt": "a"}'
    found = told("container-dev", "--log", "-", code=1, stdin=line)
    assert (found["model"], found["pace"]["seconds"]) == ("llama3:8b", 3.2)


def test_an_error_of_a_promise_names_its_option() -> None:
    done = called("outgrow", "dgx-spark", "--rate", "1", "--slo", "ttft=x", "--set", "ollama.foo=1")
    heads = [line.split(": ")[:2] for line in done.stderr.splitlines() if line.startswith("  --")]
    assert heads == [["  --set", "ollama.foo"], ["  --slo", "slo.ttft"]]


def test_a_log_that_is_not_there() -> None:
    done = called("outgrow", "dgx-spark", "--log", "/nowhere.log")
    assert done.returncode == 3
    assert "/nowhere.log" in done.stderr


PAIR = """schema_version = 1
name = "pair"

[host]
memory = "64GiB"
gpus = [
  { name = "RTX 4090", memory = "24GiB" },
  { name = "RTX 4090", memory = "24GiB" },
]

[ollama]
num_parallel = 4
context_length = 8192

[[models]]
name = "llama3.1:8b"

[[instances]]
name = "a"
gpus = ["0"]

[[instances]]
name = "b"
gpus = ["1"]
"""


def test_servers_that_are_there_count(tmp_path: Path) -> None:
    file = tmp_path / "pair.toml"
    file.write_text(PAIR)
    one = told(str(file), "--rate", "0.1", code=0)
    assert (one["has"], one["servers"]) == (2, 1)
    carried = 1.4 * one["carries"]
    two = told(str(file), "--rate", f"{carried:.3g}", code=0)
    assert (two["has"], two["servers"]) == (2, 2)
    assert "this profile has 2 of them" in " ".join(two["arithmetic"])
    more = told(str(file), "--rate", f"{2 * carried:.3g}", code=1)
    assert more["servers"] > 2
    assert "this host has 2 cards" in more["steps"][-1]["how"]


def test_another_engine_is_judged_by_its_own_gates() -> None:
    (spark,) = told("dgx-spark", "--rate", "2", code=1)["elsewhere"]
    assert (spark["engine"], spark["able"]) == ("vLLM", True)
    fit = json.loads(called("fit", "dgx-spark", "--engine", "vllm", "--json").stdout)
    assert spark["at_once"] == fit["models"][0]["most_slots"]
    (old,) = told("dual-pascal", "--rate", "2", code=1)["elsewhere"]
    assert not old["able"]
    assert "7.5" in old["why"]
    (unnamed,) = told("dgx-spark", "--rate", "2", "--set", 'models=[{ name = "llama3.1:8b" }]',
                      code=1)["elsewhere"]  # fmt: skip
    assert unnamed["able"]
    assert 'write hf = "org/name"' in " ".join(unnamed["first"])
