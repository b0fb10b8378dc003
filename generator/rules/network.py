"""HW4xx: who can reach the API."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from generator.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue import Catalogue
    from generator.plan import Plan
    from generator.profile import Profile


def reachable_from_outside(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW401: the API has no authentication."""
    try:
        local = ipaddress.ip_address(plan.listen.host).is_loopback
    except ValueError:
        local = plan.listen.host == "localhost"
    if not local:
        yield Finding(
            rule="HW401",
            severity="warning",
            message=f"the API listens on {plan.listen.host} and has no authentication",
            where="ollama.host",
            fix="listen on 127.0.0.1 behind a proxy that authenticates, or keep the network closed",
            link="docs/faq.mdx@v0.32.15",
        )
