"""OLLAMA_HOST taken apart, and what can be bound."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from generator.engines.ollama.rules.helpers.values import cleaned
from generator.units import whole

ALL_ADDRESSES: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 -- what we look for
_RESERVED: Final = 240
_BROADCAST: Final = "255.255.255.255"  # Linux binds it.
EVERY: Final = "every address"
SCHEMES: Final = {"http": 80, "https": 443}


def parts_of(value: str) -> tuple[str, str, str | None, str]:
    """Return scheme, host, port and path of an OLLAMA_HOST; the port is None where there is none.

    As to Go's net.SplitHostPort, more than one colon without brackets is no port; brackets stay.
    Source: envconfig/config.go@v0.32.15:22-60.
    """
    scheme, _, rest = cleaned(value).strip().rpartition("://")
    rest, _, path = rest.partition("/")
    if bracketed := re.fullmatch(r"(\[[^\]]*\])(?::(.*))?", rest):
        return scheme, bracketed[1], bracketed[2], path
    host, colon, port = rest.partition(":")
    return (scheme, rest, None, path) if ":" in port or not colon else (scheme, host, port, path)


def listens_on(value: str) -> str:
    """Return the host that an OLLAMA_HOST names, without brackets."""
    _, host, port, _ = parts_of(value)
    return EVERY if port is not None and not host else host.strip("[]")


def port_of(value: str, default: int) -> int:
    """Return the port of an OLLAMA_HOST; a scheme without a port has its own."""
    scheme, _, port, _ = parts_of(value)
    number = whole(port or "")
    return SCHEMES.get(scheme, default) if number is None else number


def is_nobodys(host: str) -> bool:
    """Return whether no machine can have it: 0.0.0.0/8 but for 0.0.0.0, and 240.0.0.0/4."""
    if not is_address(host) or ":" in host or host in ALL_ADDRESSES:
        return False
    first = int(host.partition(".")[0])
    return first == 0 or (first >= _RESERVED and host != _BROADCAST)


def is_address(text: str) -> bool:
    """Return whether a host is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
