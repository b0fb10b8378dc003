"""What a host of a fleet gets: of all hosts, of its groups, its own, and of a report."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generator.cli import gen
from generator.errors import HostwrightError, ProfileError
from generator.fleet.decide import Node, decide_fleet, findings_of
from generator.fleet.render import render_fleet
from tests.detect.test_facter import REPORT
from tests.plans import shipped

FLEET = """\
schema_version = 1

[inputs]
newer = "github:NixOS/nixpkgs/nixos-unstable"
deploy_rs = "github:me/deploy-rs"
disko = { url = "github:nix-community/disko", follows = ["nixpkgs"], modules = ["disko"] }

[defaults]
profile = "xeon-cpu"
tags = ["lab"]
modules = ["common.nix"]
deploy = { ssh_user = "root", activation_timeout = 300 }
overrides.ollama.keep_alive = "1h"
overrides.ollama.num_parallel = 2

[groups.lab]
modules = ["lab.nix"]
health_gate = false

[groups.big]
nixpkgs = "newer"
deploy.activation_timeout = 900
overrides.ollama.keep_alive = "2h"
profiles.home = { file = "home.nix", user = "me" }

[hosts.a]

[hosts.b]
tags = ["big"]
modules = ["b.nix", "common.nix"]
health_gate = true
profiles_order = ["home", "system"]
profiles.home.user = "you"
overrides.ollama.num_parallel = 4

[hosts.c]
profile = "dgx-spark"
target = "systemd"
tags = ["big"]
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Node]:
    return decided(tmp_path_factory.mktemp("fleet"), FLEET)


def decided(folder: Path, text: str, *only: str) -> dict[str, Node]:
    (folder / "fleet.toml").write_text(text, encoding="utf-8")
    return {node.name: node for node in decide_fleet(folder / "fleet.toml", only=only).nodes}


def variables(node: Node) -> dict[str, str]:
    return {setting.name: setting.value for setting in node.plan.service.environment}


def test_the_host_comes_before_its_group_and_that_before_all(nodes: dict[str, Node]) -> None:
    told = {
        name: (
            variables(node)["OLLAMA_KEEP_ALIVE"],
            variables(node)["OLLAMA_NUM_PARALLEL"],
            node.deploy["activationTimeout"],
        )
        for name, node in nodes.items()
    }
    assert told == {"a": ("1h", "2", 300), "b": ("2h", "4", 900), "c": ("2h", "2", 900)}
    assert {node.deploy["sshUser"] for node in nodes.values()} == {"root"}


def test_modules_add_up_each_once_and_are_for_nixos(nodes: dict[str, Node]) -> None:
    assert nodes["a"].modules == ("disko#disko", "common.nix", "lab.nix")
    assert nodes["b"].modules == ("disko#disko", "common.nix", "lab.nix", "b.nix")
    assert nodes["c"].modules == ()


def test_the_gate_is_there_unless_somebody_says_no(nodes: dict[str, Node]) -> None:
    assert {name: node.gated for name, node in nodes.items()} == {"a": False, "b": True, "c": False}


def test_the_nixpkgs_of_a_host_says_its_release(nodes: dict[str, Node]) -> None:
    assert {name: node.nixpkgs for name, node in nodes.items()} == {
        "a": "nixpkgs",
        "b": "newer",
        "c": "newer",
    }
    packaged, newest = shipped("xeon-cpu", version="0.32.3"), shipped("xeon-cpu")
    assert nodes["a"].plan.service.release == packaged.service.release
    assert nodes["b"].plan.service.release == newest.service.release


def test_further_profiles_of_deploy_rs(nodes: dict[str, Node]) -> None:
    assert nodes["b"].profiles == {"home": ("home.nix", {"user": "you"})}
    assert nodes["c"].profiles == {"home": ("home.nix", {"user": "me"})}
    assert [node.order for node in nodes.values()] == [(), ("home", "system"), ()]


