"""The registry: adding a target is one module here and one line below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from generator.targets.base import Target

TARGETS: Final = {
    "nixos": "one self-contained NixOS module, upstream options only",
    "plan": "plan.json, the decisions with their reasons, for the modules and other tools",
    "systemd": "drop-ins for an existing ollama.service, and the jobs beside it",
    "compose": "compose.yaml for Docker",
}


def load_target(name: str) -> Target:
    """Return the target module `name`, which must be a key of TARGETS."""
    return cast("Target", importlib.import_module(f"generator.targets.{name}"))
