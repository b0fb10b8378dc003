"""plan.json: a Plan comes back whole, and what is no Plan is said to be none."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.codec import from_dict, to_dict
from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.plan.read import read
from generator.rules.registry import judge
from tests.plans import PROFILES, RELEASES, shipped

PLAN = to_dict(shipped("dual-pascal"))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("full", ["false", "true"])
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", PROFILES)
def test_a_plan_comes_back(name: str, release: str, full: str) -> None:
    plan = shipped(name, f"service.full_unit={full}", version=release, legacy_env=full == "true")
    assert from_dict(json.loads(json.dumps(to_dict(plan)))) == plan


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


PLACES = list(places(PLAN))


def changed(path: tuple[Any, ...], value: object) -> Any:
    data = copy.deepcopy(PLAN)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return data


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
def test_whatever_stands_in_it_a_plan_is_judged_or_refused(
    path: tuple[Any, ...], value: object
) -> None:
    text = json.dumps(changed(path, value))
    context = Context(load_catalogue())
    try:
        views = read([Source("plan.json", text)], context)
    except ProfileError:
        return
    for view in views:
        judge(view, context.facts(view))


@pytest.mark.parametrize(
    "data", [None, [], "plan", 2, {}, {"schema_version": 1}, {"schema_version": True}]
)
def test_what_has_another_version_is_refused(data: object) -> None:
    with pytest.raises(ProfileError) as caught:
        from_dict(data)
    (problem,) = caught.value.problems
    assert problem.where == "schema_version"
    assert "gen plan" in problem.hint


def test_each_fault_has_its_place() -> None:
    data = changed(("services", 0, "listen", "port"), "11434")
    data["host"]["gpus"][1]["memory"] = None
    data["extra"] = 1
    with pytest.raises(ProfileError) as caught:
        from_dict(data)
    assert {(p.where, p.message) for p in caught.value.problems} == {
        ("services.0.listen.port", "is not a whole number"),
        ("host.gpus.1.memory", "is not a whole number"),
        ("extra", "no such key"),
    }
