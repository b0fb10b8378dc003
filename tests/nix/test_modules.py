"""`modules/` against the `nixos` target, override by override, through Nix and systemd."""

import ast
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from generator.codec import to_dict
from generator.pipeline import release_of
from generator.targets import load_target
from tests.consumers import nix
from tests.consumers.effective import ConsumerError, Effective
from tests.plans import ALONE, PROFILES, RELEASES, plan, shipped

ROOT = Path(__file__).parent.parent.parent
MODULES = ROOT / "modules"


def host(folder: Path, body: str, arguments: str = "lib, ...") -> Path:
    """Write a host that imports the module and says `body`."""
    file = folder / "host.nix"
    head = f"{{ {arguments} }}:\n{{\n  imports = [ {MODULES}/default.nix ];\n"
    file.write_text(f"{head}  hostwright.enable = true;\n{body}\n}}\n", encoding="utf-8")
    return file


def read(folder: Path, body: str, packaged: str = "") -> Effective:
    return nix.read(host(folder, body), packaged=packaged)


def commands(answer: dict[str, Any], unit: str) -> dict[str, list[str]]:
    """What a job runs, as systemd understands it; the names of Modelfiles in the store aside."""
    lines: dict[str, list[str]] = nix.understood(answer, unit).extra["exec"]
    return {kind: [re.sub(r"Modelfile\S*", "", line) for line in lines[kind]] for kind in lines}


def modelfiles(folder: Path, body: str) -> dict[str, str]:
    """The Modelfiles of a host by name, where it makes any."""
    return nix.modelfiles(host(folder, body))


def same(rendered: Effective, module: Effective) -> None:
    assert module.environment == rendered.environment
    told = ("cpu_quota_percent", "cpu_weight", "memory_max", "memory_swap_max", "restart")
    assert [getattr(module, key) for key in told] == [getattr(rendered, key) for key in told]
    ours, theirs = module.extra["nix"], rendered.extra["nix"]
    for key in (
        *("ollama", "package", "nvidia", "video_drivers", "tmpfiles", "warnings"),
        *("graphics", "kernel_modules"),
    ):
        assert ours[key] == theirs[key], key
    assert sorted(ours["units"]) == sorted(theirs["units"])
    waits = [found.extra["exec"].get("ExecStartPre") for found in (module, rendered)]
    assert bool(waits[0]) == bool(waits[1])


@dataclasses.dataclass(frozen=True)
class Pair:
    """A profile on a NixOS: the rendered module, and `modules/` with what is given as the profile.

    `release` is that of the rendered module; `packaged` that of the package, empty: unknown.
    """

    name: str
    variant: nix.Variant
    release: str
    packaged: str

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}-{self.release}{'' if self.packaged else '-plan'}"

    def cases(self, folder: Path) -> list[nix.Case]:
        plan = shipped(self.name, version=self.release)
        place = folder / str(self)
        place.mkdir()
        (place / "plan.json").write_text(json.dumps(to_dict(plan)), encoding="utf-8")
        text = load_target("nixos").render(plan)[0].text
        (place / "rendered.nix").write_text(text, encoding="utf-8")
        profile = f'"{self.name}"' if self.packaged else f"{place}/plan.json"
        module = host(place, f"  hostwright.profile = {profile};")
        files = (place / "rendered.nix", module)
        return [nix.Case(file, self.variant, self.packaged) for file in files]


PLANS = [Pair(name, "unstable", version, "") for name in ALONE for version in RELEASES]
# Each NixOS with the Ollama that it has, and a package of a release that has no plan of its own.
FORMS = [
    Pair(name, variant, release, release)
    for name in ALONE
    for variant in get_args(nix.Variant)
    if (release := release_of(variant))
] + [Pair(name, "unstable", release, release) for name in ALONE for release in ("0.23.0", "0.31.0")]
LIBRARIES = ["own", "nixpkgs"]


