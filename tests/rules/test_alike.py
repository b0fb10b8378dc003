"""What is remembered of Views that are alike: the same Findings, with fewer questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.host import Host
from generator.pipeline import decide
from generator.profiles.load import read_document
from generator.readers.plan.view import view_of
from generator.readers.plan.written import as_written
from generator.rules import alike, registry
from generator.rules.rule import Rule
from generator.view import Bound, Variable
from tests.plans import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


def seen(profile: str, release: str | None = None) -> tuple[View, Facts]:
    view = view_of(decide(read_document(profile), version=release))
    return view, load_catalogue().at("ollama", view.release)


def changed(view: View) -> Iterator[View]:
    """Views that differ in one thing from this one, some with a fault that it has not."""
    place = view.variables[0].place
    yield view
    for number, variable in enumerate(view.variables):
        for value in ("", "0", "1d", "$HOME/x", "999999999"):
            other = replace(variable, value=value)
            yield replace(
                view, variables=(*view.variables[:number], other, *view.variables[number + 1 :])
            )
    for name in ("OLLAMA_NUM_THREADS", "OLLAMA_FLASH_ATENTION", "HF_TOKEN"):
        yield replace(
            view, variables=(*view.variables, Variable(name=name, value="a1", place=place))
        )
    yield replace(view, bounds=(Bound(name="memory_max", value=2**30, place=place),))
    yield replace(view, host=Host(system="x86_64-linux", cores=4, threads=8, memory=2**33))
    yield replace(view, models=())
    yield replace(view, name="another", acceleration="")
    yield view


@pytest.mark.parametrize("release", ["0.9.6", "0.24.0", "0.32.3"])
@pytest.mark.parametrize("profile", ALONE)
def test_it_says_what_the_registry_says(profile: str, release: str) -> None:
    view, facts = seen(profile, release)
    found = 0
    for each in changed(view):
        said = registry.judge(each, facts)
        assert alike.judge(each, facts) == said
        written = as_written(each)
        both = tuple(registry.judge(one, facts) for one in written)
        assert alike.judge_both(*written, facts) == both
        found += len(said) + sum(map(len, both))
    assert found > 50


def test_a_finding_names_the_view_that_it_is_of() -> None:
    """Where the line has no key, a Finding is about the View as a whole, which has a name."""
    view, facts = seen("dual-pascal")
    plain = replace(as_written(view)[0], name="one")
    other = replace(plain, name="other")
    for each in (plain, other, replace(plain, name="")):
        assert {located.finding.where for located in alike.judge(each, facts)} == {each.name}


def test_what_was_said_of_such_a_view_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    view, facts = seen("xeon-cpu")
    asked: list[str] = []
    judge = Rule.judge

    def noted(rule: Rule, view: View, facts: Facts) -> object:
        asked.append(rule.id)
        return judge(rule, view, facts)

    alike.judge(view, facts)
    monkeypatch.setattr(Rule, "judge", noted)
    alike.judge(replace(view, name="another"), facts)
    assert not asked
    alike.judge(replace(view, bounds=()), facts)
    assert "HW210" in asked
    assert 2 * len(asked) < len(registry.rules_of("ollama")) + 10
