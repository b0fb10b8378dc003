"""HW619: files that lie where their reader does not look."""

import pytest

from generator.rules.registry import every_rule
from generator.view import Place, View
from tests.views import found, view

RULE = every_rule()["HW619"]


def at(file: str, kind: str = "systemd") -> View:
    return view(kind=kind, place=Place(file))


CASES: dict[str, tuple[View, View]] = {
    "HW619": (
        at("/etc/systemd/system/ollama.container", "quadlet"),
        at("/etc/containers/systemd/ollama.container", "quadlet"),
    ),
}


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("home/me/.config/systemd/user/ollama.container", "quadlet"),
        ("etc/containers/systemd/ollama.service", "systemd"),
        ("deploy/ollama.d/override.conf", "systemd"),
    ],
)
def test_what_nobody_reads_is_told(file: str, kind: str) -> None:
    assert found(RULE, at(file, kind))


def test_whose_file_it_is_its_directory_says() -> None:
    (hit,) = found(RULE, at("/etc/systemd/system/user-llm.container", "quadlet"))
    assert hit.finding.fix == "move it to `/etc/containers/systemd`"
    (hit,) = found(RULE, at("/home/me/.config/systemd/user/llm.container", "quadlet"))
    assert hit.finding.fix == "move it to `~/.config/containers/systemd`"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("deploy/ollama.container", "quadlet"),
        ("home/me/.config/containers/systemd/llm/ollama.container", "quadlet"),
        ("etc/systemd/system/ollama.service.d/override.conf", "systemd"),
        ("systemd/ollama.service", "systemd"),
        ("ollama.env", "environment"),
    ],
)
def test_other_places_are_left_alone(file: str, kind: str) -> None:
    assert not found(RULE, at(file, kind))
