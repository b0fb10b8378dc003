"""Settings that do nothing: `modules/names.json`, and the warnings that the modules make of it.

With NIXPKGS_LIB set, the real module system is asked instead of the tests' own.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from generator.engines.ollama.rules.helpers.names import name_fault
from generator.engines.ollama.rules.helpers.values import value_fault
from generator.meaning import cleaned, parse_go_duration
from generator.units import Release
from tests.consumers import nix, system_manager
from tests.facts import facts_at
from tests.nix.test_modules import MODULES, XEON, host
from tests.plans import plan, shipped

LIB = Path(os.environ["NIXPKGS_LIB"]) if os.environ.get("NIXPKGS_LIB") else None
FILE = MODULES / "names.json"

RULED = """
{ names, ownLib, modules, releases }:
let
  inherit (import ownLib) lib;
  idle =
    release:
    let
      fault = import (modules + "/names.nix") { inherit lib; } {
        inherit release;
        hasThreads = false;
      };
    in
    lib.filter (name: fault name != null) (builtins.fromJSON names);
in
lib.genAttrs (builtins.fromJSON releases) idle
"""


def warnings(folder: Path, body: str) -> list[str]:
    told: list[str] = nix.read(host(folder, body), lib=LIB).extra["nix"]["warnings"]
    return told


def test_it_is_small_and_has_each_name_once() -> None:
    groups = json.loads(FILE.read_text(encoding="utf-8"))
    names = [name for group in groups for name in group["names"]]
    assert len(names) == len(set(names))
    assert FILE.stat().st_size < 20_000


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        (
            "OLLAMA_NUM_THREADS",
            "no release of Ollama reads it",
            "set hostwright.threads.count instead",
        ),
        ("OLLAMA_ORIGINZ", "Ollama has no variable of that name", "correct it, or take it out"),
        ("LLAMA_ARG_CTX", "Ollama has no variable of that name", "correct it, or take it out"),
        ("OLLAMA_NUM_CTX", "no release of Ollama reads it", "use OLLAMA_CONTEXT_LENGTH"),
        ("OLLAMA_LOG_FORMAT", "no release of Ollama reads it", "take it out: the format is fixed"),
        ("CUDA_MEMORY_FRACTION", "no release of Ollama reads it", "use LLAMA_ARG_FIT_TARGET=<MiB"),
        ("OLLAMA_BIND", "no release of Ollama reads it", "set hostwright.ollama.host instead"),
        ("OLLAMA_INTEL_GPU", "does nothing since Ollama 0.12.11", "use OLLAMA_VULKAN=1"),
        ("OLLAMA_GPU_OVERHEAD", "does nothing since Ollama 0.30.0", "LLAMA_ARG_FIT_TARGET="),
        ("OLLAMA_NEW_ENGINE", "does nothing since Ollama 0.30.0", "take it out"),
        ("LLAMA_ARG_WEBUI", "does nothing since Ollama 0.31.2", "this is 0.32.15"),
    ],
)
def test_a_name_that_does_nothing_is_told(name: str, what: str, fix: str, tmp_path: Path) -> None:
    (told,) = warnings(tmp_path, f'{XEON}  hostwright.settings.{name} = "3";')
    assert told.startswith(f"hostwright.settings.{name} does nothing")
    assert what in told
    assert fix in told


@pytest.mark.parametrize(
    "body",
    [
        'FOO = "1"; RUST_LOG = "debug"; OMP_PLACES = "cores"; HTTPS_PROXY = "http://p";',
        'OLLAMA_DEBUG = "1"; LLAMA_ARG_BATCH = "512"; LLAMA_ARG_ALIAS = "x";',
        'LLAMA_ARG_NO_PERF = "1"; LLAMA_ARG_NO_MMAP = "1"; OMP_NUM_THREADS = "4";',
        "OLLAMA_NUM_THREADS = null; OLLAMA_ORIGINZ = null;",
    ],
)
def test_what_is_read_or_unset_or_of_others_is_left_alone(body: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"{XEON}  hostwright.settings = {{ {body} }};") == []


def test_what_the_profile_sets_itself_is_left_alone(tmp_path: Path) -> None:
    decided = plan({"threads": {"count": 4}}, legacy_env=True)
    assert "OLLAMA_NUM_THREADS" in {setting.name for setting in decided.service.environment}
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(decided)), encoding="utf-8")
    body = (
        f'  hostwright = {{ profile = {tmp_path}/plan.json; settings.OLLAMA_NUM_THREADS = "8"; }};'
    )
    assert warnings(tmp_path, body) == []


def test_the_release_of_the_profile_counts(tmp_path: Path) -> None:
    decided = shipped("dual-pascal", version="0.24")
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(decided)), encoding="utf-8")
    names = 'OLLAMA_MLOCK = "1"; OLLAMA_NEW_ENGINE = "1"; LLAMA_ARG_MLOCK = "1";'
    body = f"  hostwright = {{ profile = {tmp_path}/plan.json; settings = {{ {names} }}; }};"
    before, never = warnings(tmp_path, body)
    assert "LLAMA_ARG_MLOCK does nothing before Ollama 0.30.0, and this is 0.24.0" in before
    assert "use PARAMETER use_mlock in a Modelfile" in never


def test_threads_that_the_profile_leaves_alone_have_a_variable(tmp_path: Path) -> None:
    body = '  hostwright = { profile = "dual-pascal"; settings.OLLAMA_NUM_THREADS = "3"; };'
    (told,) = warnings(tmp_path, body)
    assert "use LLAMA_ARG_THREADS=N" in told


def test_so_it_is_for_system_manager(tmp_path: Path) -> None:
    file = system_manager.host(tmp_path, f'{XEON}  hostwright.settings.OLLAMA_FA = "1";')
    (told,) = system_manager.evaluate(file, lib=LIB)["warnings"]
    assert "hostwright.settings.OLLAMA_FA does nothing" in told
    assert "use OLLAMA_FLASH_ATTENTION" in told


def test_the_modules_judge_every_name_as_the_generator_does() -> None:
    newest = facts_at()
    names = [*newest.variables, *newest.dead_names, *_runner_names()]
    releases = ["0.5.7", "0.9.6", "0.24.0", "0.30.0", "0.31.2", "0.32.6", "0.32.15"]
    arguments = {"names": json.dumps(names), "releases": json.dumps(releases)}
    paths = {"ownLib": str(nix.OWN_LIB), "modules": str(MODULES)}
    told = nix.ask(RULED, arguments | paths)
    for text in releases:
        facts = facts_at(text)
        faulty = {name for name in names if name_fault(name, facts)}
        # HW114 judges this one for the generator, together with its value.
        faulty |= {"OLLAMA_GPU_OVERHEAD"} if facts.release >= Release(0, 30, 0) else set()
        assert set(told[text]) == faulty, text


def _runner_names() -> list[str]:
    """Names of llama-server alone, with their negative forms and one that is none."""
    groups = json.loads(FILE.read_text(encoding="utf-8"))
    switches = [name for group in groups if group.get("switch") for name in group["names"]]
    negative = [name.replace("LLAMA_ARG_", "LLAMA_ARG_NO_", 1) for name in switches]
    return sorted({*switches, *negative, "LLAMA_ARG_NO_THREADS", "OLLAMA_NO_SUCH_NAME"})


IN_EFFECT = [
    ('hostwright.settings.{} = "{}";', "hostwright.settings.{}"),
    (
        'services.ollama.environmentVariables.{} = lib.mkForce "{}";',
        "services.ollama.environmentVariables.{}",
    ),
    (
        'systemd.services.ollama.environment.{} = lib.mkForce "{}";',
        "systemd.services.ollama.environment.{}",
    ),
]
MISREAD = [
    ("OLLAMA_KEEP_ALIVE", "1d", "not a Go duration; Ollama silently uses 5m"),
    ("OLLAMA_NUM_PARALLEL", "four", "not a whole number"),
    ("LLAMA_ARG_THREADS", "", "ends llama-server"),
    ("LLAMA_ARG_BATCH", "many", "write a number, or take it out"),
    ("LLAMA_ARG_MMAP", "", "take it out"),
]


def evaluated(folder: Path, bodies: list[str]) -> list[dict[str, Any]]:
    """What becomes of hosts of the xeon-cpu profile that say one of `bodies` each."""
    cases = []
    for number, body in enumerate(bodies):
        place = folder / str(number)
        place.mkdir()
        cases.append(nix.Case(host(place, XEON + body)))
    return nix.evaluate_all(cases, lib=LIB)


def written(value: str) -> str:
    return f"`{value}`" if value else "empty"


def test_a_value_that_is_misread_is_refused_whoever_has_set_it(tmp_path: Path) -> None:
    wanted = [
        (said.format(name, value), f"{option.format(name)} is {written(value)}, ", told)
        for said, option in IN_EFFECT
        for name, value, told in MISREAD
    ]
    answers = evaluated(tmp_path, [body for body, _, _ in wanted])
    for (_, start, told), answer in zip(wanted, answers, strict=True):
        (failed,) = answer["failed"]
        assert failed.startswith(start)
        assert told in failed


def test_a_name_that_does_nothing_is_told_whoever_has_set_it(tmp_path: Path) -> None:
    answers = evaluated(tmp_path, [said.format("OLLAMA_ORIGINZ", "x") for said, _ in IN_EFFECT])
    for (_, option), answer in zip(IN_EFFECT, answers, strict=True):
        (told,) = answer["warnings"]
        assert told.startswith(option.format("OLLAMA_ORIGINZ does nothing"))


def test_what_the_server_does_not_get_is_not_judged(tmp_path: Path) -> None:
    unset = [
        f"systemd.services.ollama.environment.{name} = lib.mkForce null;"
        for name in ("OLLAMA_ORIGINZ", "OLLAMA_KEEP_ALIVE")
    ]
    said = 'hostwright.settings = { OLLAMA_ORIGINZ = "x"; OLLAMA_KEEP_ALIVE = "1d"; };'
    (answer,) = evaluated(tmp_path, [said + "".join(unset)])
    assert (answer["failed"], answer["warnings"]) == ([], [])


JUDGED = """
{ values, ownLib, kinds }:
let
  inherit (import ownLib) lib;
  fits =
    kind: value: if value == "" then kind.empty else builtins.match kind.pattern value != null;
