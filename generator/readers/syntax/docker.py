"""Limits and published ports as Docker reads them; None is no limit.

Those of limits raise ValueError, `what; what to do`, for what is none.
"""

from __future__ import annotations

import re
from typing import Final

from generator.errors import shortened
from generator.units import EVERYWHERE, SHARES_PER_WEIGHT

_SIZE: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?", re.I | re.A)
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?", re.I | re.A)
_MOST: Final = 2**63
_CPUS: Final = re.compile(r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*", re.A)


def size(text: str) -> int:
    """Return the bytes of a size as Docker reads it: `20g`, `1.5GiB`, `512m`, `1073741824`.

    Every suffix is binary. Raises ValueError. Source: docker/go-units, RAMInBytes.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is no size; write it like `20g`")
    scale = 1024 ** " kmgtp".index((match[2] or " ").lower())
    return int(_bounded(float(match[1]) * scale, text))


def memory(text: str) -> int | None:
    """Return the bytes of a limit, which 0 and -1 lift."""
    return None if text == "-1" else size(text) or None


def number(text: str) -> float:
    """Return a number, whole or not."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"`{text}` is no number; write one like `4`")
    return _bounded(float(text), text)


def _bounded(value: float, text: str) -> float:
    if abs(value) >= _MOST:
        raise ValueError(f"`{shortened(text)}` is more than any machine has; write less")
    return value


def whole(text: str) -> int:
    """Return a whole number."""
    value = number(text)
    if value != int(value):
        raise ValueError(f"`{text}` is no whole number; write one")
    return int(value)


def count(text: str) -> int | None:
    """Return a number of things, which 0 and -1 lift."""
    return max(whole(text), 0) or None


def cpus(text: str) -> int | None:
    """Return the percent of one CPU, which 0 lifts."""
    return max(round(number(text) * 100), 0) or None


def weight(text: str) -> int | None:
    """Return shares of CPU time as a weight, of which 100 is the default; 0 is no word."""
    shares = number(text)
    return max(1, round(shares / SHARES_PER_WEIGHT)) if shares > 0 else None


def cpu_list(text: str) -> str:
    """Return a list of CPUs or of NUMA nodes."""
    if not _CPUS.fullmatch(text):
        raise ValueError(f"`{text}` is no list of CPUs; write it like `0-11,24`")
    return text


def locked(text: str) -> int | None:
    """Return the bytes that may be locked: a `soft` limit, or `soft:hard`."""
    soft = text.partition(":")[0]
    return None if soft in {"-1", "unlimited"} else whole(soft)


_PUBLISHED: Final = re.compile(r"(?:(\[[^\]]*\]|[\d.]+):)?(\d{1,5}):\d{1,5}(?:/tcp)?", re.ASCII)


def on_host(text: str) -> tuple[str, str] | None:
    """Return the address, empty for all, and the number of a TCP port of the host."""
    found = _PUBLISHED.fullmatch(text)
    if found is None:
        return None  # It is another protocol, or told elsewhere.
    host = (found[1] or "").strip("[]")
    return "" if host in EVERYWHERE else host, found[2]
