"""What a consumer says it will run, in one shape for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Memlock = int | Literal["infinity"] | None


class ConsumerError(Exception):
    """The consumer refused the file or complained about it; the message is its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The service as its consumer has understood it.

    `environment` is the server's, without what Hostwright did not set. Memory is bytes; None
    is no limit, which consumers do not tell apart from `infinity`. `extra` holds what only one
    target has; each reader documents its keys.
    """

    environment: dict[str, str]
    restart: str
    cpu_quota_percent: int | None = None
    cpu_weight: int | None = None
    memory_max: int | None = None
    memory_high: int | None = None
    memory_swap_max: int | None = None
    limit_memlock: Memlock = None
    extra: dict[str, Any] = field(default_factory=dict)