in
map (kind: lib.filter (fits kind) (builtins.fromJSON values)) (lib.importJSON kinds)
"""
WHOLE = ["4", "-1"]
VALUES = [
    *("5m", "1h30m", "0", "1.5h", ".5h", "90", "24h", "300ms", "+2s", '"5m"', "1µs", "1h ", *WHOLE),
    *("1d", "forever", "5 m", "m", "5min", "h5", "-", "1w", "1h30", "0x5", "0.5", ".5", " 8", "+3"),
    *("", "x", "on", "auto"),
]


def test_the_modules_judge_a_value_as_the_generator_does() -> None:
    paths = {"ownLib": str(nix.OWN_LIB), "kinds": str(MODULES / "values.json")}
    told = nix.ask(JUDGED, {"values": json.dumps(VALUES), **paths})
    kinds = json.loads((MODULES / "values.json").read_text(encoding="utf-8"))
    facts = facts_at()
    for value in VALUES:
        assert (value in told[0]) == (value == "" or _is_duration(value)), value
        for kind, taken in zip(kinds[2:], told[2:], strict=True):
            for name in kind["names"]:
                fault = value_fault(name, value, facts)
                if value not in taken:
                    assert fault is not None, (name, value)
                    assert fault.breaks
                elif kind is kinds[2] and value in WHOLE:
                    assert fault is None or not fault.breaks, (name, value)


def _is_duration(value: str) -> bool:
    try:
        parse_go_duration(cleaned(value))
    except ValueError:
        return False
    return True
