r"""Unit files: by hand, and against systemd itself."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from generator.errors import ProfileError
from generator.host import Host
from generator.readers.base import Source
from generator.readers.syntax.unit import in_force, lines, named, parse, variables
from generator.readers.systemd.limits import bounds
from generator.view import Place
from tests.consumers import systemd
from tests.hostile import texts

if TYPE_CHECKING:
    from generator.readers.syntax.unit import Assignment
    from generator.view import Variable

FILE = "override.conf"


def read(text: str) -> tuple[Assignment, ...]:
    return in_force(parse(Source(FILE, text)))


def environment(text: str, unit: str = "ollama.service") -> list[Variable]:
    return [v for a in named(read(text), "Environment") for v in variables(a, unit)]


def values(text: str, unit: str = "ollama.service") -> dict[str, str]:
    return {v.name: v.value for v in environment(text, unit)}


def of_line(line: str) -> dict[str, str]:
    return values(f"[Service]\n{line}\n")


# ── one line, by hand ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Environment=OLLAMA_HOST=0.0.0.0", {"OLLAMA_HOST": "0.0.0.0"}),  # noqa: S104
        ('Environment="OLLAMA_HOST=0.0.0.0:11434"', {"OLLAMA_HOST": "0.0.0.0:11434"}),
        ('Environment=OLLAMA_MODELS="/srv/my models"', {"OLLAMA_MODELS": "/srv/my models"}),
        ("Environment='A=x y' B=z", {"A": "x y", "B": "z"}),
        ("  Environment \t=\t A=1  ", {"A": "1"}),
        ("Environment=A=1 B=2 A=3", {"A": "3", "B": "2"}),
        (r'Environment="A=a\tb\nc\x41\u00e9\U0001f999\101\s\""', {"A": 'a\tb\ncAé🦙A "'}),
        (r"Environment=A=\xc3\xa9", {"A": "é"}),
        ("Environment=A=50%% B=%n C=%t", {"A": "50%", "B": "ollama.service", "C": "/run"}),
        ("Environment=A=$HOME/${X}/`id`", {"A": "$HOME/${X}/`id`"}),
        ('Environment="A=\'0.0.0.0\'"', {"A": "'0.0.0.0'"}),
        ("Environment=A=b#c", {"A": "b#c"}),
        ('Environment=A="b"c\'d\'', {"A": "bcd"}),
        ("Environment=A=", {"A": ""}),
    ],
)  # fmt: skip
def test_a_line_is_unquoted_and_expanded(line: str, expected: dict[str, str]) -> None:
    assert of_line(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Environment=OLLAMA_HOST 0.0.0.0",
        "Environment=1A=b",
        "Environment=OLLAMA-HOST=b",
        r"Environment=A=\xff",  # no UTF-8
        "Environment=A=%z",  # no such specifier
        'Environment="A=b',
        r"Environment=A=\q",
        r"Environment=A=\x00",
        'Environment=""',
    ],
)
def test_what_systemd_ignores_is_no_variable(line: str) -> None:
    assert of_line(line) == {}


def test_a_fault_leaves_what_stands_before_it() -> None:
    assert of_line(r'Environment=A=1 "B=2" C=\q D=4') == {"A": "1", "B": "2"}


def test_specifiers_that_only_the_host_knows_are_kept_and_marked() -> None:
    found = environment("[Service]\nEnvironment=A=%H:11434 B=%h/models\n")
    assert [(v.value, v.unresolved) for v in found] == [("%H:11434", True), ("/root/models", False)]


def test_a_template_does_not_know_its_instance() -> None:
    text = "[Service]\nEnvironment=A=gpu%i B=%p C=%j\n"
    assert values(text, "ollama-x@.service") == {"A": "gpu%i", "B": "ollama-x", "C": "x"}
    assert values(text, "ollama-x@0.service") == {"A": "gpu0", "B": "ollama-x", "C": "x"}


# ── lines, sections, resets ───────────────────────────────────────────────────────────────────

LAYOUT = """\
# A comment.
Description=too early
[Unit]
After=network-online.target
After=

[Service]
Environment=A=1
; another
Environment="B=2" \\
  # in between
  "C=3 \\
   4" D=5
