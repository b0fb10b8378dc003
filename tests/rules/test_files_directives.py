"""HW212, HW520 and HW521: what systemd drops; each line was held against systemd 252."""

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.mend import mended
from generator.engines.ollama.rules.environment import out_of_reach
from generator.engines.ollama.rules.values import boolean_misread
from generator.readers.base import Context, Source
from generator.readers.quadlet import read as quadlet
from generator.readers.systemd import read as systemd
from generator.rules.registry import every_rule
from generator.view import Line, LocatedFinding, Place, View
from tests.facts import facts_at
from tests.views import found, view

FILE = "ollama.service.d/x.conf"
RULES = every_rule()


def unit(text: str) -> View:
    (seen,) = systemd.read([Source(FILE, text)], Context(load_catalogue()))
    return seen


def service(*lines: str) -> View:
    return unit("\n".join(("[Service]", *lines, "")))


def told(rule: str, seen: View) -> list[LocatedFinding]:
    return list(found(RULES[rule], seen))


def limited(name: str, value: str) -> View:
    return view(unread=(Line(section="Service", name=name, value=value, place=Place(FILE, 2)),))


CASES: dict[str, tuple[View, View]] = {
    "HW212": (limited("MemoryMax", "20GiB"), view()),
    "HW520": (service("OLLAMA_NUM_PARALLEL=4"), service("Environment=OLLAMA_NUM_PARALLEL=4")),
    "HW521": (service("Environment=OLLAMA_MODELS=/a b"), service("Environment=A=a 'B=b c'")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in told(rule, caught)] == [rule]
    assert told(rule, left) == []


@pytest.mark.parametrize(
    ("line", "fix", "mends_to"),
    [
        ("OLLAMA_DEBUG=1", "write `Environment=OLLAMA_DEBUG=1`", "Environment=OLLAMA_DEBUG=1"),
        ("OLLAMA_DEBUG = 1", "write `Environment=OLLAMA_DEBUG=1`", "Environment=OLLAMA_DEBUG=1"),
        ("OLLAMA_ORIGINS=a b", 'write `Environment="OLLAMA_ORIGINS=…"`', None),
        ('OLLAMA_MODELS="/srv/m"', 'write `Environment="OLLAMA_MODELS=…"`', None),
        ("Enviroment=A=b", "did you mean `Environment`?", "Environment=A=b"),
        ("Enviorment=A=b", "did you mean `Environment`?", None),
        ("memorymax=20G", "did you mean `MemoryMax`?", None),
        ("EnviromentFile=/etc/none", "did you mean `EnvironmentFile`?", None),
        ("CPUQouta=50%", "did you mean `CPUQuota`?", None),
        ("Environment OLLAMA_DEBUG=1", "write `Environment=OLLAMA_DEBUG=…`",
         "Environment=OLLAMA_DEBUG=1"),
        ("WantedBy=default.target", "move it to `[Install]`", None),
        ("After=network.target", "move it to `[Unit]`", None),
        ("MemoryMax 20G", "write `Name=value`, or `#` before a comment", None),
    ],
)  # fmt: skip
def test_what_to_write(line: str, fix: str, mends_to: str | None) -> None:
    (placed,) = told("HW520", service(line))
    assert (placed.finding.fix, placed.place.line) == (fix, 2)
    text = f"[Service]\n{line}\n"
    new = {FILE: f"[Service]\n{mends_to}\n"} if mends_to else {}
    assert mended([placed], {FILE: text}) == new


@pytest.mark.parametrize(
    ("header", "fix", "mends"),
    [
        ("[service]", "write `[Service]`", True),
        ("[SERVICE]", "write `[Service]`", True),
        ("[Services]", "write `[Service]`", True),
        ("[Timer]", "move it to `[Service]`, or take it out", False),
    ],
)
def test_a_section_that_is_none(header: str, fix: str, mends: bool) -> None:
    (placed,) = told("HW520", unit(f"{header}\nEnvironment=A=b\n"))
    assert placed.finding.fix == fix
    assert placed.place == Place(FILE, 1)
    assert bool(placed.edits) == mends


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nX-Mine=1\n",
        "[X-Mine]\nOLLAMA_DEBUG=1\n",
        "[Service]\nRestartMode=direct\n",  # of systemd 254
        "[Service]\nStartLimitIntervalSec=5\n",  # HW514
        "[Unit]\nStartLimitIntervalSec=5\n[Install]\nWantedBy=default.target\n",
        "[Service]\n# MemoryMax 20G\n; OLLAMA_DEBUG=1\n",
        "OLLAMA_DEBUG=1\n",  # HW515
    ],
)
def test_left_alone(text: str) -> None:
    assert told("HW520", unit(text)) == []


def test_every_directive_of_the_catalogue_is_left_alone() -> None:
    for section, names in facts_at().directives.items():
        seen = unit(f"[{section}]\n" + "".join(f"{name}=x\n" for name in sorted(names)))
        assert told("HW520", seen) == []


def test_a_quadlet_has_sections_of_its_own() -> None:
    text = "[Container]\nImage=ollama/ollama\nOLLAMA_DEBUG=1\n[Quadlet]\nDefaultDependencies=no\n"
    (seen,) = quadlet.read([Source("ollama.container", text)], Context(load_catalogue()))
    assert [placed.place.line for placed in told("HW520", seen)] == [3]


def test_nixos_passes_every_key_on() -> None:
    place = Place("host.nix", 4)
    section = "systemd.services.ollama.serviceConfig"
    wrong = Line(section=section, name="MemoryMaxx", value="20G", place=place)
    (placed,) = told("HW520", view(kind="nixos", lines=(wrong,)))
    assert placed.finding.fix == "did you mean `MemoryMax`?"


