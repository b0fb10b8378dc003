"""Every `.nix` here, and every one that is made, as nixfmt lays it out and without unused names."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.engines.programs import program
from tests.nix.test_layout import ROOT, committed, rendered

if TYPE_CHECKING:
    from pathlib import Path


def told(tool: str, flag: str, files: list[Path]) -> str:
    """Return what the program has against the files; of this repository's or the system's own."""
    own = ROOT / ".tools" / "bin" / tool
    path = str(own) if own.exists() else program(tool, f"HOSTWRIGHT_{tool.upper()}")
    argv = [path, flag, *map(str, files)]
    env = os.environ | {"NO_COLOR": "1"}
    result = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    return result.stdout + result.stderr


def test_what_is_committed() -> None:
    assert told("nixfmt", "--check", committed()) == ""
    assert told("deadnix", "--fail", committed()) == ""


def test_what_is_made(tmp_path: Path) -> None:
    files = rendered(tmp_path)
    assert told("nixfmt", "--check", files) == ""
    assert told("deadnix", "--fail", files) == ""
