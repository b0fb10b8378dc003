"""Configurations of nginx: each place that hands requests on to an engine, with what it inherits.

A setting of `http` holds in its servers, one of a server in its locations, until another one is
said. Source: nginx.org/en/docs/http/ngx_http_proxy_module.html and ngx_http_core_module.html.
"""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.around import Hop, Said
from generator.readers.base import Context, Source, each
from generator.readers.nginx import NGINX, WORDS
from generator.readers.proxies import (
    beneath,
    by_tls,
    fault,
    generates,
    is_api,
    made,
    on_loopback,
    public,
    some,
    streams,
)
from generator.readers.syntax.nginx import Directive, parse
from generator.readers.taken import taken
from generator.view import NotJudged, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TIME: Final = re.compile(r"(?:(\d{1,9})(ms|[smhdwMy]?)\s*)+")
_TERM: Final = re.compile(r"(\d{1,9})(ms|[smhdwMy]?)")
_UNITS: Final = {"ms": 1e-3, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800,
                 "M": 2592000, "y": 31536000}  # fmt: skip
_SIZE: Final = re.compile(r"(\d{1,12})([kKmMgG]?)")
_SIZES: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_ASKS: Final = re.compile(
    r"auth_\w+|allow|deny|ssl_verify_client|access_by_lua\w*|js_access|satisfy|internal|oauth2\w*"
)
_COMPARED: Final = re.compile(r"authorization|cookie|token|key|secret|remote_addr|api|auth", re.I)
_HARMLESS: Final = re.compile(r".*(?:mime\.types|modules-enabled/.*|fastcgi_params|\bssl[\w.-]*)")
_CLIENTS: Final = re.compile(r"\$(?:\{)?(?:host|http_host|server_name)\b.*")
_CHOOSES: Final = re.compile(r"least_\w+|ip_hash|hash|random|sticky|balancer_by_lua\w*")
_DEEPEST: Final = 5
_PAGES: Final = re.compile(r"(?i)(?:open|ollama)[-_]?(?:web[-_]?)?ui(?:[-_.][\w.-]+)?(?::\d+)?")
_PASSES: Final = frozenset({"proxy_pass", "grpc_pass"})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is none of nginx's."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    try:
        top = parse(source.text)
    except ValueError as error:
        raise fault(source, error, "configuration of nginx") from None
    file = _File(source, context, top)
    return made(source, NGINX, some(file.hops(), source.path, file.gaps), file.gaps, context)


def hops_of(
    top: Sequence[Directive], source: Source, context: Context
) -> tuple[list[Hop], list[NotJudged]]:
    """Return the ways to an engine that directives make, and what of them is not followed."""
    file = _File(source, context, top)
    return some(file.hops(), source.path, file.gaps), file.gaps


_PORT: Final = re.compile(r"(?:(?:0\.0\.0\.0|\*|\[::\]):)?(\d{1,5})")
"""What a server listens on that others reach."""


def opened(source: Source, context: Context) -> tuple[set[str], set[str]] | None:
    """Return the ports at which servers listen, and those that lead anybody to an engine.

    None: not all of it is at hand.
    """
    try:
        file = _File(source, context, parse(source.text))
    except ValueError:
        return None
    listens, free = set[str](), set[str]()
    for server in (one for one in _every(file.top) if one.name == "server" and one.block):
        words = [one.words[0] for one in server.all("listen") if one.words] or ["80"]
        ports = {found[1] for word in words if (found := _PORT.fullmatch(word))}
        listens |= ports
        leads = any(not hop.page for hop in file.hops_in(server))
        if leads and not file.asks_within(server):
            free |= ports
    barred = _asks((Directive("", (), 0, file.top),)) or any(
        _asks((one,)) for one in file.top if one.name == "http"
    )
    return None if file.gaps else (listens, set() if barred else free)


