"""HW401 to HW403 and HW633: who can reach the API."""

from dataclasses import replace

import pytest

from generator.engines.ollama.rules.addresses import (
    every_origin,
    published_on_all_addresses,
    reachable_from_outside,
)
from generator.meaning import port_of
from generator.rules.registry import every_rule
from generator.view import Container, Line, Place, Setting, Variable, View
from tests.views import found, view

COMPOSE = "compose.yaml"
BY_ID = every_rule()


def published(*ports: str, origin: str = "compose", env: dict[str, str] | None = None) -> View:
    box = Container(
        image="ollama/ollama",
        tag="0.32.15",
        place=Place(COMPOSE, 3, "image"),
        ports=tuple((port, Place(COMPOSE, 10 + n, "ports")) for n, port in enumerate(ports)),
    )
    return view(env, kind=origin, container=box, place=Place(COMPOSE))


def on_host_network(env: dict[str, str] | None = None, image: str = "ollama/ollama") -> View:
    box = Container(
        image=image, place=Place(COMPOSE, 3), host_network=Place(COMPOSE, 5, "network_mode")
    )
    return view(env, kind="compose", container=box)


def service_type(kind: str) -> View:
    line = Line(section="ollama.service", name="type", value=kind, place=Place("values.yaml", 4))
    box = Container(image="ollama/ollama", place=Place("values.yaml", 1), exposed=(line,))
    return view(kind="helm", container=box)


def opened(env: dict[str, str] | None = None) -> View:
    setting = Setting(name="openFirewall", value=True, place=Place("llm.nix", 4))
    return replace(view(env), settings=(setting,))


CASES: dict[str, tuple[View, View]] = {
    "HW633": (opened(), opened({"OLLAMA_HOST": "0.0.0.0:11434"})),
    "HW401": (
        view({"OLLAMA_HOST": "0.0.0.0:11434"}),
        view({"OLLAMA_HOST": "127.0.0.1:11434"}),
    ),
    "HW402": (published("11434:11434"), published("127.0.0.1:11434:11434")),
    "HW403": (
        view({"OLLAMA_ORIGINS": "*"}),
        view({"OLLAMA_ORIGINS": "https://chat.example.org,moz-extension://*"}),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("11434:11434", "127.0.0.1:11434:11434"),
        ("11434:11434/tcp", "127.0.0.1:11434:11434/tcp"),
        ("0.0.0.0:11434:11434", "127.0.0.1:11434:11434"),
        ("[::]:11434:11434", "[::1]:11434:11434"),
        ("${OLLAMA_PORT:-11434}:11434", "127.0.0.1:${OLLAMA_PORT:-11434}:11434"),
        ("11434-11435:11434-11435", "127.0.0.1:11434-11435:11434-11435"),
        ("$PORT:$PORT", "127.0.0.1:$PORT:$PORT"),
    ],
)
def test_the_fix_publishes_on_the_loopback_address(text: str, local: str) -> None:
    (placed,) = found(published_on_all_addresses, published(text))
    assert placed.place == Place(COMPOSE, 10, "ports")
    # Whether other machines may use the API is no mechanical question.
    assert placed.edits == ()
    assert f"`{local}`" in placed.finding.fix
    assert "firewall" in placed.finding.message


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:11434:11434",
        "[::1]:11434:11434",
        "172.17.0.1:11434:11434",
        "100.101.102.103:11434:11434",
        "10.8.0.1:11434:11434",
        "192.168.1.5:3000:8080",
        "${BIND:-127.0.0.1}:11434:11434",
        "${BIND}:11434:11434",
        "3000:8080",
    ],
)
def test_one_address_or_another_port_is_left_alone(text: str) -> None:
    assert found(published_on_all_addresses, published(text)) == ()


@pytest.mark.parametrize("host", ["192.168.1.5", "${BIND:-192.168.1.5}", "1.1.1.1"])
def test_an_address_of_a_network_is_open_to_all_in_there(host: str) -> None:
    (placed,) = found(published_on_all_addresses, published(f"{host}:11434:11434"))
    assert "authenticates" in placed.finding.fix


def test_a_bare_port_is_left_to_the_engine() -> None:
    (placed,) = found(published_on_all_addresses, published("11434"))
    assert "`127.0.0.1:11434:11434`" in placed.finding.fix
    assert "`127.0.0.1:11434:11434`" in placed.finding.fix


