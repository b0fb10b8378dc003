"""`modules/places.json`: directories of the system, and those that `ProtectHome=` is about."""

from __future__ import annotations

from generator.formats.data import to_json
from generator.units import HOMES, SYSTEM_DIRECTORIES


def files() -> dict[str, str]:
    """Return the file by its path."""
    data = {"homes": HOMES, "system": sorted(SYSTEM_DIRECTORIES)}
    return {"modules/places.json": to_json(data)}