class _File:
    def __init__(self, source: Source, context: Context, top: Sequence[Directive]) -> None:
        self.path, self.context = source.path, context
        self.gaps: list[NotJudged] = []
        self.top = self._put_in(top, source.path, 0)
        self.pools: dict[str, Directive] = {}
        self.variables: dict[str, str] = {}
        for one in _every(self.top):
            if one.name == "upstream" and one.words:
                self.pools.setdefault(one.words[0], one)
            elif one.name == "set" and len(one.words) > 1:
                self.variables[one.words[0]] = one.words[1]
        self._seen: dict[int, _Inside] = {}

    def _inside(self, block: Directive) -> _Inside:
        """Return what a block says, looked through once for all places within."""
        found = self._seen.get(id(block))
        if found is None:
            found = self._seen[id(block)] = _Inside(block)
        return found

    def _said(self, above: tuple[Directive, ...], name: str) -> Directive | None:
        """Return the directive that counts in the innermost of the blocks."""
        told = (self._inside(block).named.get(name) for block in reversed(above))
        return next((found[-1] for found in told if found), None)

    def _put_in(self, block: Sequence[Directive], by: str, depth: int) -> tuple[Directive, ...]:
        """Return directives with those of the files that they include in their places."""
        found: list[Directive] = []
        for one in block:
            if one.name == "include" and one.words and not _HARMLESS.fullmatch(one.words[0]):
                found += self._included(one, by, depth)
            else:
                file = "" if by == self.path else by
                inner = self._put_in(one.block, by, depth)
                found.append(replace(one, block=inner, file=one.file or file))
        return tuple(found)

    def _included(self, one: Directive, by: str, depth: int) -> list[Directive]:
        sources = taken(one.words[0], by, self.context) if depth < _DEEPEST else []
        if not sources:
            self._missed(one, by)
        found: list[Directive] = []
        for source in sources:
            try:
                found += self._put_in(parse(source.text), source.path, depth + 1)
            except ValueError:
                self._missed(one, by)
        return found

    def hops(self) -> Iterator[Hop]:
        """Yield the places that lead to an engine."""
        root = Directive("", (), 0, tuple(self.top))
        yield from self._in((root,), 0)

    def hops_in(self, server: Directive) -> Iterator[Hop]:
        """Yield the places of one server that lead to an engine."""
        yield from self._in((server,), 0)

    def _in(self, above: tuple[Directive, ...], depth: int) -> Iterator[Hop]:
        for one in above[-1].block:
            if one.name in _PASSES and one.words:
                if servers := self._servers(one):
                    yield self._hop(one, above, servers)
                elif self._leads_to_pages(one):
                    place = self._at(one)
                    yield Hop(words=WORDS, place=place, body=self._body(one, above), page=True)
            if one.block and one.name != "upstream" and depth < _DEEPEST:
                yield from self._in((*above, one), depth + 1)

    def _at(self, one: Directive) -> Place:
        return Place(one.file or self.path, one.line, one.name)

    def _servers(self, passed: Directive) -> list[tuple[str, Directive]]:
        """Return the engines behind a `proxy_pass`; none where it leads elsewhere."""
        target = re.sub(r"^\w+://", "", passed.words[0])
        host = target.partition("/")[0]
        pool = self.pools.get(host)
        if pool is not None:
            found = [(s.words[0], s) for s in pool.all("server") if s.words]
            named = is_api(host, self.context) and any("$" in address for address, _ in found)
            return found if named or any(is_api(a, self.context) for a, _ in found) else []
        if host.startswith("$"):
            # Of one that nobody sets the name may say it, as in a template of the image.
            host = self._variable(host[1:]) or host
        return [(host, passed)] if is_api(host, self.context) else []

    def _leads_to_pages(self, passed: Directive) -> bool:
        """Return whether Open WebUI is behind a `proxy_pass`, by its usual names."""
        host = re.sub(r"^\w+://", "", passed.words[0]).partition("/")[0]
        pool = self.pools.get(host)
        found = [s.words[0] for s in pool.all("server") if s.words] if pool else [host]
        found = [self._variable(one[1:]) if one.startswith("$") else one for one in found]
        return any(_PAGES.fullmatch(one) for one in found)

    def _variable(self, name: str) -> str:
        """Return the address that a variable is set to, the last one in the file."""
        told = self.variables.get(f"${name}", "")
        return re.sub(r"^\w+://", "", told).partition("/")[0]

    def _hop(
        self,
        passed: Directive,
        above: tuple[Directive, ...],
        servers: list[tuple[str, Directive]],
    ) -> Hop:
        location = next((a for a in reversed(above) if a.name == "location"), None)
        path = " ".join(location.words) if location else "/"
        writes = generates(path.split(" ")[-1])
        buffering = self._said(above, "proxy_buffering")
        held = (buffering is None or buffering.words[:1] == ("on",)) and streams(path)
        local = all(on_loopback(address) for address, _ in servers)
        names = self._names(above)
        place = self._at(passed)
        return Hop(
            words=WORDS,
            place=place,
            answer=self._time(passed, above) if writes else None,
            held=Said(name="proxy_buffering", value=1, place=self._at(buffering or passed),
                      told=buffering is not None) if held and writes else None,
            body=self._body(passed, above) if writes else None,
            local=local,
            host=self._host(above),
            names=() if self._asked(above) else public(names, "nginx", place),
            open_at=self._open_at(above, passed) if writes else None,
            servers=tuple(self._at(one) for _, one in servers),
            turns=self._turns(passed),
            beneath=self._beneath(passed, above, location),
            by_tls=by_tls(self._asked_at(passed, servers), self.context),
        )  # fmt: skip

    def _beneath(
        self, passed: Directive, above: tuple[Directive, ...], location: Directive | None
    ) -> str:
        """Return the path of a location that nothing takes off: a `proxy_pass` with one does."""
        whole = "/" in re.sub(r"^\w+://", "", passed.words[0]) or "$" in passed.words[0]
        if location is None or whole or any("rewrite" in self._inside(b).named for b in above):
            return ""
        words = [word for word in location.words if word not in {"^~", "="}]
        return beneath(words[0]) if len(words) == 1 else ""

    def _asked_at(
        self, passed: Directive, servers: list[tuple[str, Directive]]
    ) -> Iterator[tuple[str, Place]]:
        """Yield the addresses behind a `proxy_pass`, with its scheme."""
        scheme, _, _ = passed.words[0].rpartition("://")
        for address, _ in servers:
            yield f"{scheme}://{address}", self._at(passed)

    def _turns(self, passed: Directive) -> tuple[str, Place] | None:
        """Return that the servers of a pool take turns, where nothing else is said."""
        host = re.sub(r"^\w+://", "", passed.words[0]).partition("/")[0]
        above = self.pools.get(host)
        if above is None or any(_CHOOSES.fullmatch(d.name) for d in above.block):
            return None
        spare = {"backup", "down"}
        busy = [s for s in above.all("server") if not spare & set(s.words[1:])]
        return ("`upstream` has no `least_conn`", self._at(above)) if len(busy) > 1 else None

    def _open_at(self, above: tuple[Directive, ...], passed: Directive) -> tuple[str, Place] | None:
        """Return what a server listens on that others reach, where nothing asks who comes."""
        server = next((a for a in reversed(above) if a.name == "server"), None)
        if server is None or self._asked(above) or self.asks_within(server):
            return None
        port = self._inside(server).port
        return (f"listen {port}", self._at(passed)) if port else None

    def asks_within(self, server: Directive) -> bool:
        """Return whether a server, or a place in it, asks who comes."""
        return self._inside(server).asks_within

    def _asked(self, above: tuple[Directive, ...]) -> bool:
        return any(self._inside(block).asks for block in above)

    def _names(self, above: tuple[Directive, ...]) -> tuple[str, ...]:
        server = next((a for a in reversed(above) if a.name == "server"), None)
        named = self._inside(server).named.get("server_name", ()) if server else ()
        filled_in = ("${",) if server and self._secured(server) else ()
        return tuple(
            word
            for one in named
            for word in one.words
            if word[:1] not in "~*._$" or word.startswith(filled_in)
        )

    def _secured(self, server: Directive) -> bool:
        return any("ssl" in one.words for one in self._inside(server).named.get("listen", ()))

    def _time(self, passed: Directive, above: tuple[Directive, ...]) -> Said | None:
        name = "proxy_read_timeout" if passed.name == "proxy_pass" else "grpc_read_timeout"
        said = self._said(above, name)
        if said is None:
            return Said(name=name, value=60, place=self._at(passed), told=False)
        text = " ".join(said.words)
        if not _TIME.fullmatch(text):
            return None
        value = sum(int(n) * _UNITS[unit] for n, unit in _TERM.findall(text))
        return Said(name=name, value=value, place=self._at(said))

    def _body(self, passed: Directive, above: tuple[Directive, ...]) -> Said | None:
        said = self._said(above, "client_max_body_size")
        if said is None:
            told = "client_max_body_size"
            return Said(name=told, value=2**20, place=self._at(passed), told=False)
        found = _SIZE.fullmatch(said.words[0]) if said.words else None
        value = int(found[1]) * _SIZES[found[2].lower()] if found else 0
        return Said(name=said.name, value=value, place=self._at(said)) if value else None

    def _host(self, above: tuple[Directive, ...]) -> tuple[str, Place] | None:
        """Return a public name that the engine is asked by: that of the client, or one written.

        Without a word nginx writes the name behind `proxy_pass`, which may be one of a pool.
        """
        for block in reversed(above):
            headers = [d for d in self._inside(block).named.get("proxy_set_header", ()) if d.words]
            if not headers:
                continue
            told = [d for d in headers if d.words[0].lower() == "host" and len(d.words) > 1]
            if not told:
                return None
            names = (
                self._names(above) if _CLIENTS.fullmatch(told[-1].words[1]) else told[-1].words[1:]
            )
            found = public(names, "nginx", self._at(told[-1]))
            return (found[0].value, found[0].place) if found else None
        return None

    def _missed(self, one: Directive, by: str) -> None:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(by), one.words[0]))
        reason = f"`include {one.words[0]}` is not followed"
        self.gaps.append(
            NotJudged(file=by, line=one.line, reason=reason, part="what it includes",
                      hint=f"check {path} as well" if "*" not in path else "check those as well")
        )  # fmt: skip


