"""The flake that `gen fleet` writes, evaluated offline against stand-ins for its inputs."""

import json
import shutil
from pathlib import Path

import pytest

from generator.files.write import write
from generator.fleet.decide import decide_fleet
from generator.fleet.render import file_of, render_fleet
from generator.targets import all_files
from tests.consumers import nix
from tests.nix.flakes import ask, put_inputs, run

FLEET = """\
schema_version = 1
outputs = "outputs.nix"

[nix_config]
extra-substituters = ["https://cache.example.org"]

[inputs]
nixpkgs = "path:{folder}/nixpkgs"
newer = "path:{folder}/newer"
deploy-rs = "path:{folder}/deploy-rs"
colmena = "path:{folder}/colmena"
nixos-hardware = "path:{folder}/nixos-hardware"
notes = {{ url = "path:{folder}/notes", flake = false }}

[inputs.sops-nix]
url = "path:{folder}/sops-nix"
follows = "nixpkgs"
modules = ["sops"]

[inputs.disko]
url = "path:{folder}/disko"
follows = {{ nixpkgs = "nixpkgs" }}

[defaults]
tags = ["lab"]
modules = ["common.nix"]
deploy.ssh_user = "admin"

[groups.pascal]
modules = ["nixos-hardware#common-gpu-nvidia-pascal"]
nixpkgs = "newer"
deploy.activation_timeout = 600
overrides.ollama.keep_alive = "7m"

[rollout]
canary = ["grey-area"]
waves = [["@pascal"]]
parallel = 2

[hosts.grey-area]
profile = "xeon-cpu"
address = "grey-area.lan"
modules = ["hosts/grey-area.nix", "disko#disko"]
health_gate = false
overrides.resources.memory_max = "24G"
overrides.ollama.env = {{ NOTE = "50%n ''${{x}}'' \\"$HOME\\" \\\\" }}

[hosts.old_box]
profile = "dual-pascal"
tags = ["pascal"]
deploy = {{ magic_rollback = true, ssh_opts = ["-p", "2222"] }}
profiles_order = ["system", "home"]
profiles.system.confirm_timeout = 60
profiles.home = {{ file = "deploy/home.nix", user = "me", profile_path = "/home/me/.profile" }}

[hosts.spark]
profile = "dgx-spark"
target = "systemd"

[hosts.spark2]
profile = "dgx-spark"
target = "systemd"
overrides.ollama.keep_alive = "9m"
"""
# What a user has beside the fleet file, and inputs as those of sops-nix, disko and nixos-hardware
# are: modules with options, which take `inputs`.
FILES = {
    "common.nix": '{ inputs, ... }: { sops.note = builtins.readFile (inputs.notes + "/note"); }\n',
    "hosts/grey-area.nix": '{ hostwright.threads.count = 12; disko.device = "/dev/nvme0n1"; }\n',
    "deploy/home.nix": (
        '{ activate, pkgs, name, ... }: activate.custom (pkgs.writeText name "") "./activate"\n'
    ),
    "outputs.nix": (
        "{ self, nixpkgs, ... }: { hosts = nixpkgs.lib.attrNames self.nixosConfigurations; }\n"
    ),
}
MODULE = """\
{{
  {inputs}outputs = _: {{
    nixosModules.{name} = {{ lib, ... }}: {{
      options.{option} = lib.mkOption {{ type = lib.types.str; default = ""; }};
      config = {{ {config} }};
    }};
  }};
}}
"""
PATHS = 'inputs.nixpkgs.url = "path:../nowhere";\n  '
FLAKES = {
    "sops-nix": MODULE.format(inputs=PATHS, name="sops", option="sops.note", config=""),
    "disko": MODULE.format(inputs=PATHS, name="disko", option="disko.device", config=""),
    "nixos-hardware": MODULE.format(
        inputs="",
        name="common-gpu-nvidia-pascal",
        option="hardware.note",
        config='hardware.note = "pascal";',
    ),
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flake of a fleet, a module of the user's in it, and its inputs beside it."""
    folder = tmp_path_factory.mktemp("fleet")
    put_all(folder)
    made = folder / "fleet"
    for name, text in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text, encoding="utf-8")
    render(folder, FLEET.format(folder=folder), made)
    return made


def put_all(folder: Path) -> None:
    put_inputs(folder, "nixpkgs", "deploy-rs", "colmena")
    shutil.copytree(folder / "nixpkgs", folder / "newer")
    (folder / "notes").mkdir()
    (folder / "notes/note").write_text("by the input", encoding="utf-8")
    for name, text in FLAKES.items():
        (folder / name).mkdir()
        (folder / name / "flake.nix").write_text(text, encoding="utf-8")


