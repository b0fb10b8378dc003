"""Markdown: text means nothing but itself, code stays as it is."""

import pytest

from generator.formats.markdown import code, fenced, markdown, row


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain, with (brackets) and #1", "plain, with (brackets) and #1"),
        ("OLLAMA_NUM_PARALLEL stays", "OLLAMA_NUM_PARALLEL stays"),
        ("nemotron_h*, qwen35*", r"nemotron_h\*, qwen35\*"),
        ("<bytes> | [x] ~ \\", r"\<bytes\> \| \[x\] \~ \\"),
        ("_so_ called", r"\_so\_ called"),
        ("two\nlines", "two lines"),
        ("`a*b <c>` and *d*", r"`a*b <c>` and \*d\*"),
        ("`a|b`", r"`a\|b`"),
        ("one ` alone_", r"one \` alone\_"),
    ],
)
def test_text(text: str, written: str) -> None:
    assert markdown(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("a|b*", r"`a\|b*`"), ("a `b` c", "`` a `b` c ``"), ("a``b", "``` a``b ```")],
)
def test_code(text: str, written: str) -> None:
    assert code(text) == written


def test_rows_and_blocks() -> None:
    assert row("a", "b") == "| a | b |"
    assert fenced("x\ny") == ["```", "x", "y", "```"]
    assert fenced("x\n```") == ["````", "x", "```", "````"]
