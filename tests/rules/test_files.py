"""HW514 to HW517: faults of a file's own form."""

from dataclasses import replace

import pytest

from generator.check.mend import mended
from generator.engines.ollama.rules.service import edited_vendor_unit
from generator.readers.base import Source
from generator.readers.syntax import unit
from generator.rules.files import compose_version, no_section, start_limit_in_service
from generator.rules.registry import every_rule
from generator.view import Bound, Line, Place, Variable, View
from tests.views import found, view

BY_ID = every_rule()
UNIT = "/etc/systemd/system/ollama.service"
DROP_IN = "/etc/systemd/system/ollama.service.d/override.conf"


def lines(text: str, file: str = "override.conf") -> tuple[Line, ...]:
    """Return the lines of a unit file as the rules see them."""
    return unit.lines(unit.parse(Source(file, text)))


# What install.sh writes, and what people add to it.
INSTALLED = """\
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH=/usr/local/bin:/usr/bin"
"""


def installed(*names: str, file: str = UNIT, inside: str = UNIT, text: str = INSTALLED) -> View:
    variables = tuple(
        Variable(name=name, value="x", place=Place(inside, 11 + number))
        for number, name in enumerate(("PATH", *names))
    )
    return view(variables=variables, lines=lines(text, file), place=Place(file))


LIMITED = "[Unit]\nAfter=x.target\n[Service]\nStartLimitIntervalSec=600\nStartLimitBurst=3\n"


def compose(section: str, name: str) -> View:
    line = Line(section=section, name=name, value="3.8", place=Place("compose.yaml", 2, name))
    return view(kind="compose", lines=(line,))


