"""The machine of a question about models: a profile's, this one, or one that is described."""

import json

import pytest
from click.testing import Result

from generator.cli.options import Misuse
from generator.units import GIB
from tests.commands import run

SMALL = ("--model", "qwen3:4b")


def rooms(result: Result) -> list[tuple[str, int]]:
    """Return name and bytes of each device of the first verdict."""
    (fit, *_) = json.loads(result.stdout)["models"]
    return [(room["name"], room["memory"]) for room in fit["rooms"]]


def test_without_a_profile_it_is_this_machine() -> None:
    result = run("fit", *SMALL, "--json")
    assert result.exception is None or result.exit_code in {0, 1}
    assert rooms(result)[-1][0] == "host"
    assert rooms(result)[-1][1] > 0


def test_a_described_machine() -> None:
    result = run("fit", "--gpu", "2x RTX 3090", "--gpu", "p40", "--ram", "64GiB", *SMALL, "--json")
    cards = [("RTX 3090", 24 * GIB), ("RTX 3090", 24 * GIB), ("Tesla P40", 24 * GIB)]
    # An eighth stays with the system.
    assert rooms(result) == [*cards, ("host", 56 * GIB)]


def test_a_described_machine_is_the_same_wherever_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("this machine was read")

    monkeypatch.setattr("generator.detect.machine.read_machine", never)
    monkeypatch.setattr("generator.detect.disk.read_disk", never)
    result = run("fit", "--gpu", "RTX 3060", *SMALL, "--json")
    assert rooms(result) == [("RTX 3060", 12 * GIB), ("host", 28 * GIB)]
    assert "32GiB and 8 cores are taken, as --ram and --cores say nothing" in result.stderr
    told = run("fit", "--vram", "8GiB", "--ram", "16GiB", "--cores", "4", *SMALL, "--json")
    assert not told.stderr


def test_the_processor_of_a_described_machine_tells_its_speed() -> None:
    large = ("fit", "--gpu", "RTX 4090", "--ram", "64GiB", "--cores", "16", "-m", "llama3.3:70b")
    unknown = run(*large).stdout
    assert "processor that nothing names" in unknown
    assert "tokens/s" in run(*large, "--cpu", "Ryzen 9 7950X").stdout.split("What would do")[0]


def test_what_others_hold_of_a_card() -> None:
    result = run("fit", "dual-pascal", "--vram-used", "1GiB,0", *SMALL, "--json")
    (fit, *_) = json.loads(result.stdout)["models"]
    assert [room["reserved"] for room in fit["rooms"][:2]] == [GIB, 0]


def test_a_size_goes_before_that_of_the_card() -> None:
    result = run("fit", "--gpu", "RTX 3060", "--vram", "8GiB", "--ram", "16GiB", *SMALL, "--json")
    assert rooms(result)[0] == ("RTX 3060", 8 * GIB)


def test_cards_without_a_name() -> None:
    result = run("fit", "--vram", "24GiB,12GiB", "--ram", "32GiB", *SMALL, "--json")
    assert rooms(result)[:2] == [("GPU 0", 24 * GIB), ("GPU 1", 12 * GIB)]


def test_the_machine_of_a_profile_without_its_tuning() -> None:
    tuned = json.loads(run("fit", "xeon-cpu", *SMALL, "--json").stdout)["models"][0]
    alike = json.loads(run("fit", "--like", "xeon-cpu", *SMALL, "--json").stdout)["models"][0]
    assert tuned["load"]["cache_type"] == "q8_0"
    assert alike["load"]["cache_type"] == "f16"
    more = run("fit", "--like", "xeon-cpu", "--ram", "128GiB", *SMALL, "--json")
    assert rooms(more) == [("host", 112 * GIB)]


def test_a_profile_that_computes_on_the_cpu_stays_there() -> None:
    result = run("fit", "xeon-cpu", "--gpu", "RTX 4090", *SMALL)
    assert "only the CPU computes here" in result.stdout


@pytest.mark.parametrize(
    ("card", "ram", "memory"),
    [
        ("Radeon 780M", 32, 16 * GIB),
        ("Apple M2 Max", 64, 48 * GIB),
        ("Apple M4", 24, 16 * GIB),
        ("Iris Xe", 16, 8 * GIB),
    ],
)
def test_a_card_without_memory_of_its_own_takes_some_of_the_machine(
    card: str, ram: int, memory: int
) -> None:
    result = run("fit", "--gpu", card, "--ram", f"{ram}GiB", *SMALL, "--json")
    assert rooms(result)[0][1] == memory


def test_no_gpu() -> None:
    result = run(
        "fit", "--like", "dual-pascal", "--gpu", "none", "--ram", "32GiB", *SMALL, "--json"
    )
    assert [name for name, _ in rooms(result)] == ["host"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--gpu", "RTX 9999"), "no card is known"),
        (("--gpu", "1000x p40"), "`1000` cards are too many"),
        (("--gpu", "0x p40"), "`0` cards are none"),
        (("--gpu", "none", "--vram", "24GiB"), "no card is there"),
        (("--gpu", "p40", "--vram", "8GiB,8GiB"), "2 sizes for 1 cards"),
        (("--vram", "much"), "--vram"),
        (("--ram", "0"), "too little"),
        (("--vram", "0", "--gpu", "p40"), "too little"),
        (("--gpu", "Radeon 780M"), "no memory of its own"),
        (("--ram", ""), "is empty"),
        (("--gpu", "p40", "--vram-used", "1GiB,1GiB"), "2 sizes for 1 cards"),
        (("--gpu", "p40", "--vram-used", "25GiB"), "is more than Tesla P40 has"),
        (("--gpu", "p40", "--vram-used", "much"), "--vram-used: `much` is not a size"),
        (("xeon-cpu", "--vram-used", "1GiB"), "1 sizes for 0 cards"),
        (("xeon-cpu", "--like", "dgx-spark"), "names another"),
    ],
)
def test_bad_usage(options: tuple[str, ...], told: str) -> None:
    error = run("fit", *options, *SMALL).exception
    assert isinstance(error, Misuse)
    assert told in str(error)
