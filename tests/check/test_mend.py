"""Mechanical fixes, and changing a file of the user's in place."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from generator.check.mend import fixable, left_empty, mended
from generator.errors import EnvironmentFailure, Finding, WriteRefused
from generator.files.rewrite import rewrite
from generator.view import Edit, LocatedFinding, Place

TEXT = "[Service]\r\nEnvironment=A=off\r\nEnvironment=B=1\nC=2"


def placed(*edits: tuple[int, str, str], ignored: str = "") -> LocatedFinding:
    finding = Finding(
        rule="HW108", severity="error", message="m", where="A", fix="f", ignored=ignored
    )
    made = tuple(Edit(Place("a.conf", line), old, new) for line, old, new in edits)
    return LocatedFinding(finding, Place("a.conf", 2), made)


def after(*found: LocatedFinding) -> str:
    return mended(found, {"a.conf": TEXT}).get("a.conf", "unchanged")


def test_a_value_is_replaced_and_all_else_stays() -> None:
    assert after(placed((2, "off", "0"))) == TEXT.replace("off", "0")


def test_a_line_goes() -> None:
    assert after(placed((3, "Environment=B=1", ""))) == "[Service]\r\nEnvironment=A=off\r\nC=2"


def test_lines_that_come_end_as_the_one_that_they_join() -> None:
    more = "[Unit]\nA=1\n\n[Service]"
    assert after(placed((1, "[Service]", more))) == TEXT.replace(
        "[Service]", "[Unit]\r\nA=1\r\n\r\n[Service]"
    )
    assert after(placed((3, "B=1", "B=1\nD=1"))) == TEXT.replace("B=1", "B=1\nD=1")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A=1\nB=2\n", "A=1\nX=1\nY=2\nB=2\n"),
        ("  A=1\n", "  A=1\n  X=1\n  Y=2\n"),
        ("A=1\r\nB=2\r\n", "A=1\r\nX=1\r\nY=2\r\nB=2\r\n"),
        ("A=1 \\\n# c\n  2 \\\n  3\n\nB=2\n", "A=1 \\\n# c\n  2 \\\n  3\nX=1\nY=2\n\nB=2\n"),
        ("A=1\\\\\nB=2\n", "A=1\\\\\nX=1\nY=2\nB=2\n"),
    ],
)
def test_lines_come_behind_all_that_one_goes_on_in(text: str, left: str) -> None:
    edit = Edit(Place("a.conf", 1), "A=", "X=1\nY=2", behind=True)
    found = replace(placed(), edits=(edit,))
    assert mended([found], {"a.conf": text}) == {"a.conf": left}
    assert mended([found], {"a.conf": "A=1 \\"}) == {}


def test_several_edits_of_one_line_and_of_several_findings() -> None:
    both = [placed((2, "off", "0")), placed((2, "A=", "X=")), placed((4, "2", "3"))]
    assert after(*both) == "[Service]\r\nEnvironment=X=0\r\nEnvironment=B=1\nC=3"


@pytest.mark.parametrize("edit", [(2, "no", "1"), (2, "n", "m"), (9, "off", "0"), (0, "off", "0")])
def test_what_is_not_there_just_once_is_left_alone(edit: tuple[int, str, str]) -> None:
    assert after(placed(edit)) == "unchanged"
    assert not fixable(placed(edit), {"a.conf": TEXT})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Environment=A=1 \\\n  B=2\n", 1),
        ("Environment=A=1 \\\n  B=2\n", 2),
        ("  A = [\n    1\n  ];\n", 1),
    ],
)
def test_a_line_that_others_continue_stays(text: str, line: int) -> None:
    old = text.split("\n")[line - 1]
    assert mended([placed((line, old, ""))], {"a.conf": text}) == {}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\n[Service]\nA=1\n\n[Unit]\nC=2\n", "[Unit]\nA=1\nC=2\n"),
        ("[Service]\nA=1\n\n[Unit]\nC=2\n", "[Unit]\nA=1\nC=2\n"),
        ("[Unit]\nC=2\n\n[Service]\nA=1\n", "[Unit]\nA=1\nC=2\n"),
        ("\n\n[Service]\nA=1\n\n\n[Unit]\nC=2\n", "[Unit]\nA=1\nC=2\n"),
        ("# x\n\n[Service]\nA=1\n\n[Unit]\nC=2\n", "# x\n\n[Unit]\nA=1\nC=2\n"),
        ("\n[Service]\nA=1\nB=1\n\n[Unit]\nC=2\n", "\n[Service]\nB=1\n\n[Unit]\nA=1\nC=2\n"),
        ("[Service]\n\nA=1\n\nB=1\n[Unit]\nC=2", "[Service]\n\nB=1\n[Unit]\nA=1\nC=2"),
    ],
)
def test_a_move_leaves_no_empty_section_and_no_blank_line_first(text: str, left: str) -> None:
    lines = text.split("\n")
    move = placed(
        (lines.index("[Unit]") + 1, "[Unit]", "[Unit]\nA=1"), (lines.index("A=1") + 1, "A=1", "")
    )
    assert mended([move], {"a.conf": text}) == {"a.conf": left}


ENTRIES = ('"A": "1"', '"B": {"a": [1, 2]}', '"C": "3,"')


@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n\n"])
def test_json_stays_json(gone: tuple[int, ...], newline: str) -> None:
    text = newline.join(["{", *(f"  {entry}," for entry in ENTRIES)]).removesuffix(",")
    text += newline + "}"
    lines = text.split("\n")
    numbers = [n for n, line in enumerate(lines, 1) if any(ENTRIES[at] in line for at in gone)]
    new = mended([placed((n, lines[n - 1].strip(), "")) for n in numbers], {"a.conf": text})
    left = ", ".join(entry for at, entry in enumerate(ENTRIES) if at not in gone)
    assert json.loads(new["a.conf"]) == json.loads(f"{{{left}}}")


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("a: {\n  A: 1,\n  B: 2\n}\n", 3, "a: {\n  A: 1\n}\n"),
        ("a = {\n  A: 1,\n  B: 2,\n}\n", 3, "a = {\n  A: 1,\n}\n"),
        ("[\n  1,\n  # x\n  2\n]\n", 4, "[\n  1\n  # x\n]\n"),
        ("A=1,\nB=2\nC=3\n", 2, "A=1,\nC=3\n"),
    ],
)
def test_a_comma_stays_where_it_parts_or_may_stand(text: str, gone: int, left: str) -> None:
    old = text.split("\n")[gone - 1].strip()
    assert mended([placed((gone, old, ""))], {"a.conf": text}) == {"a.conf": left}


@pytest.mark.parametrize(
    ("text", "gone", "word"),
    [
        ("a:\n  env:\n    A: 1\n  b: c\n", "    A: 1", "env:"),
        ("a:\n  env:\n  - A=1\nb: c\n", "  - A=1", "env:"),
        ("- env:\n    A: 1\n- b: c\n", "    A: 1", "env:"),
        ("- env:\n    A: 1\n  b: c\n", "    A: 1", "env:"),
        ("data: &d  # x\n  A: 1\n  # y\n\n---\nb: c\n", "  A: 1", "data:"),
        ("data:\n  A: 1", "  A: 1", "data:"),
        ("if a; then\n  A=1\nfi\n", "  A=1", "then"),
        ("f() {\n  A=1\n}\nf\n", "  A=1", "{"),
        ("for a in b; do\n  A=1\ndone | c\n", "  A=1", "do"),
        ("env:\n  A: 1\n  B: 2\n", "  A: 1", ""),
        ("env:\n- A=1\n- B=2\n", "- A=1", ""),
        ("- env:\n  - A=1\n  - B=2\n", "  - A=1", ""),
        ("env: {\n  A: 1\n}\n", "  A: 1", ""),
        ("{\n  a = 1;\n}\n", "  a = 1;", ""),
        ("a:\nb: 1\nc: 2\n", "c: 2", ""),
    ],
)
def test_the_word_above_a_block_that_loses_all(text: str, gone: str, word: str) -> None:
    kept = {n: line for n, line in enumerate(text.split("\n"), 1) if line != gone}
    assert left_empty(text, kept) == word


def test_what_the_file_silences_is_left_alone() -> None:
    assert after(placed((2, "off", "0"), ignored="measured")) == "unchanged"


class TestRewrite:
    def test_mode_and_link_stay(self, tmp_path: Path) -> None:
        real, link = tmp_path / "real.conf", tmp_path / "link.conf"
        real.write_text("old\n", encoding="utf-8")
        real.chmod(0o640)
        link.symlink_to(real)
        kept = rewrite(link, "old\n", "new\n")
        assert link.is_symlink()
        assert real.read_text(encoding="utf-8") == "new\n"
        assert real.stat().st_mode & 0o777 == 0o640
        assert kept.read_text(encoding="utf-8") == "old\n"
        assert kept.stat().st_mode & 0o777 == 0o640
        assert set(tmp_path.iterdir()) == {link, real}

    def test_a_file_that_has_changed_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.conf"
        path.write_text("newer\n", encoding="utf-8")
        with pytest.raises(WriteRefused, match="has changed meanwhile"):
            rewrite(path, "old\n", "new\n")
        assert path.read_text(encoding="utf-8") == "newer\n"

    def test_a_failure_leaves_it_as_it_was(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, os.strerror(28))

        path = tmp_path / "a.conf"
        path.write_text("old\n", encoding="utf-8")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentFailure, match="No space left"):
            rewrite(path, "old\n", "new\n")
        assert [p.name for p in tmp_path.iterdir()] == ["a.conf"]
        assert path.read_text(encoding="utf-8") == "old\n"