@pytest.fixture(scope="module", params=LIBRARIES)
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[Pair, list[dict[str, Any]]]:
    """What becomes of each pair, evaluated in one run."""
    lib = nix.nixpkgs_lib() if request.param == "nixpkgs" else None
    folder = tmp_path_factory.mktemp("pairs")
    cases = {pair: pair.cases(folder) for pair in PLANS + FORMS}
    found = iter(nix.evaluate_all([case for both in cases.values() for case in both], lib=lib))
    return {pair: [next(found) for _ in both] for pair, both in cases.items()}


@pytest.mark.parametrize("pair", PLANS + FORMS, ids=str)
def test_a_plan_gives_the_unit_of_the_nixos_target(
    pair: Pair, answers: dict[Pair, list[dict[str, Any]]]
) -> None:
    rendered, module = answers[pair]
    for answer in (rendered, module):
        assert answer["failed"] == []
        assert answer["warnings"] == []
    same(nix.understood(rendered), nix.understood(module))
    assert nix.faults(module) == []


@pytest.mark.parametrize(
    ("name", "release", "unit"),
    [
        ("xeon-cpu", "0.9", "ollama-create.service"),
        ("container-dev", "0.32.15", "ollama-warmup.service"),
        ("dual-pascal", "0.32.15", "ollama-resume.service"),
        ("dual-pascal", "0.32.15", "ollama.service"),
    ],
)
def test_jobs_run_the_same_commands(
    name: str, release: str, unit: str, answers: dict[Pair, list[dict[str, Any]]]
) -> None:
    rendered, module = answers[Pair(name, "unstable", release, "")]
    assert commands(module, unit) == commands(rendered, unit)


def test_periods_of_a_plan_have_timers_and_what_is_not_made_is_said(tmp_path: Path) -> None:
    periods = [
        {"name": "day", "begins": ["07:00"], "cpu_weight": 100, "models": ["a:1b"]},
        {"name": "night", "begins": ["19:00"], "cpu_weight": 20, "models": ["b:1b"]},
    ]
    models = [{"name": "a:1b"}, {"name": "b:1b"}]
    decided = plan({"models": models, "scale": {"periods": periods}, "cache": {}})
    rendered = tmp_path / "rendered.nix"
    rendered.write_text(load_target("nixos").render(decided)[0].text, encoding="utf-8")
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(to_dict(decided)), encoding="utf-8")
    cases = [nix.Case(rendered), nix.Case(host(tmp_path, f"  hostwright.profile = {file};"))]
    ours, module = nix.evaluate_all(cases)
    assert module["timers"] == ours["timers"]
    assert sorted(module["units"]) == sorted(ours["units"])
    for name in ("ollama-period-day", "ollama-period"):
        assert commands(module, f"{name}.service") == commands(ours, f"{name}.service")
    (said,) = module["warnings"]
    assert "of its cache nothing is made here" in said


UNITS = """
{ file, ownLib, contract }:
let
  own = import ownLib;
  inherit (own) lib utils;
  pkgs = own.pkgs // { writeShellScript = name: text: "/nix/store/${name}"; };
  modules = [ (import contract { inherit lib; inherit (pkgs) nvidiaPackages; }) (import file) ];
  found = lib.evalModules { inherit modules; specialArgs = { inherit lib pkgs utils; }; };
in
map (unit: unit.text) (builtins.attrValues found.config.systemd.units)
"""


@pytest.mark.parametrize("name", ALONE)
def test_lines_of_a_shell_are_scripts_of_the_store(name: str, tmp_path: Path) -> None:
    body = f"""\
  hostwright.profile = "{name}";
  hostwright.healthGate = true;
  hostwright.service.credentials.id_ed25519 = "/run/key";
  hostwright.warmup = {{ enable = true; models = [ "a:1b" ]; }};
"""
    asked = {"file": str(host(tmp_path, body)), "ownLib": str(nix.OWN_LIB)}
    text = "\n".join(nix.ask(UNITS, asked | {"contract": str(nix.CONTRACT)}))
    assert "/nix/store/ollama-warmup " in text
    assert "/bin/sh" not in text


