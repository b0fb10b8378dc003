from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import RenderError
from generator.formats.text import Commented
from generator.formats.yaml import Lines, Value, compose_string, to_yaml
from tests.hostile import HOSTILE, texts


def test_a_compose_file_looks_as_a_person_writes_it() -> None:
    assert (
        to_yaml(
            {
                "services": {
                    "ollama": {
                        "image": Commented("ollama/ollama:0.32.15", "The release that was tested."),
                        "cpus": Commented(20, "20 of 24 hardware threads.", gap=True),
                        "environment": {"OLLAMA_KV_CACHE_TYPE": "q8_0", "no": "yes"},
                        "healthcheck": {"test": ["CMD", "ollama", "list"], "retries": 3},
                        "devices": [
                            {"driver": "nvidia", "device_ids": ["0", "1"]},
                            {"driver": Commented("cdi", "By name.")},
                        ],
                        "tmpfs": [],
                        "deploy": {},
                    }
                },
                "volumes": Commented({"ollama": None}, gap=True),
            }
        )
        == """\
services:
  ollama:
    # The release that was tested.
    image: "ollama/ollama:0.32.15"

    # 20 of 24 hardware threads.
    cpus: 20
    environment:
      OLLAMA_KV_CACHE_TYPE: "q8_0"
      "no": "yes"
    healthcheck:
      test: ["CMD", "ollama", "list"]
      retries: 3
    devices:
      - driver: "nvidia"
        device_ids: ["0", "1"]
      - # By name.
        driver: "cdi"
    tmpfs: []
    deploy: {}

volumes:
  ollama: null
"""
    )


def test_a_long_list_takes_one_line_an_element() -> None:
    link = "x" * 60
    assert to_yaml({"a": [link, link]}) == f'a:\n  - "{link}"\n  - "{link}"\n'


def test_lists_of_lists_and_commented_elements_are_blocks() -> None:
    document: Value = {"a": [["b"], [{"c": 1}], Commented("d", "why"), Commented("e", gap=True)]}
    text = to_yaml(document)  # type: ignore[arg-type]
    assert text == 'a:\n  - ["b"]\n  - - c: 1\n  # why\n  - "d"\n\n  - "e"\n'
    assert yaml.safe_load(text) == {"a": [["b"], [{"c": 1}], "d", "e"]}


@pytest.mark.parametrize("value", [0.5, 1e-05, 1e22, -3, 2**70, True, None])
def test_scalars_keep_their_type(value: float | None) -> None:
    read = yaml.safe_load(to_yaml({"a": value}))["a"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", '"plain"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\b", r'"a\\b"'),
        ("a\nb\tc\rd", r'"a\nb\tc\rd"'),
        ("no", '"no"'),
        ("é漢", '"é漢"'),
        ("🦙\u2028\x85\ufeff\x07", r'"\U0001F999\L\N\uFEFF\a"'),
    ],
)
def test_strings_are_quoted(text: str, quoted: str) -> None:
    assert to_yaml({"a": text}) == f"a: {quoted}\n"


@pytest.mark.parametrize("key", ["y", "NO", "on", "null", "True", "~", "1", "", "a: b", "<<", "é"])
def test_keys_that_are_no_plain_words_are_quoted(key: str) -> None:
    text = to_yaml({key: 1})
    assert text.startswith('"')
    assert yaml.safe_load(text) == {key: 1}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_survive_yaml(text: str) -> None:
    document: dict[str, Value] = {"a": text, "b": [text, {"c": text}], "d": Commented(1, text)}
    expected = {"a": text, "b": [text, {"c": text}], "d": 1}
    assert yaml.safe_load(to_yaml(document)) == expected


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
SCALARS = SCALARS.filter(lambda value: value not in (float("inf"), float("-inf")))
DOCUMENTS = st.dictionaries(
    texts,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=8,
    ),
    max_size=4,
)


@given(DOCUMENTS)
def test_any_document_survives_yaml(document: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(document)) == document


@given(texts)
def test_the_quoting_is_that_of_pyyaml(text: str) -> None:
    dumped = yaml.safe_dump([text], default_style='"', width=10**9, allow_unicode=True)
    assert to_yaml({"a": text}) == f"a: {dumped.removeprefix('- ')}"


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "\ufffe", float("inf")])
def test_a_refusal_names_the_key(value: str | float) -> None:
    with pytest.raises(RenderError, match=r"`services\.ollama\.image`"):
        to_yaml({"services": {"ollama": {"image": value}}})


def test_a_key_that_yaml_cannot_hold_is_refused() -> None:
    with pytest.raises(RenderError, match="too long"):
        to_yaml({"x" * 1001: 1})


def test_a_value_of_another_type_is_a_bug() -> None:
    with pytest.raises(TypeError, match="a: no YAML for set"):
        to_yaml({"a": {1, 2}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("pa$word", "pa$$word"), ("${x:-y}", "$${x:-y}"), ("$$", "$$$$"), ("none", "none")],
)
def test_compose_strings_substitute_nothing(text: str, escaped: str) -> None:
    assert compose_string(text) == escaped


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("a: 'b'\n", True),
        ('FROM x\nPARAMETER stop "# - {}"\n', True),
        ("a\n\nb\n", True),
        ("- one\n", True),
        ("---\n", True),
        ("", False),
        ("no end", False),
        ("\n", False),
        (" blank first\n", False),
        ("a\n  b\n c\n", True),
        ("a\n \nb\n", False),
        ("blank last \n", False),
        ("a\n\n", False),
        ("\na\n", False),
        ("tab\there\n", False),
        ("a\r\nb\n", False),
        ("ünicode\n", False),
    ],
)
def test_lines_are_a_block_where_it_carries_them(text: str, block: bool) -> None:
    document: dict[str, Any] = {"deep": [{"list": [Lines(text)], "key": Lines(text)}], "after": 1}
    written = to_yaml(document)
    assert yaml.safe_load(written) == document
    assert (" |\n" in written) == block


@given(st.text(alphabet=st.sampled_from("ab #:-'\"\\|>%@`{}[]&*!?\n\t \u00e9"), max_size=40))
def test_lines_come_back_as_they_are(text: str) -> None:
    document: dict[str, Any] = {"a": {"b": [Lines(text), {"c": Lines(text)}]}}
    assert yaml.safe_load(to_yaml(document)) == document
