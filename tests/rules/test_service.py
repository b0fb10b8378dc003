"""HW316, HW507, HW513, HW519, HW529, HW557: models that are not there, and what brings one back."""

from pathlib import Path
from typing import Any

import pytest

from generator.engines.ollama.rules.service import missing_model
from generator.host import Gpu, Host
from generator.rules.registry import every_rule
from generator.rules.service import lost_after_suspend, no_restart
from generator.view import Container, Line, ModelUse, Place, View
from tests import texts
from tests.plans import plan, rules
from tests.views import found, view

BY_ID = every_rule()
UNIT = "/etc/systemd/system/ollama.service"


def serving(*names: str) -> View:
    return view(models=tuple(ModelUse(name=name, place=Place("compose.yaml", 9)) for name in names))


def unit(*directives: tuple[str, str, str], **more: Any) -> View:
    lines = tuple(
        Line(section=section, name=name, value=value, place=Place(UNIT, number, name))
        for number, (section, name, value) in enumerate(directives, 1)
    )
    starts = (line.place for line in lines if line.value.endswith("serve"))
    return view(lines=lines, starts=next(starts, None), **more)


START = ("Service", "ExecStart", "/usr/local/bin/ollama serve")


def boxed(origin: str = "compose", restart: str = "", lines: tuple[Line, ...] = ()) -> View:
    box = Container(image="ollama/ollama", place=Place("compose.yaml", 3, "image"), restart=restart)
    return view(kind=origin, container=box, lines=lines)


def carded(*names: str, resume_fix: bool | None = False, **more: Any) -> View:
    cards = tuple(
        Gpu(name=name, memory=8 * 2**30, compute_capability="6.1", **more) for name in names
    )
    return view(kind="profile", host=Host(gpus=cards), resume_fix=resume_fix, place=Place("p.toml"))


ORDER = ("Unit", "After", "network-online.target nvidia-persistenced.service")
WANTS = ("Unit", "Wants", "nvidia-persistenced.service")
CASES: dict[str, tuple[View, View]] = {
    "HW316": (unit(START, ORDER), unit(START, ORDER, WANTS)),
    "HW507": (serving("llama3.2:8b"), serving("llama3.1:8b", "llama3.2", "mine:8b")),
    "HW557": (
        serving("qwn3:8b"),
        serving(
            *("qwen3:8b", "mine", "mistral:mine", "hf.co/me/qwn3:8b", "gpt-oss:20b-cloud"),
            *("me/llama9", "mymodel2", "qwen3:abc", "my-llama:7b"),
        ),
    ),
    "HW537": (
        unit(START, ("Install", "WantedBy", "multi-user.target"), manager="user"),
        unit(START, ("Install", "WantedBy", "multi-user.target")),
    ),
    "HW529": (
        unit(START, ("Service", "IPAddressDeny", "any")),
        unit(
            START, ("Service", "IPAddressDeny", "any"), ("Service", "IPAddressAllow", "localhost")
        ),
    ),
    "HW513": (unit(START), unit(START, ("Service", "Restart", "always"))),
    "HW548": (unit(START, ("Service", "User", "ollama # me")), unit(("Service", "User", "ollama"))),
    "HW519": (carded("Quadro P4000"), carded("Quadro P4000", resume_fix=True)),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("llama3.2:8b", "llama3.1:8b"),
        ("llama3.3:8b", "llama3.1:8b"),
        ("llama3:8b-q4_0", "llama3:8b-instruct-q4_0"),
        ("registry.ollama.ai/library/Llama3.2:8b", "llama3.1:8b"),
    ],
)
def test_a_missing_model_comes_with_one_that_is_there(name: str, use: str) -> None:
    (placed,) = found(missing_model, serving(name))
    assert f"`{name}`" in placed.finding.message
    assert f"`{use}`" in placed.finding.fix


def test_the_model_that_a_tuned_one_is_made_of_counts() -> None:
    tuned = ModelUse(
        name="llama3.2:8b-tuned", base="llama3.2:8b", place=Place("p.toml", key="models")
    )
    (placed,) = found(missing_model, view(models=(tuned,)))
    assert "`llama3.2:8b` in" in placed.finding.message
    own = ModelUse(name="llama3.2:8b", base="llama3.1:8b", place=Place("p.toml", key="models"))
    assert found(missing_model, view(models=(own,))) == ()


def test_a_drop_in_inherits_the_policy_of_the_unit() -> None:
    assert found(no_restart, unit(("Service", "CPUQuota", "400%"))) == ()


def test_what_somebody_has_chosen_is_left_alone() -> None:
    assert found(no_restart, unit(START, ("Service", "Restart", "no"))) == ()
    assert found(no_restart, boxed(restart="no")) == ()


def test_a_job_needs_no_policy() -> None:
    pull = ("Service", "ExecStart", "/usr/local/bin/ollama pull llama3.1:8b")
    assert found(no_restart, unit(("Service", "Type", "oneshot"), pull)) == ()
    place = Place("compose.yaml", 4, "command")
    command = Line(section="services.pull", name="command", value="ollama pull x", place=place)
    assert found(no_restart, boxed(lines=(command,))) == ()


def test_the_place_is_the_command_or_the_image() -> None:
    (unit_placed,) = found(no_restart, unit(("Unit", "Description", "LLM"), START))
    assert unit_placed.place == Place(UNIT, 2, "ExecStart")
    (box_placed,) = found(no_restart, boxed())
    assert box_placed.place == Place("compose.yaml", 3, "image")
    assert box_placed.finding.fix == "add `restart: unless-stopped` to the service"


