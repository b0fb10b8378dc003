"""`assess`: the use case of `gen fit`, called from Python."""

from collections.abc import Mapping, Sequence

import pytest

from generator.engines import load_engine
from generator.errors import ProfileError
from generator.fit.assess import Assessment, Question, assess
from generator.host import Host
from tests.facts import facts_at
from tests.views import FILE, view

GIB = 2**30


def assessed(
    own: Sequence[tuple[str, Mapping[str, str]]] = (),
    question: Question | None = None,
    memory: int = 32 * GIB,
) -> Assessment:
    seen = view(host=Host(cores=8, threads=16, memory=memory))
    return assess(seen, own, load_engine(seen.engine).ask_of(seen, facts_at()), question)


def test_models_that_are_asked_about() -> None:
    question = Question(models=("llama3.1:8b",), context=8192, slots=2)
    found = assessed(question=question)
    (fit,) = found.fits
    assert (fit.shape.name, fit.load.context, fit.load.slots) == ("llama3.1:8b", 8192, 2)
    assert found.choices is None
    assert found.loaded is None
    assert not found.fails


def test_the_services_own_models_with_their_parameters() -> None:
    own = [("llama3.1:8b", {"num_ctx": "2048"}), ("nothing:1b", {})]
    found = assessed(own)
    (fit,) = found.fits
    assert fit.load.context == 2048
    (warning,) = found.warnings
    assert "`nothing:1b` is not among the models that Hostwright knows" in warning
    assert "--gguf" in warning
    assert found.choices


def test_a_mistyped_model_of_the_service_is_told_with_the_nearest() -> None:
    (warning,) = assessed([("qwen2.5-codr:7b", {})]).warnings
    assert "did you mean `qwen2.5-coder:7b`?" in warning


def test_a_models_parameters_hold_where_it_is_asked_about_and_the_question_before_them() -> None:
    own = [("llama3.1:8b", {"num_ctx": "2048"})]
    named, other = assessed(own, Question(models=("llama3.1:8b", "qwen3:4b"))).fits
    assert (named.load.context, other.load.context) == (2048, 4096)
    (told,) = assessed(own, Question(models=("llama3.1:8b",), context=8192)).fits
    assert told.load.context == 8192


def test_what_does_not_fit_fails() -> None:
    found = assessed(question=Question(models=("llama3.3:70b",)), memory=8 * GIB)
    assert found.fails


def test_a_machine_without_memory_cannot_be_judged() -> None:
    with pytest.raises(ProfileError) as caught:
        assessed(memory=0)
    assert [(p.where, caught.value.source) for p in caught.value.problems] == [
        ("host.memory", FILE)
    ]


def test_every_unknown_model_is_told_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        assessed(question=Question(models=("one:1b", "two:2b")))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "again", ["llama3.1:8b", "llama3.1", "library/LLAMA3.1:8b", "llama3.1:8b:Q8_0"]
)
def test_a_model_that_is_named_twice_stays_loaded_once(again: str) -> None:
    once = assessed(question=Question(resident=("llama3.1:8b",)), memory=16 * GIB)
    twice = assessed(question=Question(resident=("llama3.1:8b", again)), memory=16 * GIB)
    assert [fit.shape for fit in twice.fits] == [fit.shape for fit in once.fits]
    assert len(twice.fits) == 1
    other = assessed(question=Question(resident=("llama3.1:8b", "qwen3:4b")), memory=16 * GIB)
    assert len(other.fits) == 2
