"""tools/venv.sh: a failure of apt-get or pip is told, with exit 3. The programs are stand-ins."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "tools/venv.sh"

# A Python that has no ensurepip unless $ENSUREPIP is true, and whose pip fails.
PYTHON = """
case "$*" in
*"import ensurepip"*) $ENSUREPIP ;;
*python%d*) echo python3.11-venv ;;
*"-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
*"-m pip"*) echo "no index" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("ensurepip", "told"),
    [
        ("false", ["no space", "error: apt-get could not install python3.11-venv", "hint: "]),
        ("true", ["no index", "error: pip could not install Hostwright into ", "hint: "]),
    ],
)
def test_a_failure_is_told(ensurepip: str, told: list[str], tmp_path: Path) -> None:
    programs = {
        "python": PYTHON,
        "apt-get": "echo no space >&2; exit 100",
        "id": "echo 0",
    }
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [SCRIPT, tmp_path / "venv"],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHON": str(folder / "python"),
            "ENSUREPIP": ensurepip,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert [line for line in told if line not in done.stderr] == []
