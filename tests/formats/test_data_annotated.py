"""TOML with reasons: parsed back it is the values, whatever the comments say."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import RenderError
from generator.formats.data import Section, to_annotated_toml
from generator.formats.text import Commented

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8")),
    st.lists(st.text(st.characters(codec="utf-8")), max_size=6),
)
TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.dictionaries(TEXTS, st.tuples(VALUES, st.text()), max_size=5)


def test_the_layout() -> None:
    sections = [
        Section((), {"name": Commented("a"), "list": Commented(["x", "y"], "Two of them.")}),
        Section(("host", "gpus"), {"memory": Commented(5)}, array=True),
        Section(("a b",), {}, notes=("Empty.",)),
    ]
    assert to_annotated_toml(["Head."], sections) == (
        "# Head.\n"
        "\n"
        'name = "a"\n'
        "# Two of them.\n"
        'list = ["x", "y"]\n'
        "\n"
        "[[host.gpus]]\n"
        "memory = 5\n"
        "\n"
        "# Empty.\n"
        '["a b"]\n'
    )


def test_a_long_list_is_one_line_each() -> None:
    long = ["x" * 30] * 4
    text = to_annotated_toml([], [Section((), {"list": Commented(long)})])
    assert len(text.splitlines()) == 6
    assert tomllib.loads(text) == {"list": long}


@given(st.lists(st.text()), KEYS, TEXTS, KEYS, st.text())
def test_what_is_parsed_back_is_the_values(
    head: list[str],
    top: dict[str, tuple[object, str]],
    table: str,
    keys: dict[str, tuple[object, str]],
    note: str,
) -> None:
    top = {key: entry for key, entry in top.items() if key != table}
    sections = [
        Section((), {key: Commented(*entry) for key, entry in top.items()}),
        Section((table,), {key: Commented(*entry) for key, entry in keys.items()}, (note,)),
    ]
    parsed = tomllib.loads(to_annotated_toml(head, sections))
    expected: dict[str, object] = {key: value for key, (value, _) in top.items()}
    expected[table] = {key: value for key, (value, _) in keys.items()}
    assert parsed == expected


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(RenderError, match="Unicode"):
        to_annotated_toml([], [Section((), {"key": Commented("\ud800")})])
