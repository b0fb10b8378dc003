"""Services with all that is laid over them: which findings stand on which line."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report

UNIT = """\
[Unit]
Description=Local model server
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
"""
COMPOSE = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: unless-stopped
    ports: ["127.0.0.1:11434:11434"]
    volumes: ["models:/root/.ollama"]
    environment:
      - OLLAMA_KEEP_ALIVE=24h
      - OLLAMA_KEEP_ALIVE=5m
volumes: {models: {}}
"""
DROP_IN = "ollama.service.d/override.conf"
KEEP = '[Service]\nEnvironment="OLLAMA_KEEP_ALIVE=24h"\n'
OTHER = '[Service]\nEnvironment="OLLAMA_KEEP_ALIVE=5m"\n'
NUMA = "[Service]\nExecStart=\nExecStart=/usr/bin/numactl -N 1 /usr/local/bin/ollama serve\n"
THREADS = "OLLAMA_NUM_THREADS=6\n"
# name: (files by path, `file:line rule` of each finding).
CASES: dict[str, tuple[dict[str, str], set[str]]] = {
    "two drop-ins disagree": (
        {"ollama.service.d/10-keep.conf": KEEP, DROP_IN: OTHER},
        {"ollama.service.d/10-keep.conf:2 HW124"},
    ),
    "one drop-in disagrees with itself": ({DROP_IN: KEEP + OTHER}, {f"{DROP_IN}:2 HW124"}),
    "a drop-in over the unit": (
        {"ollama.service": f'{UNIT}Environment="OLLAMA_KEEP_ALIVE=5m"\n', DROP_IN: KEEP},
        set(),
    ),
    "a drop-in with a command of its own keeps the restart": ({DROP_IN: NUMA}, set()),
    "a drop-in with a second command": (
        {"ollama.service": UNIT, DROP_IN: NUMA.replace("ExecStart=\n", "", 1)},
        {f"{DROP_IN}:2 HW126"},
    ),
    "a list with a variable twice": ({"compose.yaml": COMPOSE}, {"compose.yaml:8 HW124"}),
    "an environment file by its installed path": (
        {
            "deploy/ollama.service": f"{UNIT}EnvironmentFile=/etc/ollama/ollama.env\n",
            "deploy/ollama.env": THREADS,
        },
        {"deploy/ollama.env:1 HW101"},
    ),
    "an environment file that nobody reads": (
        {
            "ollama.service": f"{UNIT}EnvironmentFile=/etc/ollama/ollama.env\n",
            "config/settings/ollama.env": THREADS,
        },
        {"config/settings/ollama.env:1 HW101"},
    ),
    "an overlay": (
        {"compose.gpu.yml": "services:\n  ollama:\n    environment: {OLLAMA_NUM_THREADS: 6}\n"},
        {"compose.gpu.yml:3 HW101"},
    ),
}


def checked(files: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(folder)
    return check(CheckRequest(paths=["."]))


@pytest.mark.parametrize("name", CASES)
def test_the_findings_are_those_of_what_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, expected = CASES[name]
    report = checked(files, tmp_path, monkeypatch)
    found = {f"{p.place.file}:{p.place.line} {p.finding.rule}" for p in report.findings}
    assert found == expected
    assert set(report.judged) == files.keys()


def test_what_the_unit_reads_and_nobody_has_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"ollama.service": f"{UNIT}EnvironmentFile=-/etc/ollama/no-such.env\n"}
    (gap,) = checked(files, tmp_path, monkeypatch).not_judged
    assert (gap.file, gap.line) == ("ollama.service", 11)
    assert gap.part == "`EnvironmentFile=-/etc/ollama/no-such.env`"


QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nVolume=ollama.volume:/root/.ollama\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"a.container": QUADLET, "ollama.volume": "[Volume]\nType=nfs\nDevice=nas:/models\n"},
            {("ollama.volume", 2)},
        ),
        ({"a.container": QUADLET, "ollama.volume": "[Volume]\nVolumeName=models\n"}, set()),
        ({"a.container": QUADLET, "other.volume": "[Volume]\nType=nfs\n"}, set()),
    ],
)
def test_the_quadlet_of_a_volume_tells_what_is_behind_it(
    files: dict[str, str], found: set[tuple[str, int]], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path / "a.container")], select=["HW544"]))
    assert {(Path(p.place.file).name, p.place.line) for p in report.findings} == found
