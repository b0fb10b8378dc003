"""Configurations of Alertmanager: which alerts go to whom, and what it refuses.

It reads its file strictly: one key that it does not know, and it does not start. Source:
config/config.go, notify/*/config.go@v0.34.0 (prometheus/alertmanager).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.around import Alerting, Receiver, Route, Way
from generator.readers.alertmanager import ALERTMANAGER
from generator.readers.base import Context, Source, each, made_for, refused
from generator.readers.syntax.literally import taken_as_it_stands
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.view import Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEEPEST: Final = 6
_CONFIGS: Final = "_configs"
_TIMES: Final = ("group_wait", "group_interval", "repeat_interval")
_MATCHES: Final = ("match", "match_re", "matchers")
_ADDRESSES: Final = ("url", "webhook_url", "api_url")
_COMPOSE: Final = re.compile(r"(?:docker-|podman-)?compose[\w.-]*\.ya?ml")
_BOXED: Final = re.compile(r"\bimage:[ \t]*[\"']?(?:\S*/)?alertmanager[:@\"'\s]")
_SHARED: Final = re.compile(r"network_mode:[ \t]*[\"']?(?:host|service|container)")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is no configuration."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    top = parse(source)
    if not isinstance(top, Table):
        message, hint = "is no configuration of Alertmanager", "write `route` and `receivers`"
        raise refused(source.path, "", message, hint)
    return context.view(
        ALERTMANAGER,
        context.release_for(),
        name=posixpath.basename(source.path),
        place=Place(source.path),
        adds=True,
        keys=tuple(keys_of(top)),
        lines=tuple(taken_as_it_stands(top, source, context)),
        alerting=alerting_of(top, source, context),
    )


def alerting_of(top: Table, source: Source, context: Context) -> Alerting:
    """Return who is told of which alerts."""
    return Alerting(
        receivers=tuple(_receivers(top)),
        routes=tuple(_routes(top.table("route"), 0)) if "route" in top.entries else (),
        given=frozenset(name for name, node in top.table("global").entries.items() if _has(node)),
        periods=frozenset(
            one.text("name")
            for key in ("time_intervals", "mute_time_intervals")
            for one in top.items(key)
            if isinstance(one, Table)
        ),
        place=Place(source.path, 1),
        boxed=_boxed(source.path, context),
        begun=bool(made_for([source])),
    )


def _has(node: Node) -> bool:
    return not isinstance(node, Scalar) or (node.kind != "null" and bool(node.text))


def _receivers(top: Table) -> Iterator[Receiver]:
    for one in top.items("receivers"):
        if isinstance(one, Table):
            name = one.scalar("name")
            place = _at(name, "name") if name else one.place
            yield Receiver(name=name.text if name else "", place=place, ways=tuple(_ways(one)))


def _ways(receiver: Table) -> Iterator[Way]:
    for key in receiver.entries:
        if not key.endswith(_CONFIGS):
            continue
        for item in receiver.items(key):
            given = item.entries if isinstance(item, Table) else {}
            told = frozenset(name for name, node in given.items() if _has(node))
            address = next((a for n in _ADDRESSES if (a := _scalar(given.get(n)))), None)
            yield Way(
                kind=key.removesuffix(_CONFIGS),
                place=item.place if isinstance(item, Table) else receiver.place_of(key),
                given=told,
                address=(address.text, _at(address, "url")) if address else None,
            )


def _scalar(node: Node | None) -> Scalar | None:
    return node if isinstance(node, Scalar) and node.text else None


def _routes(route: Table, depth: int) -> Iterator[Route]:
    receiver = route.scalar("receiver")
    continues = route.scalar("continue")
    yield Route(
        receiver=receiver.text if receiver else "",
        place=_at(receiver, "receiver") if receiver else route.place,
        root=depth == 0,
        matches=next((_key(route, key) for key in _MATCHES if _filled(route.get(key))), None),
        goes_on=_at(continues, "continue") if continues and continues.is_true else None,
        times=tuple(_times(route)),
        grouped=tuple(_texts(route, "group_by")),
        muted=(
            *_texts(route, "mute_time_intervals"),
            *_texts(route, "active_time_intervals"),
        ),
    )
    for one in route.items("routes") if depth < _DEEPEST else ():
        if isinstance(one, Table):
            yield from _routes(one, depth + 1)


def _filled(node: Node | None) -> bool:
    return bool(node.entries if isinstance(node, Table) else isinstance(node, Items) and node.items)


def _key(table: Table, key: str) -> Place:
    place = table.place_of(key)
    return Place(place.file, place.line, key)


def _times(route: Table) -> Iterator[tuple[str, str, Place]]:
    for key in _TIMES:
        scalar = route.scalar(key)
        if scalar is not None:
            yield key, scalar.text, _at(scalar, key)


def _texts(route: Table, key: str) -> Iterator[tuple[str, Place]]:
    for one in route.items(key):
        if isinstance(one, Scalar):
            yield one.text, _at(one, key)


def _at(scalar: Scalar, key: str) -> Place:
    return Place(scalar.place.file, scalar.place.line, key)


def _boxed(path: str, context: Context) -> bool:
    """Return whether it runs in a container with a network of its own, as Compose beside says."""
    folder = posixpath.dirname(path)
    for above in ("", "..", "../.."):
        place = posixpath.normpath(posixpath.join(folder, above, "compose.yaml"))
        for file in context.listed(place):
            if _COMPOSE.fullmatch(posixpath.basename(file)):
                text = context.read(file) or ""
                if _BOXED.search(text):
                    return _SHARED.search(text) is None
    return False
