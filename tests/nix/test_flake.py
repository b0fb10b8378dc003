"""The flake, evaluated offline against a stand-in for nixpkgs."""

import json
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from generator.targets import TARGETS
from tests.commands import run as gen
from tests.consumers import nix
from tests.nix import flakes
from tests.plans import ALONE, PROFILES, shipped

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    *("flake.nix", "flake.lock", "nix", "modules", "templates", "generator", "profiles"),
    *("tests", "man", "docs/schemas"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
SYSTEMS = ["aarch64-linux", "x86_64-linux"]


@pytest.fixture(scope="module")
def flake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the flake is made of, and beside it `nixpkgs`."""
    folder = tmp_path_factory.mktemp("flake")
    for part in PARTS:
        source, target = ROOT / part, folder / "hostwright" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    flakes.put_inputs(folder, "nixpkgs")
    return folder


def run(
    flake: Path, command: str, attribute: str = "", *options: str, store: Path | None = None
) -> str:
    """Run a command of `nix` on an output of the flake, with the stand-in for its input."""
    given = ("--override-input", "nixpkgs", f"path:{flake}/nixpkgs")
    return flakes.run(flake / "hostwright", command, attribute, *options, *given, store=store)


def ask(flake: Path, command: str, attribute: str = "", *options: str) -> Any:
    """Return the answer to `nix … --json`."""
    return json.loads(run(flake, f"{command} --json", attribute, *options))


def test_its_outputs_are_all_there(flake: Path) -> None:
    shown = ask(flake, "flake show")
    for system in SYSTEMS:
        bundles = [f"bundle-{name}" for name in PROFILES]
        assert sorted(shown["packages"][system]) == sorted([*bundles, "default", "gen"])
        for output in ("apps", "checks", "devShells", "formatter"):
            assert system in shown[output]
    # Newer releases of Nix name only what is for the system at hand.
    assert shown["packages"]["x86_64-linux"]["gen"]["name"] == "hostwright"
    assert sorted(shown["nixosModules"]) == sorted([*ALONE, "default", "hostwright"])
    assert sorted(shown["nixosConfigurations"]) == ALONE
    assert sorted(shown["templates"]) == ["compose", "deploy-rs", "nixos", "system-manager"]
    named = ask(flake, "eval", "#systemManagerModules", "--apply", "builtins.attrNames")
    assert named == sorted([*ALONE, "default", "hostwright"])


FIRST_RUN = """
c: {
  inherit (c) warnings;
  failed = map (a: a.message) (builtins.filter (a: !a.assertion) c.assertions);
  made = builtins.isString c.system.build.toplevel.drvPath;
  gated = c.systemd.services.ollama.serviceConfig ? ExecStartPost;
}
"""


@pytest.mark.parametrize(
    ("template", "host", "gated"), [("nixos", "my-host", False), ("deploy-rs", "grey-area", True)]
)
def test_a_first_run_of_a_template_warns_of_nothing(
    template: str, host: str, gated: bool, flake: Path, tmp_path: Path
) -> None:
    flakes.put_inputs(tmp_path, "nixpkgs", "deploy-rs")
    shutil.copytree(ROOT / "templates" / template, tmp_path / "mine")
    inputs = {
        **dict.fromkeys(("nixpkgs", "hostwright/nixpkgs"), tmp_path / "nixpkgs"),
        "hostwright": flake / "hostwright",
    }
    if template == "deploy-rs":
        inputs |= {"deploy-rs": tmp_path / "deploy-rs", "deploy-rs/nixpkgs": tmp_path / "nixpkgs"}
    given = [f"--override-input {name} path:{path}" for name, path in inputs.items()]
    attribute = f"#nixosConfigurations.{host}.config"
    options = ("--apply", FIRST_RUN, *" ".join(given).split())
    told = json.loads(flakes.run(tmp_path / "mine", "eval --json", attribute, *options))
    assert told == {"warnings": [], "failed": [], "made": True, "gated": gated}


def test_nix_flake_check_passes(flake: Path) -> None:
    assert run(flake, "flake check", "", "--no-build") == ""


def written(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return what lies below a folder: the bytes of each file, and whether it is a program."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nix_builds_the_bundles_that_gen_writes(flake: Path, tmp_path: Path) -> None:
    """What builds is real: the sources that the package names, by the Python that runs this."""
    own = shutil.copytree(flake, tmp_path / "flake")
    (own / "nixpkgs/python").write_text(sys.executable, encoding="utf-8")
    first, *others = (f"#bundle-{name}" for name in PROFILES)
    more = [f"path:{own}/hostwright{attribute}" for attribute in others]
    link = tmp_path / "built"
    run(own, "build", first, *more, "-o", str(link), store=tmp_path)
    for number, name in enumerate(PROFILES):
        out = tmp_path / name
        assert gen("--profile", name, "--target", "all", "--output", str(out)).exit_code == 0
        bundle = written(link.with_name(f"built-{number}") if number else link)
        assert bundle == written(out)
        assert {path.partition("/")[0] for path in bundle} == {*TARGETS, "manifest.json"}


def test_the_package_says_what_nixpkgs_asks_of_one(flake: Path) -> None:
    expression = (
        "gen: { inherit (gen.meta) homepage changelog mainProgram; "
        "people = map (who: who.name) gen.meta.maintainers; "
        "tests = builtins.mapAttrs (_: test: test.drvPath) gen.tests; }"
    )
    told = ask(flake, "eval", "#packages.x86_64-linux.gen", "--apply", expression)
    assert told["changelog"].startswith(told["homepage"])
    assert told["mainProgram"] == "gen"
    assert told["people"]
    assert sorted(told["tests"]) == ["render", "version"]
    assert all(path.endswith(".drv") for path in told["tests"].values())


def test_a_profile_for_system_manager_names_it(flake: Path) -> None:
    expression = "modules: modules.dgx-spark.hostwright.profile.content"
    assert ask(flake, "eval", "#systemManagerModules", "--apply", expression) == "dgx-spark"


@pytest.mark.parametrize("output", ["nixosModules", "systemManagerModules"])
def test_a_module_names_the_output_that_it_is(output: str, flake: Path) -> None:
    expression = "modules: map (module: module._file) (builtins.attrValues modules)"
    files = ask(flake, "eval", f"#{output}", "--apply", expression)
    names = sorted([*ALONE, "default", "hostwright"])
    assert [file.partition("#")[2] for file in files] == [f"{output}.{name}" for name in names]


@pytest.mark.parametrize("name", ALONE)
def test_each_profile_is_a_system(name: str, flake: Path, tmp_path: Path) -> None:
    attribute = f"#nixosConfigurations.{name}.config.systemd.units"
    units = ask(flake, "eval", attribute)
    host = tmp_path / "host.nix"
    host.write_text(
        f"{{ imports = [ {ROOT}/modules ]; "
        f'hostwright = {{ enable = true; profile = "{name}"; }}; }}'
    )
    alone = nix.evaluate(host)["units"]
    assert {unit: words(value["text"]) for unit, value in units.items()} == {
        unit: words(text) for unit, text in alone.items()
    }


def words(text: str) -> list[list[str]]:
    """The lines of a unit; the order of modules, and so that of merged lists, means nothing."""
    return sorted(sorted(line.replace("=", " ").split()) for line in text.splitlines())


def test_a_host_and_a_node_for_deploy_rs(flake: Path) -> None:
    expression = """
    f:
    let
      host = f.mkHost {
        profile = "xeon-cpu";
        modules = [ { hostwright.threads = 12; } ];
      };
      node = f.mkDeployNode {
        hostname = "grey-area.lan";
        configuration = host;
        deploy-rs.lib.x86_64-linux.activate.nixos = host: host.pkgs.stdenv.hostPlatform.system;
        node.magicRollback = true;
      };
    in
    {
      inherit node;
      threads = host.config.services.ollama.environmentVariables.LLAMA_ARG_THREADS;
    }
    """
    assert ask(flake, "eval", "#lib", "--apply", expression) == {
        "node": {
            "hostname": "grey-area.lan",
            "magicRollback": True,
            "profiles": {"system": {"path": "x86_64-linux", "user": "root"}},
        },
        "threads": "12",
    }


@pytest.mark.parametrize("form", ["./spark.json", "builtins.fromJSON (readFile ./spark.json)"])
def test_a_host_of_ones_own_plan_has_the_system_of_the_plan(form: str, flake: Path) -> None:
    plan = to_dict(shipped("dgx-spark")) | {"name": "mine"}
    (flake / "spark.json").write_text(json.dumps(plan), encoding="utf-8")
    profile = form.replace("./", f"{flake}/").replace("readFile", "builtins.readFile")
    assert platforms(flake, f"profile = {profile};") == ["aarch64-linux", "mine"]


def test_a_host_may_name_another_system_or_platform(flake: Path) -> None:
    named = 'profile = "container-dev"; system = "aarch64-linux";'
    assert platforms(flake, named) == ["aarch64-linux", "container-dev"]
    module = '[ { nixpkgs.hostPlatform = "aarch64-linux"; } ]'
    told = platforms(flake, f'profile = "container-dev"; modules = {module};')
    assert told == ["aarch64-linux", "container-dev"]


@pytest.mark.parametrize("name", ["xeon", "./xeon-cpu.json"])
def test_a_host_of_an_unknown_profile_is_refused_by_the_option(name: str, flake: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        platforms(flake, f'profile = "{name}";')
    assert "hostwright.profile" in str(caught.value)
    assert '"xeon-cpu"' in str(caught.value)


def platforms(flake: Path, arguments: str) -> Any:
    """Return the system of a host of `mkHost`, and the name in its plan."""
    expression = (
        f"f: let host = f.mkHost {{ {arguments} }}; in "
        "[ host.pkgs.stdenv.hostPlatform.system host.config.hostwright.plan.name ]"
    )
    return ask(flake, "eval", "#lib", "--impure", "--apply", expression)


def test_the_lock_pins_the_only_input() -> None:
    lock = json.loads((ROOT / "flake.lock").read_text())
    assert sorted(lock["nodes"]) == ["nixpkgs", "root"]
    assert len(lock["nodes"]["nixpkgs"]["locked"]["rev"]) == 40


def test_every_check_evaluates_down_to_its_derivation(flake: Path) -> None:
    paths = "builtins.mapAttrs (_: builtins.mapAttrs (_: check: check.drvPath))"
    checks = ask(flake, "eval", "#checks", "--apply", paths)
    everywhere = {"format", "golden", "modules", "options", "plans", "pytest", "units"}
    everywhere |= {f"bundle-{name}" for name in PROFILES}
    hosts = {"x86_64-linux": ["container-dev", "dual-pascal", "xeon-cpu"]}
    hosts["aarch64-linux"] = ["dgx-spark"]
    for system in SYSTEMS:
        virtual = {"nixos"} if system == "x86_64-linux" else set()
        systems = {f"system-{name}" for name in hosts[system]}
        assert set(checks[system]) == everywhere | systems | virtual
        assert all(path.endswith(".drv") for path in checks[system].values())
