"""Caddyfiles: each `reverse_proxy` that leads to an engine, with snippets put in where they stand.

Source: caddyserver.com/docs/caddyfile/directives/reverse_proxy; without a word Caddy waits for
ever, flushes what a stream has at once where nobody says its length, and hands the Host on as it
came.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.around import Hop, Said
from generator.meaning import parse_go_duration
from generator.readers.base import Context, Source, each
from generator.readers.caddy import CADDY, WORDS
from generator.readers.proxies import (
    EVERY_NAME,
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
from generator.readers.syntax.caddyfile import Entry, parse
from generator.readers.taken import taken
from generator.units import whole
from generator.view import Line, NotJudged, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECOND: Final = 10**9
_DEEPEST: Final = 5
_OF_KEYS: Final = frozenset({"map", "basicauth", "basic_auth"})
_ASKS: Final = re.compile(
    r"basic_?auth|forward_auth|authenticate|authorize|jwtauth|remote_ip|client_ip|client_auth"
    r"|security|abort",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?!.*auth)(?:log|tls|ssl|cors|header|compress|encode|gzip|cloudflare|acme)", re.IGNORECASE
)
"""Names of snippets that say nothing of who comes."""
_COMPARED: Final = re.compile(r"authorization|api[-_]?key|token|cookie|secret|remote_ip|client_ip",
                              re.IGNORECASE)  # fmt: skip
_ANY_NAME: Final = re.compile(r"(?:https?://)?(?::\d+)?,?")
_EVERYWHERE: Final = re.compile(r"(?:https?://)?(?:0\.0\.0\.0|\[::\])?:\d+")
"""An address of a site that says a port alone."""
_IN_TURN: Final = frozenset({"random", "random_choose", "round_robin", "weighted_round_robin"})
_HEALTH: Final = frozenset({"health_uri", "health_path"})
_OF_THE_ENGINE: Final = frozenset({"/api/version", "/api/tags", "/api/ps"})
_ENVIRONMENT: Final = re.compile(r"\{\$[A-Za-z_]\w*:([^{}]*)\}")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is no Caddyfile."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    try:
        top = parse(_ENVIRONMENT.sub(r"\1", source.text))
    except ValueError as error:
        raise fault(source, error, "Caddyfile") from None
    file = _File(source, context, top)
    return made(source, CADDY, some(file.hops(), source.path, file.gaps), file.gaps, context)


def hops_of(
    top: Sequence[Entry], source: Source, context: Context
) -> tuple[list[Hop], list[NotJudged]]:
    """Return the ways to an engine that entries make, and what of them is not followed."""
    file = _File(source, context, top)
    return some(file.hops(), source.path, file.gaps), file.gaps


class _File:
    def __init__(self, source: Source, context: Context, top: Sequence[Entry]) -> None:
        self.path, self.context, self.gaps = source.path, context, list[NotJudged]()
        self.named = context.engine.name in source.text.lower()
        top = self._with_files(top, source.path, 0)
        self.snippets = {e.name[1:-1]: e.block for e in top if _is_snippet(e)}
        sites = (e for e in top if e.words and not _is_snippet(e))
        self.sites = [replace(e, block=self._put_in(e.block, 0)) for e in sites]
        self.options = [e for e in top if not e.words]

    def _with_files(self, top: Sequence[Entry], by: str, depth: int) -> list[Entry]:
        """Return what stands at the top, with the files that it imports in their places."""
        found: list[Entry] = []
        for entry in top:
            if entry.name == "import" and len(entry.words) > 1 and _is_file(entry.words[1]):
                found += self._of_files(entry, by, depth, within=False) or [entry]
            else:
                found.append(entry)
        return found

    def _of_files(self, entry: Entry, by: str, depth: int, *, within: bool) -> list[Entry]:
        found: list[Entry] = []
        for source in taken(entry.words[1], by, self.context) if depth < _DEEPEST else ():
            text = _ENVIRONMENT.sub(r"\1", source.text)
            try:
                told = parse(f"site {{\n{text}\n}}" if within else text)
            except ValueError:
                continue
            told = tuple(
                _in_file(e, source.path, within) for e in (told[0].block if within else told)
            )
            found += told if within else self._with_files(told, source.path, depth + 1)
        return found

    def _put_in(self, block: tuple[Entry, ...], depth: int, of: str = "") -> tuple[Entry, ...]:
        """Return a block with the snippets that it imports in their places.

        What a block of keys imports, by the directive that it is `of`, are keys, and no server.
        """
        found: list[Entry] = []
        for entry in block:
            if entry.name == "import" and len(entry.words) > 1 and depth < _DEEPEST:
                inner = self.snippets.get(entry.words[1])
                if inner is None and _is_file(entry.words[1]) and of not in _OF_KEYS:
                    by = entry.file or self.path
                    inner = tuple(self._of_files(entry, by, depth, within=True)) or None
                found += self._put_in(inner, depth + 1) if inner is not None else (entry,)
                if inner is None and of not in _OF_KEYS:
                    self._gap(entry)
            else:
                found.append(replace(entry, block=self._put_in(entry.block, depth, entry.name)))
        return tuple(found)

    def _gap(self, entry: Entry) -> None:
        reason = f"`import {entry.words[1]}` is not followed"
        self.gaps.append(
            NotJudged(file=self.path, line=entry.line, reason=reason, part="what it imports",
                      hint="check that file as well")
        )  # fmt: skip

    def _asks_one(self, entry: Entry) -> bool:
        """Return whether a server, whose port somebody has chosen, is asked as the engine is."""
        paths = (words[1] for e in entry.block if len(words := e.words) > 1 and e.name in _HEALTH)
        return self.named and any(path in _OF_THE_ENGINE for path in paths)

    def hops(self) -> Iterator[Hop]:
        """Yield the places that lead to an engine."""
        for site in self.sites:
            matched = [e for e in site.inside() if e.name.startswith("@")]
            asked, body = _asks(site, matched), self._body(site)
            port = "" if asked else self._open_port(site)
            for entry, path, below in _proxies(site.block, "/", ""):
                targets = [w for w in entry.words[1:] if _is_address(w)]
                targets += [w for e in entry.block if e.name == "to" for w in e.words[1:]]
                if any(is_api(word, self.context) for word in targets) or self._asks_one(entry):
                    hop = self._hop(site, entry, path, targets, asked=asked)
                    open_at = (port, hop.place) if port and generates(path) else None
                    yield replace(hop, body=body, beneath=beneath(below), open_at=open_at)

    def _at(self, entry: Entry) -> Place:
        return Place(entry.file or self.path, entry.line, entry.name)

    def _hop(self, site: Entry, entry: Entry, path: str, targets: list[str], *, asked: bool) -> Hop:
        inner = list(entry.inside())
        names = public(site.words, "caddyfile", Place(site.file or self.path, site.line))
        kept = not any(
            e.name == "header_up" and e.words[1:2] in {("Host",), ("host",)} for e in inner
        )
        probes = [e for e in inner if e.name in {"health_uri", "health_path"} and len(e.words) > 1]
        secured = any(word.startswith("https://") for word in targets)
        return Hop(
            words=WORDS,
            place=self._at(entry),
            answer=self._time(inner) if generates(path) else None,
            held=self._held(inner) if generates(path) and streams(path) else None,
            local=all(on_loopback(word) for word in targets),
            host=self._host(site, names, entry) if kept and not secured else None,
            names=() if asked else names,
            servers=tuple(self._at(entry) for _ in targets),
            unasked=() if probes else tuple(self._at(entry) for _ in targets),
            probes=tuple(("GET", e.words[1], self._at(e)) for e in probes),
            turns=self._turns(entry, inner) if len(targets) > 1 else None,
            by_tls=by_tls(((one, self._at(entry)) for one in targets), self.context),
        )

    def _open_port(self, site: Entry) -> str:
        """Return the port of a site without a name, unless something binds it elsewhere."""
        bound = any(e.name == "bind" for e in site.inside())
        bound = bound or any(e.name == "default_bind" for o in self.options for e in o.inside())
        words = [word.strip(",") for word in site.words]
        open_ended = words and all(_EVERYWHERE.fullmatch(word) for word in words)
        return words[0] if open_ended and not bound else ""

    def _host(self, site: Entry, names: tuple[Line, ...], entry: Entry) -> tuple[str, Place] | None:
        """Return the name that is handed on: that of the site, or any where it has none."""
        if names:
            return names[0].value, self._at(entry)
        anyhow = all(_ANY_NAME.fullmatch(word) for word in site.words)
        return (EVERY_NAME, self._at(entry)) if anyhow else None

    def _turns(self, entry: Entry, inner: Sequence[Entry]) -> tuple[str, Place] | None:
        told = [e for e in inner if e.name == "lb_policy" and len(e.words) > 1]
        if told and told[-1].words[1] not in _IN_TURN:
            return None
        how = f"`lb_policy` is `{told[-1].words[1]}`" if told else "`lb_policy` is not set"
        return how, self._at(told[-1] if told else entry)

    def _time(self, inner: Sequence[Entry]) -> Said | None:
        """Return the shortest time that an answer may be silent; Caddy has none by itself."""
        names = {"read_timeout", "response_header_timeout"}
        every = [*inner, *(e for option in self.options for e in option.inside())]
        told = [e for e in every if e.name in names and len(e.words) > 1]
        told += [e for e in every if e.name == "write" and len(e.words) > 1]
        found = [(value, e) for e in told if (value := _seconds(e.words[1])) is not None]
        if not found:
            return None
        value, entry = min(found, key=lambda pair: pair[0])
        return Said(name=entry.name, value=value, place=self._at(entry))

    def _held(self, inner: Sequence[Entry]) -> Said | None:
        for entry in inner:
            value = _seconds(entry.words[1]) if len(entry.words) > 1 else None
            if entry.name == "flush_interval" and value is not None and value > 0:
                return Said(name=entry.name, value=value, place=self._at(entry))
            if entry.name == "response_buffers" and len(entry.words) > 1:
                return Said(name=entry.name, value=1, place=self._at(entry))
        return None

    def _body(self, site: Entry) -> Said | None:
        for entry in site.inside():
            if entry.name == "max_size" and len(entry.words) > 1:
                value = _bytes(entry.words[1])
                return Said(name="max_size", value=value, place=self._at(entry)) if value else None
        return None


def _is_file(word: str) -> bool:
    return any(sign in word for sign in "/.*")


def _in_file(entry: Entry, file: str, within: bool) -> Entry:
    """Return what stands in a file of its own; within a site its first line is the second."""
    inner = tuple(_in_file(one, file, within) for one in entry.block)
    return replace(entry, line=entry.line - within, block=inner, file=file)


def _is_snippet(entry: Entry) -> bool:
    return len(entry.words) == 1 and entry.name[:1] == "(" and entry.name[-1:] == ")"


def _proxies(block: tuple[Entry, ...], path: str, below: str) -> Iterator[tuple[Entry, str, str]]:
    """Yield each `reverse_proxy`, with the path that leads there, and what of it is handed on."""
    if any(entry.name in _CHANGES for entry in block):
        below = ""
    for entry in block:
        words = [word for word in entry.words[1:] if word.startswith("/")]
        here = words[0].rstrip("*") if words else path
        handed = words[0] if words and words[0].endswith("*") else below
        if entry.name == "reverse_proxy":
            yield entry, here, "" if any(e.name in _CHANGES for e in entry.block) else handed
        elif entry.block:
            yield from _proxies(entry.block, here, "" if entry.name == "handle_path" else handed)


_CHANGES: Final = frozenset({"uri", "rewrite", "import"})
"""Directives that give a request another path, or may."""


def _is_address(word: str) -> bool:
    return not word.startswith(("/", "@")) and word != "*"


def _asks(site: Entry, matched: Sequence[Entry]) -> bool:
    """Return whether a site asks who comes, by a directive or a matcher."""
    for entry in site.inside():
        if _ASKS.fullmatch(entry.name) or (
            # What is not at hand may do so.
            entry.name == "import" and not _HARMLESS.search(" ".join(entry.words[1:]))
        ):
            return True
    texts = [" ".join(e.words) for one in matched for e in (one, *one.inside())]
    return any(_COMPARED.search(text) for text in texts)


def _seconds(text: str) -> float | None:
    days = re.fullmatch(r"(\d{1,6})d", text)
    try:
        return int(days[1]) * 86400.0 if days else parse_go_duration(text) / _SECOND
    except ValueError:
        return None


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,12})\s*([kmgKMG]?)(?:i?[bB])?", text)
    if not found or whole(found[1]) is None:
        return 0
    return int(found[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[found[2].lower()]
