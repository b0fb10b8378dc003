"""`gen fit` as a user runs it."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from generator.cli import gen
from generator.cli.options import Misuse
from generator.errors import HostwrightError, ProfileError
from generator.profiles import validate
from generator.profiles.document import Document
from generator.profiles.schema import Profile

XEON = ("fit", "--profile", "xeon-cpu")
PASCAL = ("fit", "--profile", "dual-pascal")


def run(*args: str) -> Result:
    return CliRunner().invoke(gen, args, prog_name="gen", standalone_mode=False)


def code(result: Result) -> int:
    """Return the exit code; click's own Exit is the command's way to set one."""
    found = result.return_value if result.exception is None else result.exit_code
    return found if isinstance(found, int) else 0


def test_one_model_on_a_cpu() -> None:
    result = run(*XEON, "--model", "llama3.1:8b")
    lines = result.stdout.splitlines()
    assert lines[0] == "llama3.1:8b · Q4_K_M · Ollama 0.32.15"
    assert lines[1] == "4 slots × 8192 tokens, q8_0 cache, with flash attention, batch 1024"
    # 4685.3 and 2176 MiB, (3 × 14336 + 4 × 4096 + 8192/2) × 4 × 1024 = 248, and 100.
    row = ["host", "33", "4.58", "2.12", "0.24", "0.10", "7.04", "20.00", "12.96"]
    assert row in [line.split() for line in lines]
    # 7.04 of 20 GiB in 40 cells: 9 of weights, 4 of cache, 1 of the buffer.
    assert "host               [#########====+..........................]  35 % of 20 GiB" in lines
    assert "fits: all layers in memory; 13.0 GiB are left on host" in lines
    assert "Ollama 0.32.15 computes on the CPU: only the CPU computes here." in lines
    assert code(result) == 0


def test_the_profile_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = validate.validate

    def counted(document: Document) -> Profile:
        seen.append(document.label)
        return real(document)

    monkeypatch.setattr(validate, "validate", counted)
    assert code(run(*XEON, "--model", "llama3.1:8b")) == 0
    assert seen == ["profiles/xeon-cpu.toml"]


@pytest.mark.parametrize(
    "args",
    [
        (*XEON, "--model", "llama3.1:8b"),
        XEON,
        PASCAL,
        (*PASCAL, "--model", "qwen2.5:72b", "--context", "32768", "--parallel", "4"),
        ("fit", "--profile", "dgx-spark", "--model", "gpt-oss:120b", "--context", "1000000"),
        ("fit", "--help"),
    ],
)
def test_nothing_is_wider_than_a_terminal(args: tuple[str, ...]) -> None:
    text = run(*args).stdout
    assert text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_what_does_not_fit_exits_with_1() -> None:
    result = run(*PASCAL, "--model", "llama3.1:70b")
    assert code(result) == 1
    assert "does not fit: " in result.stdout
    assert "layers on GPUs, the CPU computes the rest" in result.stdout


def test_a_flag_wins_over_the_profile() -> None:
    args = ("--context", "2048", "--parallel", "2", "--kv-cache-type", "q4_0", "--json")
    data = json.loads(run(*XEON, "--model", "llama3.1:8b:Q8_0", *args).stdout)
    (model,) = data["models"]
    assert model["quantisation"] == "Q8_0"
    assert model["load"]["context"] == 2048
    assert model["load"]["slots"] == 2
    # 144 MiB at 4096 tokens.
    assert model["rooms"][0]["kv"] == 144 << 20


def test_json_has_bytes_and_verdicts() -> None:
    data = json.loads(run(*PASCAL, "--model", "llama3.1:8b", "--json").stdout)
    assert data["schema_version"] == 1
    assert data["release"] == "0.32.15"
    (model,) = data["models"]
    assert model["verdict"] == "fits"
    assert model["placement"]["counts"] == [19, 14]
    assert [room["memory"] for room in model["rooms"]] == [8 << 30, 6 << 30, 0]
    first = model["rooms"][0]
    parts = ("weights", "kv", "compute", "other")
    assert sum(first[part] for part in parts) == first["needed"]
    assert first["left"] == first["memory"] - first["needed"]
    assert model["rooms"][2]["left"] is None


def test_without_a_model_the_profile_comes_first_and_then_what_fits() -> None:
    text = run(*XEON).stdout
    assert text.index("qwen2.5-coder:7b ·") < text.index("Loaded side by side: qwen2.5-coder:7b")
    assert text.index("Loaded side by side") < text.index("Models that leave a tenth")
    assert "\n* recommended: " in text
    data = json.loads(run(*XEON, "--json").stdout)
    assert sum(choice["recommended"] for choice in data["choices"]) == 1
    assert len(data["models"]) == 3


def test_a_context_beyond_the_trained_one_is_told() -> None:
    text = run("fit", "--profile", "dgx-spark", "--model", "llama3.1:8b", "--context", "262144")
    assert "trained for 131072 tokens: the server caps the 262144 asked for" in text.stdout


def test_a_modelfile_sets_the_context_of_its_model(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'schema_version = 1\nname = "mine"\n[host]\nmemory = "64GiB"\n'
        '[[models]]\nname = "llama3.1:8b"\nparameters = { num_ctx = 16384 }\n'
    )
    data = json.loads(run("fit", "--profile", str(profile), "--json").stdout)
    assert data["models"][0]["load"]["context"] == 16384


def test_a_model_younger_than_the_release_is_told() -> None:
    result = run(*PASCAL, "--model", "gpt-oss:20b", "--ollama-version", "0.9")
    assert "Ollama 0.9.6 cannot load `gpt-oss:20b` yet" in result.stderr
    result = run(*PASCAL, "--model", "phi4-mini:3.8b:Q4_K_M", "--ollama-version", "0.5.12")
    assert "Ollama 0.5.12 cannot load `phi4-mini:3.8b` yet" in result.stderr


def test_all_that_is_wrong_is_told_at_once() -> None:
    result = run(*XEON, "--model", "llama3.3:8b", "--model", "nothing:1b")
    assert isinstance(result.exception, ProfileError)
    assert len(result.exception.problems) == 2
    assert result.exception.exit_code == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*XEON, "--server", "http://h"), "--server needs --model"),
        ((*XEON, "--server", "http://h", "--model", "m", "--gguf", "f"), "are two sources"),
        ((*XEON, "--ollama-version", ""), "--ollama-version is empty"),
        ((*XEON, "--context", "3"), "4<=x<="),
        ((*XEON, "--kv-cache-type", "q9"), "is not one of"),
        ((*XEON, "--disk", "floppy"), "neither a kind of disk nor a rate"),
    ],
)
def test_bad_usage(args: tuple[str, ...], said: str) -> None:
    result = run(*args)
    assert isinstance(result.exception, click.UsageError)
    assert said in result.exception.format_message()


def test_a_profile_without_memory_cannot_be_judged() -> None:
    result = run("fit", "--profile", "container-dev", "--model", "llama3:8b")
    assert isinstance(result.exception, ProfileError)
    assert result.exception.problems[0].where == "host.memory"
    more = ("--set", "host.memory=16GiB")
    assert code(run("fit", "--profile", "container-dev", "--model", "llama3:8b", *more)) == 0


def test_a_file_is_not_a_model(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_text("GGUX")
    result = run(*XEON, "--gguf", str(file))
    assert isinstance(result.exception, HostwrightError)
    assert result.exception.exit_code == 2


def test_a_prompt_cache_without_a_bound_is_told() -> None:
    args = (*XEON, "--set", "ollama.prompt_cache=infinity", "--model", "llama3.1:8b")
    text = run(*args).stdout
    assert "tight: prompt caches may grow without bound, 13.0 GiB are left" in text
    (model,) = json.loads(run(*args, "--json").stdout)["models"]
    assert model["rooms"][0]["may_grow_by"] is None


def test_what_others_hold_of_a_card_is_shown_and_counted() -> None:
    """9 MiB of the profile's second card are a display's; --vram-used says otherwise."""
    asked = (*PASCAL, "--model", "hermes3:8b-llama3.1-q5_K_M", "--json")
    first, second, _ = json.loads(run(*asked).stdout)["models"][0]["rooms"]
    assert (first["reserved"], second["reserved"]) == (0, 9 << 20)
    assert second["left"] == (6144 - 9 << 20) - second["needed"]
    first, second, _ = json.loads(run(*asked, "--vram-used", "1GiB,0").stdout)["models"][0]["rooms"]
    assert (first["reserved"], second["reserved"]) == (1 << 30, 0)
    assert first["left"] == (7 << 30) - first["needed"]
    shown = run(*asked[:-1], "--vram-used", "1GiB,0").stdout
    assert "Held by a display or other programs (x): 1.00 GiB of Quadro P4000." in shown
    assert "xxxxx" in shown


@pytest.mark.parametrize("sizes", ["9GiB,0", "much", "0,0,1GiB"])
def test_more_than_the_card_has_or_no_size_is_refused(sizes: str) -> None:
    result = run(*PASCAL, "--vram-used", sizes)
    assert isinstance(result.exception, Misuse)
    assert "--vram-used" in str(result.exception)


def test_speed_and_load_time_are_told_with_their_error_bars() -> None:
    result = run(*XEON, "--model", "qwen2.5-coder:7b", "--disk", "500MB/s")
    text = " ".join(result.stdout.split())
    assert "Expected: generates 8.2 tokens/s (4.6 to 14), 7.9 once 8192 tokens are in" in text
    assert "reads prompts at 37 tokens/s (20 to 71)." in text
    # 4460.5 MiB and a second.
    assert "Loads in about 10 s (9.9 to 20) from that disk;" in text
    without = " ".join(run(*XEON, "--model", "qwen2.5-coder:7b").stdout.split())
    assert "from NVMe" in without
    assert "from a hard disk" in without


def test_json_has_speed_and_load_time() -> None:
    model = json.loads(run(*XEON, "--model", "llama3.1:8b", "--disk", "hdd", "--json").stdout)
    found = model["models"][0]
    assert found["speed"]["decode"]["low"] < found["speed"]["decode"]["likely"]
    assert found["speed"]["unknown"] == ""
    assert [each["disk"] for each in found["load_time"]["cold"]] == ["hdd"]


def test_what_no_memory_holds_has_no_speed() -> None:
    text = " ".join(run(*XEON, "--model", "llama3.1:70b").stdout.split())
    assert "Speed is not known: host does not hold it." in text


def test_a_processor_that_nobody_knows_has_no_speed_of_its_own() -> None:
    args = (*XEON, "--set", 'host.cpu.model="Frobnicator"', "--model", "llama3.2:3b")
    text = " ".join(run(*args).stdout.split())
    assert "Speed is not known: the memory bandwidth of Frobnicator is not known" in text


@pytest.mark.parametrize(
    ("version", "models", "asked", "told"),
    [
        ("0.9.6", "", "qwen3:4b", "takes `num_gpu` only from a model or a request"),
        ("0.9.6", 'models = [{ name = "llama3.1:8b" }]', "qwen3:4b", "is none of the profile's"),
        ("0.9.6", 'models = [{ name = "llama3.1:8b" }]', "llama3.1:8b", ""),
        ("0.32.15", "", "qwen3:4b", ""),
    ],
)
def test_layers_that_nothing_carries_are_remarked(
    tmp_path: Path, version: str, models: str, asked: str, told: str
) -> None:
    profile = tmp_path / "it.toml"
    card = 'memory = "64GiB"\ngpus = [{ name = "RTX 4090", memory = "24GiB" }]'
    profile.write_text(
        f'schema_version = 1\nname = "it"\n{models}\n[host]\n{card}\n[gpu]\nlayers = 3\n'
    )
    result = run("fit", str(profile), "--ollama-version", version, "-m", asked, "--json")
    assert told in result.stderr
    assert bool(told) == ("gpu.layers" in result.stderr)
    (fit, *_) = json.loads(result.stdout)["models"]
    assert (fit["placement"]["counts"] == [3]) is not bool(told)
