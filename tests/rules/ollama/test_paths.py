"""HW505, HW540, HW541 and HW571: directories that the service cannot use, and no home at all."""

from dataclasses import replace
from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import HOMELESS, Container, Line, Place, View
from tests.views import FILE, found, view

RULE = every_rule()
START = "ExecStart=/usr/local/bin/ollama serve"


def unit(*directives: str, env: dict[str, str] | None = None, **more: Any) -> View:
    """Make the View of a unit of the system; without `START` among them of a drop-in."""
    pairs = (text.split("=", 1) for text in directives)
    lines = tuple(
        Line(section="Service", name=name, value=value, place=Place(FILE, at, name))
        for at, (name, value) in enumerate(pairs, 21)
    )
    starts = next((line.place for line in lines if line.name == "ExecStart"), None)
    return view(
        env,
        **{"lines": lines, "starts": starts, "adds": starts is None, "manager": "system", **more},
    )


def made_without_home(**more: Any) -> View:
    seen = unit(START, "User=ollama", **more)
    made = Line(
        section=HOMELESS, name="ollama", value="useradd -r ollama", place=Place("add.sh", 3)
    )
    return replace(seen, lines=(*seen.lines, made))


def boxed(user: str, *mounts: str, **more: Any) -> View:
    place = Place("compose.yaml", 3)
    box = Container(
        image="ollama/ollama", place=place, user=user, mounts=tuple((m, place) for m in mounts)
    )
    return view(kind="compose", container=box, **more)


