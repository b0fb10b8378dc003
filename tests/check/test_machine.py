"""What a machine runs, read from the files of one: units, quadlets, projects, variables."""

import json
import os
from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.machine import ANSWER
from generator.check.report import Report
from tests.commands import called

UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\nRestart=always\n"
WRONG = "[Service]\nEnvironment=OLLAMA_NUM_THREADS=6\n"
MACHINE = {
    "usr/lib/systemd/system/ollama.service": f"{UNIT}EnvironmentFile=-/etc/default/ollama\n",
    "usr/lib/systemd/system/other.service": "[Service]\nExecStart=/bin/true\n",
    "etc/systemd/system/ollama.service.d/override.conf": WRONG,
    "etc/systemd/system/service.d/limit.conf": "[Service]\nNice=5\n",
    "etc/default/ollama": "OLLAMA_FLASH_ATENTION=1\n",
    "home/ann/.config/systemd/user/ollama.service": f"{UNIT}Environment=OLLAMA_NUM_THREADS=2\n",
    "etc/containers/systemd/llm/box.container": "[Container]\nImage=ollama/ollama:0.32.15\n"
    "Environment=OLLAMA_NUM_THREADS=4\n[Service]\nRestart=always\n",
    "etc/environment": "OLLAMA_NUM_PARALLEL=2\n",
    "srv/llm/compose.yaml": "services: {ollama: {image: 'ollama/ollama:0.32.15'}}\n",
    "srv/llm/gpu.yaml": "services:\n  ollama:\n    environment:\n      OLLAMA_NUM_THREADS: 8\n",
    "srv/web/compose.yaml": "services: {web: {image: nginx}}\n",
    ANSWER: "/srv/llm\t/srv/llm/compose.yaml,/srv/llm/gpu.yaml\n/srv/web\t/srv/web/compose.yaml\n",
}


def machine(root: Path, **more: str) -> Path:
    for name, text in (MACHINE | more).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def faults(report: Report, root: Path, *rules: str) -> set[tuple[str, int]]:
    found = (placed.place for placed in report.findings if placed.finding.rule in rules)
    return {(os.path.relpath(place.file, root), place.line) for place in found}


def test_everything_that_runs_is_judged_with_what_is_laid_over_it(tmp_path: Path) -> None:
    report = check(CheckRequest(root=str(machine(tmp_path))))
    assert faults(report, tmp_path, "HW101", "HW104") == {
        ("etc/systemd/system/ollama.service.d/override.conf", 2),
        ("etc/default/ollama", 1),
        ("home/ann/.config/systemd/user/ollama.service", 5),
        ("etc/containers/systemd/llm/box.container", 3),
        ("srv/llm/gpu.yaml", 4),
    }
    assert faults(report, tmp_path, "HW118") == {("etc/environment", 1)}
    judged = {os.path.relpath(file, tmp_path) for file in report.judged}
    assert judged == MACHINE.keys() - {
        *(ANSWER, "usr/lib/systemd/system/other.service", "srv/web/compose.yaml"),
    }
    assert report.not_judged == ()


def test_a_masked_unit_and_a_masked_drop_in_say_nothing(tmp_path: Path) -> None:
    vendor = "usr/lib/systemd/system/ollama.service.d/override.conf"
    root = machine(tmp_path, **{vendor: WRONG})
    drop_in = root / "etc/systemd/system/ollama.service.d/override.conf"
    drop_in.unlink()
    report = check(CheckRequest(root=str(root)))
    assert (vendor, 2) in faults(report, root, "HW101")
    drop_in.symlink_to("/dev/null")
    report = check(CheckRequest(root=str(root)))
    assert (vendor, 2) not in faults(report, root, "HW101")
    (root / "etc/systemd/system/ollama.service").symlink_to("/dev/null")
    report = check(CheckRequest(root=str(root)))
    assert not any("ollama.service.d" in file for file, _ in faults(report, root, "HW104"))


def test_no_link_leads_out_of_a_captured_machine(tmp_path: Path) -> None:
    (outside := tmp_path / "outside.service").write_text(f"{UNIT}{WRONG}")
    root = tmp_path / "root"
    (folder := root / "etc/systemd/system").mkdir(parents=True)
    (folder / "ollama.service").symlink_to(outside)
    report = check(CheckRequest(root=str(root)))
    assert not any(report.texts.values())
    (broken,) = report.findings
    assert (broken.finding.rule, broken.finding.message) == ("HW000", "there is no such file")
    assert broken.place.file == str(folder / "ollama.service")


def test_links_lead_where_the_captured_machine_follows_them(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    (store := root / "nix/store/units").mkdir(parents=True)
    (store / "ollama.service").write_text(f"{UNIT}{WRONG}")
    (root / "etc/static").mkdir(parents=True)
    (root / "etc/systemd").symlink_to("/etc/static/systemd")
    (root / "etc/static/systemd").mkdir()
    (root / "etc/static/systemd/system").symlink_to("/nix/store/units")
    (store / "loop.service").symlink_to("loop.service")
    report = check(CheckRequest(root=str(root)))
    assert faults(report, root, "HW101") == {("etc/systemd/system/ollama.service", 6)}


def test_projects_of_a_captured_machine_are_not_passed_over(tmp_path: Path) -> None:
    root = machine(tmp_path, **{"usr/bin/docker": ""})
    assert check(CheckRequest(root=str(root))).not_judged == ()
    (root / ANSWER).unlink()
    (told,) = check(CheckRequest(root=str(root))).not_judged
    assert (told.file, "captured" in told.reason) == ("docker", True)


def test_a_directory_with_two_names_is_read_once(tmp_path: Path) -> None:
    root = machine(tmp_path)
    (root / "lib").symlink_to("usr/lib")
    report = check(CheckRequest(root=str(root)))
    assert not any(file.startswith(str(root / "lib")) for file in report.texts)


def test_a_machine_without_an_engine_is_not_clean(tmp_path: Path) -> None:
    done = called("check", "--root", str(tmp_path), "--json")
    told = json.loads(done.stdout)["not_judged"]
    assert (done.returncode, [one["file"] for one in told]) == (2, [str(tmp_path)])


def docker(folder: Path, script: str) -> dict[str, str]:
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_docker_is_asked_which_projects_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  ollama:\n    image: ollama/ollama\n    mem_limit: x\n")
    told = f"printf '{tmp_path}\\tcompose.yaml,gone.yaml\\n{tmp_path}\\tcompose.yaml\\n'"
    for name, value in docker(tmp_path, told).items():
        monkeypatch.setenv(name, value)
    report = check(CheckRequest())
    assert str(file) in report.broken
    assert str(tmp_path / "gone.yaml") in {gap.file for gap in report.not_judged}


def test_docker_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in docker(tmp_path, "echo 'permission denied' >&2; exit 1").items():
        monkeypatch.setenv(name, value)
    reasons = [gap.reason for gap in check(CheckRequest()).not_judged if gap.file == "docker"]
    assert reasons == ["it does not tell what runs: permission denied"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fix"], "--fix mends what is named"),
        (["--root", "/", "x"], "--root stands for what is named"),
        (["--root", "/nowhere"], "there is no directory"),
    ],
)
def test_bad_usage(arguments: list[str], told: str) -> None:
    done = called("check", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
