"""Hostwright: one typed profile per inference host, checked configuration for Ollama.

The public API, beside `generator.resolve.resolve`: Profile and Catalogue in, Plan out. Names are
imported when they are first used, so that `gen --version` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue, load_catalogue
    from generator.errors import Finding, HostwrightError, Problem, ProfileError
    from generator.plan import Plan
    from generator.profiles.load import load_profile
    from generator.profiles.schema import Profile
    from generator.targets import TARGETS, load_target
    from generator.targets.base import File

__version__ = "0.1.0"
__all__ = [
    "TARGETS",
    "Catalogue",
    "File",
    "Finding",
    "HostwrightError",
    "Plan",
    "Problem",
    "Profile",
    "ProfileError",
    "__version__",
    "load_catalogue",
    "load_profile",
    "load_target",
]
_HOMES = {
    "TARGETS": "targets",
    "Catalogue": "catalogue.catalogue",
    "File": "targets.base",
    "Finding": "errors",
    "HostwrightError": "errors",
    "Plan": "plan",
    "Problem": "errors",
    "Profile": "profiles.schema",
    "ProfileError": "errors",
    "load_catalogue": "catalogue.catalogue",
    "load_profile": "profiles.load",
    "load_target": "targets",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- any public name
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
