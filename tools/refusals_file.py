"""`modules/refusals.json`: what hosts are refused for, in the words of the target `nixos`."""

from __future__ import annotations

from generator.formats.data import to_json
from generator.targets.refusals import BACKENDS, DESCRIBED, TOLD


def files() -> dict[str, str]:
    """Return the file by its path."""
    data = {"told": TOLD, "backends": BACKENDS, "described": DESCRIBED}
    return {"modules/refusals.json": to_json(data)}
