"""Dynamic configurations of Traefik, in YAML and TOML: the services that lead to an engine.

Traefik waits for ever, hands a stream on as it comes and the Host with it, unless somebody says
otherwise. Source: doc.traefik.io/traefik/reference/routing-configuration/http: load-balancing,
middlewares, router.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.around import Hop, Said
from generator.errors import ProfileError
from generator.meaning import parse_go_duration
from generator.readers.base import Context, Source, each, refused
from generator.readers.proxies import by_tls, is_api, made, on_loopback, public
from generator.readers.syntax.traefik import below, hosts_of, may_ask
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.readers.traefik import TRAEFIK, WORDS
from generator.records import dataclass, replace
from generator.units import whole
from generator.view import Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECOND: Final = 10**9
_STATIC: Final = ("traefik.yml", "traefik.yaml", "traefik.toml")
_WRITES: Final = re.compile(r"(?i)\bwriteTimeout\b")
_TURNS: Final = frozenset({"", "wrr"})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is neither YAML nor TOML."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    top = _of_toml(source) if source.path.endswith(".toml") else parse(source)
    if not isinstance(top, Table):
        raise refused(source.path, "", "is no configuration of Traefik", "write `http:`")
    entry = _entry(source, context)
    hops = (replace(hop, answer=hop.answer or entry) for hop in hops_of(top, context))
    return made(source, TRAEFIK, list(hops), (), context)


def _entry(source: Source, context: Context) -> Said | None:
    """Return the shortest time that an entry point gives an answer, of a static file beside."""
    folder = posixpath.dirname(source.path)
    for near in ("", ".."):
        for name in _STATIC:
            path = posixpath.normpath(posixpath.join(folder, near, name))
            text = context.read(path)
            if text and _WRITES.search(text):
                told = list(_written(Source(path, text)))
                return min(told, key=lambda said: said.value, default=None)
    return None


def _written(source: Source) -> Iterator[Said]:
    """Yield the times that entry points give an answer as a whole; a broken file has none."""
    try:
        top = _of_toml(source) if source.path.endswith(".toml") else parse(source)
    except ProfileError:
        return
    points = _under(top, "entryPoints") if isinstance(top, Table) else Table({}, Place("", 1))
    for name in points.entries:
        times = _under(_under(points.table(name), "transport"), "respondingTimeouts")
        scalar = times.scalar("writeTimeout")
        value = _seconds(scalar.text) if scalar else None
        if scalar is not None and value:
            yield Said(name="writeTimeout", value=value, place=_at(scalar, "writeTimeout"))


@dataclass(frozen=True, slots=True)
class _Http:
    """The part of a file about HTTP: the routers of each service, and the middlewares."""

    top: Table
    routers: dict[str, list[Table]]
    middlewares: Table
    kinds: dict[str, list[str]]
    """What each middleware does."""

    def asks(self, router: Table) -> bool:
        """Return whether a middleware of a router asks who comes, or may."""
        return any(may_ask(name, self.kinds) for name in _middlewares(router))


def _http(top: Table) -> _Http:
    routers: dict[str, list[Table]] = {}
    for name in top.table("routers").entries:
        router = top.table("routers", name)
        routers.setdefault(router.text("service").partition("@")[0], []).append(router)
    known = top.table("middlewares")
    kinds = {name: [*known.table(name).entries] for name in known.entries}
    return _Http(top, routers, known, kinds)


def hops_of(top: Table, context: Context) -> Iterator[Hop]:
    """Yield the ways to an engine: each service, by the routers that lead to it."""
    http = _http(top.table("http"))
    services = http.top.table("services")
    for name in services.entries:
        balancer = _under(services.table(name), "loadBalancer")
        servers = [one for one in balancer.items("servers") if isinstance(one, Table)]
        urls = [url for one in servers if (url := one.scalar("url") or one.scalar("URL"))]
        if any(is_api(url.text, context) for url in urls):
            yield _hop(http, name, balancer, urls, context)


def _under(table: Table, key: str) -> Table:
    """Return a table by its key, in whatever case: Traefik asks for none."""
    found = (name for name in table.entries if name.lower() == key.lower())
    return table.table(next(found, key))


def _hop(http: _Http, name: str, balancer: Table, urls: list[Scalar], context: Context) -> Hop:
    routers = http.routers.get(name, [])
    places = tuple(_at(url, "url") for url in urls)
    open_ = [found for router in routers if not http.asks(router) for found in _named(router)]
    hosts = [line for router in routers for line in _named(router)]
    passes = balancer.scalar("passHostHeader")
    kept = passes is None or passes.text.lower() != "false"
    check = _under(balancer, "healthCheck").scalar("path")
    return Hop(
        words=WORDS,
        place=places[0],
        answer=_answer(http.top, balancer),
        held=_held(http, routers),
        body=_body(http, routers),
        local=all(on_loopback(url.text) for url in urls),
        host=(hosts[0].value, hosts[0].place) if hosts and kept else None,
        names=tuple(dict.fromkeys(open_)),
        servers=places,
        unasked=() if check else places,
        probes=(("GET", check.text, _at(check, "path")),) if check else (),
        turns=_turns(balancer, places),
        beneath=_beneath(http, routers),
        by_tls=by_tls(((url.text, _at(url, "url")) for url in urls), context),
    )


def _beneath(http: _Http, routers: list[Table]) -> str:
    """Return the path of the one router that leads there, where it is handed on as it is."""
    if len(routers) != 1:
        return ""
    used = _middlewares(routers[0])
    kinds = (kind for name in used for kind in http.kinds.get(name.partition("@")[0], ()))
    return below(routers[0].text("rule"), (*used, *kinds))


def _turns(balancer: Table, places: tuple[Place, ...]) -> tuple[str, Place] | None:
    strategy = balancer.scalar("strategy")
    if len(places) < 2 or (strategy.text if strategy else "") not in _TURNS:  # noqa: PLR2004
        return None
    how = "`strategy` is `wrr`" if strategy else "`strategy` is not set"
    return how, _at(strategy, "strategy") if strategy else places[0]


def _at(scalar: Scalar, key: str) -> Place:
    return Place(scalar.place.file, scalar.place.line, key)


def _named(router: Table) -> Iterator[Any]:
    rule = router.scalar("rule")
    if rule is not None:
        yield from public(hosts_of(rule.text), "traefik", _at(rule, "rule"))


def _middlewares(router: Table) -> list[str]:
    return [one.text for one in router.items("middlewares") if isinstance(one, Scalar)]


def _of_kind(http: _Http, routers: Sequence[Table], kind: str) -> Iterator[Table]:
    for name in dict.fromkeys(one for router in routers for one in _middlewares(router)):
        told = http.middlewares.table(name.partition("@")[0])
        if any(key.lower() == kind for key in told.entries):
            yield _under(told, kind)


def _held(http: _Http, routers: Sequence[Table]) -> Said | None:
    for found in _of_kind(http, routers, "buffering"):
        place = Place(found.place.file, found.place.line, "buffering")
        return Said(name="buffering", value=1, place=place)
    return None


def _body(http: _Http, routers: Sequence[Table]) -> Said | None:
    for found in _of_kind(http, routers, "buffering"):
        most = found.scalar("maxRequestBodyBytes")
        value = whole(most.text) if most else None
        if most is not None and value:
            return Said(name="maxRequestBodyBytes", value=value, place=_at(most, most.text))
    return None


def _answer(http: Table, balancer: Table) -> Said | None:
    """Return the time that the transport of a service waits; Traefik has none by itself."""
    name = balancer.text("serversTransport").partition("@")[0]
    told = http.table("serversTransports", name, "forwardingTimeouts") if name else None
    scalar = told.scalar("responseHeaderTimeout") if told else None
    value = _seconds(scalar.text) if scalar else None
    if scalar is None or value is None:
        return None
    return Said(name="responseHeaderTimeout", value=value, place=_at(scalar, "timeout"))


def _seconds(text: str) -> float | None:
    try:
        return float(text) if text.isdigit() else parse_go_duration(text) / _SECOND
    except ValueError:
        return None


def _of_toml(source: Source) -> Node:
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refused(source.path, "", f"is not TOML: {error}", "mend the TOML syntax") from None
    return _node(data, source, 1)


def _node(value: Any, source: Source, line: int, key: str = "") -> Node:  # noqa: ANN401
    """Return a value of TOML as one of YAML, where it first stands in the text."""
    if isinstance(value, dict):
        entries = {name: _node(one, source, line, name) for name, one in value.items()}
        return Table(entries, Place(source.path, line, key))
    if isinstance(value, list):
        return Items(tuple(_node(one, source, line, key) for one in value),
                     Place(source.path, line, key))  # fmt: skip
    text = str(value).lower() if isinstance(value, bool) else str(value)
    wanted = re.escape(text.split("\n")[0])
    found = re.search(rf"(?mi)^[^#\n]*\b{re.escape(key)}\b[^#\n]*{wanted}", source.text)
    at = source.text.count("\n", 0, found.end()) + 1 if found else line
    return Scalar(text, Place(source.path, at, key))
