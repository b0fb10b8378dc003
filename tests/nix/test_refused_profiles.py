"""Profiles that are no Plan, and single files of `modules/`: each refused with what to do.

With NIXPKGS_LIB set, the real module system is asked instead of the tests' own.
"""

import json
from pathlib import Path

import pytest

from generator.codec import to_dict
from tests.consumers import nix, system_manager
from tests.consumers.effective import ConsumerError
from tests.nix.test_modules import MODULES, XEON
from tests.nix.test_refusals import LIB, read, refusal
from tests.plans import shipped


def edited(**changes: object) -> str:
    return json.dumps(to_dict(shipped("dual-pascal")) | changes)


PLANS = [
    ('{"name": "left-pad", "version": "1.0.0"}', "has no `schema_version`; write one with `gen"),
    ("[]", "is not JSON; write one"),
    ("", "is not JSON; write one"),
    ('schema_version = 1\nname = "mine"\n', "is no plan, for it is not JSON"),
    (edited(schema_version=1), "is of schema version 1, and these modules read 2; write it again"),
    (edited(schema_version="1"), 'is of schema version "1"'),
]


@pytest.mark.parametrize(("text", "told"), PLANS)
def test_a_file_that_is_no_plan_is_refused(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {file};")
    assert told in said
    assert "hostwright.profile" in said


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/none.json;")
    assert f"hostwright.profile: there is no file {tmp_path}/none.json; write one" in said
    assert "add it to git" in said


@pytest.mark.parametrize("length", [-1, 900])
def test_broken_json_is_refused_in_the_words_of_the_parser(length: int, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(edited()[:length], encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
    assert "parse error" in said
    assert "infinite recursion" not in said


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path, f"  hostwright.profile = {tmp_path};")


def test_without_a_profile_it_says_which_option_is_missing(tmp_path: Path) -> None:
    assert "hostwright.profile" in refusal(tmp_path, "")


def test_a_plan_may_be_given_as_data(tmp_path: Path) -> None:
    plan = MODULES / "plans" / "dual-pascal.json"
    given = read(tmp_path, f"  hostwright.profile = lib.importJSON {plan};").extra["nix"]
    named = read(tmp_path, '  hostwright.profile = "dual-pascal";').extra["nix"]
    assert given["units"] == named["units"]
    assert given["nvidia"] == named["nvidia"]


def test_data_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    assert "hostwright.profile: this is no plan" in refusal(tmp_path, "  hostwright.profile = { };")


# ── a part of the modules ─────────────────────────────────────────────────────────────────────


PARTS = ["enable", "nixos-jobs", "nvidia", "options", "plan", "server"]
WHOLE = (
    "hostwright.enable: what is imported is a part of the modules, and sets up no whole server; "
)


def part(folder: Path, name: str, body: str) -> Path:
    file = folder / "host.nix"
    file.write_text(f"{{ imports = [ {MODULES}/{name}.nix ]; {body} }}", encoding="utf-8")
    return file


@pytest.mark.parametrize("name", PARTS)
def test_a_single_file_says_what_to_import(name: str, tmp_path: Path) -> None:
    profile = "" if name == "enable" else 'hostwright.profile = "xeon-cpu";'
    file = part(tmp_path, name, f"hostwright.enable = true; {profile}")
    with pytest.raises(ConsumerError) as caught:
        nix.read(file, lib=LIB)
    said = str(caught.value)
    assert f"{WHOLE}import the directory `modules` on NixOS" in said


@pytest.mark.parametrize("name", ["default", *PARTS])
def test_what_is_not_enabled_does_nothing(name: str, tmp_path: Path) -> None:
    answer = nix.evaluate(part(tmp_path, name, ""), lib=LIB)
    assert (answer["units"], answer["warnings"]) == ({}, [])


@pytest.mark.parametrize("name", ["options", "plan"])
def test_so_it_does_for_system_manager(name: str, tmp_path: Path) -> None:
    file = part(tmp_path, name, 'hostwright = { enable = true; profile = "dgx-spark"; };')
    with pytest.raises(ConsumerError) as caught:
        system_manager.evaluate(file, lib=LIB)
    assert f"{WHOLE}import" in str(caught.value)
    assert "`modules/system-manager.nix` for system-manager" in str(caught.value)


def test_the_directory_works_without_a_flake(tmp_path: Path) -> None:
    file = tmp_path / "host.nix"
    file.write_text(
        f"{{ imports = [ {MODULES} {MODULES}/server.nix ]; "
        'hostwright = { enable = true; profile = "xeon-cpu"; }; }'
    )
    assert nix.read(file, lib=LIB).environment == read(tmp_path, XEON).environment