@pytest.mark.parametrize(
    ("line", "item", "why"),
    [
        ("Environment=OLLAMA_MODELS /srv", "OLLAMA_MODELS /srv", "that is no `NAME=value`"),
        ('Environment="OLLAMA_ORIGINS=x', '"OLLAMA_ORIGINS=x', "a quote in it has no partner"),
        ("Environment=A=b # on x", "# on x", "a comment stands on a line of its own"),
        ("Environment=OLLAMA-HOST=x", "OLLAMA-HOST=x", "`OLLAMA-HOST` is no name of a variable"),
        (r"Environment=A=a\q", r"A=a\q", "there is an escape in it that systemd does not know"),
        ("Environment=A=%z", "A=%z", "there is a `%` in it that systemd does not know"),
    ],
)
def test_what_is_dropped_and_why(line: str, item: str, why: str) -> None:
    placed = told("HW521", service("Environment=OK=1", line))[0]
    assert placed.finding.message == f"systemd drops `{item}`: {why}"
    assert placed.place.line == 3


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ('Environment="OLLAMA_KEEP_ALIVE: 1h"', "write `OLLAMA_KEEP_ALIVE=1h`"),
        ("Environment=OLLAMA_HOST:0.0.0.0:11434", "write `OLLAMA_HOST=0.0.0.0:11434`"),
        ("Environment=OLLAMA_NUM_PARALLEL 4", "write `OLLAMA_NUM_PARALLEL=4`"),
        ("Environment=A=my models", 'quote values with blanks: `"NAME=a b"`'),
    ],
)
def test_what_stands_in_place_of_the_equal_sign(line: str, fix: str) -> None:
    assert told("HW521", service(line))[0].finding.fix == fix


def test_a_comma_between_two_assignments_is_of_no_value() -> None:
    (placed,) = told("HW521", service('Environment="OLLAMA_KEEP_ALIVE=1h, OLLAMA_DEBUG=1"'))
    assert placed.finding.fix == 'write `"OLLAMA_KEEP_ALIVE=1h" "OLLAMA_DEBUG=1"`'


def test_two_assignments_in_one_pair_of_quotes() -> None:
    (placed,) = told("HW521", service('Environment="OLLAMA_DEBUG=1 OLLAMA_NUM_PARALLEL=4"'))
    assert placed.finding.severity == "warning"
    assert placed.finding.fix == 'write `"OLLAMA_DEBUG=1" "OLLAMA_NUM_PARALLEL=4"`'


def test_what_is_two_assignments_is_judged_as_neither() -> None:
    seen = service('Environment="OLLAMA_DEBUG=1 OLLAMA_NUM_PARALLEL=4"')
    assert found(boolean_misread, seen) == ()


def test_a_value_with_blanks_is_no_second_assignment() -> None:
    assert told("HW521", service('Environment="OLLAMA_MODELS=/srv/a b"')) == []


@pytest.mark.parametrize(
    ("line", "fix", "mends_to"),
    [
        (
            "export OLLAMA_NUM_PARALLEL=4",
            "write `Environment=OLLAMA_NUM_PARALLEL=4`",
            "Environment=OLLAMA_NUM_PARALLEL=4",
        ),
        ('export OLLAMA_HOST="$IP"', 'write `Environment="OLLAMA_HOST=…"`', None),
    ],
)
def test_systemd_knows_no_export(line: str, fix: str, mends_to: str | None) -> None:
    (placed,) = found(out_of_reach, service(line))
    assert (placed.finding.rule, placed.finding.severity) == ("HW118", "error")
    assert placed.finding.fix == fix
    new = {FILE: f"[Service]\n{mends_to}\n"} if mends_to else {}
    assert mended([placed], {FILE: f"[Service]\n{line}\n"}) == new
    assert told("HW520", service(line)) == []


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("MemoryMax", "20GiB", "write `MemoryMax=20G`"),
        ("MemoryHigh", "20g", "write `MemoryHigh=20G`"),
        ("LimitMEMLOCK", "8 Gi", "write `LimitMEMLOCK=8G`"),
        ("MemoryMax", "20GB", "write it like `20G`, 1024 based"),
        ("MemoryMax", "lots", "write it like `20G`, 1024 based"),
        ("CPUQuota", "20", "write percent of one CPU: `2000%` is 20 CPUs"),
        ("MemoryMax", "\u0663G", "write `MemoryMax=3G`, in ASCII digits"),
        ("MemoryMax", "\uff12\uff10GiB", "write `MemoryMax=20G`, in ASCII digits"),
        ("CPUQuota", "\u0662\u0660\u0660%", "write `CPUQuota=200%`, in ASCII digits"),
        ("Nice", "high", "see `gen explain Nice`"),
    ],
)
def test_how_to_write_a_limit(name: str, value: str, fix: str) -> None:
    (placed,) = told("HW212", limited(name, value))
    assert placed.finding.fix == fix


def test_a_limit_of_a_drop_in_is_mended() -> None:
    text = "[Service]\nMemoryMax=20GiB\nMemoryHigh=18G\nCPUQuota=20\n"
    source = Source("ollama.service.d/limits.conf", text)
    (seen,) = systemd.read([source], Context(load_catalogue()))
    assert [line.name for line in seen.unread] == ["MemoryMax", "CPUQuota"]
    new = mended(told("HW212", seen), {source.path: text})
    assert new == {source.path: text.replace("20GiB", "20G")}