ANN = {"OLLAMA_MODELS": "/home/ann/models"}
CASES: dict[str, tuple[View, View]] = {
    "HW505": (unit(START, "ProtectHome=yes", env=ANN), unit(START, "User=ann", env=ANN)),
    "HW540": (unit(START), unit(START, "User=ollama")),
    "HW571": (made_without_home(), made_without_home(env={"HOME": "/var/lib/ollama"})),
    "HW541": (
        boxed("1001:1001", "ollama:/root/.ollama"),
        boxed("1001", "ollama:/.ollama"),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(RULE[rule], caught)] == [rule]
    assert found(RULE[rule], left) == ()


def said(*directives: str, **env: str) -> list[str]:
    names = {"models": "OLLAMA_MODELS", "home": "HOME"}
    seen = unit(START, *directives, env={names[name]: value for name, value in env.items()})
    return [placed.finding.message for placed in found(RULE["HW505"], seen)]


@pytest.mark.parametrize("value", ["yes", "true", "1", "on"])
def test_a_hidden_home_is_hidden_however_it_is_said(value: str) -> None:
    (message,) = said(f"ProtectHome={value}", home="/root")
    assert f"`ProtectHome={value}` hides `/root`" in message


@pytest.mark.parametrize(
    ("directives", "models", "word"),
    [
        (("WorkingDirectory=/srv",), "../home/ann/models", ""),
        (("WorkingDirectory=/srv", "ProtectHome=yes"), "../home/ann/models", "hides"),
        (("ProtectHome=yes",), "home/ann/models", "hides"),
        (("ProtectHome=no",), "/home/ann/models", ""),
        (("ProtectHome=yes", "ProtectHome=no"), "/home/ann/models", ""),
        (("ProtectHome=yes",), "/homes/ann", ""),
        (("ProtectHome=tmpfs",), "/home/ann/models", "hides"),
        (("ProtectHome=tmpfs", "BindPaths=/srv/m:/home/ann/models"), "/home/ann/models", ""),
        (("ProtectHome=read-only",), "/home/ann/models", "makes read-only"),
        (("ProtectHome=read-only", "ReadWritePaths=/home/ann"), "/home/ann/models", ""),
        (("ProtectSystem=strict",), "/srv/models", "makes read-only"),
        (("ProtectSystem=strict", "ReadWritePaths=-/srv"), "/srv/models", ""),
        (("ProtectSystem=strict", "StateDirectory=ollama x"), "/var/lib/ollama/models", ""),
        (("ProtectSystem=strict",), "/home/ann/models", ""),
        (("ProtectSystem=full",), "/srv/models", ""),
        (("DynamicUser=yes",), "/srv/models", "`DynamicUser=yes` makes read-only"),
        (("DynamicUser=yes",), "/home/ann/models", "`DynamicUser=yes` makes read-only"),
        (("DynamicUser=yes", "StateDirectory=ollama"), "/var/lib/ollama", ""),
        (("ProtectSystem=yes",), "/usr/share/ollama/.ollama/models", "makes read-only"),
    ],
)
def test_what_a_sandbox_leaves_of_a_directory(
    directives: tuple[str, ...], models: str, word: str
) -> None:
    messages = said(*directives, models=models)
    assert [word in message for message in messages] == [True] * bool(word)


@pytest.mark.parametrize(
    ("directives", "models", "told"),
    [
        (("User=ollama",), "/home/ann/models", True),
        (("User=ollama", "Group=ann"), "/home/ann/models", False),
        (("User=ollama", "SupplementaryGroups=video ann"), "/home/ann/models", False),
        (("User=ollama",), "/home/ollama/models", False),
        (("User=ollama",), "/home/models", False),
        (("User=ollama",), "/home/shared/models", False),
        (("User=ollama",), "/root/models", True),
        (("User=ollama",), "/run/user/1000/models", True),
        (("User=1000",), "/run/user/1000/models", False),
        (("User=root",), "/home/ann/models", False),
        (("User=ollama", "AmbientCapabilities=CAP_DAC_READ_SEARCH"), "/home/ann/m", False),
        ((), "/home/ann/models", False),
    ],
)
def test_a_stranger_may_not_enter_a_home(
    directives: tuple[str, ...], models: str, *, told: bool
) -> None:
    assert bool(said(*directives, models=models)) == told


def test_to_a_service_of_the_system_percent_h_is_the_home_of_root() -> None:
    (message,) = said("User=ollama", models="%h/models")
    assert "`/root/models` is in the home of root" in message
    assert not said("ProtectHome=yes", models="%t/models")
    assert not said("ProtectHome=yes", models="$HOME/models")


def test_the_program_and_where_it_starts_count_as_well() -> None:
    where = ("ExecStart=/home/ann/bin/ollama serve", "WorkingDirectory=-/home/ann", "User=root")
    seen = found(RULE["HW505"], unit(*where, "ProtectHome=yes"))
    assert [placed.place.key for placed in seen] == ["ExecStart", "WorkingDirectory", "User"]


@pytest.mark.parametrize(
    ("seen", "severities"),
    [
        (unit(env=ANN), ["info"]),
        (unit("ProtectHome=no", env=ANN), []),
        (unit("User=ann", env=ANN), []),
        (unit(env=ANN, manager="user"), []),
        (unit(env={"OLLAMA_MODELS": "/srv/models"}), []),
        (view(ANN, kind="environment"), []),
        (view(ANN, kind="nixos"), ["warning"]),
        (view(ANN, kind="profile"), []),
    ],
)
def test_a_part_of_a_service_is_judged_by_what_it_is_a_part_of(
    seen: View, severities: list[str]
) -> None:
    assert [p.finding.severity for p in found(RULE["HW505"], seen)] == severities


@pytest.mark.parametrize(
    "seen",
    [
        unit(START, env={"HOME": "/var/lib/ollama"}),
        unit(START, "SetLoginEnvironment=yes"),
        unit(START, "EnvironmentFile=/etc/default/ollama"),
        unit("ExecStart=/usr/bin/env HOME=/srv ollama serve"),
        unit(START, manager="user"),
        unit(START, "WantedBy=default.target", manager=""),
        unit("MemoryMax=20G"),
    ],
)
def test_a_home_from_elsewhere(seen: View) -> None:
    assert not found(RULE["HW540"], seen)


def test_a_unit_of_nobody_known_is_less_sure_to_have_no_home() -> None:
    (placed,) = found(RULE["HW540"], unit(START, manager=""))
    assert placed.finding.severity == "warning"


def test_a_dynamic_user_has_no_home() -> None:
    (placed,) = found(RULE["HW540"], unit(START, "DynamicUser=yes", "User=ollama"))
    assert "dynamic user" in placed.finding.message
    assert placed.finding.severity == "error"


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (boxed("1000", "ollama:/root/.ollama"), True),
        (boxed("ubuntu", "ollama:/home/ubuntu/.ollama"), False),
        (boxed("1000", "ollama:/home/ubuntu"), False),
        (boxed("0:0", "ollama:/root/.ollama"), False),
        (boxed("", "ollama:/root/.ollama"), False),
        (boxed("${UID}:${GID}", "ollama:/root/.ollama"), False),
        (boxed("1001", "ollama:/root/.ollama", env={"HOME": "/data"}), False),
    ],
)
def test_only_root_has_its_home_in_root(seen: View, *, told: bool) -> None:
    assert bool(found(RULE["HW541"], seen)) == told
