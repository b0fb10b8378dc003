"""Dockerfiles: instructions with their lines, stages, and what services have of them."""

import io
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.dockerfile.image import stages
from generator.readers.dockerfile.read import read
from generator.readers.syntax.dockerfile import instructions, value
from generator.view import View
from tests.tools import require_package

BASE = "FROM ollama/ollama:0.32.15\n"
SCRIPT = "ollama serve & until ollama list; do sleep 1; done; ollama pull $OLLAMA_PULL; wait\n"


def views(text: str) -> tuple[View, ...]:
    return read((Source("Dockerfile", text),), Context(load_catalogue()))


def variables(text: str) -> list[tuple[str, str, int]]:
    return [(v.name, v.value, v.place.line) for v in views(text)[0].variables]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("ENV A=1 B='2 3' C=\"4 \\\" 5\" D=6\\ 7", [("A", "1"), ("B", "2 3"), ("C", '4 " 5'),
                                                   ("D", "6 7")]),
        ("ENV A 1 2  3", [("A", "1 2  3")]),
        ("ENV A='1'\nENV B=${A}2 C=$A D='$A' E=\\$A", [("A", "1"), ("B", "12"), ("C", "1"),
                                                       ("D", "$A"), ("E", "$A")]),
        ("ARG X=1\nENV A=$X B=${Y:-2} C=${X:+3} D=$Z", [("A", "1"), ("B", "2"), ("C", "3"),
                                                         ("D", "$Z")]),
        ("ENV A=1 B=$A", [("A", "1"), ("B", "$A")]),
        ("env A=\n", [("A", "")]),
        ("ENV A=1\nENV A=2", [("A", "2")]),
    ],
)  # fmt: skip
def test_env_says_what_the_builder_makes_of_it(env: str, expected: list[tuple[str, str]]) -> None:
    assert [(name, text) for name, text, _ in variables(f"{BASE}{env}\n")] == expected


def test_lines_are_those_of_the_file_through_comments_and_gaps() -> None:
    text = "# syntax=x\n\n" + BASE + "ENV A=1 \\\n  # why\n\n  B=2 \\\n\tC=3\nEXPOSE 1\nENV D 4\n"
    assert variables(text) == [("A", "1", 4), ("B", "2", 7), ("C", "3", 8), ("D", "4", 10)]


def test_a_directive_names_the_sign_that_goes_on() -> None:
    text = f"# escape=`\n{BASE}ENV A=C:\\x `\n B=2\n"
    assert variables(text) == [("A", "C:\\x", 3), ("B", "2", 4)]


def test_here_documents_are_no_instructions() -> None:
    text = f"{BASE}RUN <<EOF\nENV A=1\nollama pull x --num-gpu 1\nEOF\nENV B=2\n"
    assert [(v.name, v.place.line) for v in views(text)[0].variables] == [("B", 6)]
    assert next(c.words[0] for v in views(text) for c in v.commands)[1].line == 4


@pytest.mark.parametrize("text", ["RUN a\n", "FROM\n", "FROM x\nA=1\n", "FROM x\nENV A=1 B\n",
                                  "ARG A=1\n", "FROM x\nENV A\n", ""])  # fmt: skip
def test_what_no_builder_takes_is_said(text: str) -> None:
    with pytest.raises(ProfileError):
        stages(Source("Dockerfile", text))


def test_a_stage_goes_on_where_another_one_ends() -> None:
    text = (f"{BASE.strip()} AS Base\nENV A=1\nCMD [\"serve\"]\n"
            "FROM base AS gpu\nENV B=2\nFROM alpine AS tool\nFROM base\nUSER 1000\n")  # fmt: skip
    found = stages(Source("Dockerfile", text))
    assert [(s.name, s.image, sorted(s.variables), s.user) for s in found] == [
        ("base", "ollama/ollama:0.32.15", ["A"], ""),
        ("gpu", "ollama/ollama:0.32.15", ["A", "B"], ""),
        ("tool", "alpine", [], ""),
        ("", "ollama/ollama:0.32.15", ["A"], "1000"),
    ]