def _every(directives: Sequence[Directive]) -> Iterator[Directive]:
    for one in directives:
        yield one
        yield from _every(one.block)


class _Inside:
    """What a block says itself: its directives by name, and whether it asks who comes."""

    def __init__(self, block: Directive) -> None:
        self.block = block  # It stays, so that nothing else gets its identity.
        self.named: dict[str, list[Directive]] = {}
        for one in block.block:
            self.named.setdefault(one.name, []).append(one)
        self.asks = _asks((block,))

    @functools.cached_property
    def asks_within(self) -> bool:
        return any(_asks((one,)) for one in _every((self.block,)))

    @functools.cached_property
    def port(self) -> str:
        """What a server listens on that others reach; empty: they reach nothing."""
        words = [one.words[0] for one in self.named.get("listen", ()) if one.words]
        unsaid = "" if "listen" in self.named else "80"
        return next(filter(_PORT.fullmatch, words), unsaid)


def _asks(above: tuple[Directive, ...]) -> bool:
    """Return whether something asks who comes, or may do so."""
    for block in above:
        for one in block.block:
            off = one.words[:1] == ("off",) or (one.words[:1] == ("all",) and one.name == "allow")
            if _ASKS.fullmatch(one.name) and not off:
                return True
            if one.name == "if" and _COMPARED.search(" ".join(one.words)):
                return True
    return False
