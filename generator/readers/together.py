"""What files of one check say of each other: models that a gateway offers, and a quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import View


def together(views: Sequence[View]) -> list[View]:
    """Return the Views, those of gateways and of queries with what servers beside them have."""
    servers = [view for view in views if _is_server(view)]
    if not servers or len(servers) == len(views):
        return [*views]
    return [_beside(view, servers) for view in views]


def _is_server(view: View) -> bool:
    around = (view.hops, view.gateway, view.watched)
    return not any(around) and (view.container is not None or view.starts is not None)


def _beside(view: View, servers: Sequence[View]) -> View:
    if view.gateway is not None:
        there = {name for server in servers for name in _names(server)}
        view = replace(view, gateway=replace(view.gateway, there=frozenset(there)))
    if view.watched is not None:
        bounded = any(server.bound("cpu_quota") is not None for server in servers)
        view = replace(view, watched=replace(view.watched, bounded=bounded))
    return view


def _names(server: View) -> set[str]:
    """Return the models that a server gets, with the tag that counts where none is said."""
    told = (one.name for one in server.models if one.pulled or one.made)
    return {name if ":" in name else f"{name}:latest" for name in told}
