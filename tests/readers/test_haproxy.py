"""Configurations of HAProxy: sections, defaults, and what stands in none."""

from pathlib import Path

from generator.readers.syntax.haproxy import parse, seconds
from tests.texts import checked

BACKEND = "backend b{}\n  mode http\n  timeout server 30m\n{}  server a ollama:11434 maxconn 4\n"


def told(folder: Path, text: str) -> list[str]:
    findings = checked(folder, {"haproxy.cfg": text}).findings
    return [f"{p.place.line} {p.finding.rule}" for p in findings]


def test_the_last_defaults_above_count_unless_others_are_named(tmp_path: Path) -> None:
    short = "defaults short\n  timeout connect 5s\n  timeout queue 5s\n"
    long = "defaults long\n  timeout connect 5s\n  timeout queue 5m\n"
    assert told(tmp_path / "a", short + long + BACKEND.format("", "")) == []
    assert told(tmp_path / "b", short + long + BACKEND.format(" from short", "")) == ["3 HW228"]


def test_a_section_overrules_its_defaults(tmp_path: Path) -> None:
    head = "defaults\n  timeout server 10s\n  timeout queue 5m\n"
    assert told(tmp_path, head + BACKEND.format("", "")) == []
    assert told(tmp_path, head + BACKEND.format("", "  timeout queue 1s\n")) == ["7 HW228"]


def test_a_name_tells_where_the_port_does_not(tmp_path: Path) -> None:
    text = "backend {}\n  mode http\n  timeout server 9s\n  server a 127.0.0.1:{} maxconn 4\n"
    assert told(tmp_path / "a", text.format("ollama_big", 11500)) == ["3 HW223"]
    (gap,) = checked(tmp_path, {"haproxy.cfg": text.format("ollama_web", 8080)}).not_judged
    assert gap.reason == "nothing in it leads to Ollama"


def test_a_line_in_no_section_is_told(tmp_path: Path) -> None:
    (placed,) = checked(tmp_path, {"haproxy.cfg": "# ollama\nmode http\n"}).findings
    assert (placed.finding.rule, placed.place.line) == ("HW000", 2)
    assert "`mode` stands in no section" in placed.finding.message


def test_words_and_times_are_those_of_haproxy() -> None:
    (section,) = parse("frontend f\n  acl a path -m str '/a b' \"c#d\" e\\ f # g\n")
    assert section.lines == [(("acl", "a", "path", "-m", "str", "/a b", "c#d", "e f"), 2)]
    assert [seconds(text) for text in ("50000", "30s", "2m", "1h", "500us", "soon")] == [
        *(50, 30, 120, 3600, 0.0005),
        None,
    ]
