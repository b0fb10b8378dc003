"""Files as operators write them, and by hand what `gen check` has to say of each."""

import shutil
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.check.gather import CheckRequest, check
from generator.check.mend import fixable, mended
from generator.check.report import Report
from generator.rules.registry import every_rule
from generator.view import LocatedFinding
from tests.consumers import compose, nix, systemd
from tests.tools import require

CORPUS = Path(__file__).with_name("corpus")
CASES: list[dict[str, Any]] = tomllib.loads((CORPUS / "expected.toml").read_text("utf-8"))["case"]
NAMES = [case["name"] for case in CASES]
MENDED = [case for case in CASES if "mended" in case]
# Only a profile tells what these judge: a model's role, and whether the host sleeps.
OF_PROFILES = {"HW110", "HW504", "HW519"}
Told = set[tuple[str, str]]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the corpus that is only read, outside of the settings of this repository."""
    return Path(shutil.copytree(CORPUS, tmp_path_factory.mktemp("read") / "corpus"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the corpus, which is the current directory."""
    shutil.copytree(CORPUS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(case: dict[str, Any]) -> Report:
    if any("nixos" in path for path in case["paths"]):
        require("nix-instantiate")
    host = Path(case["host"]) if "host" in case else None
    return check(CheckRequest(paths=case["paths"], version=case.get("version"), host=host))


def lines(found: Iterable[LocatedFinding]) -> Told:
    return {(p.place.file, f"{p.place.line} {p.finding.rule}") for p in found}


def written(expected: dict[str, list[str]]) -> Told:
    return {(file, line) for file, told in expected.items() for line in told}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_finding_is_expected_and_every_expected_one_found(
    case: dict[str, Any], copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each says what to do as well."""
    monkeypatch.chdir(copy)
    report = checked(case)
    assert lines(report.findings) == written(case["found"])
    assert lines(report.ignored) == written(case.get("ignored", {}))
    messages = {
        f"{p.place.line} {p.finding.rule}": p.finding.message for p in reversed(report.findings)
    }
    for line, part in case.get("says", {}).items():
        assert part in messages[line]
    for placed in report.findings:
        assert placed.finding.message
        assert placed.finding.fix, placed


@pytest.mark.parametrize("case", MENDED, ids=[case["name"] for case in MENDED])
def test_what_fix_leaves_is_accepted_and_has_nothing_left_to_fix(
    case: dict[str, Any], files: Path
) -> None:
    before = checked(case)
    new = mended(before.found, before.texts)
    assert new
    for file, text in new.items():
        (files / file).write_text(text, encoding="utf-8")
    after = checked(case)
    assert [placed for placed in after.findings if fixable(placed, after.texts)] == []
    assert errors(after) <= errors(before)
    ACCEPTED[case["mended"]](case, [files / file for file in new])


def errors(report: Report) -> Told:
    """Return the errors by file; a fix may uncover a lesser remark, but breaks nothing."""
    worst = (p for p in report.findings if p.finding.severity == "error")
    return {(p.place.file, p.finding.rule) for p in worst}


def by_systemd(case: dict[str, Any], changed: list[Path]) -> None:
    directory = Path(case["paths"][0])
    units = [path.name for path in directory.glob("*.service")] or ["ollama.service"]
    instances = [name.replace("@.", "@1.") for name in units]
    for name, instance in zip(units, instances, strict=True):
        if name != instance:
            (directory / instance).write_text((directory / name).read_text("utf-8"))
    assert systemd.verify(directory, instances) == []


def by_compose(case: dict[str, Any], changed: list[Path]) -> None:
    for file in projects(case):
        assert compose.verify(file) == []


def projects(case: dict[str, Any]) -> Iterator[Path]:
    for path in map(Path, case["paths"]):
        yield from path.glob("*compose.y*ml") if path.is_dir() else (path,)


def by_nix(case: dict[str, Any], changed: list[Path]) -> None:
    for file in changed:
        assert nix.parse(file)


def by_yaml(case: dict[str, Any], changed: list[Path]) -> None:
    for file in changed:
        assert isinstance(yaml.safe_load(file.read_text("utf-8")), dict)


def by_environment(case: dict[str, Any], changed: list[Path]) -> None:
    for file in changed:
        lines = file.read_text("utf-8").splitlines()
        assert all("=" in line for line in lines if not line.startswith("#"))


ACCEPTED = {
    "systemd": by_systemd,
    "compose": by_compose,
    "nix": by_nix,
    "yaml": by_yaml,
    "environment": by_environment,
}


def test_every_rule_for_files_is_met_somewhere() -> None:
    met = {line.split()[1] for case in CASES for told in case["found"].values() for line in told}
    assert {rule.id for rule in every_rule().values() if rule.check} - met == OF_PROFILES


def test_every_file_belongs_to_a_case() -> None:
    roots = [CORPUS / path for case in CASES for path in case["paths"]]
    hosts = {CORPUS / case["host"] for case in CASES if "host" in case}
    loose = [
        path.relative_to(CORPUS).as_posix()
        for path in sorted(CORPUS.rglob("*"))
        if path.is_file() and path not in hosts
        if not any(path.is_relative_to(root) or path.parent in root.parents for root in roots)
    ]
    assert loose == ["compose/included/llm/compose.yaml"]
