"""Environment files: systemd's quotes, docker's lack of them, and shells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.environment.read import container_file, environment_file, read
from generator.view import Place, View


def views(path: str, text: str) -> tuple[View, ...]:
    return read([Source(path, text)], Context(load_catalogue()))


def told(path: str, text: str) -> list[tuple[str, str, str]]:
    (seen,) = views(path, text)
    return [(v.name, v.value, v.reach) for v in seen.variables]


# ── systemd ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=b\nB=c", {"A": "b", "B": "c"}),
        ("# c\n; c\n\n  A = b  \n", {"A": "b"}),
        ("A='b  c' \nB=\"d e\"\n", {"A": "b  c", "B": "d e"}),
        ("A=b # no comment\n", {"A": "b # no comment"}),
        ("A=b \"c\" 'd'\n", {"A": "b \"c\" 'd'"}),
        ("A=\"b\"'c' d\n", {"A": "bcd"}),
        ("A='b\nc'\nB=d\n", {"A": "b\nc", "B": "d"}),
        ("A=b\\\nc\nB=d\\\r\nD=e\n", {"A": "bc", "B": "d", "D": "e"}),
        (r'A=\"b\ c\ ' + "\n", {"A": '"b c '}),
        (r'A="\"\\\$\`\n"', {"A": '"\\$`\\n'}),
        ("A=\"b\\\nc\"\n", {"A": "bc"}),
        (r"A='b\'c", {"A": r"b\c"}),
        ("A=$HOME ${B}\n", {"A": "$HOME ${B}"}),
        ("A=\nB=\n", {"A": "", "B": ""}),
        ("1A=b\nA-B=c\nexport C=d\njunk\nD=e\n", {"D": "e"}),
        ("A=b\r\nB='c'\r\n", {"A": "b", "B": "c"}),
        ("\ufeffA=b\n", {"A": "b"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ('A="open\nB=c\n', {"A": "open\nB=c\n"}),
    ],
)  # fmt: skip
def test_a_file_is_read_as_systemd_reads_it(text: str, expected: dict[str, str]) -> None:
    assert {v.name: v.value for v in environment_file(Source("e", text))} == expected


def test_places_and_spellings_are_those_of_the_file() -> None:
    text = "# c\n\nA='b c'\nB=\"x\ny\"\n  D=e \n"
    found = [(v.name, v.place, v.written) for v in environment_file(Source("e", text))]
    assert found == [
        ("A", Place("e", 3, "A"), "'b c'"),
        ("B", Place("e", 4, "B"), ""),
        ("D", Place("e", 6, "D"), "e"),
    ]


@given(st.text("AB=\\\"' \n\r#;\t$é", max_size=40))
def test_what_a_fix_replaces_stands_on_its_line(text: str) -> None:
    lines = text.split("\n")
    found = environment_file(Source("e", text))
    assert all(v.written in lines[v.place.line - 1] for v in found)
    assert all(v.name in lines[v.place.line - 1] for v in found)


# ── containers ────────────────────────────────────────────────────────────────────────────────


def test_docker_knows_no_quotes() -> None:
    text = "\ufeff# c\n  A=\"b\" # no comment \r\nB='c'\nHOME\n=x\nC=\n"
    found = {v.name: v.value for v in container_file(Source("e", text))}
    assert found == {"A": '"b" # no comment ', "B": "'c'", "C": ""}


# ── shells ────────────────────────────────────────────────────────────────────────────────────

BASHRC = """\
# Ollama
OLLAMA_DEBUG=1
export OLLAMA_KEEP_ALIVE=30m
export OLLAMA_NUM_PARALLEL="4" OLLAMA_MODELS='/srv/my models'; echo no=1
  export OLLAMA_HOST=$IP:11434   # later
if true; then export A=1; fi
export PATH
export BROKEN="
declare -x OLLAMA_DEBUG=2
"""


def test_what_a_shell_exports_reaches_no_service() -> None:
    (seen,) = views("/home/me/.bashrc", BASHRC)
    assert (seen.phrases.kind, seen.name) == ("environment", ".bashrc")
    assert [(v.name, v.value, v.place.line, v.written) for v in seen.variables] == [
        ("OLLAMA_KEEP_ALIVE", "30m", 3, "30m"),
        ("OLLAMA_NUM_PARALLEL", "4", 4, '"4"'),
        ("OLLAMA_MODELS", "/srv/my models", 4, "'/srv/my models'"),
        ("OLLAMA_HOST", "$IP:11434", 5, "$IP:11434"),
        ("OLLAMA_DEBUG", "2", 9, "2"),
    ]
    assert {v.reach for v in seen.variables} == {"shell"}
    assert [v.name for v in seen.variables if v.unresolved] == ["OLLAMA_HOST"]


@pytest.mark.parametrize(
    ("path", "text", "reach"),
    [
        ("ollama.env", "A=b\n", "server"),
        ("/etc/default/ollama", "A=b\n", "server"),
        ("/etc/environment", "A=b\n", "shell"),
        ("/home/me/.config/environment.d/ollama.conf", "A=b\n", "server"),
        ("ollama.env", "export A=b\n", "shell"),
        ("/etc/profile.d/ollama.sh", "export A=b\n", "shell"),
        ("tune", "#!/usr/bin/env bash\nexport A=b\n", "shell"),
        ("start.sh", "export A=b\nexec ollama serve\n", "server"),
        ("tune.sh", "export A=b\n# ollama serve\n", "shell"),
    ],
)
def test_the_kind_of_file_tells_whom_it_reaches(path: str, text: str, reach: str) -> None:
    assert told(path, text) == [("A", "b", reach)]


def test_files_are_in_the_order_of_their_lines() -> None:
    text = "A=1\nexport B=2\nC=3\n"
    assert [name for name, _, _ in told("x.env", text)] == ["A", "B", "C"]


def test_files_without_assignments_are_refused_together() -> None:
    sources = [Source("a.env", "key: value\n"), Source("b.env", "A=b\n"), Source("c.env", "no\n")]
    with pytest.raises(ProfileError) as caught:
        read(sources, Context(load_catalogue()))
    assert [problem.source for problem in caught.value.problems] == ["a.env", "c.env"]
    assert all(problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("path", "text"), [("a.env", ""), ("a.env", "# A=b\n"), (".bashrc", "alias l=ls\n")]
)
def test_files_may_set_nothing(path: str, text: str) -> None:
    assert told(path, text) == []
