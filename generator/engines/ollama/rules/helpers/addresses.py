"""OLLAMA_HOST: what the server listens on."""

from __future__ import annotations

import re
from typing import Final

SCHEMES: Final = {"http": 80, "https": 443}


def listens_on(value: str) -> str:
    """Return the host part of an OLLAMA_HOST: without scheme, port, path and brackets.

    Source: envconfig/config.go@v0.32.15:22-60.
    """
    rest = value.strip().strip("\"'").rpartition("://")[2].partition("/")[0]
    if rest.startswith(":") and rest.count(":") == 1:
        return "every address"
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.partition(":")[0] if rest.count(":") == 1 else rest


def port_of(value: str, default: int) -> int:
    """Return the port of an OLLAMA_HOST; a scheme without a port has its own. Source: as above."""
    scheme, _, rest = value.strip().strip("\"'").rpartition("://")
    port = re.search(r":(\d+)$", rest.partition("/")[0].rpartition("]")[2], re.ASCII)
    return int(port[1]) if port else SCHEMES.get(scheme, default)
