from __future__ import annotations

import json
import subprocess
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings

from generator.errors import RenderError
from generator.formats import shell
from generator.formats.data import to_json, to_toml
from tests.hostile import HOSTILE, batches, texts
from tests.tools import require


def test_json_keeps_order_and_unicode() -> None:
    assert to_json({"b": "é", "a": [1, {}]}) == '{\n  "b": "é",\n  "a": [\n    1,\n    {}\n  ]\n}\n'


def test_toml_keeps_order_and_unicode() -> None:
    assert to_toml({"b": "é", "a": {"c": 1}}) == 'b = "é"\n\n[a]\nc = 1\n'


def test_empty_toml_is_an_empty_line() -> None:
    assert to_toml({}) == "\n"


def test_json_refuses_what_it_does_not_have() -> None:
    with pytest.raises(RenderError, match="JSON cannot carry this"):
        to_json({"a": float("nan")})
    with pytest.raises(RenderError, match="a JSON string"):
        to_json({"a": "\ud800"})


def test_toml_refuses_surrogates() -> None:
    with pytest.raises(RenderError, match="a TOML string"):
        to_toml({"a": "\ud800"})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_survive_json_and_toml(text: str) -> None:
    assert json.loads(to_json({text: text})) == {text: text}
    assert tomllib.loads(to_toml({text: text})) == {text: text}


@given(texts)
def test_any_string_survives_json_and_toml(text: str) -> None:
    assert json.loads(to_json([text])) == [text]
    assert tomllib.loads(to_toml({text: [text]})) == {text: [text]}


def test_shell_words() -> None:
    assert shell.quote("plain") == "plain"
    assert shell.quote("it's $HOME") == "'it'\"'\"'s $HOME'"
    with pytest.raises(RenderError, match="`model`"):
        shell.quote("a\x00", "model")


def check_shell(words: list[str]) -> None:
    script = "printf '%s\\0' " + " ".join(map(shell.quote, words))
    done = subprocess.run([require("sh"), "-c", script], check=True, capture_output=True)
    assert done.stdout.decode().split("\x00")[:-1] == words


def test_hostile_words_survive_a_shell() -> None:
    check_shell(list(HOSTILE))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_any_words_survive_a_shell(words: list[str]) -> None:
    check_shell(words)
