"""The options of NixOS for a front: `services.haproxy`, and what its unit is handed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.formats.nix import Call, Lines
from generator.formats.text import Commented
from generator.formats.unit import specifier_escape
from generator.targets.front.config import front_on_host

if TYPE_CHECKING:
    from generator.front import Front
    from generator.plan import Plan


def nixos_options(plan: Plan) -> dict[tuple[str, ...], Any]:
    """Return the options by their paths."""
    front = plan.front
    if front is None:
        return {}
    own: dict[str, Any] = {"TimeoutStopSec": front.drain_seconds + 5}
    if front.secrets:
        loaded = [specifier_escape(f"{one.name}:{one.path}") for one in front.secrets]
        own["LoadCredential"] = Commented(loaded, " ".join(one.reason for one in front.secrets))
    if front.kind == "haproxy":
        own["KillSignal"] = Commented("SIGUSR1", "It ends with the last answer that it has begun.")
    options = {"haproxy": _haproxy, "caddy": _caddy}[front.kind](plan, front)
    return {
        ("services", front.kind): options,
        # Whole, so that nothing of the unit is left where the server is switched off.
        ("systemd", "services", front.kind): {"serviceConfig": own},
    }


def _haproxy(plan: Plan, front: Front) -> dict[str, Any]:
    text = front_on_host(plan, front, "", socket="/run/haproxy/admin.sock").text
    return {"enable": Commented(_YES, front.reason), "config": Lines(text)}


def _caddy(plan: Plan, front: Front) -> dict[str, Any]:
    text = re.sub(r"^\t+", _spaces, front_on_host(plan, front, "").text, flags=re.M)
    return {
        "enable": Commented(_YES, front.reason),
        "adapter": "caddyfile",
        "configFile": Call('pkgs.writeText "Caddyfile"', Lines(text)),
        "enableReload": Commented(_NO, "It takes no commands: it is started again."),
    }


def _spaces(tabs: re.Match[str]) -> str:
    """Return spaces in place of tabs, which no Nix is laid out with."""
    return "  " * len(tabs[0])


_YES: Final = True
_NO: Final = False
