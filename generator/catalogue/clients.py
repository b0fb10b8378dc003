"""What is known of programs that ask a server: a record as those of `records`."""

from __future__ import annotations

from generator.records import dataclass


@dataclass(frozen=True, kw_only=True, eq=False)
class ClientFact:
    """A client: where it comes from, and the release whose configuration is known.

    `login` is the variable that lets anybody in unless it is `true`, or one of `trusts` names the
    header by which a proxy says who comes. `listens` is the one that has it listen on another port.
    `key` is the one without which anybody is let in, where no file of its own says more.
    `gone` are names that it does not read, each beside the one that it reads, from its release
    `gone_since` on at the latest.
    """

    name: str
    product: str
    package: str
    release: str
    port: int = 0
    login: str = ""
    trusts: tuple[str, ...] = ()
    listens: str = ""
    key: str = ""
    gone_since: str = ""
    gone: tuple[tuple[str, str], ...] = ()
    source: str
