"""HW618: characters that nobody sees."""

from pathlib import Path

import pytest

from generator.rules.registry import every_rule
from generator.view import View
from tests.texts import messages
from tests.views import found, view

RULE = every_rule()["HW618"]
CASES: dict[str, tuple[View, View]] = {
    "HW618": (
        view({"OLLAMA_ORIGINS": "http://a\u200b.lan"}),
        view({"OLLAMA_ORIGINS": "http://käse.lan"}),
    ),
}


def test_blanks_at_the_end_of_a_value_are_taken_off_by_the_server() -> None:
    assert not found(RULE, view({"OLLAMA_KEEP_ALIVE": "2h\u00a0"}))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FROM qwen3:8b\nPARAMETER num_ctx\u00a08192\n", "U+00A0"),
        ("FROM qwen3:8b\nSYSTEM short \u202eand sweet\n", "U+202E"),
        ("FROM qwen3:8b\n\ufeffPARAMETER num_ctx 8192\n", "U+FEFF"),
    ],
)
def test_of_a_modelfile_each_is_told(text: str, name: str, tmp_path: Path) -> None:
    told = messages(tmp_path, {"Modelfile": text}, "HW618")
    assert [name in one for one in told] == [True]


def test_a_name_with_one_sets_nothing(tmp_path: Path) -> None:
    text = "OLLAMA_HOST=127.0.0.1\nOLLAMA_\u200bKEEP_ALIVE=2h\n"
    assert messages(tmp_path, {"ollama.env": text}, "HW618") == [
        (
            "U+200B stands on this line: nobody sees it, and the line sets nothing; "
            "write the line anew, without it"
        )
    ]


def test_a_mark_at_the_very_beginning_is_none(tmp_path: Path) -> None:
    text = "\ufeffFROM qwen3:8b\nSYSTEM \u201cKäse\u201d und 日本語\n"
    assert not messages(tmp_path, {"Modelfile": text}, "HW618")


def test_a_long_dash_of_a_page_is_told_and_read_as_it_was_meant(tmp_path: Path) -> None:
    script = (
        "#!/bin/sh\ndocker run \u2013d \u2014\u2014name o -e OLLAMA_NUM_THREADS=6 ollama/ollama\n"
    )
    told_of = messages(tmp_path, {"run.sh": script}, "HW618")
    assert len(told_of) == 2
    assert messages(tmp_path, {"run.sh": script}, "HW101")
