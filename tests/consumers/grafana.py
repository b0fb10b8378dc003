"""What Grafana makes of a dashboard, by `@grafana/schema` and the compiler of TypeScript."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.tools import require

MODULES: Final = Path(__file__).parents[2] / ".tools/grafana/node_modules"
_OPTIONS: Final = "--noEmit --strict --skipLibCheck --moduleResolution bundler --module esnext"
# A mode of thresholds is a member of an enumeration, which a text is never assigned to.
_MODE: Final = ('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
_HEAD: Final = 'import { type Dashboard, ThresholdsMode } from "@grafana/schema";\n'


def complaints(board: str, folder: Path) -> list[str]:
    """Return what is wrong with a dashboard: types, and keys that nobody knows."""
    tsc = require("tsc", MODULES / ".bin")
    (folder / "node_modules").symlink_to(MODULES)
    file = folder / "board.ts"
    text = f"{_HEAD}export const board: Dashboard = {board.strip().replace(*_MODE)};\n"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [tsc, *_OPTIONS.split(), file.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0 or done.stdout, done.stderr
    return done.stdout.splitlines()
