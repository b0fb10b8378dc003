"""Profiles that are no Plan, and single files of `modules/`: each refused with what to do.

With NIXPKGS_LIB set, the real module system is asked instead of the tests' own.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from tests.consumers import nix, system_manager
from tests.consumers.effective import ConsumerError
from tests.nix.test_modules import MODULES, XEON
from tests.nix.test_refusals import LIB, read, refusal
from tests.plans import shipped


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    data = copy.deepcopy(to_dict(shipped("dual-pascal")))
    change(data)
    return json.dumps(data)


def served(change: Callable[[dict[str, Any]], object]) -> str:
    """Return the plan with a change of its service."""
    return edited(lambda p: change(p["services"][0]))


UNKNOWN = {"name": "cpu", "directive": "", "written": "", "reason": ""}
PLANS = [
    ('{"name": "left-pad", "version": "1.0.0"}', "has no `schema_version`"),
    ("[]", "is not JSON; write one"),
    ("", "is not JSON; write one"),
    ('schema_version = 1\nname = "mine"\n', "is no plan, for it is not JSON"),
    (
        edited(lambda p: p.update(schema_version=1)),
        "has schema version 1, and these modules read 2",
    ),
    (edited(lambda p: p.update(schema_version="1")), 'has schema version "1"'),
    (
        served(lambda p: p.pop("listen")),
        "`services.0.listen` is missing; write it again with `gen plan`",
    ),
    (served(lambda p: p["listen"].pop("port")), "`services.0.listen.port` is missing"),
    (
        served(lambda p: p["listen"].update(port="11434")),
        "`services.0.listen.port` is not a whole number",
    ),
    (served(lambda p: p.update(models={})), "`services.0.models` is not a list"),
    (
        served(lambda p: p["environment"][1].update(value=1)),
        "`services.0.environment.1.value` is not text",
    ),
    (
        served(lambda p: p["environment"][1].update(group="threads", value="all")),
        "`services.0.environment.1.value` is no number of threads",
    ),
    (served(lambda p: p["devices"]["driver"].update(open="no")), "is not true or false"),
    (served(lambda p: p["devices"].update(wait=[])), "`services.0.devices.wait` is not a table"),
    (served(lambda p: p.update(after=None)), "`services.0.after` is not a list"),
    (
        served(lambda p: p["limits"].append(UNKNOWN)),
        "`services.0.limits.0.name` is no limit that these modules know",
    ),
    (
        served(lambda p: (p.pop("release"), p["listen"].pop("host"))),
        "`services.0.listen.host` is missing, `services.0.release` is missing",
    ),
    (served(lambda p: p.update(acceleration="gpu")), "hostwright.acceleration"),
    (
        served(lambda p: p["restart"].update(policy="always\nExecStartPre=/bin/false")),
        "`services.0.restart.policy` is not always or no or on-abnormal",
    ),
    (
        served(lambda p: p.update(home="relative % x")),
        "`services.0.home` is not an absolute path",
    ),
    (served(lambda p: p.update(program="ollama")), "0.program` is not an absolute"),
    (
        served(lambda p: p.update(after=["a.service b.service"])),
        "`services.0.after.0` is not the name of a unit",
    ),
    (
        served(lambda p: p["restart"].update(seconds=-1)),
        "`services.0.restart.seconds` is not a whole number from 0 on",
    ),
    (
        served(lambda p: p["devices"]["access"][0].update(name="DevicePolicy=closed\nUser")),
        "`services.0.devices.access.0.name` is not a plain name",
    ),
    (
        served(lambda p: p["devices"].update(modules=["a b"])),
        "`services.0.devices.modules.0` is not a plain",
    ),
    (
        served(lambda p: p["jobs"][0].update(kind="push")),
        "`services.0.jobs.0.kind` is not create or pull",
    ),
    (
        served(lambda p: p.update(release="newest")),
        "`services.0.release` is not a release like `0.32.15`",
    ),
    (
        edited(lambda p: p["host"].update(system="x86_64-darwin")),
        "`host.system` is not aarch64-linux or x86",
    ),
    (edited(lambda _: None)[:-1], "is no plan, for its end is missing; write it again"),
    (edited(lambda _: None)[:900], "is no plan, for its end is missing; write it again"),
]


@pytest.mark.parametrize(("text", "told"), PLANS)
def test_a_file_that_is_no_plan_is_refused(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {file};")
    assert told in said
    assert "hostwright.profile" in said or told == "hostwright.acceleration"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/none.json;")
    assert f"hostwright.profile: there is no file {tmp_path}/none.json; write it" in said
    assert "add it to git" in said


def test_broken_json_is_refused_in_the_words_of_the_parser(tmp_path: Path) -> None:
    text = edited(lambda _: None).replace(":", "=", 1)
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
    assert "parse error" in said
    assert "infinite recursion" not in said


def test_a_directory_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path};")
    assert f"hostwright.profile: {tmp_path} is a directory; name the file in it" in said


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


PARTS = ["checks", "enable", "nixos-jobs", "nvidia", "options", "plan", "resources", "server"]
WHOLE = (
    "hostwright.enable: what is imported is a part of the modules, and sets up no whole server; "
)


def part(folder: Path, name: str, body: str) -> Path:
    file = folder / "host.nix"
    file.write_text(f"{{ imports = [ {MODULES}/{name}.nix ]; {body} }}", encoding="utf-8")
    return file


@pytest.mark.parametrize("name", PARTS)
def test_a_single_file_says_what_to_import(name: str, tmp_path: Path) -> None:
    profile = "" if name in {"enable", "resources"} else 'hostwright.profile = "xeon-cpu";'
    file = part(tmp_path, name, f"hostwright.enable = true; {profile}")
    with pytest.raises(ConsumerError) as caught:
        nix.read(file, lib=LIB)
    said = str(caught.value)
    assert f"{WHOLE}import the directory `modules` on NixOS" in said


@pytest.mark.parametrize("name", ["default", *PARTS])
def test_what_is_not_enabled_does_nothing(name: str, tmp_path: Path) -> None:
    answer = nix.evaluate(part(tmp_path, name, ""), lib=LIB)
    assert (answer["units"], answer["warnings"]) == ({}, [])


@pytest.mark.parametrize("name", ["checks", "options", "plan", "system-manager-checks"])
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