def test_compose_and_quadlet_say_it_in_their_own_ways() -> None:
    policy = Line(
        section="services.ollama.deploy.restart_policy", name="condition", value="any",
        place=Place("compose.yaml", 12),
    )  # fmt: skip
    assert found(no_restart, boxed(lines=(policy,))) == ()
    restart = Line(section="Service", name="Restart", value="always", place=Place("o.container", 9))
    assert found(no_restart, boxed("quadlet", lines=(restart,))) == ()
    assert found(no_restart, boxed("quadlet"))
    assert found(no_restart, boxed("helm")) == ()


def test_what_the_module_of_nixos_does_is_no_fault_of_who_uses_it() -> None:
    enabled = Line(section="services.ollama", name="enable", value="true", place=Place("h.nix", 1))
    assert found(no_restart, view(kind="nixos", lines=(enabled,), starts=Place("h.nix", 1))) == ()


@pytest.mark.parametrize("name", ["NVIDIA GeForce GTX 1060 6GB", "RTX 3090", "TITAN Xp"])
def test_cards_of_desktops(name: str) -> None:
    (placed,) = found(lost_after_suspend, carded(name))
    assert name in placed.finding.message
    assert placed.finding.severity == "info"
    assert placed.place == Place("p.toml", key="service.resume_fix")


def test_several_cards_are_told_of_once() -> None:
    assert len(found(lost_after_suspend, carded("RTX 3090", "RTX 3090"))) == 1


def test_servers_and_hosts_that_say_so_do_not_sleep() -> None:
    assert found(lost_after_suspend, carded("Tesla P40", "H100 80GB HBM3")) == ()
    assert found(lost_after_suspend, carded("RTX 3090", resume_fix=None)) == ()
    assert found(lost_after_suspend, carded("RTX 3090", unified=True)) == ()


def test_a_profile_answers_the_question_either_way() -> None:
    gpus = {"gpus": [{"name": "Quadro P4000", "memory": "8GiB"}]}
    assert "HW519" in rules(plan({"host": gpus}))
    assert "HW519" not in rules(plan({"host": gpus, "service": {"resume_fix": True}}))
    assert "HW519" not in rules(plan({"host": gpus, "service": {"resume_fix": False}}))


def of_nixos(*values: tuple[str, str, str]) -> View:
    lines = tuple(
        Line(section=section, name=name, value=value, place=Place("host.nix", at))
        for at, (section, name, value) in enumerate(values, 1)
    )
    return view(kind="nixos", lines=lines)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (unit(START, WANTS), False),
        (unit(START, ("Unit", "BindsTo", WANTS[2]), ORDER), False),
        (of_nixos(("systemd.services.ollama", "wants", WANTS[2])), True),
        (
            of_nixos(
                ("systemd.services.ollama", "after", WANTS[2]),
                ("hardware.nvidia", "nvidiaPersistenced", "true"),
            ),
            False,
        ),
        (
            of_nixos(
                ("systemd.services.ollama", "after", WANTS[2]),
                ("systemd.services.nvidia-persistenced", "enable", "true"),
            ),
            False,
        ),
    ],
)
def test_an_order_starts_nothing(seen: View, *, told: bool) -> None:
    assert bool(found(BY_ID["HW316"], seen)) == told


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("localhost/ollama-arc:latest", False),
        ("localhost:5000/ollama/ollama:latest", True),
        ("ollama/ollama:latest", True),
    ],
)
def test_what_is_built_here_is_never_pulled(image: str, *, told: bool) -> None:
    box = Container(image=image, place=Place("a.container", 3, "Image"), tag="latest")
    assert bool(found(BY_ID["HW508"], view(container=box))) == told


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("qwn3:8b", "qwen3:8b"),
        ("lama3.2:3b", "llama3.2:3b"),
        ("qwen3:9b", "qwen3:8b"),
        ("gemma3:4", "gemma3:4b"),
        ("phi4-mini:3.8bb", "phi4-mini:3.8b"),
        ("llama9:900b", "llama4"),
        ("granite9", "granite4.1"),
    ],
)
def test_a_typo_is_a_remark_with_the_name_that_is_nearest(name: str, nearest: str) -> None:
    (finding,) = found(BY_ID["HW557"], serving(name))
    assert finding.finding.severity == "info"
    assert finding.finding.fix.startswith(f"write `{nearest}` if")


@pytest.mark.parametrize(
    ("pulled", "made", "severities"),
    [(True, False, ["warning"]), (False, False, ["info"]), (True, True, [])],
)
def test_a_model_that_is_pulled_has_to_be_in_the_library(
    pulled: bool, made: bool, severities: list[str]
) -> None:
    used = ModelUse(name="qwen3-coder:14b", place=Place("setup.sh", 3), pulled=pulled, made=made)
    told = found(BY_ID["HW557"], view(models=(used,)))
    assert [placed.finding.severity for placed in told] == severities


HOME = "Volume=%h/.ollama:/root/.ollama"


@pytest.mark.parametrize(
    ("name", "lines", "install", "caught"),
    [
        (".config/containers/systemd/ollama.container", (), "WantedBy=multi-user.target", True),
        ("ollama.container", (HOME,), "RequiredBy=multi-user.target", True),
        ("ollama.container", (HOME,), "WantedBy=multi-user.target default.target", False),
        ("ollama.container", (), "WantedBy=multi-user.target", False),
        ("ollama.container", (HOME, "[Service]", "User=o"), "WantedBy=multi-user.target", False),
    ],
)
def test_whose_a_quadlet_is_the_place_and_the_home_tell(
    name: str, lines: tuple[str, ...], install: str, caught: bool, tmp_path: Path
) -> None:
    image = "Image=ollama/ollama:0.32.15"
    text = "\n".join(("[Container]", image, *lines, "[Install]", install, ""))
    assert ("HW537" in texts.told(tmp_path, {name: text})) is caught
