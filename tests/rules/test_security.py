"""HW404 to HW407: what the service may do to the host, and what it gives away."""

from dataclasses import replace

import pytest

from generator.readers.quadlet import QUADLET
from generator.rules.registry import every_rule
from generator.rules.security import (
    never_killed,
    plain_secret,
    privileged_container,
    root_on_the_host_network,
)
from generator.view import Bound, Container, Place, Variable, View
from tests.views import found, view

COMPOSE = "compose.yaml"
BY_ID = every_rule()
SECRET = "hf_kQ7vZ2"  # noqa: S105 -- made up


def boxed(**more: object) -> View:
    fields: dict[str, object] = {"image": "ollama/ollama", "place": Place(COMPOSE, 3), **more}
    return view(kind="compose", container=Container(**fields))  # type: ignore[arg-type]


HOST = Place(COMPOSE, 8, "network_mode")

CASES: dict[str, tuple[View, View]] = {
    "HW404": (boxed(privileged=Place(COMPOSE, 7, "privileged")), boxed()),
    "HW405": (boxed(host_network=HOST), boxed(host_network=HOST, user="1000:1000")),
    "HW406": (view({"HF_TOKEN": SECRET}), view({"HF_TOKEN": "${HF_TOKEN}"})),
    "HW407": (view(bounds={"oom_score_adjust": -1000}), view(bounds={"oom_score_adjust": -500})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


def test_a_privileged_container_is_told_how_the_gpu_gets_in() -> None:
    place = Place(COMPOSE, 7, "privileged")
    (without,) = found(privileged_container, boxed(privileged=place))
    (reserved,) = found(privileged_container, boxed(privileged=place, gpu_access="reservation"))
    assert without.place == reserved.place == place
    assert "device reservation" in without.finding.fix
    assert reserved.finding.fix == "remove it; the GPU gets in without it"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:root"])
def test_root_by_default_and_by_name(user: str) -> None:
    (placed,) = found(root_on_the_host_network, boxed(host_network=HOST, user=user))
    assert placed.place == HOST


def test_the_user_of_another_image_is_not_known() -> None:
    assert found(root_on_the_host_network, boxed(image="lan/own:1", host_network=HOST)) == ()
    assert found(root_on_the_host_network, boxed(image="lan/own:1", host_network=HOST, user="0"))


def test_root_on_a_network_of_its_own_is_left_alone() -> None:
    assert found(root_on_the_host_network, boxed(user="root")) == ()


@pytest.mark.parametrize(
    "name",
    ["OLLAMA_API_KEY", "HUGGING_FACE_HUB_TOKEN", "REGISTRY_PASSWORD", "WEBUI_SECRET_KEY",
     "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "hf_token", "DB_PASSWORD_MAIN"],
)  # fmt: skip
def test_names_that_say_secret(name: str) -> None:
    (placed,) = found(plain_secret, view({name: SECRET}))
    assert placed.finding.message.startswith(f"`{name}`: looks like a secret")
    assert SECRET not in repr(placed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN", "$HF_TOKEN"),
        ("HF_TOKEN", "prefix-${HF_TOKEN}"),
        ("HF_TOKEN_FILE", "token"),
        ("HF_TOKEN", "/run/secrets/hf"),
        ("HF_TOKEN", "%d/hf"),
        ("HF_TOKEN", "<your token>"),
        ("HF_TOKEN", "ENC[AES256_GCM,data:x]"),
        ("HF_TOKEN", ""),
        ("OPENAI_API_KEY", "ollama"),
        ("OPENAI_API_KEY", "none"),
        ("MAX_TOKENS", "4096"),
        ("TOKENIZER", "bpe"),
        ("SECRET_NAME", "ollama-tls"),
        ("HTTPS_PROXY", "http://proxy.lan:3128"),
    ],
)
def test_references_places_and_other_names_are_left_alone(name: str, value: str) -> None:
    assert found(plain_secret, view({name: value})) == ()


def test_a_reference_is_seen_where_a_reader_has_filled_in_its_default() -> None:
    filled = Variable(
        name="HF_TOKEN", value="dev", written="${HF_TOKEN:-dev}", place=Place(COMPOSE, 9)
    )
    assert found(plain_secret, view(kind="compose", variables=(filled,))) == ()


def test_what_nobody_has_told_is_no_literal() -> None:
    passed = Variable(name="HF_TOKEN", value="x", unresolved=True, place=Place(COMPOSE, 9))
    assert found(plain_secret, view(kind="compose", variables=(passed,))) == ()


def test_root_of_a_quadlet_may_be_somebody_else_on_the_host() -> None:
    seen = replace(boxed(host_network=HOST), phrases=QUADLET)
    (placed,) = found(root_on_the_host_network, seen)
    assert placed.finding.severity == "info"


def test_a_password_in_an_address() -> None:
    (placed,) = found(plain_secret, view({"HTTPS_PROXY": "http://ann:pa55@proxy.lan:3128"}))
    assert "password" in placed.finding.message
    assert "pa55" not in repr(placed)


@pytest.mark.parametrize("path", [".env", "/etc/default/ollama", "/etc/ollama/secrets.env"])
def test_a_file_of_variables_is_where_secrets_belong(path: str) -> None:
    secret = Variable(name="HF_TOKEN", value=SECRET, place=Place(path, 1))
    assert found(plain_secret, view(variables=(secret,))) == ()
    alone = view(variables=(secret,), kind="environment", place=Place(path))
    assert found(plain_secret, alone) == ()


@pytest.mark.parametrize(
    ("origin", "who", "where"),
    [
        ("systemd", "systemctl show", "EnvironmentFile="),
        ("compose", "docker inspect", "env_file"),
        ("nixos", "Nix store", "sops-nix"),
        ("profile", "Nix store", "service.environment_files"),
        ("helm", "pod", "secretKeyRef"),
        ("quadlet", "podman inspect", "podman secret"),
    ],
)
def test_each_kind_of_file_has_its_readers_and_its_way_out(
    origin: str, who: str, where: str
) -> None:
    (placed,) = found(plain_secret, view({"HF_TOKEN": SECRET}, kind=origin))
    assert who in placed.finding.message
    assert where in placed.finding.fix


def test_minus_1000_counts_as_a_number_and_as_text() -> None:
    (placed,) = found(never_killed, view(bounds={"oom_score_adjust": "-1000"}))
    assert placed.place == Place("override.conf", 1)
    later = Bound(name="oom_score_adjust", value=0, place=Place("override.conf", 2))
    first = Bound(name="oom_score_adjust", value=-1000, place=Place("override.conf", 1))
    assert found(never_killed, replace(view(), bounds=(first, later))) == ()
