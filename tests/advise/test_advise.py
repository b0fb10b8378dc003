"""What is left to gain on the shipped hosts, and that each lever is one that the profile takes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from generator.bench.remembered import remembered_beside, text_of
from generator.fit.measured import Measured
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = ("xeon-cpu", "dgx-spark", "dual-pascal", "container-dev")


@cache
def advised(*words: str) -> dict[str, Any]:
    done = called("advise", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return validated("advise", done.stdout)


def levers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["lever"]: one for one in document["advice"]}


def idle(document: dict[str, Any]) -> dict[str, str]:
    return {one["lever"]: one["why"] for one in document["idle"]}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_lever_is_one_that_the_profile_takes(profile: str) -> None:
    for one in advised(profile)["advice"]:
        sets = [word for each in one["sets"] for word in ("--set", each)]
        assert sets, one["lever"]
        done = called("show", profile, *sets)
        assert done.returncode == 0, (one["lever"], done.stderr)


def test_two_unequal_cards_gain_most_by_one_of_them() -> None:
    """Seed figures: on both cards the seed's model takes 316 MiB more, and hops between them."""
    found = advised("dual-pascal")
    first = found["advice"][0]
    assert (first["lever"], first["sets"], first["source"]) == (
        "one card where it does", ["ollama.sched_spread=false"], "fit",
    )  # fmt: skip
    changes = {one["what"]: (one["before"], one["after"]) for one in first["changes"]}
    assert changes["generates"][0] < changes["generates"][1]
    assert changes["memory"][0] > changes["memory"][1]


def test_the_numbers_are_those_of_gen_fit() -> None:
    lever = levers(advised("dgx-spark"))["flash attention"]
    for at, flags in {"before": (), "after": ("--set", lever["sets"][0])}.items():
        (fit,) = validated(
            "fit", called("fit", "dgx-spark", "-m", "llama3.1:8b", *flags, "--json").stdout
        )["models"]
        (prompt,) = (one for one in lever["changes"] if one["what"] == "reads prompts at")
        assert prompt[at] == fit["speed"]["prompt"]["likely"]


def test_levers_that_cannot_act_are_said_so() -> None:
    spark, xeon = idle(advised("dgx-spark")), idle(advised("xeon-cpu"))
    assert spark["threads"] == "all layers are on GPUs: the processor's threads compute nothing"
    assert spark["spread"] == "there are not several GPUs"
    assert xeon["flash attention"] == "it is on, by the profile"
    assert xeon["NUMA"] == "there is one socket"
    assert "batching window" in spark


def test_what_costs_quality_comes_after_what_does_not() -> None:
    names = [one["lever"] for one in advised("dgx-spark")["advice"]]
    assert names.index("flash attention") < names.index("cache of q8_0")


def test_what_nobody_knows_has_no_source_and_a_command_that_tells() -> None:
    threads = levers(advised("xeon-cpu"))["threads"]
    assert (threads["sets"], threads["source"]) == (["threads.count=12"], "none")
    assert threads["measure"] == "gen tune xeon-cpu -m qwen2.5-coder:7b --vary threads"


def test_a_host_of_which_no_memory_is_known() -> None:
    found = advised("container-dev")
    assert (found["model"], found["advice"]) == ("", [])
    assert found["verdict"].startswith("the profile does not say what memory the host has")


def test_a_model_that_does_not_fit_is_helped_first(tmp_path: Path) -> None:
    profile = tmp_path / "p.toml"
    profile.write_text(
        'schema_version = 1\nname = "p"\nhost.memory = "32GiB"\n'
        'host.gpus = [{ name = "GeForce RTX 3060", memory = "12GiB" }]\n'
        "ollama = { context_length = 65536, num_parallel = 2 }\n"
        'models = [{ name = "llama3.1:8b" }]\n'
    )
    found = advised(str(profile))
    assert found["verdict"] == "does not fit"
    assert "does not fit →" in found["advice"][0]["gain"]
    assert levers(found)["fewer slots"]["sets"] == ["ollama.num_parallel=1"]


def test_what_was_measured_here_corrects_it_and_is_the_source(tmp_path: Path) -> None:
    """Beside the profile stands that the model generates twice as fast as is estimated."""
    profile = tmp_path / "p.toml"
    profile.write_text((ROOT / "profiles/dual-pascal.toml").read_text(encoding="utf-8"))
    plain = advised(str(profile))["advice"][0]
    name = "hermes3:8b-llama3.1-q5_K_M"
    one = Measured(
        model=name, quantisation="Q5_K_M", digest="", release="0.32.15",
        machine="Quadro P4000 8 GiB, NVIDIA GeForce GTX 1060 6GB 6 GiB", date="2026-11-30",
        requests=9, slots=1, context=4096, cache_type="f16", depth=512, decode=42.2, low=41.0,
        high=43.0, prompt=0.0, size=0, on_gpus=0, load=0.0,
    )  # fmt: skip
    remembered_beside(str(profile)).write_text(text_of([one]))
    advised.cache_clear()
    found = levers(advised(str(profile)))["one card where it does"]
    assert (plain["source"], found["source"]) == ("fit", "own bench")
    (generates,) = (each for each in found["changes"] if each["what"] == "generates")
    assert generates["before"] == pytest.approx(42.2, rel=0.02)


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    done = called("advise", str(tmp_path / "no.toml"))
    assert (done.returncode, done.stdout) == (2, "")


def test_what_an_older_release_cannot_do_is_no_lever() -> None:
    """Before 0.11.5 there is no flash attention on a processor, whatever the profile says."""
    found = advised("xeon-cpu", "--ollama-version", "0.9")
    assert "flash attention" not in levers(found)
    assert idle(found)["flash attention"].endswith("Ollama 0.9.6 has none for this device")
    assert levers(found)["threads"]["sets"] == ["threads.count=12"]
