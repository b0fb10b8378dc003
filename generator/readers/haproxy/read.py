"""Configurations of HAProxy: the backends that lead to an engine, with what `defaults` give them.

Source: docs.haproxy.org/2.8/configuration.html.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Literal

from generator.around import Hop, Said
from generator.readers.base import Context, Source, each
from generator.readers.haproxy import HAPROXY, WORDS
from generator.readers.proxies import by_tls, fault, is_api, made, on_loopback, public, some
from generator.readers.syntax.haproxy import Section, parse, seconds
from generator.view import Line, NotJudged, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What has a request wait for its body; the second since 2.4.
_COLLECTS: Final = (("option", "http-buffer-request"), ("http-request", "wait-for-body"))
_ASKS: Final = re.compile(
    r"http_auth|authorization|http-request (?:auth|deny|reject|use-service|lua)|x-api-key"
    r"|verify required|\bsrc\b|jwt|tcp-request \w+ reject|filter spoe",
    re.IGNORECASE,
)
_PAGES: Final = re.compile(r"(?i)web|ui\b|front|stats|metrics")
_RENAMES: Final = re.compile(r"(?i)(?:set|replace)-header host\b")
_HOST: Final = re.compile(r"(?i)hdr(?:_dom)?\(host\)(?: -\w+)* (\S+)|ssl_fc_sni(?: -\w+)* (\S+)")
_NAMES: Final = 50  # of one backend
_BODY: Final = re.compile(r"\breq(?:uest)?\.body(?:_param)?\b|\bjson_query\(")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is none of HAProxy's."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    try:
        sections = parse(source.text)
    except ValueError as error:
        raise fault(source, error, "configuration of HAProxy") from None
    file = _File(source, sections, context)
    gaps: list[NotJudged] = []
    return made(source, HAPROXY, some(file.hops(), source.path, gaps), gaps, context)


class _File:
    def __init__(self, source: Source, sections: Sequence[Section], context: Context) -> None:
        self.path, self.sections, self.context = source.path, sections, context
        lines = (words for section in sections for words, _ in section.all("server"))
        # What needs no slot may go to the same server by a way of its own.
        self.bounded = {words[1] for words in lines if "maxconn" in words[2:]}
        self.above = dict(_above(sections))
        self.fronts = _fronts(sections)
        self.said = {id(section): _Said(section) for section in sections}

    def hops(self) -> Iterator[Hop]:
        for section in self.sections:
            if section.kind in {"backend", "listen"}:
                servers = [(w, line) for w, line in section.all("server") if len(w) > 1]
                named = any(
                    self._is_ours(name) for name in (section.name, *(w[0] for w, _ in servers))
                )
                if servers and (named or any(is_api(w[1], self.context) for w, _ in servers)):
                    yield self._hop(section, servers)

    def _is_ours(self, name: str) -> bool:
        """Return whether a name is one of an engine, whose port somebody has chosen."""
        return is_api(name, self.context) and not _PAGES.search(name)

    def _at(self, line: int, key: str = "") -> Place:
        return Place(self.path, line, key)

    def _hop(self, backend: Section, servers: list[tuple[tuple[str, ...], int]]) -> Hop:
        general = " ".join(w for words, _ in backend.all("default-server") for w in words).split()
        own = [backend] if backend.kind == "listen" else []
        fronts = [*own, *(s for s in self.fronts.get(backend.name, ()) if s is not backend)]
        every = [*fronts, backend, *self._defaults(backend)]
        http = self._last(backend, "mode")[:1] == ("http",)
        first = self._at(servers[0][1])
        bare = [(w, line) for w, line in servers if "maxconn" not in (*w, *general)]
        bound = [line for words, line in bare if words[1] not in self.bounded]
        asked = [
            line for words, line in servers if {"check", "track"}.isdisjoint((*words, *general))
        ]
        return Hop(
            words=WORDS,
            place=first,
            answer=self._time(backend, "server"),
            queue=self._queue(backend, bound=len(bare) < len(servers)),
            local=all(on_loopback(words[1]) for words, _ in servers),
            host=self._host(backend, fronts, every) if http else None,
            names=self._names(backend, fronts, every) if http else (),
            servers=tuple(self._at(line) for _, line in servers),
            unbound=tuple(self._at(line) for line in bound),
            unasked=tuple(self._at(line) for line in asked),
            probes=tuple(self._probes(backend)) if len(asked) < len(servers) else (),
            routed=self._routed([*fronts, backend]),
            collects=self._first(every, "collects"),
            by_tls=by_tls(
                (
                    (f"https://{words[1]}", self._at(line))
                    for words, line in servers
                    if "ssl" in (*words, *general)
                ),
                self.context,
            ),
        )

    def _defaults(self, backend: Section) -> list[Section]:
        """Return the `defaults` that count for a section: those that it names, or the last ones."""
        return self.above[id(backend)]

    def _last(self, backend: Section, *names: str) -> tuple[str, ...]:
        for section in (backend, *self._defaults(backend)):
            found = [words for words, _ in section.all(*names)]
            if found:
                return found[-1]
        return ()

    def _time(self, backend: Section, name: str) -> Said | None:
        for section in (backend, *self._defaults(backend)):
            for words, line in reversed(list(section.all("timeout", name))):
                value = seconds(words[0]) if words else None
                place = self._at(line, f"timeout {name}")
                told = f"timeout {name}"
                return None if value is None else Said(name=told, value=value, place=place)
        return None

    def _queue(self, backend: Section, *, bound: bool) -> Said | None:
        """Return how long a request waits for a slot: without a word as long as to connect."""
        told = self._time(backend, "queue")
        connect = self._time(backend, "connect")
        if not bound or told is not None or connect is None:
            return told if bound else None
        return Said(name="timeout queue", value=connect.value, place=connect.place, told=False)

    def _host(
        self, backend: Section, fronts: Sequence[Section], every: Sequence[Section]
    ) -> tuple[str, Place] | None:
        """Return a public name that is handed on to the engine as it came."""
        if any(self.said[id(s)].renames for s in every):
            return None
        names = self._names(backend, fronts, ())
        return (names[0].value, names[0].place) if names else None

    def _names(
        self, backend: Section, fronts: Sequence[Section], every: Sequence[Section]
    ) -> tuple[Line, ...]:
        """Return the names that lead to a backend; none where something asks who comes."""
        if any(self.said[id(s)].asks for s in every):
            return ()
        told = (one for s in fronts for one in self.said[id(s)].hosts_of(backend.name))
        names = (public([name], "haproxy", self._at(line)) for name, line in told)
        return tuple(islice(chain.from_iterable(names), _NAMES))

    def _probes(self, backend: Section) -> Iterator[tuple[str, str, Place]]:
        """Yield how health is asked over HTTP: by `http-check send`, or behind `option httpchk`."""
        for section in (backend, *self._defaults(backend)):
            checks = list(section.all("option", "httpchk"))
            sent = list(section.all("http-check", "send"))
            for words, line in sent:
                told = dict(zip(words[::2], words[1::2], strict=False))
                yield (
                    told.get("meth", "GET" if "uri" in told else "OPTIONS"),
                    told.get("uri", "/"),
                    self._at(line),
                )
            for words, line in checks if not sent else ():
                method, path = (
                    ("OPTIONS", "/")
                    if not words
                    else (("OPTIONS", words[0]) if len(words) == 1 else (words[0], words[1]))
                )
                yield method, path, self._at(line)
            if checks:
                return

    def _routed(self, sections: Sequence[Section]) -> Place | None:
        return self._first(sections, "routes")

    def _first(
        self, sections: Sequence[Section], what: Literal["routes", "collects"]
    ) -> Place | None:
        """Return the first line of sections that does something."""
        told = (getattr(self.said[id(section)], what) for section in sections)
        line = next((line for line in told if line), 0)
        return self._at(line) if line else None


def _above(sections: Sequence[Section]) -> Iterator[tuple[int, list[Section]]]:
    """Yield, by its identity, the `defaults` that count for each section."""
    last: list[Section] = []
    named: dict[str, list[Section]] = {}
    for section in sections:
        asked = named.get(section.words[-1]) if "from" in section.words else None
        yield id(section), asked or last
        if section.kind == "defaults":
            last = [section]
            named.setdefault(section.name, []).append(section)


def _fronts(sections: Sequence[Section]) -> dict[str, list[Section]]:
    """Return the sections that lead to a backend, by its name."""
    found: dict[str, list[Section]] = {}
    for section in sections:
        if section.kind in {"frontend", "listen"}:
            used = (*section.all("use_backend"), *section.all("default_backend"))
            for name in dict.fromkeys(words[0] for words, _ in used if words):
                found.setdefault(name, []).append(section)
    return found


class _Said:
    """What the lines of a section say, looked through once for all backends.

    `asks`: who comes is asked. `renames`: the Host is another behind it. `routes` and `collects`
    are the first lines that look into a body, or wait for one; 0: none.
    """

    def __init__(self, section: Section) -> None:
        texts = [(" ".join(words), line) for words, line in section.lines]
        self.asks = any(_ASKS.search(text) for text, _ in texts)
        self.renames = any(_RENAMES.search(text) for text, _ in texts)
        self.routes = next((line for text, line in texts if _BODY.search(text)), 0)
        collects = (line for words in _COLLECTS for _, line in section.all(*words))
        self.collects = next(collects, 0)
        self._chosen: dict[str, set[str]] = {}
        for words, _ in section.all("use_backend"):
            for word in words[1:]:
                self._chosen.setdefault(word, set()).add(words[0])
        self._hosts = [
            (host[1] or host[2], line, self._leads_to(words))
            for words, line in section.lines
            if (host := _HOST.search(" ".join(words)))
        ]

    def _leads_to(self, words: tuple[str, ...]) -> set[str] | None:
        """Return the backends that a line which compares the Host, or its `acl`, is for."""
        if words[:1] == ("use_backend",):
            return set(words[1:2])
        if words[:1] != ("acl",) or len(words) < 2:  # noqa: PLR2004 -- with a name
            return None
        return self._chosen.get(words[1])

    def hosts_of(self, backend: str) -> Iterator[tuple[str, int]]:
        """Yield the names that lead to a backend, with their lines."""
        for name, line, backends in self._hosts:
            if backends is None or backend in backends:
                yield name, line
