"""Compose files that are none, and those that want to be too much."""

import pytest

from generator.errors import ProfileError
from tests.readers.composing import MAIN, one, views

PROBLEMS = {
    "": ("", "this Compose file has no services"),
    "- a": ("line 1", "this is no Compose file"),
    "services: []": ("line 1", "`services` is no mapping"),
    "services:\n\tollama:": ("line 2", "is not YAML"),
    "services: {a: x}": ("line 1", "the service `a` is no mapping"),
    "services:\n  a: {image: 1}\n  a: {image: 2}": ("line 3", "`a` stands here twice"),
    "services: {a: {image: o, environment: [{A: 1}]}}": ("line 1", "is no `KEY=value`"),
    "services: {a: {image: o, environment: {A: [1]}}}": ("line 1", "environment.A` is no value"),
    "services:\n  ollama:\n    image: '${X'": ("line 3", "is no variable"),
    "services: {ollama: {image: ollama/ollama, mem_limit: 20 gigs}}": (
        "line 1",
        "`20 gigs` is no size",
    ),
    "services: {ollama: {build: ., cpus: lots}}": ("line 1", "`lots` is no number"),
    "services: {ollama: {extends: nope}}": ("line 1", "there is no service `nope`"),
    "services: {ollama: {extends: ollama}}": ("line 1", "extends itself"),
    "services: {ollama: {extends: {file: x.yml, service: y}}}": ("line 1", "cannot be read"),
    "services: &a {ollama: *a}": ("line 1", "inside what it stands for"),
    "a: &a [*a]": ("line 1", "inside what it stands for"),
    "services: !!python/object:os.system {}": ("", "has no services"),
    "[" * 4000: ("", "nested too deeply"),
    "services: {a: '" + "${A:-" * 4000 + "}" * 4000 + "'}": ("", "nested too deeply"),
    "a: 1\n---\nb: 2": ("line 2", "is not YAML"),
    "a: \x00": ("", "is not YAML"),
}


@pytest.mark.parametrize("text", PROBLEMS, ids=lambda t: ascii(t[:40]))
def test_a_file_that_is_none_is_a_problem(text: str) -> None:
    where, message = PROBLEMS[text]
    with pytest.raises(ProfileError) as caught:
        views(text)
    problem = caught.value.problems[0]
    assert problem.where == where
    assert message in problem.message
    assert problem.hint
    assert (problem.source or caught.value.source) == MAIN


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        views({MAIN: "services:\n  ollama:\n    image: ollama/ollama\n    cpus: x\n"
                     "    mem_limit: y\n    env_file: bad.env\n",
               "bad.env": "A=1\nA B=2\n"})  # fmt: skip
    found = {(p.source, p.where) for p in caught.value.problems}
    assert found == {(MAIN, "line 4"), (MAIN, "line 5"), ("bad.env", "line 2")}


def test_an_alias_bomb_is_read_in_no_time() -> None:
    lines = ["x0: &x0 {k: v}"]
    lines += [f"x{n}: &x{n} {{a: *x{n - 1}, b: *x{n - 1}}}" for n in range(1, 40)]
    text = "\n".join([*lines, "services: {ollama: {image: ollama/ollama, x-bomb: *x39}}"])
    view = one(text)
    assert view.name == "ollama"
    assert len(view.lines) < 100


def test_a_file_without_an_ollama_has_no_views() -> None:
    assert views("services: {web: {image: nginx}}") == ()