def test_the_benchmark_compares_with_the_same_host(tmp_path: Path) -> None:
    same(nix.read(ROOT / "benchmarks" / "by_hand.nix"), read(tmp_path, XEON))


XEON = '  hostwright.profile = "xeon-cpu";\n'


class TestOverrides:
    def test_a_plain_value_on_the_unit_wins(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  systemd.services.ollama.serviceConfig.MemoryMax = "24G";')
        assert found.memory_max == 24 * 2**30
        assert found.cpu_quota_percent == 2000

    def test_force_wins_too(self, tmp_path: Path) -> None:
        body = XEON + "  systemd.services.ollama.serviceConfig.CPUQuota = lib.mkForce null;"
        with pytest.raises(ConsumerError):
            read(tmp_path, body.replace("null", "{ }"))
        found = read(tmp_path, body.replace("null", '"800%"'))
        assert found.cpu_quota_percent == 800

    def test_one_resource_leaves_the_others(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.resources.memoryMax = "24G";')
        assert (found.memory_max, found.cpu_quota_percent, found.cpu_weight) == (
            24 * 2**30,
            2000,
            100,
        )

    def test_a_limit_can_be_taken_away(self, tmp_path: Path) -> None:
        assert read(tmp_path, XEON + "  hostwright.resources.memoryMax = null;").memory_max is None

    def test_a_variable_can_be_added_changed_and_unset(self, tmp_path: Path) -> None:
        found = read(
            tmp_path,
            XEON
            + "  hostwright.settings = { OLLAMA_KV_CACHE_TYPE = null; "
            + 'OLLAMA_NUM_PARALLEL = "2"; FOO = "50%n ${"$"}{x}"; };',
        ).environment
        assert "OLLAMA_KV_CACHE_TYPE" not in found
        assert found["OLLAMA_NUM_PARALLEL"] == "2"
        assert found["FOO"] == "50%n ${x}"
        assert found["OLLAMA_CONTEXT_LENGTH"] == "8192"

    def test_threads_reach_every_lever(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + "  hostwright.threads = 12;").environment
        assert found["LLAMA_ARG_THREADS"] == found["OMP_NUM_THREADS"] == "12"

    @pytest.mark.parametrize(
        ("version", "body", "wanted"),
        [
            ("0.32.15", "", {"a": ["4"]}),
            ("0.24", "", {"a": ["4"], "b": ["8"]}),
            ("0.24", "hostwright.threads = 6;", {"a": ["4"], "b": ["6"]}),
            ("0.24", "hostwright.threads = null;", {"a": ["4"], "b": []}),
        ],
    )
    def test_a_models_own_number_of_threads_stays(
        self, version: str, body: str, wanted: dict[str, list[str]], tmp_path: Path
    ) -> None:
        models = [{"name": "a", "parameters": {"num_thread": 4}}, {"name": "b"}]
        decided = plan({"threads": {"count": 8}, "models": models}, version)
        (tmp_path / "plan.json").write_text(json.dumps(to_dict(decided)), encoding="utf-8")
        made = modelfiles(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json; {body}")
        assert {
            name.partition(".")[2].partition("=")[0]: re.findall("PARAMETER num_thread (.*)", text)
            for name, text in made.items()
        } == {f"{name}": numbers for name, numbers in wanted.items()}

    def test_a_plan_without_threads_leaves_a_models_own(self, tmp_path: Path) -> None:
        models = [{"name": "a", "parameters": {"num_thread": 4}}]
        (tmp_path / "plan.json").write_text(json.dumps(to_dict(plan({"models": models}))))
        made = modelfiles(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
        assert ["PARAMETER num_thread 4\n" in text for text in made.values()] == [True]

    def test_without_threads_no_lever_is_empty(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + "  hostwright.threads = null;").environment
        assert not [name for name in found if "THREADS" in name]

    def test_another_backend_drops_what_was_chosen_for_the_first(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.ollama.acceleration = "cuda";').environment
        assert "OLLAMA_LLM_LIBRARY" not in found

    def test_a_models_directory_gets_an_owner(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.ollama.modelsDir = "/srv/m";')
        assert found.extra["nix"]["ollama"]["user"] == "ollama"
        assert found.extra["nix"]["tmpfiles"] == ["d /srv/m 0750 ollama ollama"]

    @pytest.mark.parametrize(
        ("body", "rules"),
        [
            ('user = "llm"; group = "ai";', ["d /srv/ollama/models 0750 llm ai"]),
            ('modelsDir = "/data/m";', ["d /data/m 0750 ollama ollama"]),
            (
                'user = "llm"; group = null; home = "/data"; modelsDir = "/data/50%";',
                ["d /data 0750 llm llm", 'd "/data/50%%" 0750 llm llm'],
            ),
            ("user = lib.mkForce null;", []),
            (
                'home = "/data"; modelsDir = "/data/a/b";',
                [f"d {path} 0750 ollama ollama" for path in ("/data", "/data/a", "/data/a/b")],
            ),
            (
                'modelsDir = "/var/lib/ollama/a/b";',
                [f"d /var/lib/ollama/{path} 0750 ollama ollama" for path in ("a", "a/b")],
            ),
        ],
    )
    def test_directories_are_those_in_effect_and_so_is_their_owner(
        self, body: str, rules: list[str], tmp_path: Path
    ) -> None:
        said = f"  services.ollama = {{ {body} }};"
        text = load_target("nixos").render(shipped("dual-pascal"))[0].text
        (tmp_path / "rendered.nix").write_text(text, encoding="utf-8")
        rendered = tmp_path / "imported.nix"
        rendered.write_text(f"{{ lib, ... }}: {{ imports = [ ./rendered.nix ]; {said} }}")
        assert nix.evaluate(rendered)["tmpfiles"] == rules
        if rules:
            file = host(tmp_path, f'  hostwright.profile = "dual-pascal";{said}')
            assert nix.evaluate(file)["tmpfiles"] == rules

    def test_lists_add_up(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.models = [ "phi4" ];')
        assert "phi4" in found.extra["nix"]["ollama"]["loadModels"]
        assert "qwen2.5-coder:7b" in found.extra["nix"]["ollama"]["loadModels"]

    def test_only_what_is_loaded_is_made_into_a_model(self, tmp_path: Path) -> None:
        models = [{"name": name, "parameters": {"num_ctx": 4096}} for name in ("a", "b")]
        (tmp_path / "plan.json").write_text(json.dumps(to_dict(plan({"models": models}))))
        body = f"  hostwright.profile = {tmp_path}/plan.json;"
        assert len(modelfiles(tmp_path, body)) == 2
        chosen = modelfiles(tmp_path, body + ' hostwright.models = lib.mkForce [ "b" ];')
        assert list(chosen) == ["Modelfile.b=tuned"]
        none = read(tmp_path, body + " hostwright.models = lib.mkForce [ ];")
        assert "ollama-create.service" not in none.extra["nix"]["units"]

    def test_a_profile_without_a_warm_up_can_have_one(self, tmp_path: Path) -> None:
        body = '  hostwright.warmup = { enable = true; models = [ "llama3.1:8b" ]; timeout = 90; };'
        unit = read(tmp_path, XEON + body).extra["nix"]["units"]["ollama-warmup.service"]
        assert "llama3.1:8b" in unit
        assert "\nTimeoutStartSec=90\n" in unit
        assert "After=ollama.service ollama-model-loader.service\n" in unit

    def test_a_profile_without_models_can_have_them(self, tmp_path: Path) -> None:
        (tmp_path / "plan.json").write_text(json.dumps(to_dict(plan({}))), encoding="utf-8")
        body = f"  hostwright.profile = {tmp_path}/plan.json;"
        found = read(tmp_path, body + '  hostwright.models = [ "phi4" ];').extra["nix"]
        assert found["ollama"]["loadModels"] == ["phi4"]
        assert sorted(found["units"]) == ["ollama-model-loader.service", "ollama.service"]

    def test_exposure_opens_the_firewall(self, tmp_path: Path) -> None:
        found = read(
            tmp_path,
            XEON + '  hostwright.ollama = { host = "0.0.0.0"; openFirewall = true; };',
        )
        assert found.environment["OLLAMA_HOST"] == "0.0.0.0:11434"
        assert found.extra["nix"]["firewall_ports"] == [11434]

    def test_a_package_of_another_era_is_told(self, tmp_path: Path) -> None:
        """Of a shipped profile the plan of its release counts; one's own has only one."""
        plan = to_dict(shipped("xeon-cpu"))
        (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        own = f"  hostwright.profile = {tmp_path}/plan.json;\n"
        told = {
            (body, packaged): read(tmp_path, body, packaged=packaged).extra["nix"]["warnings"]
            for body in (XEON, own)
            for packaged in ("0.1.38", "0.24.0", "0.31.0")
        }
        assert [bool(lines) for lines in told.values()] == [True, False, False, True, True, False]
        assert "the packaged Ollama is 0.1.38" in told[XEON, "0.1.38"][0]

    def test_the_release_of_the_package_decides_what_is_set(self, tmp_path: Path) -> None:
        body = XEON + "  hostwright.threads = 12;"
        old, new = (read(tmp_path, body, packaged=release) for release in ("0.24.0", "0.32.3"))
        assert "LLAMA_ARG_THREADS" not in old.environment
        assert new.environment["LLAMA_ARG_THREADS"] == "12"
        created = "ollama-create.service"
        assert [created in found.extra["nix"]["units"] for found in (old, new)] == [True, False]
        for unreleased in ("0-unstable-2026-01-01", "unstable-2026-01-01", "a1b2c3d"):
            found = read(tmp_path, body, packaged=unreleased)
            assert found.environment == new.environment
            assert found.extra["nix"]["warnings"] == []
        named = read(tmp_path, body + ' hostwright.ollama.version = "0.24.0";', packaged="0.32.3")
        assert named.environment == old.environment

    @pytest.mark.parametrize(
        ("variant", "driver"),
        [("24.11", "production"), ("25.11", "legacy_580"), ("unstable", "legacy_580")],
    )
    def test_the_driver_is_the_one_that_the_release_has(
        self, variant: nix.Variant, driver: str, tmp_path: Path
    ) -> None:
        file = host(tmp_path, '  hostwright.profile = "dual-pascal";')
        assert nix.read(file, variant=variant).extra["nix"]["nvidia"]["package"] == (
            f"nvidia-{driver}"
        )

    def test_a_branch_of_the_host_wins(self, tmp_path: Path) -> None:
        body = '  hostwright.profile = "dgx-spark"; hardware.nvidia.branch = "beta";'
        assert read(tmp_path, body).extra["nix"]["nvidia"]["package"] == "nvidia-beta"

    def test_cpu_on_a_gpu_host_needs_no_driver(self, tmp_path: Path) -> None:
        body = '  hostwright = { profile = "dual-pascal"; ollama.acceleration = "cpu"; };'
        found = read(tmp_path, body)
        assert found.extra["nix"]["video_drivers"] == []
        assert "ExecStartPre" not in found.extra["exec"]
        assert "ollama-resume.service" not in found.extra["nix"]["units"]


@pytest.mark.parametrize(
    ("body", "option"),
    [
        ('hostwright.resources.cpuQuota = "20";', "hostwright.resources.cpuQuota"),
        ('hostwright.resources.memoryMax = "20 gigs";', "hostwright.resources.memoryMax"),
        ("hostwright.threads = 0;", "hostwright.threads"),
        ("hostwright.settings.FOO = 1.5;", "hostwright.settings.FOO"),
        ('hostwright.ollama.acceleration = "gpu";', "hostwright.ollama.acceleration"),
        ('hostwright.profile = lib.mkForce "xeon";', "hostwright.profile"),
        ("hostwright.ollama.port = 99999;", "hostwright.ollama.port"),
        ("hostwright.thread = 4;", "hostwright.thread"),
        ("hostwright.resumeFix = true;", "hostwright.resumeFix"),
        ('hostwright.models = [ { name = "phi4"; } ];', "hostwright.models"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_option(
    body: str, option: str, tmp_path: Path
) -> None:
    with pytest.raises(ConsumerError, match=option.replace(".", r"\.")):
        read(tmp_path, f"{XEON}  {body}")


@pytest.mark.parametrize("name", PROFILES)
def test_of_a_rendered_module_nothing_is_left_either(name: str, tmp_path: Path) -> None:
    changes = ["ollama.models_dir=/srv/m", "service.credentials={ id_ed25519={ path='/run/key' } }"]
    text = load_target("nixos").render(shipped(name, *changes))[0].text
    (tmp_path / "rendered.nix").write_text(text, encoding="utf-8")
    file = tmp_path / "host.nix"
    off = "services.ollama.enable = lib.mkForce false; hardware.nvidia.open = false;"
    file.write_text(f"{{ lib, ... }}: {{ imports = [ ./rendered.nix ]; {off} }}")
    for variant in get_args(nix.Variant):
        answer = nix.evaluate(file, variant=variant)
        told = [answer[key] for key in ("units", "failed", "warnings", "tmpfiles", "video_drivers")]
        assert told == [{}, [], [], [], []]
        assert answer["kernel_modules"] == []


def test_a_server_that_is_switched_off_leaves_nothing(tmp_path: Path) -> None:
    """Not even for a warm-up, a driver, directories, or what would be refused."""
    more = """
      services.ollama.enable = lib.mkForce false;
      hardware.nvidia.open = true;
      hostwright.ollama.modelsDir = "/home/me/m";
      hostwright.settings = { HF_TOKEN = "hf_x1"; OLLAMA_KEEP_ALIVE = "1d"; OLLAMA_FOO = "1"; };
      hostwright.warmup = { enable = true; models = [ "absent" ]; };
    """
    cases = []
    for number, name in enumerate(ALONE):
        (place := tmp_path / str(number)).mkdir()
        cases.append(nix.Case(host(place, f'  hostwright.profile = "{name}";{more}')))
    for answer in nix.evaluate_all(cases):
        told = [answer[key] for key in ("units", "failed", "warnings", "tmpfiles", "video_drivers")]
        assert told == [{}, [], [], [], []]
        assert answer["kernel_modules"] == []


def test_threads_without_a_lever_are_refused(tmp_path: Path) -> None:
    body = '  hostwright = { profile = "dual-pascal"; threads = 4; };'
    with pytest.raises(ConsumerError, match="sets no threads"):
        read(tmp_path, body)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    plan = to_dict(shipped("xeon-cpu")) | {"schema_version": 1}
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(ConsumerError, match="schema version 1"):
        read(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")


def test_the_modules_are_small() -> None:
    sizes = {path.name: len(path.read_text().splitlines()) for path in MODULES.glob("*.nix")}
    assert max(sizes.values()) <= 120, sizes


def test_the_modules_repeat_nothing_of_the_generator() -> None:
    """What a Plan or a rendered unit says, and what the generator's code says, no module says."""
    modules = {path.name: path.read_text(encoding="utf-8") for path in MODULES.glob("*.nix")}
    said = sorted(sentences())
    repeated = [(name, text) for name, code in modules.items() for text in said if text in code]
    assert repeated == []


def sentences() -> set[str]:
    """Every sentence of Plans, of their units, and of the generator.

    The Nix of the target `nixos` is none: its module stands alone.
    """
    found: set[str] = set()
    for name in PROFILES:
        for version in RELEASES:
            decided = shipped(name, version=version)
            found |= set(texts(to_dict(decided)))
            for file in load_target("systemd").render(decided):
                found |= {line.lstrip("# ") for line in file.text.splitlines()}
    code = set((ROOT / "generator").rglob("*.py")) - {ROOT / "generator/targets/nixos.py"}
    for path in sorted(code):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found |= {value for value in constants if isinstance(value, str)}
    return {text.strip() for text in found if len(text.split()) >= 4 and len(text) >= 20}


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
