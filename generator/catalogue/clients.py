"""What is known of programs that ask a server: a record as those of `records`."""

from __future__ import annotations

from generator.records import dataclass


@dataclass(frozen=True, kw_only=True, eq=False)
class ClientFact:
    """A client: where it comes from, and the release whose configuration is known."""

    name: str
    product: str
    package: str
    release: str
    port: int = 0
    source: str
