from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.check.excerpt import Excerpt, excerpt
from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.errors import Finding
from generator.view import Edit, LocatedFinding, Place

if TYPE_CHECKING:
    from pathlib import Path

FILE = "a.conf"
LINE = 'Environment="OLLAMA_KEEP_ALIVE=1d"'
TEXTS = {FILE: f"[Service]\n  {LINE}  \n\n"}


def told(message: str, line: int = 2, **more: object) -> LocatedFinding:
    finding = Finding(rule="HW109", severity="warning", message=message, where="")
    return LocatedFinding(finding, Place(FILE, line), **more)  # type: ignore[arg-type]


def marked(placed: LocatedFinding) -> str:
    found = excerpt(placed, Report((placed,), TEXTS))
    assert found is not None
    assert found.line == LINE
    return found.line[found.start : found.end]


@pytest.mark.parametrize(
    ("placed", "meant"),
    [
        (told("`1d` is no duration"), "1d"),
        (told("`nowhere` is no duration", setting="OLLAMA_KEEP_ALIVE"), "OLLAMA_KEEP_ALIVE"),
        (told("it goes", edits=(Edit(Place(FILE, 2), "=1d", "=24h"),)), "=1d"),
        (told("no word of it"), LINE),
    ],
)
def test_the_part_that_is_meant_is_marked(placed: LocatedFinding, meant: str) -> None:
    assert marked(placed) == meant


@pytest.mark.parametrize("line", [0, 3, 9])
def test_there_is_no_excerpt_where_there_is_no_line(line: int) -> None:
    placed = told("`1d`", line)
    assert excerpt(placed, Report((placed,), TEXTS)) is None


def test_a_line_with_a_secret_is_not_shown() -> None:
    placed = told("`1d`")
    assert excerpt(placed, Report((placed,), TEXTS, secret=frozenset({placed.place}))) is None


def test_a_long_line_is_cut_around_the_mark() -> None:
    found = Excerpt("a" * 100 + "MARK" + "b" * 100, 100, 104).cut(40)
    assert len(found.line) == 40
    assert found.line[found.start : found.end] == "MARK"
    assert Excerpt("x" * 100, 0, 100).cut(10) == Excerpt("x" * 10, 0, 10)


def test_lines_that_look_like_secrets_are_not_shown_whoever_speaks_of_them(tmp_path: Path) -> None:
    profile = tmp_path / "host.toml"
    profile.write_text(
        'schema_version = 1\nname = "host"\nextends = "xeon-cpu"\n[ollama.env]\n'
        'OLLAMA_API_KEY = "abcdefghijkl"\nHTTPS_PROXY = "http://joe:pass-word@proxy:3128"\n'
        'HF_TOKEN = "hf_abcdefghijklmnop"\nOLLAMA_NUM_PARALEL = "3"\n',
        encoding="utf-8",
    )
    report = check(CheckRequest(paths=(str(profile),)))
    shown = {found.place.line: excerpt(found, report) for found in report.findings}
    assert {5, 6, 7} <= set(shown)
    assert not any(shown[line] for line in (5, 6, 7))


def test_an_option_beside_a_variable_is_marked_and_the_variable_is_not(tmp_path: Path) -> None:
    unit = tmp_path / "llm.container"
    unit.write_text(
        "[Container]\nImage=docker.io/ollama/ollama:0.13.0\n"
        "PodmanArgs=--cpus=0.5 -e OLLAMA_MAX_QUEUE=zz\n"
    )
    report = check(CheckRequest(paths=[str(unit)], select=["HW111", "HW214"]))
    found = {placed.finding.rule: placed for placed in report.findings}
    meant = {rule: excerpt(placed, report) for rule, placed in found.items()}
    assert {rule: part and part.parts[1] for rule, part in meant.items()} == {
        "HW111": "zz",
        "HW214": "--cpus=0.5",
    }
    assert found["HW111"].setting == "OLLAMA_MAX_QUEUE"
    assert found["HW214"].setting != "OLLAMA_MAX_QUEUE"
