"""Variables in Compose files: what we make of any text, Compose makes of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.formats.yaml import to_yaml
from generator.readers.compose.variables import substitute
from tests.hostile import HOSTILE, texts
from tests.readers.composing import FEW, config

TOLD: dict[str, str] = {"A": "plain", "EMPTY": "", "B2": 'a "b" {c} $x', "_c": "1"}

_names = st.sampled_from([*TOLD, "NOPE", "a", "b2"])
_words = st.text(st.sampled_from("ab -+?:=é. \"'\\#"), max_size=4)
_templates = st.recursive(
    st.one_of(
        _words,
        st.just("$$"),
        st.builds("${}".format, st.sampled_from(list(TOLD))),
        st.builds("${{{}}}".format, st.sampled_from(list(TOLD))),
    ),
    lambda inner: st.one_of(
        st.builds("${{{}{}{}}}".format, _names, st.sampled_from([":-", "-", ":+", "+"]), inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)


def labelled(values: Sequence[str]) -> str:
    labels = {f"k{number}": value for number, value in enumerate(values)}
    return to_yaml({"services": {"s": {"image": "x", "labels": labels}}})


def dotenv(values: dict[str, str]) -> str:
    return "".join(f"{name}='{value}'\n" for name, value in values.items())


def ours(text: str) -> str | None:
    try:
        return substitute(text, TOLD.get)
    except ValueError:
        return "!"


@FEW
@given(st.lists(_templates, min_size=20, max_size=80))
def test_templates_are_filled_in_as_compose_does(templates: list[str]) -> None:
    filled = {f"k{n}": value for n, t in enumerate(templates) if (value := ours(t)) != "!"}
    found, complaints = config(
        {
            "compose.yaml": labelled([t if ours(t) != "!" else "" for t in templates]),
            ".env": dotenv(TOLD),
        }
    )
    assert complaints == []
    assert {k: found[k] for k, v in filled.items() if v is not None} == {
        k: v for k, v in filled.items() if v is not None
    }


@FEW
@given(st.lists(texts, min_size=20, max_size=80))
def test_any_text_is_filled_in_as_compose_does(values: list[str]) -> None:
    told = {
        f"k{n}": value for n, text in enumerate(values) if (value := ours(text)) not in {"!", None}
    }
    kept = [text if f"k{n}" in told else "" for n, text in enumerate(values)]
    found, complaints = config({"compose.yaml": labelled(kept), ".env": dotenv(TOLD)})
    assert complaints == []
    assert {k: found[k] for k in told} == told


@settings(FEW, max_examples=25)
@given(
    st.lists(
        st.sampled_from(["${", "}", "{", "$", "A", ":-", "-", "+", " b", "\n", "é"]), max_size=9
    )
)
def test_what_we_refuse_compose_refuses(parts: list[str]) -> None:
    text = "".join(["${", *parts])
    _, complaints = config({"compose.yaml": labelled([text]), ".env": dotenv(TOLD)})
    assert bool(complaints) == (ours(text) == "!")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: ascii(t[:20]))
def test_escaped_text_comes_back(text: str) -> None:
    assert substitute(text.replace("$", "$$"), TOLD.get) == text


def test_what_nobody_told_is_not_told() -> None:
    assert substitute("a $NOPE b", TOLD.get) is None
    assert substitute("${NOPE}", TOLD.get) is None
    assert substitute("${NOPE:-$NOPE}", TOLD.get) is None
    assert substitute("${NOPE:?message}", TOLD.get) is None
    assert substitute("${EMPTY:?message}", TOLD.get) is None
    assert substitute("${NOPE:-$A}-${NOPE+x}", TOLD.get) == "plain-"
    assert substitute("${EMPTY?message}", TOLD.get) == ""
