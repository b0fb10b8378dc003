"""`gen check` as a user runs it: every option, what goes where, and the exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from generator.files.backup import find
from generator.readers import KINDS
from tests.commands import ROOT, called, process
from tests.tools import require

DROP_IN = """\
[Service]
Environment=OLLAMA_HOST=0.0.0.0
Environment=OLLAMA_KEEP_ALIVE=1d
Environment=OLLAMA_INTEL_GPU=1
CPUWeight=100
"""
COMPOSE = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: always
    gpus: all
    volumes: ["ollama:/root/.ollama"]
    environment:
      OLLAMA_NUM_CTX: 8192
volumes: {ollama: {}}
"""
PROFILE = """\
schema_version = 1
name = "mine"

[host]
memory = "32GiB"
cpu = { cores = 4, threads = 8 }

[ollama]
version = "0.32"

[threads]
count = 6
"""


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current directory: a drop-in, a compose file, a profile, a clean file, others."""
    files = {
        "ollama.service.d/override.conf": DROP_IN,
        "web/compose.yaml": COMPOSE,
        "mine.toml": PROFILE,
        "clean.env": "OLLAMA_HOST=127.0.0.1:11434\n",
        "README.md": "OLLAMA_NUM_THREADS=8\n",
    }
    for name, text in files.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "there")
    return tmp_path / "there"


def test_a_unit_file_is_checked_without_what_others_need(there: Path) -> None:
    heavy = {"pydantic", "yaml", "jinja2", "tomllib", "generator.profiles", "generator.resolve"}
    readers = {f"generator.readers.{kind}.read" for kind in KINDS if kind != "systemd"}
    code = (
        "import sys\nfrom generator.cli import gen\n"
        "try: gen.main(['check', 'ollama.service.d/override.conf'], standalone_mode=False)\n"
        "finally: print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=there, capture_output=True, text=True, check=True
    )
    assert "HW109" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & (readers | heavy | {"generator.readers.container"})


def gen(
    *args: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return called("check", *args, cwd=Path.cwd(), stdin=stdin, env=env)


def findings(*args: str, stdin: str = "") -> list[tuple[str, int, str]]:
    """Return file, line and rule of each Finding."""
    result = gen(*args, "--json", stdin=stdin)
    assert result.stderr == ""
    return [(f["file"], f["line"], f["rule"]) for f in json.loads(result.stdout)["findings"]]


def rules(*args: str, stdin: str = "") -> list[str]:
    return sorted({rule for *_, rule in findings(*args, stdin=stdin)})


OVERRIDE = "ollama.service.d/override.conf"
ALL = ["HW102", "HW109", "HW203", "HW401"]


def test_the_report_for_people() -> None:
    result = gen(OVERRIDE)
    assert result.stderr == ""
    assert result.stdout.startswith(f"{OVERRIDE}\n     2  warning HW401 the API listens on 0.0.0.0")
    assert "          write `24h` (--fix)\n" in result.stdout
    assert result.stdout.endswith("1 file: 3 warnings, 1 remark; --fix mends 1\n")
    assert "\033" not in result.stdout
    assert max(map(len, result.stdout.split("\n"))) <= 80


def test_exit_codes() -> None:
    assert gen("clean.env").returncode == 0
    assert gen(OVERRIDE).returncode == 1
    assert gen("gone.conf").returncode == 2
    assert gen(OVERRIDE, "--ollama-version", "0.99.1.2").returncode == 2


def test_the_report_shows_the_line_and_marks_the_value() -> None:
    lines = gen(OVERRIDE).stdout.split("\n")
    (at,) = [number for number, line in enumerate(lines) if " HW109 `" in line]
    shown, mark = lines[at + 1], lines[at + 2]
    assert shown.lstrip().startswith("| ")
    first, last = mark.index("^"), mark.rindex("^") + 1
    assert shown[first:last] == "1d"
    assert "why, with examples: gen explain HW102 HW109" in lines[-3]


def test_statistics_count_by_rule(there: Path) -> None:
    (there / "a.env").write_text("OLLAMA_KEEP_ALIVE=1d\nOLLAMA_LOAD_TIMEOUT=2d\nOLLAMA_DEBG=1\n")
    assert gen("a.env", "--statistics").stdout.split("\n")[:2] == [
        "2  HW109 * a duration that Go does not know",
        "1  HW104 * a name that looks misspelt",
    ]


def test_a_code_quality_report_for_gitlab(there: Path) -> None:
    (there / "a.env").write_text("OLLAMA_KEEP_ALIVE=1d\nOLLAMA_LOAD_TIMEOUT=1d\n")
    issues = json.loads(gen("a.env", "--format", "gitlab").stdout)
    assert [issue["location"]["lines"]["begin"] for issue in issues] == [1, 2]
    assert {issue["check_name"] for issue in issues} == {"HW109"}
    assert {issue["severity"] for issue in issues} == {"major"}
    assert len({issue["fingerprint"] for issue in issues}) == 2


def test_the_setting_has_a_field_of_its_own(there: Path) -> None:
    (there / "a.env").write_text("OLLAMA_KEEP_ALIVE=1d\n")
    (found,) = json.loads(gen("a.env", "--json").stdout)["findings"]
    assert found["setting"] == "OLLAMA_KEEP_ALIVE"
    assert found["page"].endswith("/docs/rules/HW109.md")
    (run,) = json.loads(gen("a.env", "--format", "sarif").stdout)["runs"]
    assert run["results"][0]["properties"] == {"setting": "OLLAMA_KEEP_ALIVE"}


def test_a_secret_stays_out_of_every_report(there: Path) -> None:
    (there / "a.conf").write_text('[Service]\nEnvironment="OLLAMA_API_KEY=k9-2f6d0b"\n')
    for options in ((), ("--json",), ("--select", "HW118"), ("--format", "sarif")):
        printed = gen("a.conf", *options).stdout
        assert "HW118" in printed
        assert "k9-2f6d0b" not in printed


def test_nothing_to_judge_is_not_all_well(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "other.service").write_text("[Service]\nExecStart=/bin/true\n")
    done = gen(str(other))
    assert done.returncode == 2
    assert "nothing below it has to do with Ollama" in " ".join(done.stdout.split())
    assert gen(str(other), "clean.env").returncode == 0


def test_without_a_path_it_looks_at_the_machine(tmp_path: Path) -> None:
    result = gen("--root", str(tmp_path))
    assert result.returncode == 2
    told = " ".join(result.stdout.split())
    assert "no unit, quadlet, compose project or file of variables here is about Ollama" in told


@pytest.mark.parametrize("path", ["gone.conf", "gone/", "gone\n.conf"])
def test_a_path_that_is_not_there(path: str) -> None:
    result = gen(path)
    assert result.returncode == 2
    assert "HW000 there is no such file" in result.stdout
    assert "check the path" in result.stdout


def test_a_file_of_another_kind(there: Path) -> None:
    (there / "notes.css").write_text("Notes\n")
    result = gen("notes.css")
    assert result.returncode == 2
    assert "HW000 is none of the files that are checked" in result.stdout


def test_a_broken_file_does_not_hide_the_others(there: Path) -> None:
    (there / "web" / "compose.yaml").write_text("services: [\n", encoding="utf-8")
    result = gen("web/compose.yaml", OVERRIDE)
    assert result.returncode == 2
    assert "HW000 is not YAML" in result.stdout
    assert "HW109" in result.stdout


def test_a_release_decides() -> None:
    assert "HW102" in rules(OVERRIDE, "--ollama-version", "0.32")
    assert "HW102" not in rules(OVERRIDE, "--ollama-version", "0.9")


def test_a_release_that_does_not_exist() -> None:
    result = gen(OVERRIDE, "--ollama-version", "new")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--ollama-version" in result.stderr
    assert "hint:" in result.stderr


def test_facts_of_the_host(there: Path) -> None:
    (there / OVERRIDE).write_text("[Service]\nCPUQuota=900%\n")
    assert rules(OVERRIDE) == []
    assert rules(OVERRIDE, "--host", "mine.toml") == ["HW204"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[ollama]\n", "there is no such table"),
        ("[host]\nmemory = 'much'\n", "host.memory"),
        ("[host", "hosts.toml"),
        (None, "hosts.toml"),
    ],
)
def test_facts_that_make_no_sense(there: Path, text: str | None, told: str) -> None:
    if text is not None:
        (there / "hosts.toml").write_text(text)
    result = gen(OVERRIDE, "--host", "hosts.toml")
    assert (result.returncode, result.stdout) == (2, "")
    assert told in result.stderr


def test_what_a_target_cannot_express() -> None:
    assert "HW601" not in rules("xeon-cpu")
    assert "HW601" in rules("dual-pascal", "--target", "compose")
    assert "HW601" in rules("dual-pascal", "-t", "all")
    assert gen("xeon-cpu", "--target", "kubernetes").returncode == 2


def test_every_format() -> None:
    document = json.loads(gen(OVERRIDE, "--format", "json").stdout)
    assert document["schema_version"] == 1
    assert document["counts"] == {"error": 0, "warning": 3, "info": 1, "ignored": 0}
    assert [f["fixable"] for f in document["findings"] if f["rule"] == "HW109"] == [True]
    assert gen(OVERRIDE, "--json").stdout == gen(OVERRIDE, "--format", "json").stdout
    (run,) = json.loads(gen(OVERRIDE, "--format", "sarif").stdout)["runs"]
    assert sorted(r["ruleId"] for r in run["results"]) == ALL
    suites = ET.fromstring(gen(OVERRIDE, "--format", "junit").stdout)  # noqa: S314 -- our own
    assert [suite.get("failures") for suite in suites] == ["3"]
    commands = gen(OVERRIDE, "--format", "github").stdout.splitlines()
    assert len(commands) == 4
    where = f"file={OVERRIDE},line=3,col=31,endColumn=33"
    assert f"::warning {where},title=HW109::" in "".join(commands)
    assert gen(OVERRIDE, "--format", "xml").returncode == 2


@pytest.mark.parametrize(
    ("fail_on", "of_all", "of_remarks"),
    [("error", 0, 0), ("warning", 1, 0), ("info", 1, 1), ("never", 0, 0)],
)
def test_fail_on(fail_on: str, of_all: int, of_remarks: int) -> None:
    assert gen(OVERRIDE, "--fail-on", fail_on).returncode == of_all
    result = gen(OVERRIDE, "--select", "HW203", "--fail-on", fail_on)
    assert result.returncode == of_remarks


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--select", "HW1"], ["HW102", "HW109"]),
        (["--select", "HW102,HW203"], ["HW102", "HW203"]),
        (["--select", "hw4", "--select", "HW2"], ["HW203", "HW401"]),
        (["--ignore", "HW1"], ["HW203", "HW401"]),
        (["--ignore", "HW102, HW203"], ["HW109", "HW401"]),
        (["--select", "HW1", "--ignore", "HW109"], ["HW102"]),
        (["--select", "HW"], ALL),
    ],
)
def test_select_and_ignore(options: list[str], left: list[str]) -> None:
    assert rules(OVERRIDE, *options) == left


@pytest.mark.parametrize("rule", ["HW1234", "203", "E501", "", "HW1,"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    result = gen(OVERRIDE, "--ignore", rule)
    assert (result.returncode, result.stdout) == (2, "")
    assert "is no rule" in result.stderr


def test_what_a_fix_uncovers_is_not_taken_from_what_it_mends(there: Path) -> None:
    unit = "[Service]\nExecStart=/usr/bin/ollama serve\nUser=ollama\nRestart=always\n"
    text = f"{unit}StartLimitIntervalSec=0\nEnvironment=OLLAMA_NUM_THREADS=6\n"
    (there / "ollama.service").write_text(text)
    before = set(rules("ollama.service"))
    result = gen("ollama.service", "--fix")
    gone = before - set(rules("ollama.service"))
    assert {"HW101", "HW514"} & before == {"HW101", "HW514"} & gone
    assert f": {len(gone)} findings" in result.stderr


def test_fix_writes_and_says_so(there: Path) -> None:
    result = gen(OVERRIDE, "--fix")
    [kept] = [each.kept for each in find(there / OVERRIDE).backups]
    assert [path.name for path in (there / OVERRIDE).parent.iterdir()] == ["override.conf"]
    assert kept.read_text() == DROP_IN
    told = f"mended {OVERRIDE}: 1 finding, 3 left to you; as it was: {kept}\n"
    assert result.stderr == told
    assert "HW109" not in result.stdout
    assert result.returncode == 1  # what nobody mends is still there
    assert (there / OVERRIDE).read_text() == DROP_IN.replace("1d", "24h")
    again = gen(OVERRIDE, "--fix")
    assert again.stderr == ""
    assert (there / OVERRIDE).read_text() == DROP_IN.replace("1d", "24h")


def test_fix_only_mends_what_is_selected(there: Path) -> None:
    gen(OVERRIDE, "--fix", "--ignore", "HW109")
    assert (there / OVERRIDE).read_text() == DROP_IN


@pytest.mark.parametrize("tool", [["patch", "-p1"], ["git", "apply"]])
def test_the_patch_applies(there: Path, tool: list[str]) -> None:
    program = require(tool[0])
    result = gen(".", "--fix", "--diff")
    assert result.stderr == ""
    assert (there / OVERRIDE).read_text() == DROP_IN
    subprocess.run(
        [program, *tool[1:]], input=result.stdout, text=True, check=True, capture_output=True
    )
    assert (there / OVERRIDE).read_text() == DROP_IN.replace("1d", "24h")
    assert "OLLAMA_CONTEXT_LENGTH: 8192" in (there / "web" / "compose.yaml").read_text()


def test_diff_alone_is_refused() -> None:
    result = gen(OVERRIDE, "--diff")
    assert result.returncode == 2
    assert "write both" in result.stderr


def test_stdin() -> None:
    assert findings("-", "--stdin-name", "ollama.service", stdin=DROP_IN)[0][0] == "ollama.service"
    # Without a name the content tells.
    assert findings("-", "--select", "HW109", stdin=DROP_IN) == [("-", 3, "HW109")]
    assert rules("-", "--stdin-name", "compose.yaml", stdin=COMPOSE) == ["HW101"]
    assert gen("-", "--fix", stdin=DROP_IN).returncode == 2
    patch = gen("-", "--fix", "--diff", "--stdin-name", "ollama.service", stdin=DROP_IN)
    assert "+Environment=OLLAMA_KEEP_ALIVE=24h\n" in patch.stdout


@pytest.mark.parametrize("text", ["", "\0", "hello", "\udcff"])
def test_stdin_that_is_nothing(text: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "generator", "check", "-"],
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def test_a_directory() -> None:
    found = findings(".", "--select", "HW1")
    assert found == [
        ("web/compose.yaml", 8, "HW101"),
        (OVERRIDE, 4, "HW102"),
        (OVERRIDE, 3, "HW109"),
    ]
    assert [rule for file, _, rule in findings(".") if file == "mine.toml"] == ["HW201"]


def test_a_profile_by_name_and_by_path() -> None:
    assert gen("xeon-cpu").returncode == 0
    assert findings("mine.toml") == [("mine.toml", 12, "HW201")]


WHY = "because we like five minutes"
QUADLET = """\
[Container]
Image=docker.io/ollama/ollama:0.32.15
Volume=o:/root/.ollama
; hostwright: ignore HW109 because we like five minutes
Environment=OLLAMA_KEEP_ALIVE=1d
[Service]
Restart=always
"""
VALUES = """\
ollama: {gpu: {enabled: true}}
extraEnv:
- name: OLLAMA_KEEP_ALIVE
  value: 1d # hostwright: ignore HW109 because we like five minutes
