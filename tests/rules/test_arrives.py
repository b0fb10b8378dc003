"""HW128, HW553, HW554 and HW556: what never arrives."""

from dataclasses import replace
from pathlib import Path

import pytest

from generator.rules.registry import every_rule
from generator.view import PARTED, UNASSIGNED, UNEXPORTED, Container, Line, Place, Variable, View
from tests import texts
from tests.views import found, view

BY_ID = every_rule()
HERE = Place("ollama.env", 3)
HEADER = Line(section="", name="", value="junk", place=HERE)


def dropped(text: str, kind: str = "environment") -> View:
    return view(kind=kind, lines=(Line(section=UNASSIGNED, name="", value=text, place=HERE),))


def valued(refused: str) -> View:
    one = Variable(name="OLLAMA_DEBUG", value="1", place=HERE, written="1", refused=refused)
    return view(kind="helm", variables=(one,))


def behind(*words: str) -> View:
    box = Container(
        image="ollama/ollama", place=HERE, arguments=tuple((word, HERE) for word in words)
    )
    return view(kind="compose", container=box)


def kept(section: str) -> View:
    return view(
        kind="environment",
        lines=(Line(section=section, name="OLLAMA_HOST", value="a", place=HERE),),
    )


CASES: dict[str, tuple[View, View]] = {
    "HW128": (kept(UNEXPORTED), kept("")),
    "HW553": (dropped("OLLAMA_DEBUG: 1"), view(lines=(HEADER,))),
    "HW554": (valued("it is a number"), valued("")),
    "HW622": (kept(PARTED), kept("")),
    "HW556": (behind("-p", "11434:11434"), behind("serve")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize(
    ("text", "fix", "edited"),
    [
        ("OLLAMA_DEBUG: 1", "write `OLLAMA_DEBUG=1`", "OLLAMA_DEBUG=1"),
        ("OLLAMA_DEBUG 1", "write `OLLAMA_DEBUG=1`", "OLLAMA_DEBUG=1"),
        ("OLLAMA_MODELS: /srv", "write `OLLAMA_MODELS=/srv`", ""),
        ("OLLAMA_ORIGINS: a b", "write `NAME=value`", ""),
    ],
)
def test_a_line_is_mended_where_the_value_is_plain(text: str, fix: str, edited: str) -> None:
    (placed,) = found(BY_ID["HW553"], dropped(text))
    assert placed.finding.fix == fix
    assert [edit.new for edit in placed.edits] == ([edited] if edited else [])


def test_a_value_gets_its_quotes() -> None:
    (placed,) = found(BY_ID["HW554"], valued("it is a number"))
    assert placed.edits[0].new == ' "1"'


def test_another_entry_point_takes_options(tmp_path: Path) -> None:
    told = {"run.sh": "docker run --entrypoint sh ollama/ollama:0.32.15 -c 'ollama serve'\n"}
    assert "HW556" not in texts.told(tmp_path, told)
    asked = {"run.sh": "docker run --rm ollama/ollama:0.32.15 --version\n"}
    assert "HW556" not in texts.told(tmp_path, asked)
    assert found(BY_ID["HW556"], replace(behind("-c"), container=None)) == ()


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        (texts.service("environment: [Environment=OLLAMA_DEBUG=1]"), 1),
        (texts.service(top="  ui:\n    image: x\n    environment:\n"
                       "      - Environment=OLLAMA_BASE_URL=http://ollama:11434\n"), 1),
        (texts.unit("Environment=Environment=OLLAMA_DEBUG=1"), 1),
        (texts.service("environment: {ENV: production, ENVIRONMENT: a=b}"), 0),
        (texts.unit("Environment=OLLAMA_ORIGINS=http://a"), 0),
    ],
)  # fmt: skip
def test_the_word_of_another_format_is_no_name(
    text: texts.Text, caught: int, tmp_path: Path
) -> None:
    found = texts.messages(tmp_path, text, "HW553")
    assert len(found) == caught
    assert all("none by the name `OLLAMA_" in message for message in found)
