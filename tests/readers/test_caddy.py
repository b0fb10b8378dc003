"""Caddyfiles: snippets, sites without braces, and what is not followed."""

from pathlib import Path

import pytest

from generator.readers.syntax.caddyfile import parse
from tests.texts import checked


def told(folder: Path, text: str) -> list[str]:
    findings = checked(folder, {"Caddyfile": text}).findings
    return [f"{p.place.line} {p.finding.rule}" for p in findings]


def test_a_snippet_stands_where_it_is_imported(tmp_path: Path) -> None:
    text = "(slow) {\n\tflush_interval 2s\n}\n:80 {\n\treverse_proxy ollama:11434 {\n"
    assert told(tmp_path, f"{text}\t\timport slow\n\t}}\n}}\n") == ["2 HW224"]


def test_what_a_block_of_keys_imports_is_no_server(tmp_path: Path) -> None:
    keys = "\tbasicauth {\n\t\timport /run/keys\n\t}\n\tmap {a} {b} {\n\t\timport /run/more\n\t}\n"
    text = f":80 {{\n{keys}\treverse_proxy ollama:11434\n}}\n"
    assert checked(tmp_path, {"Caddyfile": text}).not_judged == ()


def test_what_it_imports_from_elsewhere_is_named(tmp_path: Path) -> None:
    text = ":80 {\n\timport keys/*\n\treverse_proxy ollama:11434\n}\n"
    (gap,) = checked(tmp_path, {"Caddyfile": text}).not_judged
    assert (gap.line, gap.reason) == (2, "`import keys/*` is not followed")


def test_a_default_of_a_variable_counts(tmp_path: Path) -> None:
    text = "{$SITE:llm.example.com} {\n\treverse_proxy {$OLLAMA_AT}\n}\n"
    assert told(tmp_path, text) == ["1 HW661"]


@pytest.mark.parametrize(
    ("above", "lines"),
    [("# Ollama\n", ["4 HW224", "3 HW401", "3 HW225"]), ("# Another program\n", [])],
)
def test_a_port_of_its_own_and_the_check_of_the_engine(
    tmp_path: Path, above: str, lines: list[str]
) -> None:
    asks = "{\n\t\tflush_interval 2s\n\t\thealth_uri /api/version\n\t}\n}\n"
    text = f"{above}:80 {{\n\treverse_proxy 127.0.0.1:11600 {asks}"
    assert told(tmp_path, text) == lines


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (":80 {\n\treverse_proxy ollama:11434\n", 1, "is never closed"),
        (":80 {\n\treverse_proxy ollama:11434\n}\n}\n", 4, "closes nothing"),
        (":80 {\n" * 30 + "reverse_proxy ollama:11434\n", 22, "nested too deeply"),
    ],
)
def test_what_caddy_refuses_is_told_at_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    (placed,) = checked(tmp_path, {"Caddyfile": text}).findings
    assert (placed.finding.rule, placed.place.line) == ("HW000", line)
    assert says in placed.finding.message


def test_words_are_those_of_caddy() -> None:
    (site,) = parse('a.example.com, b {\n\trespond "no # {" 401 # {\n\thandle /a* {\n\t}\n}\n')
    assert site.words == ("a.example.com,", "b")
    assert [entry.words for entry in site.block] == [
        ("respond", "no # {", "401"),
        ("handle", "/a*"),
    ]
    (bare,) = parse("a.example.com\n\nrespond ok\n")
    assert (bare.words, bare.block[0].words) == (("a.example.com",), ("respond", "ok"))
