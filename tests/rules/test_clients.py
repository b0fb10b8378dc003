"""HW129, HW410, HW538 and HW119: programs that ask a server, as a file runs them."""

from collections.abc import Mapping

import pytest

from generator.around import Client
from generator.rules.registry import every_rule
from generator.view import Container, Line, Place, Variable, View
from tests.views import found, view

FILE = "compose.yaml"
BY_ID = every_rule()
IMAGE = "ghcr.io/open-webui/open-webui:main"


def beside(
    env: Mapping[str, str], *ports: str, tag: str = "main", more: bool = False, **fields: object
) -> View:
    """Make a View with an Open WebUI: variables on lines 1, 2, 3 …, ports on line 20."""
    variables = tuple(
        Variable(name=name, value=value, place=Place(FILE, line), unresolved=value.startswith("$"))
        for line, (name, value) in enumerate(env.items(), 1)
    )
    told = {"ports": tuple((port, Place(FILE, 20)) for port in ports), **fields}
    box = Container(image=IMAGE, place=Place(FILE, 10), tag=tag, **told)  # type: ignore[arg-type]
    one = Client(name="open-webui", container=box, variables=variables, more_variables=more)
    return view(kind="compose", clients=(one,))


OFF = {"WEBUI_AUTH": "False"}
CASES: dict[str, tuple[View, View]] = {
    "HW119": (beside({"GLOBAL_LOG_LEVEL": '"DEBUG"'}), beside({"A": '"two words"'})),
    "HW129": (beside({"ENABLE_RAG_WEB_SEARCH": "true"}), beside({"ENABLE_WEB_SEARCH": "true"})),
    "HW410": (beside(OFF, "3000:8080"), beside(OFF, "127.0.0.1:3000:8080")),
    "HW538": (beside({}, "8081:8081"), beside({}, "8081:8080")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize("value", ["false", "0", "", "no", '"True"'])
def test_anything_but_true_turns_the_login_off(value: str) -> None:
    (told,) = found(BY_ID["HW410"], beside({"WEBUI_AUTH": value}, "3000:8080"))
    assert told.place.line == 1


@pytest.mark.parametrize("value", ["true", "True", "${WEBUI_AUTH}"])
def test_a_login_that_is_on_or_told_elsewhere(value: str) -> None:
    assert found(BY_ID["HW410"], beside({"WEBUI_AUTH": value}, "3000:8080")) == ()


def test_what_opens_an_application_without_a_login() -> None:
    rule, at = BY_ID["HW410"], Place(FILE, 5)
    service = Line(section="service", name="type", value="NodePort", place=at)
    (host,) = found(rule, beside(OFF, host_network=at))
    (cluster,) = found(rule, beside(OFF, exposed=(service,)))
    assert "host's network" in host.finding.message
    assert "beyond the cluster" in cluster.finding.message
    assert found(rule, beside(OFF)) == ()
    by_proxy = {**OFF, "WEBUI_AUTH_TRUSTED_EMAIL_HEADER": "X-Email"}
    assert found(rule, beside(by_proxy, "3000:8080")) == ()


TAGS = [("main", 1), ("v0.11.2", 1), ("0.6.5", 0), ("cuda", 1)]
# What looks like a release, and is none.
TAGS += [("0.\u0663.1", 1), ("9999999.1.1", 1), ("1" * 5000 + ".1", 1)]


@pytest.mark.parametrize(("tag", "told"), TAGS)
def test_old_names_by_release(tag: str, told: int) -> None:
    seen = beside({"RAG_WEB_SEARCH_ENGINE": "searxng"}, tag=tag)
    assert len(found(BY_ID["HW129"], seen)) == told


def test_a_client_with_a_release_and_no_old_names() -> None:
    box = Container(image="ghcr.io/berriai/litellm", place=Place(FILE, 10), tag="v1.89.2")
    one = Client(name="litellm", container=box, variables=())
    assert found(BY_ID["HW129"], view(kind="compose", clients=(one,))) == ()


def test_an_old_name_beside_the_new_one_is_for_older_releases() -> None:
    both = {"RAG_WEB_SEARCH_ENGINE": "searxng", "WEB_SEARCH_ENGINE": "searxng"}
    assert found(BY_ID["HW129"], beside(both)) == ()


def test_ports_that_somebody_may_listen_at() -> None:
    rule = BY_ID["HW538"]
    assert found(rule, beside({"PORT": "8081"}, "8081:8081")) == ()
    assert found(rule, beside({"PORT": "${PORT}"}, "8081:8081")) == ()
    assert found(rule, beside({}, "8081:8081", more=True)) == ()
    assert found(rule, beside({}, "3000:8080", "9090:9090")) == ()
    assert found(rule, beside({}, "8081:8081", arguments=(("serve", Place(FILE, 9)),))) == ()
    (told,) = found(rule, beside({"PORT": "9000"}, "3000:8080"))
    assert told.finding.fix == "write `3000:9000`, or set `PORT` to `8080`"
