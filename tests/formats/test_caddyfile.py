"""Tokens of Caddyfiles, as Caddy itself reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from generator.errors import RenderError
from generator.formats.caddyfile import Body, Placeholder, directive, to_caddyfile, token
from tests.consumers.front import free_ports, started
from tests.hostile import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path


def carried(text: str) -> bool:
    return bool(text) and not re.search(r"[\0\r\n{}]|`.*\\|\\.*`", text)


CARRIED = [text for text in HOSTILE if carried(text)]


def test_caddy_reads_each_token_as_it_was_given(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    rules = [
        directive("respond", f"/{number}", text, "200", why=text)
        for number, text in enumerate(CARRIED)
    ]
    options = directive(block=[directive("admin", "off")])
    site = directive(f"http://127.0.0.1:{port}", block=rules)
    text = to_caddyfile(["a head\nof lines", *CARRIED], [options, site])
    with started("caddy", text, tmp_path, (port, port)) as front:
        said = [front.ask(f"/{number}")[2].decode() for number in range(len(CARRIED))]
    assert said == CARRIED


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\0", "{x}", "{$HOME}", "}", "`\\"])
def test_what_a_caddyfile_would_change_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        token(text)


def test_a_placeholder_and_a_body_stand_as_they_are() -> None:
    line = directive("respond", Body('{"a":1}'), Placeholder("{err.status_code}"))
    text = to_caddyfile([], [directive("http://", block=[line], why="why")])
    assert text == '# why\nhttp:// {\n\trespond `{"a":1}` {err.status_code}\n}\n'
