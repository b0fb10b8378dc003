"""`assess`: the use case of `gen fit`, called from Python."""

import pytest

from generator.errors import ProfileError
from generator.fit.assess import Question, assess
from generator.host import Host
from generator.view import View
from tests.facts import facts_at
from tests.views import FILE, view

GIB = 2**30
FACTS = facts_at()


def host(memory: int = 32 * GIB) -> View:
    return view(host=Host(cores=8, threads=16, memory=memory))


def test_models_that_are_asked_about() -> None:
    question = Question(models=("llama3.1:8b",), context=8192, slots=2)
    found = assess(host(), (), FACTS, question)
    (fit,) = found.fits
    assert (fit.shape.name, fit.load.context, fit.load.slots) == ("llama3.1:8b", 8192, 2)
    assert found.choices is None
    assert found.loaded is None
    assert not found.fails


def test_the_services_own_models_with_their_parameters() -> None:
    own = [("llama3.1:8b", {"num_ctx": "2048"}), ("nothing:1b", {})]
    found = assess(host(), own, FACTS)
    (fit,) = found.fits
    assert fit.load.context == 2048
    assert found.warnings == ("models: `nothing:1b` is not among the models that Hostwright knows",)
    assert found.choices


def test_what_does_not_fit_fails() -> None:
    found = assess(host(8 * GIB), (), FACTS, Question(models=("llama3.3:70b",)))
    assert found.fails


def test_a_machine_without_memory_cannot_be_judged() -> None:
    with pytest.raises(ProfileError) as caught:
        assess(host(0), (), FACTS)
    assert [(p.where, caught.value.source) for p in caught.value.problems] == [
        ("host.memory", FILE)
    ]


def test_every_unknown_model_is_told_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        assess(host(), (), FACTS, Question(models=("one:1b", "two:2b")))
    assert len(caught.value.problems) == 2