def test_the_script_that_an_image_runs_is_asked_for_its_variables(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text(SCRIPT)
    path = tmp_path / "Dockerfile"
    path.write_text(f"{BASE}COPY start.sh /\nENV OLLAMA_PULL=a OLLAMA_PUSH=b\n"
                    'ENTRYPOINT ["/start.sh"]\n')  # fmt: skip
    found = check(CheckRequest(paths=[str(path)])).findings
    assert [(p.finding.rule, p.setting) for p in found] == [("HW104", "OLLAMA_PUSH")]


PIECES = st.sampled_from(
    ["ENV A=1", "ENV A 1 2", "RUN a && b", "run a", "CMD [\"a\"]", "# note", "", "  # note",
     "LABEL a=b", "EXPOSE 1", "RUN a \\\n  b", "RUN a \\\n# c\n  b", "ENV A=1 \\\n  B=2",
     "RUN a \\\n\\\n  b", "WORKDIR /a  ", "\tUSER 1"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_instructions_are_those_of_another_parser(pieces: list[str]) -> None:
    parser = require_package("dockerfile_parse")
    text = "\n".join(["FROM a:1", *pieces]) + "\n"
    theirs = parser.DockerfileParser(fileobj=io.BytesIO(text.encode())).structure
    expected = [
        (one["instruction"], one["startline"] + 1, one["value"].split())
        for one in theirs
        if one["instruction"] != "COMMENT"
    ]
    ours = instructions(Source("Dockerfile", text))
    assert [(one.name, one.script_line, one.text.text.split()) for one in ours] == expected


@settings(max_examples=60, deadline=None)
@given(st.text("ab '\"\\", max_size=8).filter(lambda t: t and t == t.strip()))
def test_a_word_without_variables_is_unquoted_as_a_shell_does(raw: str) -> None:
    try:
        (expected,) = shlex.split(raw)
    except ValueError:
        return  # Open quotes, or several words.
    assert value(raw, {}).text == expected


COMPOSE = """\
services:
  llm:
    build: {context: box, args: {TAG: 0.9.0}}
    volumes: [o:/root/.ollama]
    restart: always
    environment: {OLLAMA_KEEP_ALIVE: 1h}
volumes: {o: }
"""
BUILT = "ARG TAG=0.32.15\nFROM ollama/ollama:$TAG\nENV OLLAMA_KEEP_ALIVE=soon OLLAMA_NUM_GPU=9\n"


INLINE = "FROM ollama/ollama:0.32.15\n\nENV OLLAMA_KEEP_ALIVE=soon OLLAMA_NUM_GPU=9\n"


def told(folder: Path, name: str) -> list[tuple[str, str, int]]:
    found = check(CheckRequest(paths=[str(folder / name)])).findings
    told = (p for p in found if p.finding.severity != "info")
    return [(p.finding.rule, Path(p.place.file).name, p.place.line) for p in told]


def test_a_service_that_is_built_has_the_env_of_its_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box/Dockerfile").write_text(BUILT)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    assert told(tmp_path, "compose.yaml") == [("HW101", "Dockerfile", 3)]


def test_a_dockerfile_within_a_compose_file_is_at_its_lines(tmp_path: Path) -> None:
    lines = "".join(f"        {line}\n" for line in INLINE.splitlines())
    text = f"services:\n  llm:\n    build:\n      dockerfile_inline: |\n{lines}"
    (tmp_path / "compose.yaml").write_text(
        f"{text}    volumes: [/srv:/root/.ollama]\n    restart: always\n"
    )
    assert told(tmp_path, "compose.yaml") == [
        ("HW101", "compose.yaml", 7),
        ("HW109", "compose.yaml", 7),
    ]


def test_a_dockerfile_that_is_not_at_hand_is_told(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace("llm:", "ollama:"))
    (gap,) = check(CheckRequest(paths=[str(tmp_path / "compose.yaml")])).not_judged
    assert (gap.part, gap.line) == ("`build`", 3)
    assert "Dockerfile" in gap.reason


def test_models_in_a_layer_need_no_volume(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box/Dockerfile").write_text("FROM ollama/ollama:0.32.15\n")
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace("    volumes: [o:/root/.ollama]\n", ""))
    assert told(tmp_path, "compose.yaml") == [("HW518", "compose.yaml", 3)]
    with (tmp_path / "box/Dockerfile").open("a") as file:
        file.write("RUN ollama serve & sleep 5; ollama pull qwen3:8b\n")
    assert told(tmp_path, "compose.yaml") == []


def test_a_quadlet_has_the_env_of_the_build_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(BUILT)
    (tmp_path / "llm.build").write_text("[Build]\nImageTag=localhost/llm\nFile=Containerfile\n")
    (tmp_path / "llm.container").write_text(
        "[Container]\nImage=llm.build\nVolume=o:/root/.ollama\n[Service]\nRestart=always\n"
    )
    assert told(tmp_path, "llm.container") == [
        ("HW101", "Containerfile", 3),
        ("HW109", "Containerfile", 3),
    ]
    (tmp_path / "Containerfile").unlink()
    (tmp_path / "llm.container").rename(tmp_path / "ollama.container")
    (gap,) = check(CheckRequest(paths=[str(tmp_path / "ollama.container")])).not_judged
    assert gap.part == "`Image=llm.build`"


@pytest.mark.parametrize(
    ("env", "left"),
    [
        ("ENV OLLAMA_AVX2=1 \\\n    OLLAMA_DEBUG=0\n", None),
        ("ENV OLLAMA_DEBUG=0 \\\n    # c\n    OLLAMA_AVX2=1\nUSER 0\n", None),
        ("ENV OLLAMA_AVX2=1 OLLAMA_DEBUG=0\n", None),
        ("ENV OLLAMA_DEBUG=0\nENV OLLAMA_AVX2=1\n", "ENV OLLAMA_DEBUG=0\n"),
        ("ENV OLLAMA_KEEP_ALIVE='5 m' \\\n  A=1\n", "ENV OLLAMA_KEEP_ALIVE='5m' \\\n  A=1\n"),
    ],
)
def test_a_fix_tears_no_instruction(env: str, left: str | None, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(f"{BASE}{env}")
    report = check(CheckRequest(paths=[str(path)]), fixing=True)
    new = mended(report.found, report.texts)
    assert new.get(str(path)) == (None if left is None else f"{BASE}{left}")


@pytest.mark.parametrize("name", ["docker/start.sh", "start.sh"])
def test_a_script_is_found_from_a_folder_on_its_way(name: str, tmp_path: Path) -> None:
    """Who checks one folder of a repository has the script, if not under its whole path."""
    script = tmp_path / name
    script.parent.mkdir(exist_ok=True)
    script.write_text(SCRIPT)
    path = tmp_path / "Dockerfile"
    path.write_text(f"{BASE}COPY build/docker/start.sh /app/\nENV OLLAMA_PULL=a OLLAMA_PUSH=b\n"
                    'ENTRYPOINT ["/app/start.sh"]\n')  # fmt: skip
    found = check(CheckRequest(paths=[str(path)])).findings
    assert [(p.finding.rule, p.setting) for p in found] == [("HW104", "OLLAMA_PUSH")]


def test_models_of_the_script_that_an_image_begins_with_count_in_a_service(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\nollama serve &\nollama pull qwen3:8b\nwait\n")
    (tmp_path / "Dockerfile").write_text(f'{BASE}COPY start.sh /\nENTRYPOINT ["/start.sh"]\n')
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  ollama:\n    build: .\n    restart: always\n"
                       "    mem_limit: 4g\n    volumes: [m:/root/.ollama]\n"
                       "volumes: {m: {}}\n")  # fmt: skip
    found = check(CheckRequest(paths=[str(compose)])).findings
    assert ("HW207", 5) in [(p.finding.rule, p.place.line) for p in found]
