"""What readers ask of an engine: how its server, its clients and its files are recognised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_BESIDE: Final = re.compile(
    r"(?i)(?:^|[-_.])(?:(?:open-?)?web-?ui|ui|exporter|proxy|gateway|router|balancer|lb|metrics"
    r"|client|cli|nginx|caddy|mcp|bot|init|puller|loader|frontend|backend|app)(?:$|[-_.])"
    r"|web-?ui"
)
"""Words in the names of images that are set beside a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """A resource of Kubernetes of which an operator makes a server, on a template of its own.

    Its `container` is the server. A shell reads its arguments once more, behind those of the
    variable `more`; `options` are what keys below `spec` become.
    """

    kind: str
    container: str
    more: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The signs of one engine: `SIGNS` of `engines/<name>/signs.py`. Patterns are of `re`.

    `name` is that of its program, unit, image, chart and NixOS module; `command` starts the server;
    `prefixes` begin the names of its own variables, `address` is the one that it listens on.
    `mentioned` matches the text or the directory of every file about it, `asks` a command of a
    client, `client` the same where the program may be left out, `api_call` a request in a script,
    with verb and model, `builds` the last part of an image that somebody has built of it.
    """

    name: str
    command: tuple[str, ...]
    prefixes: tuple[str, ...]
    address: str
    mentioned: str
    asks: str
    client: str
    api_call: str
    builds: str
    verbs: frozenset[str]
    """What its program is told to do with a model."""
    valued: frozenset[str]
    """Options of its program that take the next word as their value."""
    chart_keys: frozenset[str]
    """Keys that only its chart has below `name`."""
    nixos_variables: Mapping[str, str]
    """Options of its NixOS module, and the variable that each becomes."""
    nixos_overwritten: frozenset[str]
    """Variables that its NixOS module sets itself, whatever else is said."""
    nixos_address: tuple[str, int]
    module: str = ""
    """The module of Python that is its server as well: `python -m …`."""
    images: frozenset[str] = frozenset()
    """The last parts of its own images, where these have another name than it."""
    kinds: frozenset[str] = frozenset()
    """The kinds of file in which its servers are looked for; empty: all."""
    operated: Operated | None = None
    """The resource of which an operator makes its server; none: there is no such."""
    wrapper_keys: frozenset[str] = frozenset()
    """Keys at the top of a chart that has its chart below `name`."""
    wrapper: str = ""
    """A chart that has its chart as a part, which is on unless told otherwise."""
    chart_place: str = r"(?!)"
    """Where its chart is kept: a part of the address of that repository."""
    used: str = r"(?!)"
    """A text that sets, starts or asks it, whatever kind of file that is."""
    forks: str = r"(?!)"
    """Images of forks, which read names that the engine does not."""
    forked: str = ""
    """The newest release that one of them is made of."""
    of_forks: str = r"(?!)"
    """Names of variables that a fork alone reads."""
    brings: str = r"(?!)"
    """An image of an application that has the server in it, and starts it."""
    installs: str = r"(?!)"
    """A command that installs its program."""
    installer: str = r"(?!)"
    """One that makes its user as well, and leaves its service running."""
    gone: str = r"(?!)"
    """A download of its newest release that is not there any more; its name is a group."""
    installed: str = ""
    """The variable that tells its installer which release to install."""
    api: str = r"(?!)"
    """An address, `host:port` or less, at which its API is asked."""
    application: str = r"(?!)"
    """Names of variables that applications have for its address or a model, and it never reads."""

    @property
    def by_arguments(self) -> bool:
        """Whether its server is told all behind its name, and nothing else is asked of it."""
        return not self.verbs

    def is_image(self, repository: str) -> bool:
        """Whether this is its own image, or somebody's build of the same name."""
        return repository.rpartition("/")[2] in (self.images or {self.name})

    def starts(self, words: Sequence[str]) -> int:
        """Return how many words start the server: those of `command`, or of its module; 0: none.

        What runs them, as `env` or a script, may stand before.
        """
        program, *rest = self.command
        for at, word in enumerate(words):
            base, behind = word.rpartition("/")[2], [*words[at + 1 : at + 3]]
            if base == program and behind[: len(rest)] == rest:
                return at + 1 + len(rest)
            if self.module and base.startswith("python") and behind == ["-m", self.module]:
                return at + 3
        return 0

    def is_named_after(self, repository: str) -> bool:
        """Whether an image has its name as a part of its own, and is none of what stands beside.

        With its port, or its directory, that is a server which somebody has built.
        """
        base = repository.rpartition("/")[2]
        return self._is_part_of(base) and not _BESIDE.search(base)

    def is_build(self, repository: str, *, called: bool) -> bool:
        """Whether somebody has built it of this server; `called`: the service has its name."""
        base = repository.rpartition("/")[2]
        return re.fullmatch(self.builds, base) is not None or (called and self._is_part_of(base))

    def _is_part_of(self, base: str) -> bool:
        return re.search(rf"(?:^|[-_.]){re.escape(self.name)}(?:$|[-_.])", base) is not None
