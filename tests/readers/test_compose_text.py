"""Interpolation, `.env` files and plain values: what we make of any text, Compose makes of it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from generator.errors import Problem, ProfileError
from generator.formats.yaml import to_yaml
from generator.readers.base import Source
from generator.readers.syntax import docker
from generator.readers.syntax.dotenv import parse_dotenv
from generator.readers.syntax.interpolation import substitute
from generator.readers.syntax.yaml_scalar import resolved
from generator.readers.syntax.yaml_tree import Table, parse
from tests.consumers import compose
from tests.hostile import HOSTILE, texts
from tests.readers.composing import views

TOLD: dict[str, str] = {"A": "plain", "EMPTY": "", "B2": 'a "b" {c} $x', "_c": "1"}
UNSET = re.compile(r'level=warning msg="The \\".*\\" variable is not set')
FEW = settings(
    # Shrinking a batch costs a run of Compose for each step of hundreds.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

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


def config(files: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the labels of service `s` in Compose's answer, and what it complains of."""
    with TemporaryDirectory(prefix="hostwright-") as name:
        for path, text in files.items():
            (Path(name) / path).write_text(text, encoding="utf-8", newline="")
        answer, complaints = compose._config(Path(name) / "compose.yaml")
    complaints = [line for line in complaints if not UNSET.search(line)]
    if complaints:
        return {}, complaints
    service = compose._undo_dollars(json.loads(answer))["services"]["s"]
    return service.get("labels") or service["environment"], []


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


def test_a_text_that_grows_without_end_is_refused() -> None:
    lines = ["A0=" + "x" * 1000, *(f"A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 40))]
    with pytest.raises(ValueError, match="beyond a megabyte"):
        parse_dotenv("\n".join(lines), {})


_values = st.one_of(
    st.text(st.sampled_from("ab #=:\t.-"), max_size=8),
    st.builds("'{}'".format, st.text(st.sampled_from('a "#$\\n='), max_size=6)),
    st.builds('"{}"'.format, st.text(st.sampled_from("a '#=\n"), max_size=6)),
    st.builds('"{}"'.format, st.sampled_from([r"a\nb", r"\t", r"\\", r"\$A", r"\"q\"", r"\101"])),
    st.sampled_from(["$A", "${A:-x}", "$$A", '"$A x"', "'$A'", '"${NOPE:-d}" # c', "a 'b' c"]),
)


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


@FEW
@given(texts)
def test_no_text_makes_a_traceback(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse(Source("x", text))
    except ProfileError as error:
        problems = error.problems
    assert all(problem.message and problem.source == "x" for problem in problems)


def test_a_quoted_text_keeps_its_line() -> None:
    found = parse(Source("x", "a: 1\n\nb:\n  - 'c'\n  - \"d\\n\"\n"))
    assert isinstance(found, Table)
    assert [(item.place.line, getattr(item, "written", "")) for item in found.items("b")] == [
        (4, "c"), (5, "d\\n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "size"),
    [("20g", 21474836480), ("1.5GiB", 1610612736), ("512m", 536870912), ("10kb", 10240),
     ("7", 7), ("7b", 7), ("1 t", 1099511627776), (".5k", 512)],
)  # fmt: skip
def test_sizes_are_dockers(text: str, size: int) -> None:
    assert docker.size(text) == size


@pytest.mark.parametrize("text", ["", "20 gigs", "20gi", "g", "-1", "1e3", "20,5g", "٣g"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; write it like `20g`"):
        docker.size(text)


SHARED = """\
x-item: &item OLLAMA_KEEP_ALIVE=1h
x-time: &time 30 minutes
services:
  a:
    image: ollama/ollama:0.32.15
    environment:
      OLLAMA_KEEP_ALIVE: *time
      OLLAMA_LOAD_TIMEOUT: &once 5 min
      OLLAMA_DEBUG: &debug "2"
  b:
    image: ollama/ollama:0.32.15
    environment: [*item]
    cpus: &cpus 4
    mem_limit: *debug
"""


def test_an_alias_stands_where_it_is_used_and_no_fix_changes_what_others_share() -> None:
    a, b = views(SHARED)
    assert [(v.name, v.value, v.place.line, v.written) for v in a.variables] == [
        ("OLLAMA_KEEP_ALIVE", "30 minutes", 7, ""),
        ("OLLAMA_LOAD_TIMEOUT", "5 min", 8, "5 min"),
        ("OLLAMA_DEBUG", "2", 9, ""),
    ]
    assert [(v.name, v.value, v.place.line, v.written) for v in b.variables] == [
        ("OLLAMA_KEEP_ALIVE", "1h", 12, ""),
    ]
    assert [(bound.name, bound.place.line, bound.written) for bound in b.bounds] == [
        ("cpu_quota", 13, "4"),
        ("memory_max", 14, ""),
    ]


def test_a_long_value_that_many_share_takes_no_long_time() -> None:
    aliases = "".join(f"  k{number}: *long\n" for number in range(20_000))
    text = f"x-long: &long {'a' * 200_000}$$\nx-all:\n{aliases}services: {{}}\n"
    tree = parse(Source("compose.yaml", text), lambda text: text.replace("$$", "$"))
    assert isinstance(tree, Table)
    assert tree.text("x-all", "k19999").endswith("a$")
