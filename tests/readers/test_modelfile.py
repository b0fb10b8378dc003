"""Modelfiles: as the parser of Ollama takes them apart."""

from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.errors import ProfileError
from generator.formats.modelfile import head, parameter_line
from generator.readers.base import Context, Source
from generator.readers.modelfile.read import read
from generator.view import View

FROM = "FROM qwen3:8b\n"


def views(text: str) -> tuple[View, ...]:
    return read((Source("Modelfile", text),), Context(load_catalogue()))


@pytest.mark.parametrize("name", ["Modelfile", "Modelfile.coder", "coder.modelfile", "x.Modelfile"])
def test_its_name_tells_it_in_a_directory_too(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f"{FROM}PARAMETER max_tokens 1\n")
    found = check(CheckRequest(paths=[str(tmp_path)])).findings
    assert [(p.finding.rule, p.place.line) for p in found] == [("HW641", 2)]


@pytest.mark.parametrize("text", ["PARAMETER num_ctx 1\n", f"{FROM}RUN x\n", f"{FROM}no end\n", ""])
def test_what_create_refuses_is_said(text: str) -> None:
    with pytest.raises(ProfileError):
        views(text)


def test_what_targets_write_is_read_back() -> None:
    text = head("hf.co/a/b:Q4", ["made by a test"])
    text += parameter_line("num_ctx", "8192", "as much as fits") + parameter_line("stop", "a b")
    (view,) = views(text)
    assert [(line.name, line.value) for line in view.lines] == [
        ("num_ctx", "8192"),
        ("stop", "a b"),
    ]
    assert [used.name for used in view.models] == ["hf.co/a/b:Q4"]


def test_a_file_of_weights_is_no_model_of_the_library() -> None:
    assert views("FROM ./model.gguf\nTEMPLATE x\n")[0].models == ()