"""
ABOVE = f"# hostwright: ignore HW109 {WHY}\n"
BESIDE = f"8192  # hostwright: ignore HW101 {WHY}"


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        (
            "ollama.service.d/a.conf",
            f"[Service]\n{ABOVE}Environment=OLLAMA_KEEP_ALIVE=1d\n",
            "HW109",
        ),
        ("a.env", f"{ABOVE}OLLAMA_KEEP_ALIVE=1d\n", "HW109"),
        ("a/compose.yaml", f"{COMPOSE}# hostwright: ignore-file HW101 {WHY}\n", "HW101"),
        ("b/compose.yaml", COMPOSE.replace("8192", BESIDE), "HW101"),
        ("ollama.container", QUADLET, "HW109"),
        ("values.yaml", VALUES, "HW109"),
    ],
)
def test_a_comment_silences(there: Path, name: str, text: str, rule: str) -> None:
    path = there / "silent" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    result = gen(str(path.relative_to(there)), "--fail-on", "info", "--json")
    assert result.returncode == 0, result.stdout
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["rule"] == rule
    assert finding["ignored"]


def test_a_comment_silences_in_a_module(there: Path) -> None:
    require("nix-instantiate")
    (there / "a.nix").write_text(
        "{ services.ollama.environmentVariables = {\n"
        '  OLLAMA_KEEP_ALIVE = "1d"; # hostwright: ignore HW109 because we like five minutes\n'
        "}; }\n"
    )
    assert gen("a.nix", "--fail-on", "info").returncode == 0


def test_a_profile_silences(there: Path) -> None:
    reason = '[check]\nignore = [{ rule = "HW201", reason = "measured" }]\n'
    (there / "mine.toml").write_text(PROFILE + reason)
    result = gen("mine.toml", "--fail-on", "info")
    assert (result.returncode, result.stdout) == (0, "1 file: nothing to remark; 1 ignored\n")


def test_a_comment_without_a_reason_is_told(there: Path) -> None:
    (there / "a.env").write_text("# hostwright: ignore HW109\nOLLAMA_KEEP_ALIVE=1d\n")
    assert rules("a.env") == ["HW001", "HW109"]
    assert rules("a.env", "--ignore", "HW001") == ["HW109"]


def test_colour_is_for_terminals() -> None:
    assert "\033" not in gen(OVERRIDE, env={"NO_COLOR": "1"}).stdout
    assert "\033" not in gen(OVERRIDE).stdout


@pytest.fixture
def module(there: Path) -> str:
    (there / "host.nix").write_text("{ services.ollama.enable = true; }\n")
    (there / ".blind").mkdir()
    (there / ".blind" / "tree_sitter.py").write_text("raise ImportError\n")
    return "host.nix"


def without_nix(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command with nothing that reads Nix."""
    env = {"PATH": "/nonexistent", "PYTHONPATH": ".blind"}
    return process("check", *args, cwd=Path.cwd(), env=env)


