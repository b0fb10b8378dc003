"""What readers ask of an engine: how its server, its clients and its files are recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    def is_image(self, repository: str) -> bool:
        """Whether this is its own image, or somebody's build of the same name."""
        return repository.rpartition("/")[2] == self.name
