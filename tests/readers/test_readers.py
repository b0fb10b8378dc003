"""The registry of kinds: adding one is a folder and a line."""

import importlib
from pathlib import Path

import pytest

from generator import readers
from generator.check.gather import CheckRequest, check
from generator.check.reports import as_github
from generator.engines import ENGINES
from generator.readers.signs import Signs, signs_of
from generator.view import Phrases

FOLDER = Path(readers.__file__).parent


def test_a_kind_of_file_is_a_folder_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(readers.KINDS, "toy", "a toy")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(Path(__file__).parent)])
    monkeypatch.chdir(tmp_path)
    Path("ollama.toy").write_text("set OLLAMA_KEEP_ALIVE 1d\nset HF_TOKEN abc123\n")
    Path("duplo.toy").write_text("set PORT 1\n")
    named, walked = check(CheckRequest(paths=["ollama.toy"])), check(CheckRequest(paths=["."]))
    assert named.findings == walked.findings
    assert [(p.finding.rule, p.place.file, p.place.line) for p in named.findings] == [
        ("HW109", "ollama.toy", 1),
        ("HW406", "ollama.toy", 2),
    ]
    assert "a child reads it (keep it in a box)" in as_github(named)


def test_every_kind_has_its_folder() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/read.py")}
    assert folders == set(readers.KINDS)
    for kind in readers.KINDS:
        held = vars(importlib.import_module(f"generator.readers.{kind}")).values()
        assert isinstance(signs_of(kind), Signs)
        assert any(isinstance(one, Phrases) for one in held)


@pytest.mark.parametrize("path", sorted([*FOLDER.glob("*.py"), *FOLDER.glob("syntax/*.py")]))
def test_what_all_readers_share_names_no_engine(path: Path) -> None:
    text = path.read_text("utf-8").lower()
    assert not [name for name in ENGINES if name in text]
