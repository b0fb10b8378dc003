from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.page import as_page
from generator.check.report import Report
from generator.errors import Finding
from generator.view import LocatedFinding, NotJudged, Place
from tests.commands import ROOT, called

if TYPE_CHECKING:
    from pathlib import Path

CORPUS = ROOT / "tests/corpus"


class Reader(HTMLParser):
    """Follow the tags of a page, and keep what it would load and say."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.loads: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads |= {f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "style"}}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_of_the_corpus_needs_nothing_else() -> None:
    report = check(CheckRequest(paths=[str(CORPUS)]))
    reader = read(as_page(report))
    assert reader.loads == {"a href"}
    assert "script" not in reader.tags
    assert all(placed.finding.rule in reader.text for placed in report.findings)
    assert reader.text.count("(--fix)") > 10


def test_what_is_left_out_and_what_is_judged_in_part_is_told() -> None:
    finding = Finding(rule="HW109", severity="warning", message="no", where="a", fix="do it")
    placed = LocatedFinding(finding, Place("a", 1), withheld="it would change more than that")
    gaps = (NotJudged(file="a", reason="b", part="c"), NotJudged(file="d", reason="e"))
    text = read(as_page(Report((placed,), {"a": "x", "f": ""}, gaps))).text
    assert "do it (not by --fix: it would change more than that)" in text
    assert "2 judged (1 in part), 1 not; 1 warning" in text


@pytest.mark.parametrize("hostile", ["<script>a(1)</script>", "&amp;\x1b[2J", "'\"><img src=x>"])
def test_what_a_file_says_stays_text(hostile: str) -> None:
    finding = Finding(
        rule="HW109", severity="warning", message=f"`{hostile}` no", where=hostile, fix=hostile
    )
    placed = LocatedFinding(finding, Place(hostile, 1))
    gap = NotJudged(file=hostile, reason=hostile, part=hostile)
    reader = read(as_page(Report((placed,), {hostile: hostile}, (gap,))))
    assert not {"script", "img"} & reader.tags
    assert "\x1b" not in reader.text
    assert hostile.replace("\x1b", "\\x1b") in reader.text


def test_the_command_writes_it_and_replaces_only_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("OLLAMA_KEEP_ALIVE=1d\n")
    (tmp_path / "mine.html").write_text("<p>mine</p>\n")
    for _ in range(2):
        done = called("check", "a.env", "--html", "page.html", cwd=tmp_path)
        assert done.returncode == 1
        assert "HW109" in done.stdout
        read((tmp_path / "page.html").read_text())
    refused = called("check", "a.env", "--html", "mine.html", cwd=tmp_path)
    assert refused.returncode == 2
    assert (tmp_path / "mine.html").read_text() == "<p>mine</p>\n"
    printed = called("check", "a.env", "--html", "-", cwd=tmp_path).stdout
    assert printed.startswith("<!DOCTYPE html>")
    assert printed.endswith("</html>\n")
