"""Models in memory: which program and which lines of the log are those of a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.engines.base import ServedModel
from generator.verify.loads import loads
from generator.verify.observed import Answers, Observed, Process
from tests.verify.seen import process, running, seen, service

if TYPE_CHECKING:
    from generator.verify.rows import Row

ONE = service()
SERVED = ONE.models[0].served
SLOTS = f"{SERVED}: slots"


def child(weights: str, slots: str) -> Process:
    command = ("llama-server", "--model", f"/m/{weights}", "-np", slots)
    return Process(pid=7, command=command, variables=None, limits={})


def of(*children: Process, loaded: tuple[str, ...] = (SERVED,), **more: object) -> Observed:
    answers = Answers(
        release=ONE.release,
        installed=(),
        loaded=tuple(ServedModel(name=name) for name in loaded),
        weights={SERVED: "sha256-a"},
    )
    return seen(ONE, process=replace(process(ONE), children=children), answers=answers, **more)


def rows(observed: Observed) -> dict[str, Row]:
    return {row.setting: row for row in loads(ONE, observed, running())}


def test_the_program_that_has_its_file() -> None:
    found = rows(of(child("sha256-b", "9"), child("sha256-a", "1")))[SLOTS]
    assert (found.intended, found.held, found.effective) == ("4", "1", "1")
    assert (found.verdict, found.why) == ("drift", "its program was started with 1")


def test_another_program_says_nothing_of_it() -> None:
    assert rows(of(child("sha256-b", "9"))) == {}


def test_the_only_program_where_nobody_tells_the_file() -> None:
    observed = of(child("sha256-b", "4"))
    assert observed.answers
    unknown = replace(observed, answers=replace(observed.answers, weights={}))
    assert rows(unknown)[SLOTS].verdict == "ok"
    two = replace(
        observed.answers, weights={}, loaded=(*observed.answers.loaded, ServedModel(name="x"))
    )
    assert rows(replace(observed, answers=two)) == {}


def test_a_model_that_is_not_loaded() -> None:
    assert rows(of(child("sha256-a", "1"), loaded=())) == {}


def test_layers_that_the_gpu_has_no_room_for() -> None:
    said = ({"weights": "sha256-a", "layers": "20/33"},)
    found = rows(of(loads=said))[f"{SERVED}: layers"]
    assert (found.intended, found.effective, found.verdict) == ("all", "20/33", "unknown")
    for there in ("33/33", "0/33"):
        assert f"{SERVED}: layers" not in rows(of(loads=({**said[0], "layers": there},)))
