"""OLLAMA_HOST taken apart, and what can be bound."""

from __future__ import annotations

import ipaddress
from typing import Final

from generator.meaning import parts_of
from generator.rules.helpers.ports import ALL_ADDRESSES

_RESERVED: Final = 240
_BROADCAST: Final = "255.255.255.255"  # Linux binds it.
EVERY: Final = "every address"


def listens_on(value: str) -> str:
    """Return the host that an OLLAMA_HOST names, without brackets."""
    _, host, port, _ = parts_of(value)
    return EVERY if port is not None and not host else host.strip("[]")


def is_nobodys(host: str) -> bool:
    """Return whether no machine can have it: 0.0.0.0/8 but for 0.0.0.0, and 240.0.0.0/4."""
    if not is_address(host) or ":" in host or host in ALL_ADDRESSES:
        return False
    first = int(host.partition(".")[0])
    return first == 0 or (first >= _RESERVED and host != _BROADCAST)


def is_of_a_mesh(host: str) -> bool:
    """Return whether it is an address of Tailscale, whose machines are let in one by one.

    Those of other tunnels look like any private network.
    """
    if not is_address(host):
        return False
    address = ipaddress.ip_address(host.partition("%")[0])
    return any(address in one for one in _MESHES)


_MESHES: Final = (
    ipaddress.ip_network("100.64.0.0/10"),
    ipaddress.ip_network("fd7a:115c:a1e0::/48"),
)


def is_address(text: str) -> bool:
    """Return whether a host is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
