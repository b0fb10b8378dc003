"""Each engine is whole, and its decisions are pure."""

import pytest

from generator.engines import ENGINES, load_engine, load_signs
from generator.engines.base import Asked, Server
from generator.plan import PROGRAM
from generator.profiles.schema import Profile
from tests.plans import ALONE, plan, shipped


@pytest.mark.parametrize("name", ENGINES)
def test_each_has_what_resolve_and_readers_ask_for(name: str) -> None:
    engine = load_engine(name)
    assert isinstance(engine.SERVER, Server)
    assert engine.SERVER.command[0] == PROGRAM
    assert callable(engine.decide)
    profile = Profile.model_validate({"schema_version": 1, "name": "test"}, strict=False)
    assert isinstance(engine.asked(profile), Asked)
    assert hasattr(profile, name)
    assert load_signs(name).name == name


def test_the_plan_carries_the_engine() -> None:
    for profile in ALONE:
        service = shipped(profile).service
        server = load_engine(service.engine).SERVER
        assert (service.product, service.unit, service.health) == (
            server.product,
            server.unit,
            server.health,
        )


def test_a_variable_is_decided_once() -> None:
    """A key of its own wins, wherever the two stand in the profile."""
    decided = plan({"ollama": {"keep_alive": "1h"}})
    names = [setting.name for setting in decided.service.environment]
    assert len(names) == len(set(names))
