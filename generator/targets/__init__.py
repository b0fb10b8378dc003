"""The registry: adding a target is one module here and one line below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from generator.targets.base import Target

TARGETS: Final = {
    "nixos": "one NixOS module that sets upstream options only",
    "plan": "the decisions with their reasons, as JSON",
    "systemd": "ordered drop-ins for an existing `ollama.service`; `--full-unit`: a complete one",
    "compose": "`compose.yaml` for Docker",
}


def load_target(name: str) -> Target:
    """Return the target module `name`, which must be a key of TARGETS."""
    return cast("Target", importlib.import_module(f"generator.targets.{name}"))
