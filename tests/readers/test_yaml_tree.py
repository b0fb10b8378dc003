"""YAML with the line of every value, aliases and faults of the text."""

from hypothesis import given

from generator.errors import Problem, ProfileError
from generator.readers.base import Source
from generator.readers.syntax.yaml_tree import Table, parse
from tests.hostile import texts
from tests.readers.composing import FEW, views

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