Environment=E=6
"""


def test_every_variable_has_the_line_on_which_it_stands() -> None:
    found = [(v.name, v.place, v.written) for v in environment(LAYOUT)]
    assert found == [
        ("A", Place(FILE, 8, "Environment"), "1"),
        ("B", Place(FILE, 10, "Environment"), "2"),
        ("C", Place(FILE, 12, "Environment"), ""),
        ("D", Place(FILE, 13, "Environment"), "5"),
        ("E", Place(FILE, 14, "Environment"), "6"),
    ]


def test_a_backslash_at_the_end_is_a_space() -> None:
    assert values(LAYOUT)["C"] == "3     4"


def test_directives_outside_a_section_are_lines() -> None:
    first = lines(read(LAYOUT))[0]
    assert (first.section, first.name, first.value) == ("", "Description", "too early")
    assert first.place == Place(FILE, 2, "Description")


def test_an_empty_assignment_takes_the_earlier_ones_back() -> None:
    text = (
        "[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\nExecStart=/bin/a\nExecStart=\n"
    )
    assert values(text) == {"B": "2"}
    assert [a.value for a in read(text) if a.key == "ExecStart"] == [""]


def test_but_no_dependency() -> None:
    after = [a.value for a in read(LAYOUT) if a.key == "After"]
    assert after == ["network-online.target", ""]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_systemd_ends_them(end: str) -> None:
    text = end.join(["\ufeff[Service]", "Environment=A=1 \\", "B=2", "Environment=C=3"])
    assert values(text) == {"A": "1", "B": "2", "C": "3"}


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("Environment=A=b", "b"),
        ('Environment="A=b c"', "b c"),
        ('Environment=A="b c"', '"b c"'),
        (r'Environment="A=b\x20c"', r"b\x20c"),
        ('Environment="A=b"', "b"),
        ('Environment="A="', ""),
        ("Environment=A=50%%", "50%%"),
        ("""Environment="A='b'" """, "'b'"),
        ('Environment="A=b"c', ""),
        ('Environment="A=b""c"', ""),
        ('Environment="A"=b', "b"),
        (r"Environment=A\x3db", "b"),
        ("Environment=%p=b", ""),
    ],
)
def test_written_is_what_the_file_spells(line: str, written: str) -> None:
    (found,) = environment(f"[Service]\n{line}\n")
    assert found.written == written


# ── what is no unit file ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("\nservices:\n  ollama:\n", "line 2", "no unit file"),
        ("[Service]\nA=b\n[Unit\nB=c\n", "line 3", "`[Unit` is no section header"),
        ('[Ser"vice]\n', "line 1", "no section header"),
        (f"[Service]\nA={'x' * 2**20}\n", "line 2", "1 MiB"),
    ],
)
def test_what_systemd_would_not_read_is_refused(text: str, where: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse(Source(FILE, text))
    (problem,) = caught.value.problems
    assert (problem.where, problem.source) == (where, FILE)
    assert message in problem.message
    assert problem.hint


@pytest.mark.parametrize("text", ["", "\n\n", "# masked\n", "[Service]\n", "[Service]\njunk\n"])
def test_empty_files_are_unit_files(text: str) -> None:
    assert [one for one in parse(Source(FILE, text)) if one.key] == []


def test_a_long_file_takes_no_long_time() -> None:
    text = "[Service]\n" + "Environment=A=1 \\\n" * 20_000 + "\n" + "X=\nY=1\n" * 50_000
    assert len(read(text)) == 50_003


# ── against systemd ───────────────────────────────────────────────────────────────────────────

TOKENS = [
    *("Z=", "\\", "\\\\", '"', "'", " ", "\t", "%", "%%", "%n", "%p", "%i", "%t", "%z", "%j"),
    *("%N", "%P", "%I", "%S", "%C", "%L", "%E", "%T", "%V", "\\n", "\\x41", "\\xc3\\xa9", "\\x00"),
    *("\\u00e9", "\\ud800", "\\ufffe", "\\U0001f999", "\\U0000ffff", "\\101", "\\400", "\\s"),
    *("\\q", "é", "🦙", "$HOME", "${X}", "#", ";", "[", "]", "=", "\x85", "\u2028"),
]
SPELLINGS = st.lists(st.one_of(st.sampled_from(TOKENS), texts), max_size=7).map("".join)
LINES = st.lists(st.tuples(st.sampled_from(["", '"', "'"]), SPELLINGS), min_size=60, max_size=120)
PARTS = [
    *("[Service]\n", "[Unit]\n", "[X-own]\n", "[Bogus]\n", "\nEnvironment=A=", "\nEnvironment=B="),
    *("\nEnvironment=C=1 D=2", "\nEnvironment=\n", "\n Environment\t= E=1", "x", '"y z"', "\\\n"),
    *("\\\r\n", "\\\\\n", "\n", "\r\n", "\r", "\n\r", "\x00", "# c\n", "\n; c \\\n", "\n # c\n"),
    *("'", '"', "\ufeff", "\njunk\n", "\n=\n", "\n=x\n", "F=1", "\x0b", "\x85"),
]
BATCH = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def understood(text: str) -> dict[str, str]:
    with TemporaryDirectory() as name:
        folder = Path(name) / "ollama.service.d"
        folder.mkdir()
        (folder / FILE).write_bytes(text.encode())
        return systemd.read(Path(name), lenient=True).environment


def compared(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what we and systemd make of a drop-in, without what only the host can say."""
    try:
        ours = environment(text)
    except ProfileError:
        assume(False)
    told = {v.name: v.value for v in ours}
    depends = {v.name for v in ours if v.unresolved}
    theirs = {name: value for name, value in understood(text).items() if name not in depends}
    return {name: value for name, value in told.items() if name not in depends}, theirs