def test_the_inputs_of_the_flake(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(FLEET, encoding="utf-8")
    (flake, *_) = render_fleet(decide_fleet(tmp_path / "fleet.toml"))
    assert '    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";\n' in flake.text
    for name, url in (
        ("deploy-rs", "github:me/deploy-rs"),
        ("disko", "github:nix-community/disko"),
    ):
        assert (
            f'    {name} = {{\n      url = "{url}";\n'
            '      inputs.nixpkgs.follows = "nixpkgs";\n    };\n'
        ) in flake.text


@pytest.mark.parametrize(
    ("only", "names"), [(["big"], "bc"), (["@big"], "bc"), (["a"], "a"), (["a", "big"], "abc")]
)
def test_only_some_hosts(only: list[str], names: str, tmp_path: Path) -> None:
    assert "".join(decided(tmp_path, FLEET, *only)) == names


def test_a_tag_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError, match="no host is called `bigg`") as caught:
        decided(tmp_path, FLEET, "bigg")
    assert caught.value.hint == "did you mean `big`?"


def test_the_flake_of_a_directory_loses_no_host_by_only(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(FLEET, encoding="utf-8")

    def run(*arguments: str) -> Any:
        command = ["fleet", str(tmp_path / "fleet.toml"), "-o", str(tmp_path / "out")]
        return CliRunner().invoke(gen, [*command, *arguments])

    assert run("--only", "big").exit_code == 0
    assert run().exit_code == 0
    refused = run("--only", "big")
    assert "would lose a" in str(refused.exception)
    assert run("--only", "big", "--force").exit_code == 0
    hosts = json.loads((tmp_path / "out/hostwright/fleet.json").read_text())["hosts"]
    assert list(hosts["nixos"]) == ["b"]


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    text = """\
outputs = "../x.nix"
[inputs]
let = "github:a/b"
[groups.gpx]
[rollout]
canary = ["zz"]
[hosts.a]
profile = "xeon-cpu"
address = "x y"
overrides.threads.count = 0
[hosts.b]
profile = 7
tags = ["gpu"]
[hosts.c]
profile = "xeon"
nonsense = 1
"""
    with pytest.raises(ProfileError) as caught:
        decided(tmp_path, text)
    assert sorted(problem.where for problem in caught.value.problems) == [
        "groups.gpx",
        "hosts.a.address",
        "hosts.a.overrides.threads.count",
        "hosts.b.profile",
        "hosts.c.nonsense",
        "hosts.c.profile",
        "inputs.let",
        "outputs",
        "rollout.canary.0",
        "schema_version",
    ]
    told = CliRunner().invoke(gen, ["fleet", str(tmp_path / "fleet.toml")])
    assert isinstance(told.exception, ProfileError)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (
            """
[rollout]
canary = ['zz', '@']
waves = [['yy'], ['@ x']]
[hosts.a]
profile = 'xeon-cpu'
""",
            {"rollout.canary.0", "rollout.canary.1", "rollout.waves.0.0", "rollout.waves.1.0"},
        ),
        (
            "[rollout]\ncanary = ['zz', 'a']\n[hosts.a]\nprofile = 7",
            {"rollout.canary.0", "hosts.a.profile"},
        ),
        ("hosts = 3\n[rollout]\ncanary = ['zz']", {"rollout.canary.0", "hosts"}),
    ],
)
def test_what_has_no_form_hides_nothing_beside_it(
    text: str, places: set[str], tmp_path: Path
) -> None:
    with pytest.raises(ProfileError) as caught:
        decided(tmp_path, f"schema_version = 1\n{text}")
    assert {problem.where for problem in caught.value.problems} == places


def test_a_host_with_a_fault_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text("schema_version = 1\n[hosts.a]\nprofile = 7\n")
    with pytest.raises(ProfileError) as caught:
        decide_fleet(tmp_path / "fleet.toml", only=["a"])
    assert [problem.where for problem in caught.value.problems] == ["hosts.a.profile"]


def test_names_of_hosts_differ_in_more_than_capitals(tmp_path: Path) -> None:
    text = "schema_version = 1\ndefaults.profile = 'xeon-cpu'\n"
    text += "[hosts.a]\n[hosts.A]\n[hosts.b]\nx = 1\n"
    with pytest.raises(ProfileError) as caught:
        decided(tmp_path, f"{text}[hosts.B]\n")
    wrong = {problem.where: problem.message for problem in caught.value.problems}
    assert wrong.keys() == {"hosts.a", "hosts.b", "hosts.b.x"}
    assert (
        wrong["hosts.a"] == "only capitals tell it from `A`, which is one name to DNS and to disks"
    )


