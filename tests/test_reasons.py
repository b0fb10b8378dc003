"""Every value of a Plan with its reason."""

import pytest

from generator.reasons import reasons
from tests.plans import PROFILES, plan, shipped


def test_a_value_is_told_with_where_it_comes_from() -> None:
    found = {one.where: one for one in reasons(shipped("xeon-cpu"))}
    one = found["services.ollama.environment.OLLAMA_NUM_PARALLEL"]
    assert (one.name, one.value, one.source) == ("OLLAMA_NUM_PARALLEL", "4", "profile")
    assert one.key == "ollama.num_parallel"
    assert found["services.ollama.limits.cpu_quota"].value == "2000"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_variable_and_limit_is_among_them(profile: str) -> None:
    decided = shipped(profile)
    found = {one.where for one in reasons(decided)}
    for service in decided.services:
        for one in service.environment:
            assert f"services.{service.name}.environment.{one.name}" in found


def test_what_is_around_the_services_has_reasons_too() -> None:
    decided = plan({"monitor": {"enable": True}, "front": {"kind": "haproxy"}})
    tops = {one.where.partition(".")[0] for one in reasons(decided)}
    assert {"services", "front", "monitor"} <= tops


def test_what_is_only_offered_is_no_value() -> None:
    assert not [one for one in reasons(shipped("xeon-cpu")) if ".offered" in one.where]