def test_the_text_of_a_module_is_judged_without_nix(there: Path) -> None:
    text = (
        'x: { services.ollama = { port = x; environmentVariables.OLLAMA_NUM_THREADS = "8"; }; }\n'
    )
    (there / "a.nix").write_text(text)
    result = gen("a.nix", env={"PATH": "/nonexistent"})
    assert result.returncode == 1
    assert "HW101" in result.stdout
    assert "there is no nix-instantiate; only what it says literally was judged" in " ".join(
        result.stdout.split()
    )


@pytest.mark.parametrize(("nixos", "code"), [("25.11", 0), ("26.05", 1), ("25.12", 2)])
def test_the_release_of_nixos(there: Path, nixos: str, code: int) -> None:
    require("nix-instantiate")
    (there / "a.nix").write_text('{ services.ollama.acceleration = "cuda"; }\n')
    assert gen("a.nix", "--nixos", nixos).returncode == code


def test_a_module_without_nix(module: str) -> None:
    result = without_nix(module)
    assert result.returncode == 3
    assert "host.nix: not judged: only Nix can read" in result.stdout
    assert "install Nix" in result.stdout
    assert result.stdout.endswith("\nno file judged, 1 not: nothing to remark\n")


def test_a_file_that_is_judged_in_part_is_not_called_clean(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "unit.service").write_text(
        "[Service]\nExecStart=/usr/bin/ollama serve\nUser=ollama\nRestart=always\n"
        "EnvironmentFile=/etc/ollama.env\n"
    )
    (here / "a.env").write_text("OLLAMA_KEEP_ALIVE=5m\n")
    one, both = (called("check", *names, cwd=here) for names in (("unit.service",), (".",)))
    assert one.stdout.endswith("\n1 file judged in part: nothing to remark\n")
    assert both.stdout.endswith("\n2 files judged (1 in part): nothing to remark\n")


