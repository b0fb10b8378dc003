"""The registry: adding a target is one module here and one line below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from generator.plan import Plan
    from generator.targets.base import File, Target

TARGETS: Final = {
    "nixos": "one NixOS module that sets upstream options only",
    "plan": "the decisions with their reasons, as JSON",
    "systemd": "ordered drop-ins for the unit that is installed; `--full-unit`: a complete one",
    "compose": "`compose.yaml` for Docker",
}


def load_target(name: str) -> Target:
    """Return the target module `name`, which must be a key of TARGETS."""
    return cast("Target", importlib.import_module(f"generator.targets.{name}"))


def all_files(name: str, plan: Plan) -> tuple[File, ...]:
    """Return all files of the target `name`: what it renders, and what people apply that with."""
    target = load_target(name)
    files = target.render(plan)
    return (*files, *target.install_note(plan, files))
