"""`.env` files of Compose: what we read in any of them, Compose reads."""

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generator.formats.yaml import to_yaml
from generator.readers.compose.variables import parse_dotenv
from tests.effort import cpu_seconds
from tests.readers.composing import FEW, config

SECONDS = 20  # of processor time: what grows by the square takes minutes

_values = st.one_of(
    st.text(st.sampled_from("ab #=:\t.-"), max_size=8),
    st.builds("'{}'".format, st.text(st.sampled_from('a "#$\\n='), max_size=6)),
    st.builds('"{}"'.format, st.text(st.sampled_from("a '#=\n"), max_size=6)),
    st.builds('"{}"'.format, st.sampled_from([r"a\nb", r"\t", r"\\", r"\$A", r"\"q\"", r"\101"])),
    st.sampled_from(["$A", "${A:-x}", "$$A", '"$A x"', "'$A'", '"${NOPE:-d}" # c', "a 'b' c"]),
)


def test_a_text_that_grows_without_end_is_refused() -> None:
    lines = ["A0=" + "x" * 1000, *(f"A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 40))]
    with pytest.raises(ValueError, match="beyond a megabyte"):
        parse_dotenv("\n".join(lines), {})


@FEW
@given(st.lists(_values, min_size=20, max_size=60))
def test_an_env_file_says_what_compose_reads_in_it(values: list[str]) -> None:
    text = "A=told\n" + "".join(f"k{n}={value}\n" for n, value in enumerate(values))
    try:
        entries = parse_dotenv(text, {})
    except ValueError:
        assume(False)
    # What is left of a quoted text may name a variable that nobody sets: Compose has it empty.
    unset = {e.name for e in entries if e.value is None}
    expected = {e.name: e.value for e in entries if e.name not in unset}
    file = to_yaml({"services": {"s": {"image": "x", "env_file": "x.env"}}})
    found, complaints = config({"compose.yaml": file, "x.env": text})
    assert complaints == []
    assert {name: value for name, value in found.items() if name not in unset} == expected


@pytest.mark.parametrize("text", ["A B=1", "A='x", 'A="x\nB=1', "A=${x", "A-\u00e9/=1", "a b\n"])
def test_an_env_file_that_compose_refuses_is_refused(text: str) -> None:
    file = to_yaml({"services": {"s": {"image": "x", "env_file": "x.env"}}})
    assert config({"compose.yaml": file, "x.env": text})[1]
    with pytest.raises(ValueError, match="line 1"):
        parse_dotenv(text, {})


@pytest.mark.parametrize(
    "text",
    ["A" + " " * 200_000 + "x\n", "A=\n" * 200_000, "\n" * 200_000 + "#" * 200_000],
    ids=["blanks", "lines", "comments"],
)
def test_a_long_file_takes_no_long_time(text: str) -> None:
    def read() -> None:
        with contextlib.suppress(ValueError):
            parse_dotenv(text, {})

    _, seconds = cpu_seconds(read)
    assert seconds < SECONDS
