"""HW125 and HW547: names of models, and units that wait for a word."""

import pytest

from generator.rules.registry import every_rule
from generator.view import Line, ModelUse, Place, View
from tests.views import FILE, found, view

RULE = every_rule()["HW125"]


def using(name: str) -> View:
    return view(models=(ModelUse(name=name, place=Place(FILE, 1)),))


def typed(kind: str, start: str = "/usr/bin/ollama serve") -> View:
    said = {"Type": kind, "ExecStart": start}
    lines = (
        Line(section="Service", name=n, value=v, place=Place(FILE, 1)) for n, v in said.items()
    )
    return view(lines=tuple(lines))


# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW125": (using("-h/qwen3"), using("hf.co/a/Qwen3:Q4_K_M")),
    "HW547": (typed("notify"), typed("exec")),
}
BAD = ("-h/qwen3", "../u/x", "./x", ".qwen3", "qwen3:-1b", "qwen3:", "qwen 3", "qwen٣", "a/b/c/d")
GOOD = (
    *("qwen3", "qwen3:30b-a3b", "registry.lan:5000/team/x:1", "library/qwen3", "Qwen3:latest"),
    *("${MODEL}", "{{ .Values.model }}", "%i", "https://hf.co/a/b", "m@sha256:0123"),
)


@pytest.mark.parametrize("name", BAD)
def test_what_ollama_takes_for_no_model_is_told(name: str) -> None:
    (placed,) = found(RULE, using(name))
    assert name in placed.finding.message


@pytest.mark.parametrize("name", GOOD)
def test_names_and_what_is_filled_in_are_fine(name: str) -> None:
    assert not found(RULE, using(name))


def test_only_a_unit_that_starts_ollama_itself_never_notifies() -> None:
    rule = every_rule()["HW547"]
    assert found(rule, typed("notify-reload"))
    assert not found(rule, typed("notify", "/usr/bin/docker run ollama/ollama"))
    assert not found(rule, typed("notify", "/usr/local/bin/wrapper --notify ollama serve"))