def of_the_test(text: str) -> str:
    """Take out the specifiers that this manager, which nobody runs, answers for itself.

    Quotes go before specifiers are expanded: `%'D` is one, too.
    """
    return re.sub(r"""(%["']*)[hugUGsD]""", r"\1n", text)


@BATCH
@given(LINES)
@example([("'", "%'D"), ("", "%''u"), ('"', "%h")])
def test_environment_lines_are_what_systemd_understands(lines: list[tuple[str, str]]) -> None:
    spelt = [f"Environment={quote}V{i}={text}" for i, (quote, text) in enumerate(lines)]
    ours, theirs = compared(of_the_test("[Service]\n" + "\n".join(spelt) + "\n"))
    assert ours == theirs


@settings(BATCH, max_examples=25)
@given(st.sampled_from(["", "[Service]", "\ufeff[Service]"]), st.lists(st.sampled_from(PARTS)))
def test_layout_is_what_systemd_understands(head: str, parts: list[str]) -> None:
    ours, theirs = compared(head + "".join(parts))
    assert ours == theirs


@given(st.sampled_from(["", "[Service]\n"]), st.lists(st.sampled_from(PARTS)), SPELLINGS)
def test_what_a_fix_replaces_stands_on_its_line(head: str, parts: list[str], text: str) -> None:
    whole = f"{head}{''.join(parts)}\n[Service]\nEnvironment=Q=1 {text}"
    try:
        found = environment(whole)
    except ProfileError as error:
        event("refused")
        found = []
        assume(error.problems)
    lines_of_file = whole.split("\n")
    assert all(v.written in lines_of_file[v.place.line - 1] for v in found)


LIMITS = {
    "MemoryMax": ["20G", "20GB", "20GiB", "20g", "1.5G", "1G 512M", "1G512M", "512M 1G", "5 G"],
    "MemoryHigh": ["0", "infinity", "+5G", "-5G", "1.G", "1.999999K", "16E", "1e3", "7B", "K"],
    "MemorySwapMax": ["0", "infinity", "1G", "5.5.5G", "18446744073709551615", "20 G 5"],
    "CPUQuota": ["50%", "50.55%", "50.555%", "20", "0%", "infinity", "1000%", "-5%", "2000.%"],
    "CPUWeight": ["1", "0", "10000", "10001", "1.5", "+5", "0x10", "010"],
    "LimitMEMLOCK": ["infinity", "8G", "16G:8G", "1024", "infinity:8G", "x", "8G:", "8G:8G"],
}
CASES = [(key, value) for key, spellings in LIMITS.items() for value in spellings]


@pytest.mark.parametrize(("key", "value"), CASES, ids="=".join)
def test_limits_are_what_systemd_understands(key: str, value: str, tmp_path: Path) -> None:
    text = f"[Service]\n{key}={value}\n"
    (tmp_path / "ollama.service.d").mkdir()
    (tmp_path / "ollama.service.d" / FILE).write_text(text, encoding="utf-8")
    theirs = systemd.read(tmp_path, lenient=True)
    ours = {b.name: b.value for b in bounds(read(text), Host())}
    unlimited = {"limit_memlock": "infinity"} if ours == {"limit_memlock": None} else {}
    for name, field in (
        ("memory_max", theirs.memory_max),
        ("memory_high", theirs.memory_high),
        ("cpu_quota", theirs.cpu_quota_percent),
        ("cpu_weight", theirs.cpu_weight),
        ("limit_memlock", theirs.limit_memlock),
        ("memory_swap_max", theirs.memory_swap_max),
    ):
        assert {**ours, **unlimited}.get(name) == field
