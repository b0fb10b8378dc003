"""`verify.sh`: which lines of later files win, by the shell alone, of what systemd prints."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.formats.template import TEMPLATES
from tests.host import stub

if TYPE_CHECKING:
    from pathlib import Path

UNITS = "/etc/systemd/system"
OURS = f"{UNITS}/x.service.d/20-limits.conf"
LATER = f"{UNITS}/x.service.d/override.conf"
TEXT = """\
[Service]
CPUQuota=50%
MemoryMax=1G
TasksMax=100
Environment="KEEP=1h"
Environment=FLASH=1
Environment="MANY=a b=c"
"""


def told(folder: Path, later: str, *, reload: str = "no") -> tuple[int, list[str]]:
    """Return the status and the lines, where a drop-in of the host's own has these lines."""
    unit = f"# {UNITS}/x.service\n[Service]\nEnvironment=KEEP=9h\n\n"
    text = f"{unit}# {OURS}\n# Ours.\n{TEXT}\n# {LATER}\n[Service]\n{later}"
    (folder / "told").write_text(text, encoding="utf-8")
    answers = f"case $1 in cat) cat '{folder}/told' ;; show) echo {reload} ;; esac"
    stub(folder / "bin", "systemctl", answers)
    script = folder / "verify.sh"
    script.write_text((TEMPLATES / "bundle/verify.sh").read_text(encoding="utf-8"))
    conf = f"# Ours.\nserver\tx.service\nfile\t{OURS[1:]}\nwait\t60\n"
    (folder / "bundle.conf").write_text(conf, encoding="utf-8")
    done = subprocess.run(
        ["sh", str(script)], env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin"}, check=False,
        capture_output=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    "later",
    [
        "",
        "CPUQuota=50%\nMemoryMax=1024M\nTasksMax=100",
        "MemoryMax=1073741824",
        "Environment=KEEP=60m FLASH=true",
        "Environment=KEEP=1h0m0s",
        "Environment='KEEP=3600s'",
        "Environment=KEEP=5m\nEnvironment=KEEP=1h",
        "# CPUQuota=75%\n; MemoryMax=2G",
        "Environment=OTHER=KEEP=5m 'MANY=a b=c'",
        "[Unit]\nMemoryMax=2G",
        "UnsetEnvironment=KEEP=2h NOBODY",
        "UnsetEnvironment=KEEP\nUnsetEnvironment=",
        "EnvironmentFile=-/nowhere/at/all",
        "Nice=5",
    ],
)
def test_what_means_the_same_is_no_drift(later: str, tmp_path: Path) -> None:
    assert told(tmp_path, later) == (0, [])


@pytest.mark.parametrize(
    ("later", "lost"),
    [
        ("CPUQuota=75%", {"CPUQuota": 2}),
        ("MemoryMax=1000M\nTasksMax=infinity", {"MemoryMax": 2, "TasksMax": 3}),
        ("Environment=KEEP=61m FLASH=false", {"KEEP": 2, "FLASH": 2}),
        ("Environment=A=1 \\\n  KEEP=5m", {"KEEP": 2}),
        ('Environment="MANY=a b=d"', {"MANY": 2}),
        ("Environment=", {"KEEP": 2, "FLASH": 2, "MANY": 2}),
        ("UnsetEnvironment=KEEP=1h FLASH", {"FLASH": 2, "KEEP": 2}),
        ("[Unit]\nAfter=y.service\n[Service]\nCPUQuota=", {"CPUQuota": 5}),
    ],
)
def test_the_line_that_wins_is_named(later: str, lost: dict[str, int], tmp_path: Path) -> None:
    lines = [
        f"{name} of this bundle has no effect: {LATER}:{number} says otherwise."
        for name, number in lost.items()
    ]
    assert told(tmp_path, later) == (1, sorted(lines))


def test_a_file_of_variables_wins_over_every_line(tmp_path: Path) -> None:
    file = tmp_path / "own.env"
    file.write_text('# mine\nFLASH="true"\nKEEP=5m\n', encoding="utf-8")
    later = f"EnvironmentFile=-{file}\nEnvironment=KEEP=1h"
    line = f"KEEP of this bundle has no effect: {file}:3 says otherwise."
    assert told(tmp_path, later) == (1, [line])


def test_files_that_systemd_has_not_read_are_told(tmp_path: Path) -> None:
    status, lines = told(tmp_path, "", reload="yes")
    assert (status, len(lines)) == (1, 1)
    assert lines[0].endswith("systemctl daemon-reload")


def test_an_escape_of_others_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "own\x1b[2J.env"
    file.write_text("KEEP=5m\n", encoding="utf-8")
    status, (line,) = told(tmp_path, f"EnvironmentFile={file}")
    assert (status, line.isprintable()) == (1, True)


def test_who_cannot_be_asked_is_told(tmp_path: Path) -> None:
    stub(tmp_path / "bin", "systemctl", "exit 1")
    script = str(TEMPLATES / "bundle/verify.sh")
    done = subprocess.run(
        ["sh", script, "x.service"], env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        check=False, capture_output=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "systemd does not tell of x.service: nothing is compared.\n"
