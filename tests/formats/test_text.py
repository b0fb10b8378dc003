from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given

from generator.errors import RenderError
from generator.formats.text import comment, decimal, escape, refuse_nul, refuse_surrogates
from tests.hostile import HOSTILE, texts

LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def test_comment_is_one_line_when_it_fits() -> None:
    assert comment("Half the KV memory of f16.") == ["# Half the KV memory of f16."]


def test_comment_of_nothing_is_nothing() -> None:
    assert comment("") == []
    assert comment(" \n ") == []


def test_comment_wraps_between_words_and_leaves_a_long_word_whole() -> None:
    link = "https://example.org/" + "x" * 30
    assert comment(f"one two three, see {link} there", width=16) == [
        "# one two three,",
        "# see",
        f"# {link}",
        "# there",
    ]


def test_comment_fills_the_width_exactly() -> None:
    assert comment("aaaa bbbb", width=11) == ["# aaaa bbbb"]
    assert comment("aaaa bbbb", width=10) == ["# aaaa", "# bbbb"]


def test_comment_counts_its_prefix() -> None:
    assert comment("aaaa bbbb", prefix="    // ", width=12) == ["    // aaaa", "    // bbbb"]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_no_line_end_leaves_a_comment(end: str) -> None:
    assert comment(f"one{end}two") == ["# one two"]


def test_control_characters_are_spelled_out() -> None:
    assert comment("a\x1b[31m\x00b \u202ec\ufeff") == [r"# a\x1b[31m\x00b \u202ec\ufeff"]
    assert comment("no character: \ufdd0 \U0001ffff") == [r"# no character: \ufdd0 \U0001ffff"]
    assert comment("half a pair: \ud800") == [r"# half a pair: \ud800"]


def test_joiners_stay_because_emoji_and_scripts_need_them() -> None:
    assert comment("\U0001f469\u200d\U0001f4bb") == ["# \U0001f469\u200d\U0001f4bb"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_comments_keep_their_lines(text: str) -> None:
    check_comment(text)


@given(texts)
def test_any_comment_keeps_its_lines(text: str) -> None:
    check_comment(text)


def check_comment(text: str) -> None:
    for line in comment(text, width=40):
        assert line.splitlines() == [line]
        assert line.startswith("# ")
        assert line == line.rstrip()
        assert len(line) <= 40 or " " not in line[2:]


def test_escape_has_one_spelling_by_size() -> None:
    assert [escape(c) for c in "\x01\x7f\x85\u2028\U000e0001"] == [
        r"\x01",
        r"\x7f",
        r"\u0085",
        r"\u2028",
        r"\U000e0001",
    ]


def test_refuse_nul_names_the_setting() -> None:
    with pytest.raises(RenderError, match=r"`ollama\.host` contains a NUL"):
        refuse_nul("a\x00b", "ollama.host")
    with pytest.raises(RenderError, match=r"`ollama\.host` contains `\\udc80`"):
        refuse_nul("a\udc80b", "ollama.host")
    with pytest.raises(RenderError, match=r"`x` contains `\\U0001ffff`, no character"):
        refuse_nul("\U0001ffff", "x")
    with pytest.raises(RenderError, match="`x`"):
        refuse_surrogates("\udfff", "x")


def test_refuse_nul_gives_the_value_back() -> None:
    assert refuse_nul("é\n🦙", "x") == "é\n🦙"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-2.0, "-2.0"), (1e-05, "1.0e-05"), (1.5e22, "1.5e+22"), (1e22, "1.0e+22")],
)
def test_decimal_always_has_a_dot(value: float, text: str) -> None:
    assert decimal(value, "x") == text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_decimal_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(RenderError, match=r"`num\.temperature`"):
        decimal(value, "num.temperature")


def test_importing_the_formats_imports_no_third_party() -> None:
    modules = ("data", "edit", "modelfile", "nix", "shell", "template", "text", "unit", "yaml")
    script = "import sys\n" + "".join(f"import generator.formats.{name}\n" for name in modules)
    script += "third = {'jinja2', 'yaml', 'tomli_w', 'tomlkit', 'pydantic'}\n"
    script += "print(sorted(third & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
