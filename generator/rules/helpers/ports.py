"""Ports that a container publishes, as its file writes them."""

from __future__ import annotations

from typing import Final

from generator.rules.helpers.containers import REFERENCE
from generator.units import whole

ALL_ADDRESSES: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 -- what we look for


def inside_of(text: str) -> tuple[str, str]:
    """Return address and container port of `[ADDRESS:][PORT:]PORT[/PROTOCOL]`; `?`: a variable."""
    plain = REFERENCE.sub(lambda match: match["default"] or "?", text.strip("\"' ")).split("/")[0]
    if plain.startswith("["):
        host, _, rest = plain[1:].partition("]")
        return host, rest.rpartition(":")[2]
    *before, inside = plain.split(":")
    return ":".join(before[:-1]), inside


def covers(inside: str, port: int) -> bool:
    """Return whether a port, or a range of them, has the one at which a program listens."""
    first, _, last = inside.partition("-")
    low, high = whole(first), whole(last or first)
    # What is not told is taken for it: nothing else is in the container.
    return low is None or high is None or low <= port <= high


def made_local(text: str) -> str:
    """Return the port on the loopback address; empty: the host port is left to the engine."""
    for everywhere, local in (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")):
        if text.startswith(everywhere):
            return text.replace(everywhere, local, 1)
    several = ":" in REFERENCE.sub("", text)
    return f"127.0.0.1:{text}" if several and inside_of(text)[0] == "" else ""
