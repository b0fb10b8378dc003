"""Hostile text on its way through the modules: a plan or an option, Nix, the unit, systemd."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from generator.codec import to_dict
from generator.formats.nix import nix_string
from generator.plan import Plan
from tests.consumers import nix
from tests.consumers.effective import Effective
from tests.hostile import HOSTILE, batches
from tests.nix.test_modules import XEON, host
from tests.plans import plan

# What the profile lets through beside letters: no space, quote, `%` or `$`.
DIRECTORY = "/srv/é漢/a.b_c@d+e:f,g=h~i-j"
MODEL = "hf.co:443/Some_one/a.Model-7B:Q4_K.M-x"
WORDS = " ".join(HOSTILE)


def hostile(values: dict[str, str], **more: object) -> Plan:
    data: dict[str, object] = {
        "description": WORDS,
        "ollama": {"env": values, "host": "fe80::1%eth0", "models_dir": DIRECTORY},
        "models": [{"name": MODEL, "preload": True}],
        "service": {"home": "/srv/~home"},
    }
    return plan(data | more)


def through_the_modules(decided: Plan, folder: Path) -> Effective:
    file = folder / "plan.json"
    file.write_text(json.dumps(to_dict(decided)), encoding="utf-8")
    return nix.read(host(folder, f"  hostwright.profile = {file};"))


def named(texts: list[str] | tuple[str, ...]) -> dict[str, str]:
    return {f"V{index}": text for index, text in enumerate(texts)}


def test_a_plan_full_of_hostile_text_comes_back(tmp_path: Path) -> None:
    values = named(HOSTILE)
    found = through_the_modules(hostile(values), tmp_path)
    assert {name: found.environment[name] for name in values} == values
    assert found.environment["OLLAMA_HOST"] == "[fe80::1%eth0]:11434"
    assert found.environment["OLLAMA_MODELS"] == DIRECTORY
    assert found.environment["HOME"] == "/srv/~home"
    ollama = found.extra["nix"]["ollama"]
    assert (ollama["models"], ollama["loadModels"]) == (DIRECTORY, [MODEL])


def test_a_warm_up_gets_the_name_of_its_model_whole(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(to_dict(hostile({}))), encoding="utf-8")
    job = nix.read(host(tmp_path, f"  hostwright.profile = {file};"), unit="ollama-warmup.service")
    assert job.extra["exec"]["ExecStart"][0].endswith(f" {MODEL}")
    assert job.environment["OLLAMA_HOST"] == "[fe80::1%eth0]:11434"


@settings(max_examples=4, deadline=None)
@given(batches)
def test_any_text_of_a_plan_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    values = named(texts)
    found = through_the_modules(plan({"ollama": {"env": values}}), tmp_path_factory.mktemp("any"))
    assert {name: found.environment[name] for name in values} == values


@settings(max_examples=4, deadline=None)
@given(batches)
def test_any_text_of_an_option_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    values = named(texts)
    chosen = " ".join(f"{name} = {nix_string(text)};" for name, text in values.items())
    body = f"{XEON}  hostwright.settings = {{ {chosen} }};"
    found = nix.read(host(tmp_path_factory.mktemp("any"), body))
    assert {name: found.environment[name] for name in values} == values


def test_nothing_is_evaluated_and_percent_is_doubled_once(tmp_path: Path) -> None:
    values = {"CODE": '${builtins.throw "evaluated"}', "SHARE": "50%n", "TWICE": "%%"}
    unit = through_the_modules(hostile(values), tmp_path).extra["nix"]["units"]["ollama.service"]
    assert 'Environment="CODE=${builtins.throw \\"evaluated\\"}"\n' in unit
    assert 'Environment="SHARE=50%%n"\n' in unit
    assert 'Environment="TWICE=%%%%"\n' in unit
