"""A machine with systemd as its first process: User-Mode Linux, from what `tools/uml.sh` brings."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE: Final = Path(os.environ.get("HOSTWRIGHT_UML", Path(__file__).parents[2] / ".tools" / "uml"))
SUITES: Final = {"bookworm": "252", "trixie": "257"}
"""The Debian of a root, and the systemd that it has."""
_KERNEL: Final = (
    *("mem=512M", "root=/dev/root", "rootfstype=hostfs", "rw", "init=/lib/systemd/systemd"),
    *("con0=null,fd:1", "con=null", "ssl=null", "systemd.unit=autotest.target"),
    *("systemd.show_status=0", "quiet"),
)
_UNITS: Final = {
    "autotest.target": """\
[Unit]
Requires=sysinit.target dbus.socket autotest.service
After=sysinit.target
""",
    "autotest.service": """\
[Unit]
DefaultDependencies=no
After=dbus.socket sysinit.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /autotest.sh
ExecStopPost=/bin/systemctl poweroff --force --force
""",
}


def root_of(suite: str, folder: Path) -> Path:
    """Return a copy of the root of a Debian, to write into; skip where there is none."""
    source = PLACE / f"root-{suite}"
    if not (PLACE / "kernel").exists() or not source.is_dir():
        pytest.skip(f"there is no {source}: `sh tools/uml.sh` brings it")
    if os.geteuid() != 0:
        pytest.skip("its files must be root's, and so must whoever boots it")
    root = folder / "root"
    subprocess.run(["cp", "-a", source, root], check=True, timeout=120)
    return root


def boot(root: Path, script: str, files: Mapping[str, str]) -> Path:
    """Run a shell script below a root once systemd is there; return where it left its results.

    It is `/result` there, the directory in which the script begins, with `log` of what it says.
    """
    units = {f"etc/systemd/system/{name}": text for name, text in _UNITS.items()}
    script = f"cd /result\nexec >log 2>&1\n{script}"
    for path, text in {**files, **units, "autotest.sh": script}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        (root / path).chmod(0o755 if text.startswith("#!") else 0o644)
    result = root / "result"
    result.mkdir()
    kernel = (PLACE / "kernel", *_KERNEL, f"rootflags={root}")
    # It keeps its memory in a file there; nobody may read the terminal.
    environment = {"PATH": os.defpath, "TMPDIR": str(root.parent), "HOME": str(root.parent)}
    subprocess.run(
        kernel, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
        check=False,
    )  # fmt: skip
    return result


def drop(root: Path) -> None:
    """Take a root away again: it is large."""
    shutil.rmtree(root, ignore_errors=True)
