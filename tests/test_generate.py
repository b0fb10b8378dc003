"""Every generated file is as `make golden` would write it, and none is left over."""

import re
from pathlib import Path

import pytest

from tools import generate


@pytest.mark.parametrize("name", generate.GENERATED)
def test_what_is_committed_is_what_is_generated(name: str) -> None:
    found = [str(file.relative_to(generate.ROOT)) for file, _ in generate.differing(name)]
    assert found == [], "run `make golden`"


def test_every_page_that_says_it_is_generated_is() -> None:
    files = {path for kind in generate.GENERATED.values() for path in kind.files()}
    pages = sorted((generate.ROOT / "docs").rglob("*.md"))
    said = [p for p in pages if re.search(r"Generated .*`make golden`", p.read_text("utf-8"))]
    assert len(said) > 80
    assert {str(page.relative_to(generate.ROOT)) for page in said} - files == set()


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        generate.main(["--check", "cataloge"])
    assert "no such NAME: cataloge; they are catalogue, rules" in capsys.readouterr().err


@pytest.fixture(name="root")
def _root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout with one kind of files: `a` is missing, `b` differs, `c` is left over."""
    files = {"d/a.md": "A", "d/b.md": "B"}
    kind = generate.Generated(lambda: files, left_over="d/*.md")
    monkeypatch.setattr(generate, "GENERATED", {"kind": kind})
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/b.md").write_text("old")
    (tmp_path / "d/c.md").write_text("C")
    return tmp_path


def test_check_says_what_differs_and_writes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().out
    assert told == "differs: d/a.md\ndiffers: d/b.md\ndiffers: d/c.md\n"
    assert (root / "d/b.md").read_text() == "old"


def test_what_differs_is_written_and_what_is_left_over_goes(root: Path) -> None:
    assert generate.main([]) == 0
    assert {path.name: path.read_text() for path in (root / "d").iterdir()} == {
        "a.md": "A",
        "b.md": "B",
    }
    assert generate.main(["--check", "kind"]) == 0
