"""Text that breaks careless escaping, as a fixed list and as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

from generator.formats.text import NONCHARACTERS

HOSTILE = (
    "",
    " ",
    "plain",
    "two words",
    " leading and trailing ",
    'say "hi"',
    "it's",
    "''",
    "''${x}",
    '"""',
    "back\\slash",
    "trailing\\",
    "\\n is not a newline",
    "\\\\",
    "$",
    "$HOME",
    "${x}",
    "$${x}",
    "$$${x}",
    "\\${x}",
    "$$",
    "100%",
    "%n %% %i",
    "%%",
    "# no comment",
    "a #b",
    "; no comment",
    ";",
    "key: value",
    "- item",
    "a - b",
    "-1",
    "--flag=value",
    "{a: 1}",
    "[a]",
    "{{ jinja }} {% raw %}",
    "*anchor",
    "&anchor",
    "!tag",
    "| > @ `",
    "yes",
    "no",
    "null",
    "~",
    "true",
    "1e3",
    "0o17",
    "0x1f",
    "1_000",
    "12:30:45",
    "2026-01-01",
    ".inf",
    "=",
    "<<",
    "---",
    "...",
    "line\nbreak",
    "\nleading break",
    "trailing break\n",
    "a\n\n\nb",
    "carriage\rreturn",
    "dos\r\nline",
    "tab\tstop",
    "\t",
    "bell\x07 escape\x1b[31m delete\x7f",
    "next\x85line",
    "\x9b control",
    "line\u2028separator",
    "paragraph\u2029separator",
    "\ufeffbyte order mark",
    "no\xa0break",
    "right\u202eto left",
    "é",
    "漢字",
    "🦙",
    "\U0001f469\u200d\U0001f4bb",
    "ﬁ \u0301",
    "x" * 5000,
    "long words " * 400,
)

_SPICES = st.sampled_from([*"\"\\$%{}[]()'#:;=,&*!|>@`~- \t\n\r", "${", "''", "\\n", "%n"])
_ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\x00" + NONCHARACTERS)

# Everything that UTF-8 text can hold but NUL and noncharacters; those with a meaning more often.
texts = st.lists(st.one_of(_SPICES, _ANY), max_size=12).map("".join)

# One example of a property costs one run of a real parser, so it takes many strings at once.
batches = st.lists(texts, min_size=50, max_size=150)