CASES: dict[str, tuple[View, View]] = {
    "HW514": (
        view(lines=lines(LIMITED)),
        view(lines=lines("[Unit]\nStartLimitIntervalSec=600\n[Service]\nStartLimitBurst=3\n")),
    ),
    "HW515": (
        view(lines=lines('Environment="OLLAMA_HOST=0.0.0.0"\n')),
        view(lines=lines('[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0"\n')),
    ),
    "HW516": (installed("OLLAMA_HOST"), installed()),
    "HW517": (compose("", "version"), compose("services.ollama.labels", "version")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


def test_the_start_limit_moves_into_its_section() -> None:
    told = found(start_limit_in_service, view(lines=lines(LIMITED)))
    assert mended(told, {"override.conf": LIMITED}) == {
        "override.conf": "[Unit]\nAfter=x.target\nStartLimitIntervalSec=600\nStartLimitBurst=3\n"
    }


def test_without_a_unit_section_one_is_made() -> None:
    text = "# why\n\n[Service]\nRestart=always\nStartLimitIntervalSec=600\n\n# more\n"
    told = found(start_limit_in_service, view(lines=lines(text)))
    assert mended(told, {"override.conf": text}) == {
        "override.conf": "# why\n\n[Unit]\nStartLimitIntervalSec=600\n\n"
        "[Service]\nRestart=always\n\n# more\n"
    }


@pytest.mark.parametrize(
    ("text", "fix", "message"),
    [
        ("[Service]\nStartLimitIntervalSec=9\n", "move it to [Unit]", "is a key of [Unit]"),
        (LIMITED, "move it to [Unit], with StartLimitBurst", "is a key of [Unit]"),
        (
            "[Unit]\nStartLimitIntervalSec=30\n[Service]\nStartLimitIntervalSec=0\n",
            "keep one of them, in [Unit]",
            "is a key of [Unit], where `30` counts",
        ),
    ],
)
def test_it_says_what_to_move_and_what_counts(text: str, fix: str, message: str) -> None:
    (placed,) = found(start_limit_in_service, view(lines=lines(text)))
    assert placed.finding.fix == fix
    assert placed.finding.message.endswith(message)


def test_nothing_moves_above_another_value() -> None:
    """Which of the two is meant only a person knows; today that of [Unit] counts."""
    text = "[Unit]\nStartLimitIntervalSec=30\n[Service]\nStartLimitIntervalSec=0\n"
    assert [placed.edits for placed in found(start_limit_in_service, view(lines=lines(text)))] == [
        ()
    ]


@pytest.mark.parametrize("name", ["StartLimitBurst", "StartLimitInterval", "StartLimitAction"])
def test_the_old_names_still_work_in_service(name: str) -> None:
    """systemd reads these three there for compatibility; systemd-analyze verify is silent."""
    assert found(start_limit_in_service, view(lines=lines(f"[Service]\n{name}=3\n"))) == ()


def test_nixos_has_an_option_for_the_start_limit() -> None:
    place = Place("host.nix", 5)
    section = "systemd.services.ollama.serviceConfig"
    wrong = Line(section=section, name="StartLimitIntervalSec", value="60", place=place)
    (placed,) = found(start_limit_in_service, view(kind="nixos", lines=(wrong,)))
    assert "startLimitIntervalSec" in placed.finding.fix
    assert placed.edits == ()


def test_a_file_without_a_header_gets_one() -> None:
    text = '# mine\nEnvironment="OLLAMA_HOST=0.0.0.0"\nMemoryMax=20G\n'
    (placed,) = found(no_section, view(lines=lines(text)))
    assert placed.finding.severity == "error"
    assert placed.finding.message.endswith("Environment, MemoryMax")
    assert placed.place.line == 2
    assert mended((placed,), {"override.conf": text}) == {
        "override.conf": '# mine\n[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0"\nMemoryMax=20G\n'
    }


def test_directives_of_other_sections_get_no_header_by_guess() -> None:
    (placed,) = found(no_section, view(lines=lines("After=nvidia-persistenced.service\nNice=5\n")))
    assert placed.edits == ()
    assert placed.finding.fix == "write the section's name above it"


def test_each_file_is_told_once() -> None:
    both = (*lines("Nice=5\nUser=a\n", "10-a.conf"), *lines("Nice=5\n", "20-b.conf"))
    assert [p.place.file for p in found(no_section, view(lines=both))] == ["10-a.conf", "20-b.conf"]


def test_keys_at_the_top_of_a_compose_file_are_no_stray_directives() -> None:
    assert found(no_section, compose("", "version")) == ()


def test_the_edited_unit_names_what_the_upgrade_takes() -> None:
    seen = installed("OLLAMA_HOST", "OLLAMA_MODELS")
    (placed,) = found(edited_vendor_unit, seen)
    assert placed.finding.message.endswith("without OLLAMA_HOST, OLLAMA_MODELS")
    assert placed.place == Place(UNIT, 12)
    assert "systemctl edit ollama.service" in placed.finding.fix


def test_a_limit_in_the_unit_counts_as_well() -> None:
    bound = Bound(name="memory_max", value=2**34, place=Place(UNIT, 12))
    assert found(edited_vendor_unit, replace(installed(), bounds=(bound,)))


def test_a_drop_in_over_the_installed_unit_is_the_way() -> None:
    merged = installed("OLLAMA_HOST", inside=DROP_IN)
    assert found(edited_vendor_unit, merged) == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ollama.service", INSTALLED),
        ("/etc/systemd/system/llm.service", INSTALLED),
        (UNIT, INSTALLED.replace("Ollama Service", "Ollama for the lab")),
        (UNIT, INSTALLED.replace("/usr/local/bin/ollama serve", "/opt/serve.sh")),
    ],
)
def test_a_unit_of_somebodys_own_is_left_alone(file: str, text: str) -> None:
    own = installed("OLLAMA_HOST", file=file, inside=file, text=text)
    assert found(edited_vendor_unit, own) == ()


@pytest.mark.parametrize("prefix", ["/usr/lib", "/lib", "rootfs/etc"])
def test_the_unit_of_a_package_is_overwritten_too(prefix: str) -> None:
    file = f"{prefix}/systemd/system/ollama.service"
    assert found(edited_vendor_unit, installed("OLLAMA_HOST", file=file, inside=file))


def test_the_version_of_a_compose_file_goes() -> None:
    text = "# multi-gpu\nversion: '3.8'\n\nservices:\n"
    told = found(compose_version, compose("", "version"))
    assert mended(told, {"compose.yaml": text}) == {"compose.yaml": "# multi-gpu\n\nservices:\n"}


def test_several_services_of_a_file_say_it_in_one_way() -> None:
    one, other = (
        compose("", "version"),
        view(kind="compose", name="b", lines=compose("", "version").lines),
    )
    assert found(compose_version, one) == found(compose_version, other)
