"""What files of one check say of each other: models that a gateway offers, a quota, a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.rivals import with_rivals
from generator.records import replace
from generator.view import SHARES, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import View


def together(views: Sequence[View]) -> list[View]:
    """Return the Views with what servers beside them have: of a gateway, a query, or a card."""
    views = with_rivals(_with_sharers(views))
    servers = [view for view in views if _is_server(view)]
    if not servers or len(servers) == len(views):
        return [*views]
    return [_beside(view, servers) for view in views]


def _with_sharers(views: Sequence[View]) -> list[View]:
    """Return the Views, servers of a project with those of their engine on the same first card."""
    cards: dict[tuple[str, str, str], list[View]] = {}
    for view in views:
        if card := _first_card(view):
            cards.setdefault((view.place.file, view.engine, card), []).append(view)
    several = {id(view): group for group in cards.values() if len(group) > 1 for view in group}
    return [_sharing(view, several[id(view)]) if id(view) in several else view for view in views]


def _sharing(view: View, group: Sequence[View]) -> View:
    lines = (
        Line(section=SHARES, name=one.name, value="\n".join(_words(one)), place=one.place)
        for one in group[:_MOST_SHARERS]
        if one is not view
    )
    return replace(view, lines=(*view.lines, *lines))


_MOST_SHARERS: Final = 20  # no card has room for as many servers


def _words(view: View) -> list[str]:
    told = view.commands[0].words if view.commands else ()
    return [word for word, _ in (told or (view.container.arguments if view.container else ()))]


def _first_card(view: View) -> str:
    """Return the first GPU that a container of a project sees; empty: nobody knows, or none.

    Of a number of them Docker hands in the first ones. A service with profiles may never run
    beside another one.
    """
    box = view.container
    if view.phrases.kind != "compose" or box is None or not box.gpu_access or box.gpu_also:
        return ""
    chosen = view.variable("CUDA_VISIBLE_DEVICES") or view.variable("NVIDIA_VISIBLE_DEVICES")
    loose = view.adds or any(line.name in {"profiles", "extends"} for line in view.lines)
    if loose or box.gpu_access == "devices" or chosen is not None:
        return ""
    if not box.gpus and any("device_ids" in f"{one.section}.{one.name}" for one in view.lines):
        return ""  # A variable chooses.
    first = box.gpus[0].rpartition("=")[2] if box.gpus else "0"
    return "" if "$" in first else "0" if first == "all" else first


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
