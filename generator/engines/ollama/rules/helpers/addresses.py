"""OLLAMA_HOST taken apart, and what can be bound."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from generator.engines.ollama.rules.helpers.values import cleaned
from generator.units import whole

ALL_ADDRESSES: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 -- what we look for
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
    return "every address" if port is not None and not host else host.strip("[]")


def port_of(value: str, default: int) -> int:
    """Return the port of an OLLAMA_HOST; a scheme without a port has its own."""
    scheme, _, port, _ = parts_of(value)
    number = whole(port or "")
    return SCHEMES.get(scheme, default) if number is None else number


def is_nobodys(host: str) -> bool:
    """Return whether it is in the network of 0.0.0.0, of which that one alone can be bound."""
    return is_address(host) and host.startswith("0.") and host not in ALL_ADDRESSES


def is_address(text: str) -> bool:
    """Return whether a host is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