@pytest.mark.parametrize("paths", [(".",), ("host.nix", OVERRIDE)])
def test_what_cannot_be_judged_stops_nothing_and_is_told(
    module: str, paths: tuple[str, ...]
) -> None:
    result = without_nix(*paths)
    assert result.returncode == 1
    assert "HW109" in result.stdout  # the others are told
    assert f"{module}: not judged: " in result.stdout
    assert " judged, 1 not: " in result.stdout
    document = json.loads(without_nix(*paths, "--json").stdout)
    assert [each["file"] for each in document["not_judged"]] == [module]
    assert module not in document["files"]


def test_what_cannot_be_judged_is_told_in_every_format(module: str) -> None:
    paths = ("host.nix", OVERRIDE)
    assert without_nix(*paths, "--fail-on", "not-judged").returncode == 3
    assert "title=not judged::" in without_nix(*paths, "--format", "github").stdout
    (run,) = json.loads(without_nix(*paths, "--format", "sarif").stdout)["runs"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == module
    assert '<skipped message="not judged: ' in without_nix(*paths, "--format", "junit").stdout


def test_a_file_that_cannot_be_written(there: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    (there / "ollama.service.d").chmod(0o500)
    assert gen(OVERRIDE, "--fix").returncode == 3


def test_json_of_ours_that_is_no_plan_is_passed_over(there: Path) -> None:
    shown = {
        "list": ["list"],
        "show": ["show", "xeon-cpu"],
        "detect": ["detect"],
        "render": ["xeon-cpu", "-t", "all"],
        "fit": ["fit", "dual-pascal"],
        "explain": ["explain", "HW401"],
        "error": ["show", "unknown"],
        "check": ["check", "mine.toml"],
        "fleet": ["fleet", "fleet.toml"],
    }
    (there / "fleet.toml").write_text('schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\n')
    folder = there / "saved"
    folder.mkdir()
    for name, args in shown.items():
        (folder / f"{name}.json").write_text(called(*args, "--json", cwd=there).stdout)
    for schema in ROOT.glob("docs/schemas/*.json"):
        (folder / f"schema-{schema.name}").write_text(schema.read_text())
    (folder / "plan.json").write_text(called("plan", "xeon-cpu", cwd=there).stdout)
    document = json.loads(gen("saved", "--json").stdout)
    assert (document["files"], document["not_judged"]) == (["saved/plan.json"], [])
    (named,) = json.loads(gen("saved/list.json", "--json").stdout)["findings"]
    assert "is no plan" in named["message"]


def test_the_profiles_and_documents_of_this_repository_are_clean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    result = gen("profiles", "docs")
    assert result.returncode == 0, result.stdout