def test_the_port_inside_is_the_one_that_the_server_listens_on() -> None:
    moved = {"OLLAMA_HOST": "0.0.0.0:8080"}
    assert found(published_on_all_addresses, published("3000:8080", env=moved))
    assert not found(published_on_all_addresses, published("11434:11434", env=moved))


def test_each_port_is_a_finding_of_its_own() -> None:
    told = found(published_on_all_addresses, published("11434:11434", "[::]:11434:11434"))
    assert [placed.place.line for placed in told] == [10, 11]


def test_a_quadlet_promises_nothing_of_firewalls() -> None:
    (placed,) = found(published_on_all_addresses, published("11434:11434", origin="quadlet"))
    assert "firewall" not in placed.finding.message


def test_on_the_network_of_the_host_the_address_of_the_image_counts() -> None:
    (placed,) = found(published_on_all_addresses, on_host_network())
    assert placed.place.key == "network_mode"
    assert "as the image sets it" in placed.finding.message
    assert placed.finding.fix == "set OLLAMA_HOST to `127.0.0.1:11434`"
    assert not found(published_on_all_addresses, on_host_network(image="registry.lan/own:1"))


def test_on_the_network_of_the_host_nothing_is_published() -> None:
    box = published("11434:11434").container
    assert box is not None
    local = {"OLLAMA_HOST": "127.0.0.1"}
    seen = view(local, kind="compose", container=replace(box, host_network=Place(COMPOSE, 5)))
    assert found(published_on_all_addresses, seen) == ()


def test_on_the_network_of_the_host_the_variable_wins() -> None:
    assert not found(
        published_on_all_addresses, on_host_network({"OLLAMA_HOST": "127.0.0.1:11434"})
    )
    (placed,) = found(published_on_all_addresses, on_host_network({"OLLAMA_HOST": "[::]:11434"}))
    assert placed.place == Place("override.conf", 1)
    assert "listens on ::" in placed.finding.message


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_a_service_of_a_cluster_may_open_it_too(kind: str) -> None:
    (placed,) = found(published_on_all_addresses, service_type(kind))
    assert kind in placed.finding.message
    assert placed.place == Place("values.yaml", 4)


def test_in_a_container_the_server_has_to_listen_on_all() -> None:
    inside = published("127.0.0.1:11434:11434", env={"OLLAMA_HOST": "0.0.0.0:11434"})
    assert found(reachable_from_outside, inside) == ()


@pytest.mark.parametrize("value", ["http://localhost:3000,*", " * ", "https://*", "http://*"])
def test_a_star_in_a_list_of_origins_counts(value: str) -> None:
    (placed,) = found(every_origin, view({"OLLAMA_ORIGINS": value}))
    assert placed.place == Place("override.conf", 1)
    assert "web page" in placed.finding.message


def test_origins_of_a_client_are_left_alone() -> None:
    client = Variable(name="OLLAMA_ORIGINS", value="*", place=Place("x", 1), reach="client")
    assert found(every_origin, view(variables=(client,))) == ()


@pytest.mark.parametrize(
    ("value", "port"),
    [
        ("example.org", 11434),
        ("0.0.0.0:8080", 8080),
        ("http://0.0.0.0", 80),
        ("https://example.org/ollama", 443),
        ("http://[::]:9000/", 9000),
        ("[::1]", 11434),
    ],
)
def test_the_port_of_an_address(value: str, port: int) -> None:
    assert port_of(value, 11434) == port


@pytest.mark.parametrize("address", [":11434", "http://:80"])
def test_an_address_that_is_only_a_port_is_every_address(address: str) -> None:
    (placed,) = found(reachable_from_outside, view({"OLLAMA_HOST": address}))
    assert "listens on every address" in placed.finding.message


@pytest.mark.parametrize("host", ["%H:11434", "0.0.0.0:11434:11434"])
def test_an_address_that_nobody_can_judge_is_left_to_others(host: str) -> None:
    assert found(reachable_from_outside, view({"OLLAMA_HOST": host})) == ()


def test_what_is_no_address_is_listened_on_by_nobody() -> None:
    assert not found(reachable_from_outside, view({"OLLAMA_HOST": "*:11434"}))
