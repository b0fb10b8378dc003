"""The options of NixOS for a front: `services.haproxy`, and what its unit is handed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.formats.nix import Lines
from generator.formats.text import Commented
from generator.formats.unit import specifier_escape
from generator.targets.front.config import front_on_host

if TYPE_CHECKING:
    from generator.plan import Plan


def nixos_options(plan: Plan) -> dict[tuple[str, ...], Any]:
    """Return the options by their paths."""
    front = plan.front
    if front is None:
        return {}
    text = front_on_host(plan, front, "", socket="/run/haproxy/admin.sock").text
    own: dict[str, Any] = {
        "KillSignal": Commented("SIGUSR1", "It ends with the last answer that it has begun."),
        "TimeoutStopSec": front.drain_seconds + 5,
    }
    if front.secrets:
        loaded = [specifier_escape(f"{one.name}:{one.path}") for one in front.secrets]
        own["LoadCredential"] = Commented(loaded, " ".join(one.reason for one in front.secrets))
    config = Lines(text)
    haproxy = {"enable": Commented(True, front.reason), "config": config}
    return {
        ("services", "haproxy"): haproxy,
        ("systemd", "services", "haproxy", "serviceConfig"): own,
    }
