"""NixOS modules: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from generator.engines import READ, load_signs
from generator.readers.signs import Signs
from generator.view import Phrases

FLAKE: Final = "flake.nix"
"""Puts modules together, and is none."""
_ENGINES: Final = "|".join(READ)
_COMMANDS: Final = "|".join(" ".join(load_signs(name).command) for name in READ)
_SETS: Final = re.compile(
    rf"\b(?:services|containers|daemons|agents)\.\"?(?:{_ENGINES})\b"
    rf"|^[ \t]*\"?(?:{_ENGINES})\"?(?:\.[\w-]+)*\s*="
    r"|^[ \t]*(?:[\w.]*\bservices\.)?open-webui(?:\.[\w-]+)*\s*="
    rf"|[\"/](?:{_ENGINES})[\w./@-]{{0,100}}\"(?:\.(?:text|source))?[ \t]*="
    rf"|\b(?:proxyPass|proxy_pass|reverse_proxy|url)\b[^\n]{{0,100}}(?:{_ENGINES}|:11434)"
    rf"|\b(?:{_COMMANDS})\b|[\"/=](?:{_ENGINES})/(?:{_ENGINES})\b|/(?:{_ENGINES}):\w",
    re.MULTILINE,
)
_WHERE: Final = re.compile(
    r"\b(?:services|containers|launchd|systemd\.units|etc|configFile|home\.file)\b"
)
_HEAD: Final = re.compile(r"^[ \t]*\{[^{}\n]{0,400}\}[ \t]*:[ \t]*$", re.MULTILINE)


SIGNS: Final = Signs(
    sure=frozenset({".nix"}),
    content=rf"(?m)\bservices\.(?:{_ENGINES})\b|\bservices\s{{0,20}}=\s{{0,20}}\{{|{_HEAD.pattern}",
    ours=lambda source: bool(_WHERE.search(source.text) and _SETS.search(source.text)),
)
CONTAINER: Final = Phrases(
    kind="nixos",
    sections=(("serviceConfig", "Service"), ("unitConfig", "Unit")),
    read_by="it ends in the Nix store, which every user of the host reads",
    keep_in="a file that `serviceConfig.EnvironmentFile` names, from sops-nix or agenix",
    start_limit="write `startLimitIntervalSec` beside `serviceConfig`",
)
"""Of a container of `virtualisation.oci-containers`, which has options of `podman run`."""
MODULE: Final = replace(
    CONTAINER,
    directives=True,
    firewalled=True,
    one_backend=True,
    sandboxed=True,  # nixos/modules/services/misc/ollama.nix
    of_unit=".*",
    unit_no_swap='add `serviceConfig.MemorySwapMax = "0"`',
    memlock='add `serviceConfig.LimitMEMLOCK = "infinity"`',
)
"""Of a service, whose unit gets what `serviceConfig` says."""
UNIT: Final = replace(MODULE, sandboxed=False, restart='add `serviceConfig.Restart = "always"`')
"""Of a unit that somebody writes under `systemd.services`, without the module for the service."""
HOME_MODULE: Final = replace(UNIT, reader="Home Manager", restart="")
"""Of home-manager, which has a module of its own."""
OF_USER: Final = replace(
    CONTAINER,
    sections=(*CONTAINER.sections, *((name, name) for name in ("Unit", "Service", "Install"))),
    directives=True,
    of_unit=".*",
    unit_no_swap=MODULE.unit_no_swap,
    restart='add `Restart = "always"` beside `ExecStart`',
)
"""Of a unit of a user, which Home Manager writes section by section."""