def render(folder: Path, text: str, into: Path) -> None:
    (folder / "fleet.toml").write_text(text, encoding="utf-8")
    write(render_fleet(decide_fleet(folder / "fleet.toml")), into, force=True)


def test_it_shows_and_checks(fleet: Path) -> None:
    outputs = json.loads(run(fleet, "flake show --json"))
    assert sorted(outputs["nixosConfigurations"]) == ["grey-area", "old_box"]
    for system in ("x86_64-linux", "aarch64-linux"):
        assert sorted(outputs["checks"][system]) == ["deploy-activate", "deploy-schema"]
        assert outputs["apps"][system]["deploy-waves"]["type"] == "app"
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


def copied(fleet: Path, folder: Path) -> Path:
    """Return a copy of the flake to change, with its inputs beside it."""
    put_all(folder)
    shutil.copytree(fleet, folder / "fleet")
    render(folder, FLEET.format(folder=folder), folder / "fleet")
    return folder / "fleet"


def test_gen_checks_every_nixos_host_where_it_is_an_input(fleet: Path, tmp_path: Path) -> None:
    checks = "#nixosConfigurations.grey-area.config.system.checks"
    assert ask(fleet, checks, "map (check: check.name)") == []
    made = copied(fleet, tmp_path)
    (tmp_path / "hostwright").mkdir()
    (tmp_path / "hostwright/flake.nix").write_text(GEN, encoding="utf-8")
    added = '[inputs]\nhostwright = "path:{folder}/hostwright"\n'
    render(tmp_path, FLEET.replace("[inputs]\n", added).format(folder=tmp_path), made)
    assert ask(made, checks, "map (check: check.name)") == ["hostwright-check"]


def test_deploy_rs_can_read_its_nodes(fleet: Path) -> None:
    deploy = ask(fleet, "#deploy")
    paths = [
        f"{name}.{profile}"
        for name, node in deploy["nodes"].items()
        for profile, value in node["profiles"].items()
        if value.pop("path").startswith("/nix/store/")
    ]
    assert paths == [
        *("grey-area.system", "old_box.home", "old_box.system", "spark.hostwright"),
        "spark2.hostwright",
    ]
    common = {"sshUser": "admin", "user": "root"}
    bundle = {**common, "remoteBuild": True, "profiles": {"hostwright": {}}}
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
            "profilesOrder": ["system", "home"],
            "profiles": {
                "home": {"user": "me", "profilePath": "/home/me/.profile"},
                "system": {"confirmTimeout": 60},
            },
        },
        "spark": {**bundle, "hostname": "spark"},
        "spark2": {**bundle, "hostname": "spark2"},
    }


def test_a_host_has_its_overrides_its_modules_and_the_gate(fleet: Path) -> None:
    told = ask(
        fleet,
        "#nixosConfigurations",
        "builtins.mapAttrs (_: h: let c = h.config; in { "
        'text = c.systemd.units."ollama.service".text; name = c.networking.hostName; '
        "variables = c.services.ollama.environmentVariables; "
        "sops = c.sops.note; disko = c.disko.device or null; "
        "hardware = c.hardware.note or null; })",
    )
    grey, old = told["grey-area"], told["old_box"]
    assert "MemoryMax=24G" in grey["text"]
    assert "CPUQuota=2000%" in grey["text"]
    variables = grey["variables"]
    assert (grey["name"], variables["LLAMA_ARG_THREADS"]) == ("grey-area", "12")
    assert variables["NOTE"] == "50%%n ''${x}'' \"$HOME\" \\"
    assert (grey["sops"], grey["disko"], grey["hardware"]) == ("by the input", "/dev/nvme0n1", None)
    assert (old["sops"], old["disko"], old["hardware"]) == ("by the input", None, "pascal")
    assert old["variables"]["OLLAMA_KEEP_ALIVE"] == "7m"
    assert ["ExecStartPost=" in host["text"] for host in (grey, old)] == [False, True]


def test_a_host_takes_the_nixpkgs_that_it_names(fleet: Path, tmp_path: Path) -> None:
    made = copied(fleet, tmp_path)
    flake = tmp_path / "newer/flake.nix"
    text = flake.read_text(encoding="utf-8")
    flake.write_text(text.replace('"nixos-system"', '"newer-system"'), encoding="utf-8")
    name = "h: h.config.system.build.toplevel.name"
    told = ask(made, "#nixosConfigurations", f"builtins.mapAttrs (_: {name})")
    assert told == {"grey-area": "nixos-system", "old_box": "newer-system"}


def test_a_module_that_an_input_has_not_is_told_with_those_it_has(
    fleet: Path, tmp_path: Path
) -> None:
    made = copied(fleet, tmp_path)
    text = FLEET.format(folder=tmp_path).replace('"disko#disko"', '"disko#default"')
    render(tmp_path, text, made)
    host = "#nixosConfigurations.grey-area.config.networking.hostName"
    with pytest.raises(AssertionError, match="input disko has no module default; it has disko"):
        ask(made, host)


