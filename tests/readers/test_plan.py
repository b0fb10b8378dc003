"""`gen check plan.json`: a plan is judged, however it came to be."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.codec import to_dict
from generator.errors import Finding
from generator.readers.plan import forms
from generator.view import LocatedFinding
from tests.plans import PROFILES, RELEASES, shipped
from tests.trace import every_field

ROOT = Path(__file__).parent.parent.parent
DEAD = {"name": "OLLAMA_NUM_THREADS", "value": "8"}
WIDE = {"name": "OLLAMA_ORIGINS", "value": "*"}


# What the types of a Plan let through.
UNSOUND: list[tuple[Callable[[dict[str, Any]], object], str, str]] = [
    (lambda s: s.update(home="relative % x"), "home", "is no absolute path"),
    (lambda s: s.update(program="ollama"), "program", "`ollama` is no absolute path"),
    (lambda s: s.update(after=["a.service b.service"]), "after.0", "is no name of a unit"),
    (lambda s: s["restart"].update(seconds=-1), "restart.seconds", "`-1` is no number of seconds"),
    (
        lambda s: s["environment"][2].update(group="threads", value="all"),
        "environment.2.value",
        "`all` is no number of threads",
    ),
    (
        lambda s: s.update(devices=devices("DevicePolicy=closed\nUser", "nvidia")),
        "devices.access.0.name",
        "is no plain name",
    ),
    (
        lambda s: s.update(devices=devices("DevicePolicy", "a b")),
        "devices.modules.0",
        "`a b` is no plain name",
    ),
    (lambda s: s["models"][0].update(name="-h/x"), "models.0.name", "`-h/x` is no name of a model"),
    (
        lambda s: s["jobs"][0].update(models=["./x"]),
        "jobs.0.models.0",
        "`./x` is no name of a model",
    ),
    (lambda s: s["listen"].update(host="::"), "listen.address", "not `[::]:11434`"),
    (
        lambda s: s["listen"].update(host="::", address="[::]:11434"),
        "environment.0.value",
        "`127.0.0.1:11434` is not `[::]:11434`",
    ),
    (lambda s: s["listen"].update(host="a b"), "listen.host", "`a b` is no address"),
    (lambda s: s["limits"][0].update(written="20x%"), "limits.0.written", "not `2000%`"),
    (lambda s: s["limits"][0].update(directive="ExecStartPre"), "limits.0.directive", "CPUQuota"),
    (lambda s: s["limits"][0].update(name="exec"), "limits.0.name", "`exec` is no limit"),
    (lambda s: s["limits"].append(s["limits"][0]), "limits.4.name", "there twice"),
    (lambda s: s.update(unit="../x"), "unit", "`../x` is no name of a service's unit"),
    (lambda s: s.update(unit="a\n.service"), "unit", "`a\\n.service` is no name"),
    (lambda s: s.update(command=[]), "command", "no command"),
    (lambda s: s.update(command=["/.program", "run"]), "command", "not the command of the engine"),
    (lambda s: s["health"].update(interval_seconds=-3), "health.interval_seconds", "above 0"),
    (lambda s: s["health"].update(retries=0), "health.retries", "`0` is no number of tries"),
    (lambda s: s["environment"][4].update(name="A B=C\n"), "environment.4.name", "`A B=C\\n` is"),
    (lambda s: s["environment"].append(s["environment"][1]), "environment.12.name", "there twice"),
    (lambda s: s["environment"][1].update(value="\ud800"), "environment.1.value", "is no text"),
    (lambda s: s["models"][0].update(name="-h"), "models.0.name", "`-h` is no name of a model"),
    (lambda s: s["jobs"][0].update(unit="../a"), "jobs.0.unit", "`../a` is no name of a unit"),
    (lambda s: s["jobs"][0]["steps"][0].update(argv=[]), "jobs.0.steps.0.argv", "no command"),
    (lambda s: s["container"].update(image="a b"), "container.image", "`a b` is no image"),
    *(
        (
            lambda s, mark=mark: made(s, f"\nPARAMETER stop {mark}\n"),
            "models.0.modelfile.tail",
            "no text that a Modelfile can carry",
        )
        for mark in "\u00a0\u200b\ufeff\u202e"
    ),
]


def made(service: dict[str, Any], tail: str) -> None:
    """Give the first model a Modelfile that ends in `tail`."""
    file = {"file": "Modelfile.x", "head": "FROM x\n", "lever": "", "threads": "", "tail": tail}
    service["models"][0].update(modelfile=file)


def devices(directive: str, module: str) -> dict[str, Any]:
    """Return the devices of a host with NVIDIA cards, with one directive and one module."""
    found: dict[str, Any] = to_dict(shipped("dual-pascal"))["services"][0]["devices"]
    access = [{"name": directive, "value": "closed", "reason": ""}]
    return {**found, "access": access, "modules": [module]}


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    data = to_dict(shipped("xeon-cpu"))
    change(data)
    return json.dumps(data, indent=2)


CARD = {"name": "A card", "memory": -1, "compute_capability": "6.1", "uuid": "", "unified": False}


def served(change: Callable[[dict[str, Any]], object]) -> str:
    return edited(lambda p: change(p["services"][0]))


def setting(item: dict[str, str]) -> dict[str, str]:
    more = {"reason": "", "source": "profile", "group": "environment", "key": "ollama.env"}
    return {**item, **more}


def checked(folder: Path, text: str, name: str = "plan.json") -> Report:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return check(CheckRequest(paths=[str(file)]))


def ids(report: Report) -> set[str]:
    return {located.finding.rule for located in report.findings}


def test_what_a_drop_in_is_told_a_plan_is_told(tmp_path: Path) -> None:
    lines = "".join(f"Environment={item['name']}={item['value']}\n" for item in (DEAD, WIDE))
    drop_in = checked(tmp_path, f"[Service]\n{lines}", "ollama.service.d/a.conf")
    plan = checked(
        tmp_path,
        edited(lambda p: p["services"][0]["environment"].extend([setting(DEAD), setting(WIDE)])),
    )
    assert ids(drop_in) == {"HW101", "HW403"}
    assert ids(plan) >= {"HW101", "HW403"}


def test_it_is_told_at_its_line(tmp_path: Path) -> None:
    text = edited(lambda p: p["services"][0]["environment"].append(setting(WIDE)))
    (found,) = (x for x in checked(tmp_path, text).findings if x.finding.rule == "HW403")
    assert '"OLLAMA_ORIGINS"' in text.splitlines()[found.place.line - 1]
    assert found.place.key == "ollama.env"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('{"schema_version": 2, "environment": [ broken', "", "is no JSON: Expecting value"),
        ('{"schema_version": 99}', "", "is no plan"),
        ('{"schema_version": {"const": 2}}', "", "is no plan"),
        (edited(lambda p: p.update(schema_version=1)), "schema_version", "is 1, not 2"),
        (edited(lambda p: p.update(schema_version=True)), "schema_version", "is true, not 2"),
        (edited(lambda p: p.update(schema_version=2.0)), "schema_version", "is 2.0, not 2"),
        (edited(lambda p: p.pop("host")), "host", "is missing"),
        (edited(lambda p: p.update(units=[])), "units", "no such key"),
        (edited(lambda p: p.update(services=[])), "services", "names no service"),
        (
            served(lambda s: s["limits"][0].update(value="20 cores")),
            "services.0.limits.0.value",
            "`20 cores` is no cpu_quota",
        ),
        (served(lambda s: s["limits"][0].update(value=-5)), "services.0.limits.0.value", "is no"),
        (
            edited(lambda p: p["host"].update(gpus=[CARD])),
            "host.gpus.0.memory",
            "`-1` is no number of bytes",
        ),
        (
            edited(lambda p: p["services"][0].update(release="newest")),
            "services.0.release",
            "is no release",
        ),
        (served(lambda s: s.update(release="1")), "services.0.release", "`1` is no release"),
        (
            edited(lambda p: p["services"][0].update(engine="sglang")),
            "services.0.engine",
            "`sglang` is no engine known here",
        ),
        (
            edited(lambda p: p["services"][0]["listen"].update(port="11434")),
            "services.0.listen.port",
            "is not a whole number",
        ),
        (
            edited(lambda p: p["services"][0]["listen"].update(port=True)),
            "services.0.listen.port",
            "is not a whole number",
        ),
        (
            edited(lambda p: p["services"][0]["jobs"][0].update(kind="push")),
            "services.0.jobs.0.kind",
            "is not pull or create or warmup or resume",
        ),
        (
            edited(lambda p: p["services"][0].update(models={})),
            "services.0.models",
            "is no list",
        ),
        (
            edited(lambda p: p["services"][0].update(health=[])),
            "services.0.health",
            "is no table",
        ),
        (edited(lambda p: p["host"].update(cores=-4)), "host.cores", "`-4` is no number of cores"),
        (edited(lambda p: p["host"].update(threads=1)), "host.threads", "fewer than the cores"),
        (edited(lambda p: p.update(name="../x")), "name", "`../x` is no plain name"),
        *((served(edit), f"services.0.{where}", message) for edit, where, message in UNSOUND),
        (
            edited(lambda p: p["host"].update(system="x86_64-darwin")),
            "host.system",
            "`x86_64-darwin` is no system known here",
        ),
    ],
)
def test_a_broken_plan_is_an_error(text: str, where: str, message: str, tmp_path: Path) -> None:
    (found,) = checked(tmp_path, text).findings
    assert (found.finding.rule, found.finding.where) == ("HW000", where)
    assert message in found.finding.message
    assert "gen plan" in found.finding.fix


def test_a_plan_of_a_later_version_asks_for_a_later_gen(tmp_path: Path) -> None:
    text = edited(lambda p: p.update(schema_version=99))
    (found,) = checked(tmp_path, text).findings
    assert (found.finding.where, found.finding.message) == ("schema_version", "is 99, not 2")
    assert "a newer `gen`" in found.finding.fix


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = edited(lambda p: (p.pop("host"), p["services"][0].update(threads="20", unit=None)))
    assert {found.finding.where for found in checked(tmp_path, text).findings} == {
        "host",
        "services.0.threads",
        "services.0.unit",
    }


def test_all_that_makes_no_sense_is_told_at_once(tmp_path: Path) -> None:
    def change(plan: dict[str, Any]) -> None:
        plan["services"][0]["listen"].update(port=99999999)
        plan["host"].update(cores=-4)
        plan["services"][0].update(unit="../x", command=[])
        plan["services"][0]["health"].update(retries=0)

    assert {found.finding.where for found in checked(tmp_path, edited(change)).findings} == {
        "host.cores",
        "services.0.listen.port",
        "services.0.listen.address",
        "services.0.unit",
        "services.0.command",
        "services.0.health.retries",
    }


def test_an_address_that_no_variable_tells_is_judged(tmp_path: Path) -> None:
    def change(service: dict[str, Any]) -> None:
        service["listen"].update(host="::", address="[::]:11434")
        del service["environment"][0]

    assert "HW401" in ids(checked(tmp_path, served(change)))


def test_a_plan_that_is_nested_too_deep_is_an_error(tmp_path: Path) -> None:
    depth = 200_000
    text = f'{{"schema_version": 2, "host": {"[" * depth}{"]" * depth}}}'
    (found,) = checked(tmp_path, text).findings
    assert (found.finding.rule, found.finding.severity) == ("HW000", "error")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", PROFILES)
def test_a_plan_is_told_what_its_profile_is_told(name: str, release: str, tmp_path: Path) -> None:
    plan = shipped(name, version=release)
    report = checked(tmp_path, json.dumps(to_dict(plan)))
    names = "|".join(service.name for service in plan.services)

    def alone(finding: Finding) -> tuple[str, str, str]:  # of several servers, one is named first
        return finding.rule, re.sub(rf"^(?:{names}): ", "", finding.message), finding.ignored

    def seen(located: LocatedFinding) -> tuple[str, str, str]:
        return alone(located.finding)

    known = {*map(alone, plan.findings)}

    assert {seen(located) for located in report.found} <= known


def test_the_shipped_plans_are_judged() -> None:
    report = check(CheckRequest(paths=[str(ROOT / "modules/plans")]))
    plans = set((ROOT / "modules/plans").rglob("*.json"))
    assert len(report.texts) == len(plans) > len(PROFILES)
    assert {x.finding.rule for x in report.found} >= {"HW303"}
    assert ids(report) == set()


def test_each_form_is_that_of_a_field() -> None:
    assert {*forms._FIELDS, *forms._WHOLE_FIELDS} <= every_field()


def test_the_user_says_for_which_release_and_machine(tmp_path: Path) -> None:
    path, host = tmp_path / "plan.json", tmp_path / "host.toml"
    path.write_text(json.dumps(to_dict(shipped("xeon-cpu"))))
    host.write_text('[host]\nmemory = "8GiB"\ncpu = { cores = 4, threads = 4 }\n')
    old = check(CheckRequest(paths=(str(path),), version="0.9"))
    assert "HW103" in {placed.finding.rule for placed in old.findings}
    small = check(CheckRequest(paths=(str(path),), host=host))
    assert "HW206" in {placed.finding.rule for placed in small.findings}


def test_a_release_that_nobody_knows_is_told(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(to_dict(shipped("xeon-cpu", version="99.0"))))
    found = check(CheckRequest(paths=(str(path),))).findings
    assert [placed.finding.rule for placed in found] == ["HW110"]
