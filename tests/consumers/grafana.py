"""What Grafana makes of a dashboard, by `@grafana/schema` and the compiler of TypeScript."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULES: Final = Path(__file__).parents[2] / ".tools/grafana/node_modules"
_OPTIONS: Final = "--noEmit --strict --skipLibCheck --moduleResolution bundler --module esnext"
# A mode of thresholds is a member of an enumeration, which a text is never assigned to.
_MODE: Final = ('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
_HEAD: Final = 'import { type Dashboard, ThresholdsMode } from "@grafana/schema";\n'


def complaints(boards: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    """Return what is wrong with each dashboard: types, and keys that nobody knows.

    One start compiles all: the types of Grafana take nearly all of its time.
    """
    tsc = require("tsc", MODULES / ".bin")
    (folder / "node_modules").symlink_to(MODULES)
    for name, board in boards.items():
        text = f"{_HEAD}export const board: Dashboard = {board.strip().replace(*_MODE)};\n"
        (folder / f"{name}.ts").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [tsc, *_OPTIONS.split(), *(f"{name}.ts" for name in boards)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0 or done.stdout, done.stderr
    lines = done.stdout.splitlines()
    told = {name: [line for line in lines if line.startswith(f"{name}.ts(")] for name in boards}
    assert done.returncode == 0 or any(told.values()), done.stdout
    return told
