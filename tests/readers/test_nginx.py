"""Configurations of nginx: what a place inherits, and what is not followed."""

from pathlib import Path

import pytest

from generator.readers.syntax.nginx import parse
from tests.texts import checked

HEAD = "server {\n  client_max_body_size 64m;\n  proxy_buffering off;\n"
PASSES = "proxy_pass http://ollama:11434;"


def told(folder: Path, text: str, name: str = "nginx.conf") -> list[str]:
    findings = checked(folder, {name: text}).findings
    return [f"{p.place.line} {p.finding.rule}" for p in findings]


def test_the_innermost_word_counts(tmp_path: Path) -> None:
    text = (
        f"proxy_read_timeout 30m;\n{HEAD}  location / {{ {PASSES} }}\n"
        f"  location /api {{ proxy_read_timeout 20s; {PASSES} }}\n}}\n"
    )
    assert told(tmp_path, text) == ["6 HW223"]


def test_a_pool_is_followed_to_its_servers(tmp_path: Path) -> None:
    pool = "upstream llm {\n  server 10.0.0.1:11434;\n  server 10.0.0.2:11434;\n}\n"
    assert told(tmp_path, f"{pool}{HEAD}  location / {{ proxy_pass http://llm; }}\n}}\n") == [
        "8 HW223",
        "1 HW572",
    ]


@pytest.mark.parametrize("name", ["ollama", "site.conf", "llm.conf.template"])
def test_a_site_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, f"{HEAD}  location / {{ {PASSES} }}\n}}\n", name) == ["4 HW223"]


def test_what_it_includes_is_named(tmp_path: Path) -> None:
    text = f"{HEAD}  include mime.types;\n  include keys.conf;\n  location / {{ {PASSES} }}\n}}\n"
    (gap,) = checked(tmp_path, {"nginx.conf": text}).not_judged
    assert (gap.line, gap.reason) == (5, "`include keys.conf` is not followed")


def test_one_that_leads_elsewhere_is_not_called_clean(tmp_path: Path) -> None:
    (gap,) = checked(tmp_path, {"nginx.conf": "location / { proxy_pass http://app; }\n"}).not_judged
    assert gap.reason == "nothing in it leads to Ollama"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"server {{\n  {PASSES}\n", 2, "is never closed"),
        (f"{PASSES}\n}}\n", 2, "closes nothing"),
        (f"server {{\n  {PASSES[:-1]}\n}}\n", 3, "has no `;` at its end"),
        (f'set $a "b;\n{PASSES}\n', 1, "a quote is never closed"),
        (f"{'a {' * 30}{PASSES}\n", 1, "nested too deeply"),
    ],
)
def test_what_nginx_refuses_is_told_at_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    (placed,) = checked(tmp_path, {"nginx.conf": text}).findings
    assert (placed.finding.rule, placed.place.line) == ("HW000", line)
    assert says in placed.finding.message


def test_words_are_those_of_nginx() -> None:
    (one, lua, two) = parse(
        "map \"a b\" 'c;d' { x ${y}z; } # no; }\ncontent_by_lua_block { if a { } }\nend on;"
    )
    assert (one.words, one.block[0].words) == (("a b", "c;d"), ("${y}z",))
    assert (lua.block, two.line) == ((), 3)