def test_the_users_own_outputs_are_there(fleet: Path) -> None:
    assert ask(fleet, "#hosts") == ["grey-area", "old_box"]


@pytest.mark.parametrize("name", ["spark", "spark2"])
def test_another_system_gets_a_bundle_and_its_script(name: str, fleet: Path) -> None:
    made = ask(
        fleet,
        f"#deploy.nodes.{name}.profiles.hostwright.path",
        "d: { inherit (d) system script dryActivate; inherit (d.base) name names; "
        "files = map (f: { inherit (f) text executable; }) d.base.files; }",
    )
    assert (made["system"], made["name"]) == ("aarch64-linux", f"hostwright-{name}")
    activation = ("./apply.sh || [ $? = 4 ]", "./apply.sh --dry-run")
    assert (made["script"], made["dryActivate"]) == activation
    (node,) = [n for n in decide_fleet(fleet.parent / "fleet.toml").nodes if n.name == name]
    own = [file for file in all_files(node.target, node.plan) if not file.static]
    scripts = ("apply.sh", "remove.sh", "verify.py", "verify.sh")
    assert made["names"] == [*(file.path for file in own), *scripts]
    assert made["files"] == [
        *({"text": file.text, "executable": False} for file in own),
        *(
            {"text": (fleet / "hostwright/bundle" / script).read_text(), "executable": True}
            for script in scripts
        ),
    ]


def test_colmena_has_the_nixos_hosts(fleet: Path) -> None:
    text = 'c.systemd.units."ollama.service".text'
    hive = ask(
        fleet,
        "#colmenaHive",
        f"h: builtins.mapAttrs (_: n: let c = n.config; in c.deployment // {{ text = {text}; }}) "
        "h.nodes",
    )
    assert sorted(hive) == ["grey-area", "old_box"]
    grey = hive["grey-area"]
    assert (grey["targetHost"], grey["targetUser"], grey["tags"]) == (
        "grey-area.lan",
        "admin",
        ["lab"],
    )
    assert hive["old_box"]["sshOptions"] == ["-p", "2222"]
    same = ask(fleet, "#nixosConfigurations.grey-area.config", f"c: {text}")
    assert grey["text"] == same


def test_a_host_is_evaluated_without_reading_the_others(fleet: Path, tmp_path: Path) -> None:
    broken = copied(fleet, tmp_path)
    # It has the profile to itself.
    (profile,) = (broken / "hostwright/profiles/nixos").glob("dual-pascal-*.json")
    profile.write_text("{", encoding="utf-8")
    assert ask(broken, "#nixosConfigurations.grey-area.config.networking.hostName") == "grey-area"
    with pytest.raises(AssertionError, match="parse error"):
        ask(broken, "#nixosConfigurations.old_box.config.hostwright.plan.name")


def test_hosts_are_found_in_many_files_too(fleet: Path, tmp_path: Path) -> None:
    more = "".join(
        f'[hosts.h{n}]\nprofile = "xeon-cpu"\naddress = "10.0.0.{n}"\n' for n in range(120)
    )
    made = copied(fleet, tmp_path)
    render(tmp_path, FLEET.format(folder=tmp_path) + more, made)
    files = {path.stem for path in (made / "hostwright/hosts").iterdir()}
    assert files == set("0123456789abcdef")
    names = 'n: { inherit (n.h0) hostname; b = n.h119.hostname; c = n."grey-area".hostname; }'
    told = ask(made, "#deploy.nodes", names)
    assert told == {"hostname": "10.0.0.0", "b": "10.0.0.119", "c": "grey-area.lan"}
    # A host in another file is not read.
    other = next(f for f in files if f != file_of("h0", 1))
    (made / f"hostwright/hosts/{other}.json").write_text("{", encoding="utf-8")
    assert ask(made, "#deploy.nodes.h0.hostname") == "10.0.0.0"


def test_a_file_of_no_host_is_none(fleet: Path, tmp_path: Path) -> None:
    stale = copied(fleet, tmp_path)
    hosts = stale / "hostwright/hosts/all.json"
    hosts.write_text(hosts.read_text().replace("{\n", '{\n"stale": {},\n', 1), encoding="utf-8")
    nodes = ["grey-area", "old_box", "spark", "spark2"]
    assert ask(stale, "#deploy.nodes", "builtins.attrNames") == nodes


def test_its_nix_is_small_and_parses(fleet: Path) -> None:
    for path in sorted([fleet / "flake.nix", *(fleet / "hostwright").glob("*.nix")]):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, path
        nix.parse(path)
