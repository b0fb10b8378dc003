"""Day and night on one host: timers and jobs that systemd takes, and what they do when they run."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from generator.errors import ProfileError
from generator.plan import PROGRAM
from generator.profiles.fields import _CALENDAR as CALENDAR
from generator.profiles.schema import Period
from generator.targets import all_files, limitations, load_target
from tests.consumers import quadlet, systemd
from tests.consumers.nix import evaluate
from tests.host import UNITS, put, stub
from tests.plans import plan
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan

DAY: dict[str, Any] = {
    "name": "day",
    "begins": ["Mon..Fri 07:00"],
    "cpu_weight": 100,
    "models": ["a:1b"],
}
NIGHT: dict[str, Any] = {
    "name": "night",
    "begins": ["Mon..Fri 19:00", "Sat,Sun *-*-* 00:00:30"],
    "cpu_weight": 20,
    "models": ["b:1b"],
}
MODELS = [{"name": "a:1b", "serve_as": "mine:1b", "parameters": {"top_k": 7}}, {"name": "b:1b"}]
HOST = {"memory": "64GiB", "cpu": {"cores": 8, "threads": 16}}


def decided(*periods: dict[str, Any], **more: Any) -> Plan:
    chosen = {"periods": list(periods or (DAY, NIGHT))}
    return plan({"host": HOST, "models": MODELS, "scale": chosen, **more})


def commands(unit: str, folder: Path) -> list[str]:
    lines: list[str] = systemd.read(folder, unit).extra["exec"]["ExecStart"]
    return lines


def test_systemd_takes_timers_and_jobs(tmp_path: Path) -> None:
    made = load_target("systemd").render(decided())
    folder = put(made, tmp_path) / UNITS
    units = sorted(path.name for path in folder.glob("ollama-period*"))
    assert units == [
        "ollama-period-day.service",
        "ollama-period-day.timer",
        "ollama-period-night.service",
        "ollama-period-night.timer",
        "ollama-period.service",
    ]
    assert systemd.verify(folder, units) == []
    lines = commands("ollama-period-night.service", folder)
    assert "CPUWeight=20" in lines[0]
    assert lines[-2].endswith(" mine:1b")
    assert lines[-1].endswith(" b:1b")


def test_the_bundle_starts_the_timers_and_takes_them_away_again() -> None:
    files = {file.path: file.text for file in all_files("systemd", decided())}
    for name in ("day", "night"):
        unit = f"ollama-period-{name}.timer"
        assert f"\njob\t{unit}\nstart\t{unit}\n" in files["bundle.conf"]
    assert "${name%@*}-period*" in files["apply.sh"]


def test_each_begins_when_the_profile_says(tmp_path: Path) -> None:
    put(load_target("systemd").render(decided()), tmp_path)
    text = (tmp_path / UNITS / "ollama-period-night.timer").read_text(encoding="utf-8")
    assert re.findall("OnCalendar=(.*)", text) == NIGHT["begins"]


def taken(text: str) -> bool:
    """Return whether a profile takes that time, of which it has the form."""
    try:
        return bool(Period.model_validate({"name": "day", "begins": [text]}, strict=False))
    except ValidationError:
        return False


@settings(max_examples=3, deadline=None)
@given(st.lists(st.from_regex(CALENDAR, fullmatch=True).filter(taken), min_size=20, max_size=40))
def test_systemd_reads_every_time_that_a_profile_may_name(times: list[str]) -> None:
    argv = [require("systemd-analyze"), "calendar", *times]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_podman_has_them_for_root(tmp_path: Path) -> None:
    put(load_target("quadlet").render(decided()), tmp_path)
    assert quadlet.verify(tmp_path / "etc/containers/systemd", tmp_path / UNITS) == []
    assert systemd.verify(tmp_path / UNITS, ["ollama-period-day.timer"]) == []
    lines = commands("ollama-period-day.service", tmp_path / UNITS)
    assert lines[-1].startswith("/usr/bin/podman exec ollama /bin/sh -c ")
    rootless = decided(container={"rootless": True})
    assert not [f for f in load_target("quadlet").render(rootless) if "period" in f.path]
    assert "scale.periods" in {found.where for found in limitations("quadlet", rootless)}


def test_docker_has_no_timers_and_says_so() -> None:
    (found,) = limitations("compose", decided())
    assert (found.rule, found.where) == ("HW601", "scale.periods")
    assert "docker update --cpu-shares" in found.fix


def test_nixos_has_timers(tmp_path: Path) -> None:
    file = put(load_target("nixos").render(decided()), tmp_path) / "test.nix"
    found = evaluate(file)["timers"]["ollama-period-night"]
    assert found["timerConfig"] == {"OnCalendar": NIGHT["begins"], "Persistent": True}
    assert found["wantedBy"] == ["timers.target"]


# ── what the jobs do ──────────────────────────────────────────────────────────────────────────


def run(plan: Plan, job: str, step: int, folder: Path) -> list[str]:
    """Run a step of a job with stubs in place of programs; return what these were told."""
    log = folder / "log"
    for name in ("systemctl", "ollama"):
        stub(folder / "bin", name, f'echo "{name} $*" >>{log}')
    (argv,) = (one.steps[step].argv for one in plan.service.jobs if one.name == job)
    places = {PROGRAM: str(folder / "bin/ollama")}
    state = str(folder / "state")
    words = [places.get(word, word.replace("/var/lib/hostwright", state)) for word in argv]
    env = {"PATH": f"{folder / 'bin'}:{os.defpath}"}
    subprocess.run(words, env=env, timeout=60, check=True, capture_output=True)
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_a_period_sets_its_share_and_a_server_that_starts_is_told_again(tmp_path: Path) -> None:
    made = decided()
    assert run(made, "ollama-period", 0, tmp_path) == []
    asked = ["systemctl set-property --runtime ollama.service CPUWeight=20"]
    assert run(made, "ollama-period-night", 0, tmp_path) == asked
    run(made, "ollama-period-night", 1, tmp_path)
    asked.append("systemctl --no-block start ollama-period-night.service")
    assert run(made, "ollama-period", 0, tmp_path) == asked


def test_models_of_the_other_period_go_and_its_own_come(tmp_path: Path) -> None:
    made = decided()
    asked = ["ollama stop b:1b"]
    assert run(made, "ollama-period-day", -2, tmp_path) == asked
    asked += ["ollama show mine:1b", "ollama run mine:1b", "ollama ps mine:1b"]
    assert run(made, "ollama-period-day", -1, tmp_path) == asked


# ── what is refused ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("periods", "where", "said"),
    [
        ((DAY,), "scale.periods", "never ends"),
        ((DAY, {**NIGHT, "name": "day"}), "scale.periods.1.name", "twice"),
        ((DAY, {**NIGHT, "cpu_weight": None}), "scale.periods.1.cpu_weight", "would keep"),
        ((DAY, {**NIGHT, "models": ["c:1b"]}), "scale.periods.1.models", "no model"),
        (
            ({**DAY, "cpu_quota": "900%"}, {**NIGHT, "cpu_quota": "700%"}),
            "scale.periods.1.cpu_quota",
            "700% is less than the 8 compute threads",
        ),
        (
            ({**DAY, "cpu_quota": "1700%"}, {**NIGHT, "cpu_quota": "900%"}),
            "scale.periods.0.cpu_quota",
            "more than this host's 16 threads",
        ),
    ],
)
def test_what_no_period_can_be(periods: tuple[dict[str, Any], ...], where: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        decided(*periods)
    (problem,) = caught.value.problems
    assert (problem.where, said in problem.message, bool(problem.hint)) == (where, True, True)


def test_a_period_that_says_nothing_is_none() -> None:
    only = ("name", "begins")
    bare = [{key: one[key] for key in only} for one in (DAY, NIGHT)]
    with pytest.raises(ProfileError, match="1 problem") as caught:
        decided(*bare)
    assert caught.value.problems[0].message == "no period says anything"
