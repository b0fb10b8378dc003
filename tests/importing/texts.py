"""Files that tests import, and what becomes of them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from generator.importing.importing import Imported, ImportRequest, imported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OVERRIDE = "ollama.service.d/override.conf"


def put(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def of(folder: Path, texts: Mapping[str, str], **more: Any) -> Imported:
    """Import files that lie in a folder."""
    put(folder, texts)
    paths = tuple(str(folder / name) for name in texts)
    return imported(ImportRequest(paths=paths, **more))


def of_drop_in(folder: Path, *lines: str, **more: Any) -> Imported:
    """Import one drop-in with lines of `[Service]`."""
    return of(folder, {OVERRIDE: "\n".join(("[Service]", *lines, ""))}, **more)


def profile(found: Imported) -> dict[str, Any]:
    """Return what the profile says."""
    return tomllib.loads(found.text)


def unwrapped(found: Imported) -> str:
    """Return the text of the profile as one line, for comments are wrapped."""
    return re.sub(r"\n(?:# )?", " ", found.text)


def lost(found: Imported) -> dict[str, str]:
    """Return what is not carried over, with the reasons."""
    return {one.name: one.reason for one in found.lost}


def idle(found: Imported) -> dict[str, str]:
    """Return what is left out without a loss, with the rules that say so."""
    return {one.name: one.rule for one in found.left if one.idle}
