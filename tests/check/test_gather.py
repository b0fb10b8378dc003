"""What holds for any input of `gen check`: it ends soon, in a Report or in an expected failure."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.check.reports import as_github, as_json, as_junit, as_sarif
from generator.cli.check_text import render
from generator.errors import HostwrightError
from tests.effort import calls, cpu_seconds
from tests.tools import require

NAMES = [
    "ollama.service",
    "ollama.service.d/override.conf",
    "ollama.container",
    "compose.yaml",
    "values.yaml",
    "ollama.env",
    ".bashrc",
    "profile.toml",
    "plan.json",
]
BOUNDED = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SECONDS = 30  # of processor time: ten times what any of them takes


def outcome(path: Path, raw: bytes) -> Report | HostwrightError:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    try:
        return check(CheckRequest(paths=[str(path)]))
    except HostwrightError as error:
        return error


def assert_well_formed(found: Report | HostwrightError) -> None:
    """Every form of the Report is what its readers take."""
    if isinstance(found, HostwrightError):
        assert found.message
        return
    told = len(found.findings)
    assert render(found).endswith("\n")
    assert len(json.loads(as_json(found))["findings"]) == len(found.found)
    (run,) = json.loads(as_sarif(found))["runs"]
    assert len(run["results"]) == len(found.found)
    ET.fromstring(as_junit(found))  # noqa: S314 -- our own
    commands = as_github(found).split("\n")[:-1]
    assert len(commands) == told + len(found.gaps)
    assert all(command.startswith("::") for command in commands)


@BOUNDED
@given(st.sampled_from(NAMES), st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, raw: bytes) -> None:
    assert_well_formed(outcome(tmp_path / name, raw))


@BOUNDED
@given(st.sampled_from(NAMES), st.text(max_size=300))
def test_any_text(tmp_path: Path, name: str, text: str) -> None:
    assert_well_formed(outcome(tmp_path / name, text.encode("utf-8", "replace")))


@settings(BOUNDED, max_examples=15)
@given(st.text(max_size=60) | st.sampled_from(["{ a = b: c; }", "x: x x", "{ ... }: throw 1"]))
def test_any_module(tmp_path: Path, text: str) -> None:
    require("nix-instantiate")
    assert_well_formed(outcome(tmp_path / "module.nix", text.encode("utf-8", "replace")))


KEYS = st.sampled_from(
    [
        *("services", "ollama", "image", "environment", "env_file", "ports", "volumes", "deploy"),
        *("resources", "limits", "memory", "cpus", "devices", "healthcheck", "test", "command"),
        *("include", "extends", "file", "gpu", "models", "pull", "extraEnv", "name", "value", "<<"),
        *("OLLAMA_HOST", "OLLAMA_KEEP_ALIVE", "LLAMA_ARG_THREADS", "version", "x-y", "gpus"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.binary(max_size=8),
    st.text(max_size=12),
    st.sampled_from(["ollama/ollama:latest", "${A:-b}", "${", "$$", "4G", "1d", "::"]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | SCALARS, inner, max_size=5),
    max_leaves=25,
)


@BOUNDED
@given(st.sampled_from(["compose.yaml", "values.yaml"]), DOCUMENTS)
def test_any_yaml_document(tmp_path: Path, name: str, document: object) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    assert_well_formed(outcome(tmp_path / name, text.encode("utf-8", "replace")))


@BOUNDED
@given(DOCUMENTS)
def test_any_service_of_a_compose_file(tmp_path: Path, service: object) -> None:
    text = yaml.safe_dump({"services": {"ollama": service}}, allow_unicode=True)
    assert_well_formed(outcome(tmp_path / "compose.yaml", text.encode("utf-8", "replace")))


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("[Service]", "[Container]", "[", "[Unit", "# hostwright: ignore HW1", "\\", "="),
                *("ExecStart=/bin/ollama serve", "ExecStart=docker run -e", "Environment="),
                *('Environment="OLLAMA_HOST', "Environment=OLLAMA_HOST=%", "MemoryMax=9" * 40),
                *("Image=ollama/ollama", "PodmanArgs=--gpus", "EnvironmentFile=/dev/zero", "\0"),
            ]
        ),
        st.builds("{}={}".format, st.text(max_size=8), st.text(max_size=20)),
        st.builds("Environment=OLLAMA_KEEP_ALIVE={}".format, st.text(max_size=12)),
        st.builds("CPUQuota={}".format, st.text("0123456789.%-", max_size=40)),
    ),
    max_size=12,
).map("\n".join)


@BOUNDED
@given(st.sampled_from([name for name in NAMES if "." in name[1:]]), LINES)
def test_any_unit_file(tmp_path: Path, name: str, text: str) -> None:
    assert_well_formed(outcome(tmp_path / name, text.encode("utf-8", "replace")))


def laughs(last: int) -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, last + 1)]
    return "\n".join([*levels, f"services: {{ollama: {{image: ollama/ollama, ports: *a{last}}}}}"])


def tables() -> str:
    sixty = [", ".join(f"k{k}: *m{n - 1}" for k in range(60)) for n in range(1, 8)]
    levels = ["m0: &m0 {a: 1}", *(f"m{n}: &m{n} {{{keys}}}" for n, keys in enumerate(sixty, 1))]
    return "\n".join([*levels, "services: {ollama: {image: ollama/ollama, x: *m7}}"])


def merges() -> str:
    keys = ", ".join(f"k{n}: 1" for n in range(300))
    levels = [f"m0: &m0 {{{keys}}}"]
    levels += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 40)}]}}" for n in range(1, 12)]
    return "\n".join([*levels, "services: {ollama: {image: ollama/ollama, <<: *m11}}"])


BOMBS: dict[str, tuple[str, Callable[[], str]]] = {
    "aliases of mappings": ("compose.yaml", tables),
    "aliases in values": ("values.yaml", lambda: f"{tables()}\nollama: {{gpu: *m7}}"),
    "merge keys": ("compose.yaml", merges),
    "an alias of itself": ("compose.yaml", lambda: "services: &a\n  ollama: *a\n"),
    "brackets": ("compose.yaml", lambda: "services: " + "[" * 50_000),
    "indents": (
        "compose.yaml",
        lambda: "services:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 2_000)),
    ),
    "braces": ("values.yaml", lambda: "ollama: " + "{a: " * 20_000),
    "nested variables": (
        "compose.yaml",
        lambda: "services: {ollama: {image: '" + "${A:-" * 5_000 + "'}}",
    ),
    "a huge file": ("compose.yaml", lambda: "# " + "x" * (6 * 2**20)),
    "a long line": ("ollama.service", lambda: "[Service]\nEnvironment=" + "A=b " * 400_000),
    "tables": ("profile.toml", lambda: "a = " + "[" * 50_000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_soon(tmp_path: Path, kind: str) -> None:
    name, text = BOMBS[kind]
    raw = text().encode()
    found, seconds = cpu_seconds(lambda: outcome(tmp_path / name, raw))
    assert seconds < SECONDS
    assert_well_formed(found)
    assert isinstance(found, Report)
    assert any(placed.finding.rule == "HW000" for placed in found.findings), found.findings


def test_aliases_are_shared_and_not_copied(tmp_path: Path) -> None:
    def read(levels: int) -> None:
        assert_well_formed(outcome(tmp_path / "compose.yaml", laughs(levels).encode()))

    read(1)
    # Three more levels have 729 times as many leaves.
    assert calls(lambda: read(6)) < 2.2 * calls(lambda: read(3))
    read(11)


DOUBLED = {
    "variables": ("run.sh", "A0=ollama\n", 'A{}="$A{}$A{}"\n', "docker run -e X=$A{} {}\n"),
    "make": (
        "Makefile",
        "A0=ollama\n",
        "A{} = $(A{})$(A{})\n",
        "a:\n\tdocker run -e X=$(A{}) {}\n",
    ),
    "arrays": (
        "run.sh",
        "A0=(-e OLLAMA_DEBUG=1)\n",
        'A{}=("${{A{}[@]}}" "${{A{}[@]}}")\n',
        'docker run "${{A{}[@]}}" {}\n',
    ),
}


@pytest.mark.parametrize("kind", DOUBLED)
def test_what_a_script_puts_in_has_a_bound(tmp_path: Path, kind: str) -> None:
    name, first, level, last = DOUBLED[kind]

    def read(levels: int) -> None:
        lines = [level.format(n, n - 1, n - 1) for n in range(1, levels)]
        text = first + "".join(lines) + last.format(levels - 1, "ollama/ollama")
        assert_well_formed(outcome(tmp_path / name, text.encode()))

    read(2)
    assert calls(lambda: read(40)) < 20_000 + 6 * calls(lambda: read(10))


def test_many_lines_are_no_bomb(tmp_path: Path) -> None:
    def read(lines: int) -> None:
        many = "".join(f"Environment=A{n}={n}\n" for n in range(lines))
        found = outcome(tmp_path / "ollama.service", f"[Service]\n{many}".encode())
        assert isinstance(found, Report)
        assert found.findings == ()

    read(800)  # What a name is like is looked up once.
    assert calls(lambda: read(800)) < 2.2 * calls(lambda: read(400))


def test_many_services_are_no_bomb(tmp_path: Path) -> None:
    def read(services: int) -> None:
        many = "".join(f"  s{n}:\n    image: ollama/ollama:0.32.15\n" for n in range(services))
        assert_well_formed(outcome(tmp_path / "compose.yaml", f"services:\n{many}".encode()))

    read(100)
    assert calls(lambda: read(100)) < 2.2 * calls(lambda: read(50))


def test_a_folder_is_looked_into_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside and above is asked of each file: of many siblings that is by the square."""
    for name in map(str, range(20)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "compose.yaml").write_text("services: {a: {image: ollama/ollama}}\n")
    looked: list[str] = []
    scandir = os.scandir

    def noted(folder: str) -> object:
        looked.append(folder)
        return scandir(folder)

    monkeypatch.setattr("generator.readers.text.os.scandir", noted)
    assert len(check(CheckRequest(paths=[str(tmp_path)])).texts) == 20
    assert looked.count(str(tmp_path)) == 2  # one of them walks it