def with_report(folder: Path, report: object, more: str = "") -> dict[str, Node]:
    (folder / "hosts").mkdir(exist_ok=True)
    (folder / "hosts/a.json").write_text(json.dumps(report), encoding="utf-8")
    host = '[hosts.a]\nreport = "hosts/a.json"\n'
    return decided(folder, f"schema_version = 1\n{host}{more}")


def test_a_report_is_a_profile(tmp_path: Path) -> None:
    found = with_report(tmp_path, REPORT, 'overrides.ollama.keep_alive = "3h"\n')["a"]
    host, service = found.plan.host, found.plan.service
    assert (host.cores, [gpu.name for gpu in host.gpus]) == (16, ["NVIDIA Quadro P4000"])
    assert (service.acceleration, service.release) == ("cuda", "0.32.3")
    assert variables(found)["OLLAMA_KEEP_ALIVE"] == "3h"
    assert found.plan.header[0].startswith(
        "Generated by Hostwright from hosts/a.json and fleet.toml."
    )
    (tmp_path / "fleet.toml").write_text(FLEET + '[hosts.d]\nreport = "hosts/a.json"\n')
    nodes = {node.name: node for node in decide_fleet(tmp_path / "fleet.toml").nodes}
    # That of the host comes before the profile of all.
    assert nodes["d"].plan.host.gpus == host.gpus


@pytest.mark.parametrize(
    ("report", "more", "where", "message"),
    [
        ({}, "", "hosts.a.report", "is no report of nixos-facter"),
        (REPORT, 'profile = "xeon-cpu"\n', "hosts.a.report", "is what its `report` tells"),
        (REPORT, "overrides.threads.count = 0\n", "hosts.a.overrides.threads.count", "`0`"),
        (REPORT, 'ollama_version = "nine"\n', "hosts.a.ollama_version", "is not a release"),
    ],
)
def test_a_report_that_is_none(
    report: object, more: str, where: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ProfileError) as caught:
        with_report(tmp_path, report, more)
    ((place, said),) = [(problem.where, problem.message) for problem in caught.value.problems]
    assert (place, message in said) == (where, True), said


UNKNOWN = {"vendor": {"hex": "1002"}, "device": {"hex": "ffff", "name": "Some new card"}}


def test_what_a_report_leaves_open_is_told(tmp_path: Path) -> None:
    report = {**REPORT, "hardware": {**REPORT["hardware"], "graphics_card": [UNKNOWN]}}
    told = {}
    for name, given in (("open", report), ("whole", REPORT)):
        (tmp_path / name).mkdir()
        with_report(tmp_path / name, given)
        told[name] = findings(tmp_path / name, "HW642")
    assert told["whole"] == []
    ((where, message),) = told["open"]
    assert where == "a: hardware.graphics_card"
    assert "its id is not known here" in message


@pytest.mark.parametrize(
    ("host", "hurried"),
    [
        ('profile = "xeon-cpu"\ndeploy.activation_timeout = 60', True),
        ('profile = "xeon-cpu"\ndeploy.activation_timeout = 61', False),
        ('profile = "dual-pascal"\ndeploy.activation_timeout = 90', True),
        ('profile = "xeon-cpu"\ndeploy.activation_timeout = 30\nhealth_gate = false', False),
        ('profile = "dgx-spark"\ntarget = "systemd"\ndeploy.activation_timeout = 30', True),
        ('profile = "xeon-cpu"', False),
    ],
)
def test_an_activation_has_to_last_as_long_as_the_gate(
    host: str, hurried: bool, tmp_path: Path
) -> None:
    (tmp_path / "fleet.toml").write_text(f"schema_version = 1\n[hosts.a]\n{host}\n")
    told = findings(tmp_path, "HW643")
    assert [where for where, _ in told] == ["a: deploy.activation_timeout"] * hurried


def findings(folder: Path, rule: str) -> list[tuple[str, str]]:
    fleet = decide_fleet(folder / "fleet.toml")
    return [(f.where, f.message) for f in findings_of(fleet) if f.rule == rule]
