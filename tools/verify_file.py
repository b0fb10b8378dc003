"""`modules/verify.sh`: the comparison of a bundle, for the gate of modules that stand alone."""

from __future__ import annotations

from generator.formats.template import shipped_text


def files() -> dict[str, str]:
    """Return the file by its path."""
    return {"modules/verify.sh": shipped_text("bundle/verify.sh")}
