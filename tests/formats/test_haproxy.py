"""Words of haproxy.cfg, as HAProxy itself reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from generator.errors import RenderError
from generator.formats.haproxy import Section, Variable, line, name_of, to_haproxy, word
from tests.consumers.front import free_ports, started
from tests.hostile import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

CARRIED = [text for text in HOSTILE if text and not re.search(r"[\0\r\n]", text)]


def test_haproxy_reads_each_word_as_it_was_given(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    says = ("http-request", "return", "status", "200", "content-type", "text/plain", "string")
    rules = [
        line(*says, text, "if", "{", "path", f"/{number}", "}", why=text)
        for number, text in enumerate(CARRIED)
    ]
    head = [line("mode", "http"), line("timeout", "client", "30s")]
    bound = line("bind", f"127.0.0.1:{port}")
    sections = [Section("frontend", "words", [*head, bound, *rules])]
    text = to_haproxy(["a head\nof lines", *CARRIED], sections)
    with started("haproxy", text, tmp_path, (port, port)) as front:
        said = [front.ask(f"/{number}")[2].decode() for number in range(len(CARRIED))]
    assert said == CARRIED


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\0"])
def test_what_no_line_holds_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        word(text)


def test_a_variable_stands_for_what_it_is_set_to() -> None:
    section = Section("global", "", [line("localpeer", Variable("HOST", "/x"), why="why")])
    assert to_haproxy([], [section]) == 'global\n    # why\n    localpeer "${HOST}/x"\n'
    with pytest.raises(RenderError):
        to_haproxy([], [Section("global", "", [line(Variable("HOST", "$x"))])])


@pytest.mark.parametrize("name", ["", "a b", "a'", "ä"])
def test_a_name_that_haproxy_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        name_of(name)


def test_a_line_with_more_words_than_haproxy_reads_is_refused() -> None:
    with pytest.raises(RenderError):
        to_haproxy([], [Section("global", "", [line(*["x"] * 64)])])
