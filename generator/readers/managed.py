"""Servers that a manager of processes starts, in a container or on a host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.view import Container

if TYPE_CHECKING:
    from generator.view import Place, View

_UNTOLD: Final = "untold"


def managed(view: View, place: Place, *, ends: bool, inside: bool) -> View:
    """Return the View of a server; `ends`: at `place` it is said that nothing starts it again.

    `inside`: it is in a container, of which whoever runs that tells what is published, and where
    the models are.
    """
    if not inside:
        return replace(view, starts=place if ends else None)
    box = Container(image="", place=place, digest=True, restart="" if ends else _UNTOLD)
    return replace(view, container=box)
