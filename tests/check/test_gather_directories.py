"""A directory says the same as its files named in one call."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from tests.commands import ROOT

CORPUS = ROOT / "tests/corpus"
Told = dict[str, set[tuple[str, int, str]]]
WAIT_FOR_THEIR_NAME = {"code", "documents/notes.txt", "helm/env-only.yaml", "hosts"}
"""Programs, plain text, values of any chart, and hosts, which are profiles where they are named."""
NOTHING_BUT_NAMED = {"nixos/pinned/flake.nix", "nixos/rolling/flake.nix", "likeness/compose.yaml",
                     "repository/docs/notes.yaml", "repository/README.md",
                     "systemd/put-for-a-user/scripts/put.sh"}  # fmt: skip
"""Files that are about no server, of which one that is named is told so."""


def told(report: Report) -> Told:
    found: Told = {}
    for each in report.findings:
        finding = (each.finding.rule, each.place.line, each.finding.message)
        found.setdefault(name(each.place.file), set()).add(finding)
    for gap in report.not_judged:
        found.setdefault(name(gap.file), set()).add((gap.part, gap.line, gap.reason))
    return {file: said for file, said in found.items() if not waits(file)}


def name(path: str) -> str:
    return Path(path).relative_to(CORPUS).as_posix()


def waits(file: str) -> bool:
    every = WAIT_FOR_THEIR_NAME | NOTHING_BUT_NAMED
    return any(path.as_posix() in every for path in (Path(file), *Path(file).parents))


@pytest.mark.parametrize("folder", sorted(p.name for p in CORPUS.iterdir() if p.is_dir()))
def test_a_directory_is_told_what_its_files_are_told(folder: str) -> None:
    files = [str(path) for path in sorted((CORPUS / folder).rglob("*")) if path.is_file()]
    by_name = told(check(CheckRequest(paths=files)))
    assert told(check(CheckRequest(paths=[str(CORPUS / folder)]))) == by_name
