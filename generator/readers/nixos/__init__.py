"""NixOS modules: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from generator.engines import ENGINES
from generator.readers.signs import Signs
from generator.view import Phrases

FLAKE: Final = "flake.nix"
"""Puts modules together, and is none."""
_ENGINES: Final = "|".join(ENGINES)
_MODULE: Final = re.compile(
    rf"\b(?:services|oci-containers)\b[\s\S]*\b(?:{_ENGINES})\b"
    rf"|\b(?:{_ENGINES})\b[\s\S]*\bserviceConfig\b"
)


SIGNS: Final = Signs(
    sure=frozenset({".nix"}),
    content=rf"(?m)\bservices\.(?:{_ENGINES})\b|\bservices\s*=\s*\{{|^\s*\{{[^}}]*\}}\s*:\s*$",
    ours=lambda source: (
        PurePosixPath(source.path).name != FLAKE and bool(_MODULE.search(source.text))
    ),
)
CONTAINER: Final = Phrases(
    kind="nixos",
    sections=(("serviceConfig", "Service"), ("unitConfig", "Unit")),
    read_by="it ends in the Nix store, which every user of the host reads",
    keep_in="a file that `serviceConfig.EnvironmentFile` names, from sops-nix or agenix",
    restart='add `systemd.services.ollama.serviceConfig.Restart = "on-failure"`; the module of '
    "NixOS sets none",
    restart_severity="info",
    start_limit="write `startLimitIntervalSec` beside `serviceConfig`",
)
"""Of a container of `virtualisation.oci-containers`, which has options of `podman run`."""
MODULE: Final = replace(
    CONTAINER,
    of_unit=".*",
    unit_no_swap='add `serviceConfig.MemorySwapMax = "0"`',
    memlock='add `serviceConfig.LimitMEMLOCK = "infinity"`',
)
"""Of a service, whose unit gets what `serviceConfig` says."""
