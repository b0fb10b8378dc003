"""HW408: what the server asks of others."""

from pathlib import Path

import pytest

from generator.engines.ollama.rules.outbound import asks_in_vain
from generator.view import Line, Place, View
from tests.texts import told
from tests.views import FILE, found, view

AT = Place(FILE, 7)


def shut_off(env: dict[str, str]) -> View:
    return view(env, lines=(Line(section="Service", name="IPAddressDeny", value="any", place=AT),))


# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW408": (shut_off({}), shut_off({"OLLAMA_NO_CLOUD": "1"})),
}


@pytest.mark.parametrize(
    ("name", "value", "env", "release", "caught"),
    [
        ("IPAddressDeny", "any", {}, "0.32.15", True),
        ("PrivateNetwork", "yes", {}, "0.22.1", True),
        ("network_mode", "none", {}, "0.32.15", True),
        ("PrivateNetwork", "yes", {}, "0.22.0", False),
        ("IPAddressDeny", "any", {"OLLAMA_NO_CLOUD": "1"}, "0.32.15", False),
        ("IPAddressDeny", "10.0.0.0/8", {}, "0.32.15", False),
        ("network_mode", "host", {}, "0.32.15", False),
        ("Restart", "always", {}, "0.32.15", False),
    ],
)
def test_what_is_shut_off_asks_in_vain(
    name: str, value: str, env: dict[str, str], release: str, caught: bool
) -> None:
    lines = (Line(section="Service", name=name, value=value, place=AT),)
    seen = found(asks_in_vain, view(env, lines=lines, release=release))
    assert [placed.finding.severity for placed in seen] == ["info"] * caught
    assert [placed.place for placed in seen] == [AT] * caught


def test_a_unit_that_does_something_once_beside_it_is_no_server(tmp_path: Path) -> None:
    job = "[Service]\nType=oneshot\nExecStart=/bin/systemctl restart ollama\n"
    shut = "PrivateNetwork=yes\nIPAddressDeny=any\n"
    assert told(tmp_path, {"ollama-resume.service": job + shut}) == set()
