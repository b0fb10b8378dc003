"""The flake that `gen fleet` writes, evaluated offline against stand-ins for its inputs."""

import json
import shutil
from pathlib import Path

import pytest

from generator.files.write import write
from generator.fleet.decide import decide_fleet
from generator.fleet.render import render_fleet
from tests.consumers import nix
from tests.nix.flakes import ask, put_inputs, run

FLEET = """\
schema_version = 1

[inputs]
nixpkgs = "path:{folder}/nixpkgs"
deploy_rs = "path:{folder}/deploy-rs"
colmena = "path:{folder}/colmena"

[defaults]
tags = ["lab"]
deploy.ssh_user = "admin"

[hosts.grey-area]
profile = "xeon-cpu"
address = "grey-area.lan"
modules = ["hosts/grey-area.nix"]
overrides.resources.memory_max = "24G"
overrides.ollama.env = {{ NOTE = "50%n ''${{x}}'' \\"$HOME\\" \\\\" }}

[hosts.old_box]
profile = "dual-pascal"
deploy = {{ magic_rollback = true, activation_timeout = 600, ssh_opts = ["-p", "2222"] }}

[hosts.spark]
profile = "dgx-spark"
target = "systemd"
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flake of a fleet, a module of the user's in it, and its inputs beside it."""
    folder = tmp_path_factory.mktemp("fleet")
    put_inputs(folder, "nixpkgs", "deploy-rs", "colmena")
    made = folder / "fleet"
    (made / "hosts").mkdir(parents=True)
    (made / "hosts/grey-area.nix").write_text("{ hostwright.threads = 12; }\n", encoding="utf-8")
    render(folder, FLEET.format(folder=folder), made)
    return made


def render(folder: Path, text: str, into: Path) -> None:
    (folder / "fleet.toml").write_text(text, encoding="utf-8")
    write(render_fleet(decide_fleet(folder / "fleet.toml")), into, force=True)


def test_it_shows_and_checks(fleet: Path) -> None:
    outputs = json.loads(run(fleet, "flake show --json"))
    assert sorted(outputs["nixosConfigurations"]) == ["grey-area", "old_box"]
    for system in ("x86_64-linux", "aarch64-linux"):
        assert sorted(outputs["checks"][system]) == ["deploy-activate", "deploy-schema"]
    run(fleet, "flake check --no-build")


GEN = """\
{
  outputs =
    { self, nixpkgs }:
    {
      packages = builtins.mapAttrs (_: pkgs: {
        gen = pkgs.writeText "gen" "";
      }) nixpkgs.legacyPackages;
    };
}
"""


def test_gen_checks_every_nixos_host_where_it_is_an_input(fleet: Path, tmp_path: Path) -> None:
    checks = "#nixosConfigurations.grey-area.config.system.checks"
    assert ask(fleet, checks, "map (check: check.name)") == []
    (tmp_path / "hostwright").mkdir()
    (tmp_path / "hostwright/flake.nix").write_text(GEN, encoding="utf-8")
    put_inputs(tmp_path, "nixpkgs", "deploy-rs", "colmena")
    added = 'colmena = "path:{folder}/colmena"\nhostwright = "path:{folder}/hostwright"'
    text = FLEET.replace('colmena = "path:{folder}/colmena"', added)
    shutil.copytree(fleet, tmp_path / "fleet")
    render(tmp_path, text.format(folder=tmp_path), tmp_path / "fleet")
    assert ask(tmp_path / "fleet", checks, "map (check: check.name)") == ["hostwright-check"]


def test_deploy_rs_can_read_its_nodes(fleet: Path) -> None:
    deploy = ask(fleet, "#deploy")
    paths = {
        name: {profile: bool(value.pop("path")) for profile, value in node["profiles"].items()}
        for name, node in deploy["nodes"].items()
    }
    assert paths == {
        "grey-area": {"system": True},
        "old_box": {"system": True},
        "spark": {"hostwright": True},
    }
    common = {"sshUser": "admin", "user": "root"}
    assert deploy["nodes"] == {
        "grey-area": {
            **common,
            "hostname": "grey-area.lan",
            "remoteBuild": False,
            "profiles": {"system": {}},
        },
        "old_box": {
            **common,
            "hostname": "old_box",
            "activationTimeout": 600,
            "magicRollback": True,
            "remoteBuild": False,
            "sshOpts": ["-p", "2222"],
            "profiles": {"system": {}},
        },
        "spark": {
            **common,
            "hostname": "spark",
            "remoteBuild": True,
            "profiles": {"hostwright": {}},
        },
    }


