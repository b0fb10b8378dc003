"""`gen fleet`: a fleet file becomes a flake, or all that is wrong with it is told at once."""

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generator.catalogue.catalogue import load_catalogue
from generator.cli import gen
from generator.codec import to_dict
from generator.errors import HostwrightError, ProfileError, WriteRefused
from generator.fleet import plans
from generator.fleet.decide import Decided, Node, decide_fleet
from generator.fleet.render import digits_of, file_of, render_fleet
from generator.fleet.schema import NIXPKGS
from generator.pipeline import decide
from generator.plan import Plan
from generator.profiles.document import Document
from generator.profiles.json_schema import FLEET, json_schema
from generator.targets import IN_FLEETS, TARGETS, all_files
from tests.commands import ROOT
from tests.plans import plan as make
from tests.plans import shipped

NEWEST = str(load_catalogue().newest)
PACKAGED = "0.32.3"  # by NixOS 26.05
FLEET_FILE = """\
schema_version = 1

[defaults]
tags = ["lab"]
modules = ["common.nix"]
deploy = { ssh_user = "root", magic_rollback = false }

[hosts.grey-area]
profile = "xeon-cpu"
address = "grey-area.lan"
tags = ["cpu"]
modules = ["hosts/grey-area.nix"]
overrides.resources.memory_max = "24G"

[hosts.old_box]
profile = "dual-pascal"
deploy = { magic_rollback = true, activation_timeout = 600, ssh_opts = ["-p", "2222"] }

[hosts.spark]
profile = "dgx-spark"
target = "systemd"
ollama_version = "0.24"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    return path


def decided(folder: Path, text: str = FLEET_FILE) -> Decided:
    return decide_fleet(write(folder, text))


def node(fleet: Decided, name: str) -> Node:
    return next(node for node in fleet.nodes if node.name == name)


def files(fleet: Decided) -> dict[str, str]:
    return {file.path: file.text for file in render_fleet(fleet)}


def document(made: dict[str, str]) -> Any:
    return json.loads(made["hostwright/hosts/all.json"])


def content(made: dict[str, str], of: Node) -> Any:
    """What Nix makes of a host: its profile, patched."""
    host = document(made)[of.name]
    profile = json.loads(made[f"hostwright/profiles/{of.target}/{host['profile']}.json"])
    return patched(profile, host.get("change", {}))


def patched(old: Any, change: Any) -> Any:
    """What `hosts.nix` makes of a document and what another differs from it in."""
    if isinstance(change, list):
        return change[0]
    if isinstance(old, list):
        return [patched(item, change.get(str(at), {})) for at, item in enumerate(old)]
    if isinstance(old, dict):
        return {key: patched(item, change.get(key, {})) for key, item in old.items()}
    return old


def problems(folder: Path, text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(ProfileError) as caught:
        decided(folder, "schema_version = 1\n" + text)
    return [(p.where, p.message, p.hint) for p in caught.value.problems]


class TestHosts:
    def test_a_host_is_its_profile(self, tmp_path: Path) -> None:
        plan = node(decided(tmp_path), "old_box").plan
        assert plan == shipped("dual-pascal", version=PACKAGED)

    @pytest.mark.parametrize(
        ("nixpkgs", "says", "release"),
        [
            ("github:NixOS/nixpkgs/nixos-25.11", "", "0.21.1"),
            ("https://flakehub.com/f/NixOS/nixpkgs/0.2505.*.tar.gz", "", "0.11.10"),
            ("github:NixOS/nixpkgs/nixos-unstable", "", NEWEST),
            ("github:me/nixpkgs/mine", "", NEWEST),
            ("github:NixOS/nixpkgs/nixos-25.11", 'overrides.ollama.version = "0.24"', "0.24.0"),
            ("github:NixOS/nixpkgs/nixos-25.11", 'ollama_version = "0.9.6"', "0.9.6"),
            ("github:NixOS/nixpkgs/nixos-25.11", 'target = "systemd"', NEWEST),
        ],
    )
    def test_a_host_runs_what_its_nixos_has(
        self, nixpkgs: str, says: str, release: str, tmp_path: Path
    ) -> None:
        text = f'schema_version = 1\n[inputs]\nnixpkgs = "{nixpkgs}"\n'
        fleet = decided(tmp_path, f'{text}[hosts.a]\nprofile = "xeon-cpu"\n{says}\n')
        assert node(fleet, "a").plan.service.release == release

    @pytest.mark.parametrize("file", ["templates/nixos/flake.nix", "templates/deploy-rs/flake.nix"])
    def test_fleets_and_templates_take_the_newest_release_of_nixos(self, file: str) -> None:
        *_, newest, _unstable = load_catalogue().channels
        assert f"github:NixOS/nixpkgs/nixos-{newest}" == NIXPKGS
        assert f'nixpkgs.url = "{NIXPKGS}";' in (ROOT / file).read_text(encoding="utf-8")

    def test_an_override_changes_one_value(self, tmp_path: Path) -> None:
        plan = node(decided(tmp_path), "grey-area").plan
        limits = {limit.name: limit.value for limit in plan.service.limits}
        assert limits["memory_max"] == 24 * 2**30
        assert limits["cpu_quota"] == 2000
        assert plan.source == "profiles/xeon-cpu.toml and fleet.toml"

    def test_a_release_by_host_and_by_default(self, tmp_path: Path) -> None:
        text = FLEET_FILE.replace("[defaults]", '[defaults]\nollama_version = "0.31"')
        fleet = decided(tmp_path, text)
        assert node(fleet, "spark").plan.service.release == "0.24.0"
        assert node(fleet, "old_box").plan.service.release == "0.31.2"

    def test_defaults_come_first(self, tmp_path: Path) -> None:
        host = node(decided(tmp_path), "grey-area")
        assert host.tags == ("lab", "cpu")
        assert host.modules == ("common.nix", "hosts/grey-area.nix")

    def test_modules_are_for_nixos(self, tmp_path: Path) -> None:
        assert node(decided(tmp_path), "spark").modules == ()

    def test_the_name_is_the_address(self, tmp_path: Path) -> None:
        fleet = decided(tmp_path)
        assert [host.address for host in fleet.nodes] == ["grey-area.lan", "old_box", "spark"]

    def test_deploy_speaks_the_names_of_deploy_rs(self, tmp_path: Path) -> None:
        fleet = decided(tmp_path)
        assert node(fleet, "grey-area").deploy == {
            "magicRollback": False,
            "remoteBuild": False,
            "sshUser": "root",
        }
        assert node(fleet, "old_box").deploy == {
            "activationTimeout": 600,
            "magicRollback": True,
            "remoteBuild": False,
            "sshOpts": ("-p", "2222"),
            "sshUser": "root",
        }

    def test_aarch64_builds_itself_unless_told_otherwise(self, tmp_path: Path) -> None:
        assert node(decided(tmp_path), "spark").deploy["remoteBuild"] is True
        told = FLEET_FILE + "deploy.remote_build = false\n"
        assert node(decided(tmp_path, told), "spark").deploy["remoteBuild"] is False

    def test_a_profile_of_ones_own_lies_beside_the_fleet_file(self, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text(
            'schema_version = 1\nextends = "xeon-cpu"\nname = "mine"\n', encoding="utf-8"
        )
        fleet = decided(
            tmp_path, 'schema_version = 1\n[hosts.a]\nprofile = "./mine.toml"\naddress = "a.lan"\n'
        )
        assert node(fleet, "a").plan.name == "mine"


class TestFiles:
    def test_a_line_per_host_and_a_file_per_profile(self, tmp_path: Path) -> None:
        made = files(decided(tmp_path))
        assert list(document(made)) == ["grey-area", "old_box", "spark"]
        lines = made["hostwright/hosts/all.json"].splitlines()
        assert [line[:7] for line in lines] == ["{", '"grey-a', '"old_bo', '"spark"', "}"]
        assert [path for path in made if "/profiles/" in path] == [
            f"hostwright/profiles/nixos/dual-pascal-{PACKAGED}.json",
            f"hostwright/profiles/nixos/xeon-cpu-{PACKAGED}-overridden.json",
            "hostwright/profiles/systemd/dgx-spark-0.24.0.json",
        ]

    def test_a_host_is_told_by_what_it_differs_in(self, tmp_path: Path) -> None:
        fleet = decided(tmp_path)
        made = files(fleet)
        change = document(made)["grey-area"]["change"]
        limits = {"2": {"value": [24 * 2**30], "written": ["24G"]}}
        pod = {"memory": [24 * 2**30]}
        assert change == {"services": {"0": {"limits": limits, "pod": pod}}}
        for each in fleet.nodes:
            if each.target == "nixos":
                assert content(made, each) == to_dict(each.plan)
        assert "change" not in document(made)["old_box"]

    def test_a_profile_that_needs_its_overrides_is_told_whole(self, tmp_path: Path) -> None:
        text = 'schema_version = 1\nextends = "xeon-cpu"\nname = "mine"\nthreads.count = 0\n'
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        host = '[hosts.a]\nprofile = "./mine.toml"\noverrides.threads.count = 4\n'
        fleet = decided(tmp_path, f"schema_version = 1\n{host}")
        assert document(files(fleet))["a"]["whole"] == to_dict(node(fleet, "a").plan)

    def test_profiles_of_one_name_do_not_mix(self, tmp_path: Path) -> None:
        text, fleet = (
            'schema_version = 1\nextends = "xeon-cpu"\nname = "{}"\n',
            "schema_version = 1\n",
        )
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "mine.toml").write_text(text.format(name), encoding="utf-8")
            fleet += f'[hosts.{name}]\nprofile = "{name}/mine.toml"\n'
        found = decided(tmp_path, fleet)
        made = files(found)
        assert [content(made, each)["name"] for each in found.nodes] == ["a", "b"]

    @pytest.mark.parametrize(
        ("hosts", "digits"), [(1, 0), (100, 0), (101, 1), (1600, 1), (1601, 2)]
    )
    def test_many_hosts_are_spread_over_files(self, hosts: int, digits: int) -> None:
        assert digits_of(hosts) == digits
        spread = Counter(file_of(f"host{number}", digits) for number in range(hosts))
        assert set(map(len, spread)) == {digits or len("all")}
        assert max(spread.values()) <= 140

    def test_the_nix_is_the_same_for_every_fleet(self, tmp_path: Path) -> None:
        one = 'schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\n'
        first, second = (files(decided(tmp_path, text)) for text in (one, FLEET_FILE))
        static = [path for path in first if path.endswith(".nix")]
        assert "hostwright/fleet.nix" in static
        assert "hostwright/modules/server.nix" in static
        assert {path: first[path] for path in static} == {path: second[path] for path in static}

    def test_inputs_are_the_users(self, tmp_path: Path) -> None:
        text = FLEET_FILE + '\n[inputs]\nnixpkgs = "path:/srv/nixpkgs?ref=a&b=1"\n'
        flake = files(decided(tmp_path, text))["flake.nix"]
        assert 'nixpkgs.url = "path:/srv/nixpkgs?ref=a&b=1";' in flake

    def test_another_system_gets_the_bundle_of_its_target(self, tmp_path: Path) -> None:
        fleet = decided(tmp_path)
        found = content(files(fleet), node(fleet, "spark"))
        plan = node(fleet, "spark").plan
        texts = {file.path: file.text for file in all_files("systemd", plan)}
        own = {file["path"]: "\n".join(file["lines"]) for file in found}
        assert own == {p: t for p, t in texts.items() if not p.endswith((".sh", ".py"))}

    def test_a_host_that_is_watched_has_the_script_that_tells(self, tmp_path: Path) -> None:
        text = FLEET_FILE.replace('ollama_version = "0.24"', "overrides.monitor.enable = true")
        fleet = decided(tmp_path, text)
        found = {file["path"] for file in content(files(fleet), node(fleet, "spark"))}
        assert {"monitor/textfile.py", "monitor/textfile.json", "monitor/README.md"} <= found
        assert "apply.sh" not in found

    def test_the_scripts_are_there_once_for_all_hosts(self, tmp_path: Path) -> None:
        more = '[hosts.more]\nprofile = "xeon-cpu"\ntarget = "systemd"\n'
        paths = list(render_fleet(decided(tmp_path, FLEET_FILE + more)))
        programs = {file.path: file.text for file in paths if file.executable}
        assert sorted(programs) == [
            *(f"hostwright/bundle/{name}" for name in ("apply.sh", "remove.sh")),
            *(f"hostwright/bundle/{name}" for name in ("verify.py", "verify.sh")),
            "hostwright/deploy-waves.sh",
        ]
        assert sum("while ! systemctl is-active" in file.text for file in paths) == 1
        nixos = FLEET_FILE.partition("[hosts.spark]")[0]
        assert not any("/bundle/" in path for path in files(decided(tmp_path, nixos)))

    def test_the_readme_speaks_of_the_hosts_that_are_there(self, tmp_path: Path) -> None:
        one = 'schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\n'
        readme = files(decided(tmp_path, one))["hostwright/README.md"]
        assert "1 host." in readme
        assert "## NixOS hosts" in readme
        assert "## Other hosts" not in readme


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("", "hosts", "this key is required", "add a host under `[hosts.my-host]`"),
        ("[hosts.a]", "hosts.a.profile", "this key is required", "or the path of another"),
        (
            '[hosts.a]\nprofil = "xeon-cpu"\nprofile = "xeon-cpu"',
            "hosts.a.profil",
            "unknown key",
            "did you mean `profile`?",
        ),
        (
            '[hosts.a]\nprofile = "xeon"',
            "hosts.a.profile",
            "there is no profile `xeon`",
            "did you mean `xeon-cpu`?",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\noverrides.resources.cpu_qouta = "1%"',
            "hosts.a.overrides.resources.cpu_qouta",
            "unknown key",
            "did you mean `cpu_quota`?",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\noverrides.extends = "dgx-spark"',
            "hosts.a.overrides.extends",
            "a host extends its profile already",
            "name that profile by `profile`",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nollama_version = "nine"',
            "hosts.a.ollama_version",
            "`nine` is not a release",
            "write it like",
        ),
        (
            '[hosts."1.2"]\nprofile = "xeon-cpu"',
            "hosts.1.2",
            "`1.2` is not a host name",
            "write a letter",
        ),
        (
            '[hosts.meta]\nprofile = "xeon-cpu"',
            "hosts.meta",
            "`meta` means something else to Colmena",
            "name the host otherwise",
        ),
        (
            '[hosts.a]\nprofile = "dgx-spark"\ntarget = "systemd"\nmodules = ["a.nix"]',
            "hosts.a",
            'NixOS modules do nothing with `target = "systemd"`',
            "take `modules` out",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\ntarget = "compose"',
            "hosts.a.target",
            "`compose` is not one of the values",
            'write `"nixos"`',
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nmodules = ["../a.nix"]',
            "hosts.a.modules.0",
            "`../a.nix` is not a path inside the flake",
            "like `hosts/my-host.nix`",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\n[inputs]\nnixpkgs = "nix pkgs"',
            "inputs.nixpkgs",
            "`nix pkgs` is not a flake reference",
            "github:NixOS/nixpkgs",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nmodules = ["disko#disko"]',
            "hosts.a.modules.0",
            "there is no input `disko`",
            "add it under `[inputs.disko]`",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\n[inputs]\nsops-nix = { follows = "nixpkgs" }',
            "inputs.sops-nix.url",
            "this key is required",
            "",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\n[inputs]\nx = { url = "github:a/b", follows = "y" }',
            "inputs.x.follows.y",
            "there is no input `y`",
            "add it",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\n[inputs]\nlet = "github:a/b"',
            "inputs.let",
            "`let` means something else to Nix",
            "name the input otherwise",
        ),
        (
            'hosts.a.profile = "xeon-cpu"\ninputs.x = {url="a:b", flake=false, modules = ["m"]}',
            "inputs.x.modules",
            "files that are no flake have no `nixosModules`",
            "module of your own",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nnixpkgs = "nixpkg"',
            "hosts.a.nixpkgs",
            "there is no input `nixpkg`",
            "did you mean `nixpkgs`?",
        ),
        (
            '[groups.gpx]\n[hosts.a]\nprofile = "xeon-cpu"\ntags = ["gpu"]',
            "groups.gpx",
            "no host has the tag `gpx`",
            "did you mean `gpu`?",
        ),
        (
            '[rollout]\ncanary = ["gpu"]\n[hosts.a]\nprofile = "xeon-cpu"\ntags = ["gpu"]',
            "rollout.canary.0",
            "there is no host `gpu`",
            "did you mean the tag, `@gpu`?",
        ),
        (
            '[rollout]\nwaves = [["a"], ["@gpo"]]\n[hosts.a]\nprofile = "xeon-cpu"\ntags = ["gpu"]',
            "rollout.waves.1.0",
            "no host has the tag `gpo`",
            "did you mean `@gpu`?",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nprofiles.home.user = "me"',
            "hosts.a.profiles.home.file",
            "this key is required",
            "a function that returns what to activate",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nprofiles.system.file = "a.nix"',
            "hosts.a.profiles.system.file",
            "`system` is what the fleet deploys itself",
            "name the profile otherwise",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nprofiles_order = ["system", "home"]',
            "hosts.a.profiles_order.1",
            "deploy-rs deploys no `home` to `a`",
            "there are system",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\nprofiles_order = ["system", "system"]',
            "hosts.a.profiles_order.1",
            "`system` stands there twice",
            "take one of them out",
        ),
        (
            'hosts.a.profile = "xeon-cpu"\ninputs.deploy_rs = "a:b"\ninputs.deploy-rs = "a:b"',
            "inputs.deploy_rs",
            "is the input `deploy-rs`, which is there as well",
            "write `deploy-rs` alone",
        ),
        (
            'hosts.a.profile = "xeon-cpu"\ninputs.nixpkgs = { url = "a:b", flake = false }',
            "inputs.nixpkgs.flake",
            "`nixpkgs` has to be a flake here",
            "take `flake = false` out",
        ),
        (
            '[hosts.a]\nreport = "a.json"',
            "hosts.a.report",
            "there is no file `a.json`",
            "nixos-facter",
        ),
        (
            'groups.g.overrides.threads.count = 0\n[hosts.a]\nprofile = "xeon-cpu"\ntags = ["g"]',
            "groups.g.overrides.threads.count",
            "`0`",
            "",
        ),
        (
            '[defaults]\nprofile = "xeon"\n[hosts.a]\n[hosts.b]',
            "defaults.profile",
            "there is no profile `xeon`",
            "did you mean `xeon-cpu`?",
        ),
        (
            '[hosts.a]\nprofile = "xeon-cpu"\ndeploy.confirm_timeout = 70000',
            "hosts.a.deploy.confirm_timeout",
            "70000",
            "",
        ),
    ],
)
def test_what_is_wrong_is_told(
    text: str, where: str, message: str, hint: str, tmp_path: Path
) -> None:
    ((place, said, todo),) = problems(tmp_path, text)
    assert (place, message in said, hint in todo) == (where, True, True), (place, said, todo)


def test_all_hosts_are_told_at_once_and_a_shared_fault_once(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('schema_version = 1\nname = "bad"\nx = 1\n')
    told = problems(
        tmp_path,
        """
        [hosts.a]
        profile = "./bad.toml"
        [hosts.b]
        profile = "./bad.toml"
        [hosts.c]
        profile = "xeon-cpu"
        overrides.threads.count = 0
        [hosts.d]
        profile = "nothing"
        [hosts.e]
        profile = "xeon-cpu"
        overrides.threads.count = 0
        """,
    )
    assert [where for where, *_ in told] == [
        "x",
        "hosts.c.overrides.threads.count",
        "hosts.d.profile",
        "hosts.e.overrides.threads.count",
    ]


def test_hosts_that_say_the_same_are_decided_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def counted(document: Document, *, version: str | None, strict: bool, also: str) -> Plan:
        asked.append(version)
        return decide(document, version=version, strict=strict, also=also)

    monkeypatch.setattr(plans, "decide", counted)
    hosts = (f'[hosts.h{n}]\nprofile = "xeon-cpu"\n' for n in range(9))
    told = (f"{host}overrides.threads.count = {9 + n % 2}\n" for n, host in enumerate(hosts))
    fleet = decided(tmp_path, "schema_version = 1\n" + "".join(told))
    counts = {node.plan.service.threads for node in fleet.nodes}
    assert counts == {9, 10}
    # Once for each count, and once for the profile that both differ from.
    assert len(asked) == 3


def test_a_fault_of_form_hides_no_other(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        """
        [hosts.a]
        profile = "xeon-cpu"
        address = "a b"
        [hosts.b]
        profile = "xeon-cpu"
        overrides.threads.count = 0
        overrides.extends = "dgx-spark"
        """,
    )
    assert [where for where, *_ in told] == [
        "hosts.a.address",
        "hosts.b.overrides.extends",
        "hosts.b.overrides.threads.count",
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("user", "-x"), ("sudo", ""), ("temp_path", "tmp"), ("ssh_opts", ["a\nb"])]
)
def test_deploy_takes_no_nonsense(key: str, value: object, tmp_path: Path) -> None:
    line = f"deploy.{key} = {json.dumps(value)}"
    ((where, *_),) = problems(tmp_path, f'[hosts.a]\nprofile = "xeon-cpu"\n{line}\n')
    assert where.startswith(f"hosts.a.deploy.{key}")


@pytest.mark.parametrize("target", [t for t in IN_FLEETS if TARGETS[t].fleet == "bundle"])
def test_a_host_whose_files_a_user_applies_is_refused(target: str, tmp_path: Path) -> None:
    text = f'[hosts.a]\nprofile = "xeon-cpu"\ntarget = "{target}"\n'
    text += "overrides.container.rootless = true\n"
    rendered = all_files(target, make({"container": {"rootless": True}}))
    (conf,) = [file.text for file in rendered if file.path == "bundle.conf"]
    if "scope\tuser" not in conf.split("\n"):
        assert decided(tmp_path, f"schema_version = 1\n{text}").nodes
        return
    ((where, message, hint),) = problems(tmp_path, text)
    assert where == "hosts.a.target"
    assert "a user applies the files of this host" in message
    assert "take it out of the fleet" in hint


@pytest.mark.parametrize("target", IN_FLEETS)
def test_a_fleet_takes_every_target_that_the_registry_says(target: str, tmp_path: Path) -> None:
    text = f'schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\ntarget = "{target}"\n'
    fleet = decided(tmp_path, text)
    made = files(fleet)
    bundle = TARGETS[target].fleet == "bundle"
    told = isinstance(content(made, node(fleet, "a")), list), "hostwright/bundle/apply.sh" in made
    assert told == (bundle, bundle)
    assert json.loads(made["hostwright/fleet.json"])["hosts"][target] == {"a": "all"}


@pytest.mark.parametrize("target", ["systemd", "quadlet", "nixos"])
def test_a_host_with_several_servers_has_a_bundle(target: str, tmp_path: Path) -> None:
    host = f'[hosts.pair]\nprofile = "dual-pascal-pair"\ntarget = "{target}"\n'
    text = f"schema_version = 1\n{host}"
    if target == "nixos":
        ((where, message, _),) = problems(tmp_path, host)
        assert (where, message) == (
            "hosts.pair.profile",
            "has several servers, and the modules for NixOS are about one",
        )
        return
    assert [one.name for one in node(decided(tmp_path, text), "pair").plan.services] == [
        "p4000",
        "gtx1060",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError, match="there is no file"):
        decide_fleet(tmp_path / "fleet.toml")


def run(*arguments: object) -> Any:
    return CliRunner().invoke(gen, ["fleet", *map(str, arguments)])


class TestCommand:
    def test_it_lists_the_hosts(self, tmp_path: Path) -> None:
        result = run(write(tmp_path, FLEET_FILE))
        assert result.exit_code == 0
        head, *rows = result.stdout.splitlines()
        assert head.split() == ["host", "target", "profile", "Ollama", "address"]
        assert rows[0].split() == ["grey-area", "nixos", "xeon-cpu", PACKAGED, "grey-area.lan"]
        assert "3 hosts" in result.stderr

    def test_it_writes_and_is_then_up_to_date(self, tmp_path: Path) -> None:
        file = write(tmp_path, FLEET_FILE)
        assert run(file, "-o", tmp_path / "out").exit_code == 0
        assert run(file, "-o", tmp_path / "out", "--check").exit_code == 0
        file.write_text(FLEET_FILE.replace("24G", "25G"), encoding="utf-8")
        differs = run(file, "-o", tmp_path / "out", "--check", "--diff")
        assert differs.exit_code == 1
        assert "+++ b/hostwright/hosts/all.json" in differs.stdout

    def test_what_nobody_has_edited_follows_the_fleet_file(self, tmp_path: Path) -> None:
        file, out = write(tmp_path, FLEET_FILE), tmp_path / "out"
        run(file, "-o", out)
        file.write_text(FLEET_FILE.partition("[hosts.spark]")[0], encoding="utf-8")
        assert run(file, "-o", out).exit_code == 0
        assert not (out / "hostwright/profiles/systemd").exists()
        names = json.loads((out / "hostwright/fleet.json").read_text())["hosts"]
        there = dict.fromkeys(("grey-area", "old_box"), "all")
        assert names == {target: {} for target in IN_FLEETS} | {"nixos": there}

    def test_what_somebody_has_edited_stays_without_force(self, tmp_path: Path) -> None:
        file, out = write(tmp_path, FLEET_FILE), tmp_path / "out"
        run(file, "-o", out)
        (out / "flake.nix").write_text("{ }\n", encoding="utf-8")
        refused = run(file, "-o", out).exception
        assert isinstance(refused, WriteRefused)
        assert "replace `flake.nix`" in refused.message
        assert run(file, "-o", out, "--force").exit_code == 0
        assert "colmena" in (out / "flake.nix").read_text(encoding="utf-8")

    def test_a_module_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/common.nix").write_text("{ }\n", encoding="utf-8")
        result = run(write(tmp_path, FLEET_FILE), "-o", tmp_path / "out", "--json")
        told = [f for f in json.loads(result.stdout)["findings"] if f["rule"] == "HW602"]
        assert [f["message"].split("`")[1] for f in told] == ["hosts/grey-area.nix"]

    def test_findings_name_their_hosts(self, tmp_path: Path) -> None:
        open_ = 'profile = "xeon-cpu"\noverrides.ollama.host = "0.0.0.0"\n'
        twins = "".join(f"[hosts.{name}]\n{open_}" for name in ("a", "b"))
        result = run(write(tmp_path, "schema_version = 1\n" + twins), "--json")
        document = json.loads(result.stdout)
        assert [host["name"] for host in document["hosts"]] == ["a", "b"]
        assert "a, b: ollama.host" in [finding["where"] for finding in document["findings"]]


def test_the_schema_of_fleet_files_takes_the_example() -> None:
    import jsonschema

    schema = json_schema(FLEET)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(FLEET_FILE), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 1, "hosts": {"a": {"profil": "x"}}}, schema)


CLUSTERED = """\
schema_version = 1
[groups.cluster]
kind = "k8s"
overrides.k8s.namespace = "llm"
[hosts.here]
profile = "xeon-cpu"
[hosts.chat]
profile = "dgx-spark"
tags = ["cluster"]
overrides.k8s.replicas = 2
"""


def test_what_a_cluster_runs_gets_manifests_and_is_no_host(tmp_path: Path) -> None:
    fleet = decided(tmp_path, CLUSTERED)
    assert [node.name for node in fleet.nodes] == ["here"]
    files = {file.path: file.text for file in render_fleet(fleet)}
    assert "replicas: 2\n" in files["kubernetes/chat/statefulset.yaml"]
    assert 'namespace: "llm"\n' in files["kubernetes/chat/service.yaml"]
    assert "chat" not in files["hostwright/fleet.json"] + files["hostwright/waves"]


def test_nothing_that_a_cluster_runs_is_written_over_by_another(tmp_path: Path) -> None:
    other = '[hosts.code]\nprofile = "xeon-cpu"\ntags = ["cluster"]\n'
    with pytest.raises(ProfileError) as caught:
        decided(tmp_path, CLUSTERED + other)
    (problem,) = caught.value.problems
    assert problem.where == "hosts.code"
    assert problem.message == "is `ollama` in the same namespace of `cluster` as `chat`"
    for more in ('container.name = "code"', 'k8s.namespace = "code"'):
        found = decided(tmp_path, f"{CLUSTERED}{other}overrides.{more}\n").clusters
        assert [node.name for node in found] == ["chat", "code"]
    fronts = "".join(
        f'[hosts.{name}]\nprofile = "dual-pascal-pair"\ntags = ["cluster"]\n'
        f'overrides.container.name = "{name}"\n'
        for name in ("one", "two")
    )
    with pytest.raises(ProfileError, match="1 problem"):
        decided(tmp_path, CLUSTERED + fronts)


def test_what_a_cluster_runs_has_no_other_target(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        decided(tmp_path, CLUSTERED + 'target = "systemd"\n')
    assert [problem.where for problem in caught.value.problems] == ["hosts.chat.target"]
