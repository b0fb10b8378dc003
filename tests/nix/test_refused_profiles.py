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


PLANS = [
    ('{"name": "left-pad", "version": "1.0.0"}', "has no `schema_version`"),
    ("[]", "is not JSON; write one"),
    ("", "is not JSON; write one"),
    ('schema_version = 1\nname = "mine"\n', "is no plan, for it is not JSON"),
    (
        edited(lambda p: p.update(schema_version=2)),
        "has schema version 2, and these modules read 1",
    ),
    (edited(lambda p: p.update(schema_version="1")), 'has schema version "1"'),
    (edited(lambda p: p.pop("listen")), "`listen` is missing; write it again with `gen plan`"),
    (edited(lambda p: p["listen"].pop("port")), "`listen.port` is missing"),
    (edited(lambda p: p["listen"].update(port="11434")), "`listen.port` is not a whole number"),
    (edited(lambda p: p.update(models={})), "`models` is not a list"),
    (edited(lambda p: p["environment"][1].update(value=1)), "`environment.1.value` is not text"),
    (
        edited(lambda p: p["environment"][1].update(group="threads", value="all")),
        "`environment.1.value` is no number of threads",
    ),
    (edited(lambda p: p["devices"]["driver"].update(open="no")), "is not true or false"),
    (edited(lambda p: p["devices"].update(wait=[])), "`devices.wait` is not a table"),
    (edited(lambda p: p["service"].update(after=None)), "`service.after` is not a list"),
    (
        edited(lambda p: p["limits"].append({"name": "cpu", "value": 1, "reason": ""})),
        "`limits.0.name` is no limit that these modules know",
    ),
    (
        edited(lambda p: (p.pop("release"), p["listen"].pop("host"))),
        "`listen.host` is missing, `release` is missing",
    ),
    (edited(lambda p: p.update(acceleration="gpu")), "hostwright.acceleration"),
    (
        edited(lambda p: p["service"].update(restart="always\nExecStartPre=/bin/false")),
        "`service.restart` is not always or no or on-abnormal",
    ),
    (
        edited(lambda p: p["service"].update(home="relative % x")),
        "`service.home` is not an absolute path",
    ),
    (edited(lambda p: p["service"].update(binary="ollama")), "`service.binary` is not an absolute"),
    (
        edited(lambda p: p["service"].update(after=["a.service b.service"])),
        "`service.after.0` is not the name of a unit",
    ),
    (
        edited(lambda p: p["service"].update(restart_seconds=-1)),
        "`service.restart_seconds` is not a whole number from 0 on",
    ),
    (
        edited(lambda p: p["devices"].update(allow=["nvidiactl rwm\nUser=root"])),
        "`devices.allow.0` is not a plain name",
    ),
    (edited(lambda p: p["devices"].update(modules=["a b"])), "`devices.modules.0` is not a plain"),
    (edited(lambda p: p["units"][0].update(kind="push")), "`units.0.kind` is not create or pull"),
    (edited(lambda p: p.update(release="newest")), "`release` is not a release like `0.32.15`"),
    (edited(lambda p: p.update(system="x86_64-darwin")), "`system` is not aarch64-linux or x86"),
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
