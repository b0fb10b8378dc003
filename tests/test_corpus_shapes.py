"""Shapes in which operators write the same few things: small files, and what is said of each."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from generator.check.report import Report
from tests.tools import require

CORPUS = Path(__file__).with_name("corpus") / "shapes.toml"
CASES: list[dict[str, Any]] = tomllib.loads(CORPUS.read_text("utf-8"))["case"]
MENDED = [case for case in CASES if "mended" in case]


def names(cases: list[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in cases]


def checked(case: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Write the files of a case and check them, as one directory or by name."""
    for name, text in case["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    if any(name.endswith(".nix") for name in case["files"]):
        require("nix-instantiate")
    monkeypatch.chdir(folder)
    return check(CheckRequest(paths=case.get("paths", ["."])))


def test_no_name_stands_there_twice() -> None:
    assert len(set(names(CASES))) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_what_is_said(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = checked(case, tmp_path, monkeypatch)
    told = {f"{p.place.file} {p.place.line} {p.finding.rule}" for p in report.findings}
    assert told >= set(case.get("found", ()))
    assert not {line.rpartition(" ")[2] for line in told} & set(case.get("never", ()))
    assert {gap.file for gap in report.not_judged} >= set(case.get("not_judged", ()))
    assert not {gap.file for gap in report.not_judged} & set(case.get("judged", ()))
    if case.get("silent"):
        assert [p for p in report.findings if p.finding.severity != "info"] == []
        assert report.judged


@pytest.mark.parametrize("case", MENDED, ids=names(MENDED))
def test_what_fix_leaves_has_the_fault_no_more(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checked(case, tmp_path, monkeypatch)
    new = mended(before.found, before.texts)
    assert any(case["mended"] in text for text in new.values())
    for file, text in new.items():
        (tmp_path / file).write_bytes(text.encode())
    after = check(CheckRequest(paths=case.get("paths", ["."])))
    assert {p.finding.rule for p in after.findings} <= {p.finding.rule for p in before.findings}
    assert len(after.findings) < len(before.findings)
