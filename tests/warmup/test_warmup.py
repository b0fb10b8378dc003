"""Models loaded one after the other: what the server is asked, and what is told of each."""

from typing import Any

import pytest

from generator.api import load_catalogue, warm_up
from generator.errors import EnvironmentFailure, HostwrightError
from generator.plan import Plan
from generator.warmup.warmed import Warmed
from tests import plans
from tests.live.stub import Installed, Stub, serving

LACKS = "the server does not have it"
BASE = {
    "host": {"memory": "64GiB", "cpu": {"cores": 8, "threads": 8}},
    "ollama": {"keep_alive": "24h"},
    "models": [{"name": "a:1b"}, {"name": "b:1b"}],
}


def plan(**more: Any) -> Plan:
    return plans.plan({**BASE, **more})


def warmed(stub: Stub, wanted: Plan, **more: Any) -> tuple[Warmed, ...]:
    return warm_up(wanted, load_catalogue(), url=stub.url, seconds=10, **more)


def sent(stub: Stub, *paths: str) -> list[dict[str, Any]]:
    posts = [path for path in stub.asked if path not in {"/api/tags", "/api/ps"}]
    return [body for path, body in zip(posts, stub.bodies, strict=True) if path in paths]


def both(**more: Any) -> Stub:
    return Stub([Installed("a:1b"), Installed("b:1b", context=8192)], **more)


def test_each_is_loaded_and_kept_as_the_profile_says() -> None:
    with serving(both(load_seconds=0.02, on_gpus=1.0)) as stub:
        first, second = warmed(stub, plan())
        assert (first.model, first.state, first.already) == ("a:1b", "loaded", False)
        assert first.seconds >= 0.02
        assert first.load_duration is None  # with no token the server tells none
        assert (second.context, second.on_gpus) == (8192, 1_000_000)
        assert [body["keep_alive"] for body in sent(stub, "/api/generate")] == ["24h", "24h"]
        assert all("options" not in body for body in sent(stub, "/api/generate"))
        assert [one.already for one in warmed(stub, plan())] == [True, True]


def test_a_token_has_the_server_tell_how_long_it_took() -> None:
    with serving(both(load_seconds=0.02)) as stub:
        first, _ = warmed(stub, plan(warmup={"tokens": 1}))
        assert first.load_duration is not None
        assert first.load_duration >= 0.02
        assert sent(stub, "/api/generate")[0]["options"] == {"num_predict": 1}


@pytest.mark.parametrize(("text", "number"), [("-1", -1), ("300", 300), ("1h30m", "1h30m")])
def test_a_number_of_seconds_is_sent_as_one(text: str, number: object) -> None:
    with serving(both()) as stub:
        warmed(stub, plan(ollama={"keep_alive": text}))
        assert sent(stub, "/api/generate")[0]["keep_alive"] == number


def test_a_profile_without_a_keep_alive_leaves_it_to_the_server() -> None:
    with serving(both()) as stub:
        warmed(stub, plan(ollama={}))
        assert "keep_alive" not in sent(stub, "/api/generate")[0]


def test_those_to_be_loaded_after_a_start_come_before_all_others() -> None:
    models = [{"name": "a:1b"}, {"name": "b:1b", "preload": True}]
    with serving(both()) as stub:
        assert [one.model for one in warmed(stub, plan(models=models))] == ["b:1b"]
        assert [one.model for one in warmed(stub, plan(models=models), models=["a:1b"])] == ["a:1b"]


def test_a_model_for_embeddings_is_asked_for_some() -> None:
    stub = Stub([Installed("a:1b", able=("embedding",))])
    with serving(stub):
        (one,) = warmed(stub, plan(), models=["a:1b"])
        assert (one.state, sent(stub, "/api/embed")[0]["input"]) == ("loaded", "")


def test_what_is_missing_is_told_or_pulled() -> None:
    heard: list[str] = []
    with serving(Stub([Installed("a:1b")], library=[Installed("b:1b")])) as stub:
        there, missing = warmed(stub, plan())
        assert (there.state, missing.state) == ("loaded", "missing")
        assert missing.why == f"{LACKS}; --pull downloads it"
        _, pulled = warmed(stub, plan(), pull=True, tell=heard.append)
        assert (pulled.state, pulled.pulled) == ("loaded", True)
    assert "pulling b:1b, 2 of 2: pulling aaaaaaaaaaaa 50%" in heard
    assert heard[-1] == "loading b:1b, 2 of 2"


def test_what_cannot_be_pulled() -> None:
    with serving(Stub([Installed("a:1b")])) as stub:
        there, gone = warmed(stub, plan(), pull=True)
        assert (there.state, gone.state) == ("loaded", "failed")
        assert gone.why == "cannot pull b:1b: pull model manifest: file does not exist"


def test_what_the_profile_creates_is_not_pulled() -> None:
    models = [{"name": "a:1b", "serve_as": "mine", "parameters": {"num_ctx": 1024}}]
    with serving(Stub()) as stub:
        (one,) = warmed(stub, plan(models=models), pull=True)
        assert (one.state, one.why) == (
            "missing",
            f"{LACKS}; create it from a:1b",
        )
        assert "/api/pull" not in stub.asked


def test_a_server_says_why_it_cannot_load() -> None:
    why = "model requires more system memory (40.0 GiB) than is available (7.5 GiB)"
    with serving(both(broken=why)) as stub:
        first, second = warmed(stub, plan())
        assert (first.state, second.state) == ("failed", "failed")
        assert first.why.endswith(why)


def test_a_model_that_goes_for_the_next() -> None:
    with serving(both(most=1)) as stub:
        first, second = warmed(stub, plan())
        assert (first.state, second.state) == ("unloaded", "loaded")
        assert first.why == "the server has let it go for another model"


def test_a_model_that_is_let_go_at_once() -> None:
    with serving(both()) as stub:
        first, _ = warmed(stub, plan(ollama={"keep_alive": "0"}))
        assert first.state == "unloaded"
        assert "keep-alive of 0" in first.why


def test_all_of_it_ends_in_time() -> None:
    with serving(both(load_seconds=0.4)) as stub:
        done = warm_up(plan(), load_catalogue(), url=stub.url, seconds=0.2)
        assert [one.state for one in done] == ["failed", "failed"]
        assert "did not answer within 0.2 s" in done[1].why


def test_who_has_no_model_or_no_server() -> None:
    with pytest.raises(HostwrightError, match="names no model"):
        warm_up(plan(models=[]), load_catalogue(), url="http://127.0.0.1:9")
    with pytest.raises(EnvironmentFailure, match="cannot reach"):
        warm_up(plan(), load_catalogue(), url="http://127.0.0.1:9")
