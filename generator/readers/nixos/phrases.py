"""How NixOS modules say what rules speak of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.view import Phrases

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
