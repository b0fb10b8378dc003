"""Rules of routers of Traefik, as labels and resources of Kubernetes have them."""

from __future__ import annotations

import re
from typing import Final

_HOST: Final = re.compile(r"\bHost\(\s*[`'\"]([^`'\"]+)[`'\"]")


def host_of(rule: str) -> str:
    """Return the first name that a rule is for; empty: it has none."""
    found = _HOST.search(rule)
    return found[1] if found else ""
