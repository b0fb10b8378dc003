"""Plain values of YAML: each has the type that it has for Compose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.readers.syntax.yaml_scalar import resolved
from tests.readers.composing import FEW, config

_plain = st.one_of(
    st.from_regex(r"[-+]?[0-9_]{1,22}(\.[0-9_]{0,6})?([eE][-+]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[-+]?0[xob]?[0-9a-fA-F_]{1,10}", fullmatch=True),
    st.sampled_from(["yes", "No", "on", "true", "FALSE", "~", "null", "Null", "nULL", "tRue",
                     ".5", "1.", "-0.0", "0.1", "1e3", "12:30", "0o8", "1e999", "+12e03", "a b",
                     "18446744073709551616", "0_", "+", ".", "0x"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
)  # fmt: skip


@FEW
@given(st.lists(_plain, min_size=30, max_size=120))
def test_a_plain_value_has_the_type_that_it_has_for_compose(values: list[str]) -> None:
    body = "".join(f"      k{n}: {value}\n" for n, value in enumerate(values))
    found, complaints = config(
        {"compose.yaml": f"services:\n  s:\n    image: x\n    environment:\n{body}"}
    )
    assert complaints == []
    expected = {
        f"k{n}": None if kind == "null" else text
        for n, (kind, text) in enumerate(resolved(value, "") for value in values)
    }
    assert found == expected


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("9667977400974692174", "int", "9667977400974692174"),
        ("+9667977400974692174", "float", "9.667977400974692e+18"),
        ("+9223372036854775807", "int", "9223372036854775807"),
        ("+0xffffffffffffffff", "str", "+0xffffffffffffffff"),
    ],
)
def test_a_number_with_a_sign_has_one_bit_less(text: str, kind: str, value: str) -> None:
    assert resolved(text, "") == (kind, value)