def test_a_host_has_its_overrides_and_modules(fleet: Path) -> None:
    host = ask(
        fleet,
        "#nixosConfigurations.grey-area.config",
        'c: { text = c.systemd.units."ollama.service".text; name = c.networking.hostName; '
        "threads = c.services.ollama.environmentVariables.LLAMA_ARG_THREADS; "
        "note = c.services.ollama.environmentVariables.NOTE; }",
    )
    assert "MemoryMax=24G" in host["text"]
    assert "CPUQuota=2000%" in host["text"]
    assert (host["name"], host["threads"]) == ("grey-area", "12")
    assert host["note"] == "50%%n ''${x}'' \"$HOME\" \\"


def test_another_system_gets_a_bundle_and_its_script(fleet: Path) -> None:
    path = "#deploy.nodes.spark.profiles.hostwright.path"
    made = ask(
        fleet,
        path,
        "d: { inherit (d) system script dryActivate; inherit (d.base) name names; }",
    )
    assert (made["system"], made["name"]) == ("aarch64-linux", "hostwright-spark")
    assert (made["script"], made["dryActivate"]) == ("./apply.sh", "./apply.sh --dry-run")
    assert "apply.sh" in made["names"]
    assert "etc/systemd/system/ollama.service.d/40-ollama.conf" in made["names"]
    asked = "map (f: { inherit (f) text executable; })"
    stored = ask(fleet, f"{path}.base.files", f"files: {asked} files")
    document = json.loads((fleet / "hostwright/hosts/systemd/spark.json").read_text())
    own = ["\n".join(file["lines"]) for file in document["files"]]
    scripts = [
        (fleet / f"hostwright/bundle/{name}").read_text() for name in ("apply.sh", "remove.sh")
    ]
    assert stored == [
        *({"text": text, "executable": False} for text in own),
        *({"text": text, "executable": True} for text in scripts),
    ]


def test_colmena_has_the_nixos_hosts(fleet: Path) -> None:
    hive = ask(
        fleet,
        "#colmenaHive",
        "h: builtins.mapAttrs (_: n: n.config.deployment // { "
        'text = n.config.systemd.units."ollama.service".text; }) h.nodes',
    )
    assert sorted(hive) == ["grey-area", "old_box"]
    grey = hive["grey-area"]
    assert (grey["targetHost"], grey["targetUser"], grey["tags"]) == (
        "grey-area.lan",
        "admin",
        ["lab"],
    )
    assert hive["old_box"]["sshOptions"] == ["-p", "2222"]
    same = 'c: c.systemd.units."ollama.service".text'
    assert grey["text"] == ask(fleet, "#nixosConfigurations.grey-area.config", same)


def test_a_host_is_evaluated_without_reading_the_others(fleet: Path, tmp_path: Path) -> None:
    broken = tmp_path / "fleet"
    shutil.copytree(fleet, broken)
    (broken / "hostwright/hosts/nixos/old_box.json").write_text("{", encoding="utf-8")
    for name in ("nixpkgs", "deploy-rs", "colmena"):
        shutil.copytree(fleet.parent / name, tmp_path / name)
    assert ask(broken, "#nixosConfigurations.grey-area.config.networking.hostName") == "grey-area"
    with pytest.raises(AssertionError, match="parse error"):
        ask(broken, "#nixosConfigurations.old_box.config.networking.hostName")


def test_a_file_of_no_host_is_none(fleet: Path, tmp_path: Path) -> None:
    stale = tmp_path / "fleet"
    shutil.copytree(fleet, stale)
    for name in ("nixpkgs", "deploy-rs", "colmena"):
        shutil.copytree(fleet.parent / name, tmp_path / name)
    hosts = stale / "hostwright/hosts/systemd"
    shutil.copy(hosts / "spark.json", hosts / "stale.json")
    assert ask(stale, "#deploy.nodes", "builtins.attrNames") == ["grey-area", "old_box", "spark"]


def test_its_nix_is_small_and_parses(fleet: Path) -> None:
    for path in sorted(fleet.rglob("*.nix")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120, path
        nix.parse(path)
