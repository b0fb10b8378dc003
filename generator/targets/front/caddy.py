"""The `Caddyfile` of a front. Caddy has no queue: a request asks again until a server is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.caddyfile import Body, Directive, Placeholder, directive, to_caddyfile
from generator.front import CERTIFICATE, CERTIFICATE_KEY, KEYS
from generator.targets.front.words import BUSY, CLOSED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.front import Backend, Front, FrontServer
    from generator.plan import Plan, Service
    from generator.targets.front.config import At

_KNOWN: Final = Placeholder("{front_known}")
_JSON: Final = ("header", "Content-Type", "application/json")
_HERE: Final = "localhost"


def caddyfile(plan: Plan, front: Front, at: At) -> str:
    """Return the `Caddyfile`."""
    services = {service.name: service for service in plan.services}
    return to_caddyfile(
        (*plan.header, front.reason),
        [
            directive(block=list(_options(front, at))),
            _api(front, services, at),
            _metrics(front, services, at),
        ],
    )


def _options(front: Front, at: At) -> Iterator[Directive]:
    admin = f"unix/{at.socket}" if at.socket else "off"
    yield directive("admin", admin, why="" if at.socket else "Started again for a new file.")
    yield directive("auto_https", "disable_redirects")
    why = "Answers that run may end when the front stops."
    yield directive("grace_period", f"{at.drain_seconds or front.drain_seconds}s", why=why)
    yield directive("servers", block=[directive("metrics")])


def _site(host: str, port: int, scheme: str, block: Sequence[Directive]) -> Directive:
    return directive(f"{scheme}://:{port}", block=[directive("bind", host), *block])


def _api(front: Front, services: dict[str, Service], at: At) -> Directive:
    route = [*_known(front, at), *_choice(front), *_open(front)]
    every = {one.service: one for backend in front.backends for one in backend.servers}
    asides = _proxy(front, list(every.values()), services, at, bounded=False)
    why = "Answered at once, however many wait."
    for backend in front.backends if len(front.backends) > 1 else ():
        mine = _matcher(backend, "aside")
        named = [directive("path", *front.asides), directive("vars", "backend", backend.name)]
        route.append(directive(mine, block=named))
        own = _proxy(front, backend.servers, services, at, bounded=False)
        route.append(directive("handle", mine, block=[own]))
    route.append(directive("@aside", "path", *front.asides, why=why))
    route.append(directive("handle", "@aside", block=[asides]))
    for backend in front.backends[1:]:
        mine = _matcher(backend)
        route.append(directive(mine, "vars", "backend", backend.name))
        proxy = _proxy(front, backend.servers, services, at, bounded=True)
        route.append(directive("handle", mine, block=[proxy], why=backend.reason))
    first = front.backends[0]
    proxy = _proxy(front, first.servers, services, at, bounded=True)
    route.append(directive("handle", block=[proxy], why=first.reason))
    block = [*_certificate(front, at), directive("log", block=[directive("output", "stderr")])]
    block += [directive("route", block=route), _errors(front)]
    scheme = "https" if front.secret(CERTIFICATE) else "http"
    return _site(at.host, at.port, scheme, block)


def _matcher(backend: Backend, kind: str = "to") -> str:
    return f"@{kind}_{backend.name}"


def _certificate(front: Front, at: At) -> list[Directive]:
    if not front.secret(CERTIFICATE):
        return []
    return [directive("tls", _secret(at, CERTIFICATE), _secret(at, CERTIFICATE_KEY))]


def _secret(at: At, name: str) -> str | Placeholder:
    return f"{at.folder}/{name}" if at.folder else Placeholder(f"{{$CREDENTIALS_DIRECTORY}}/{name}")


def _known(front: Front, at: At) -> Iterator[Directive]:
    if not front.auth:
        return
    secret, asks = front.secret(KEYS), directive("not", "method", "OPTIONS")
    lines = directive("import", _secret(at, KEYS), why=secret.reason if secret else "")
    preflight = "A browser asks whether it may ask, without a key; the server answers that itself."
    if front.auth == "basic":
        yield directive("@asked", block=[asks], why=preflight)
        yield directive("basicauth", "@asked", block=[lines])
    else:
        shown = Placeholder("{http.request.header.Authorization}")
        yield directive("map", shown, _KNOWN, block=[lines, directive("default", "no")])
        unknown = directive("not", "vars", _KNOWN, "yes")
        yield directive("@unknown", block=[unknown, asks], why=preflight)
        challenge = directive("header", "WWW-Authenticate", 'Bearer realm="front"')
        yield directive("handle", "@unknown", block=[challenge, *_answer(UNKNOWN, "401")])
    yield directive("request_header", "-Authorization", why="For nobody but this front.")


def _answer(error: str, status: str | Placeholder) -> list[Directive]:
    """Return an answer as the server writes one of an error."""
    return [directive(*_JSON), directive("respond", Body(f'{{"error":"{error}"}}'), status)]


def _choice(front: Front) -> Iterator[Directive]:
    """Say for which backend a request is: by its path, or its header."""
    if len(front.backends) == 1:
        return
    for backend in front.backends:
        named = _matcher(backend, "named")
        lines = [directive("header", front.header, name) for name in backend.models]
        yield directive(named, block=lines)
        yield directive("vars", named, "backend", backend.name)
    for backend in front.backends:
        below = _matcher(backend, "below")
        yield directive(below, "path", f"{backend.prefix}/*")
        yield directive("vars", below, "backend", backend.name)
        yield directive("uri", below, "strip_prefix", backend.prefix)


def _open(front: Front) -> Iterator[Directive]:
    why = "What clients compute with; all else, as to fetch and delete models, is closed."
    paths = [f"{path}*" if path.endswith("/") and path != "/" else path for path in front.paths]
    yield directive("@closed", "not", "path", *paths, why=why)
    yield directive("handle", "@closed", block=_answer(CLOSED, "403"))


def _proxy(
    front: Front,
    servers: Sequence[FrontServer],
    services: dict[str, Service],
    at: At,
    *,
    bounded: bool,
) -> Directive:
    where = [at.reach(services[one.service]) for one in servers]
    lines = [
        directive("lb_policy", "least_conn"),
        *(_waiting(front, servers) if bounded else []),
        directive("health_uri", front.health),
        directive("health_interval", "5s"),
        directive("health_headers", block=[directive("Host", _HERE)]),
        directive("header_up", "Host", _HERE, why=_HOST),
        directive("transport", "http", block=_transport(front)),
    ]
    return directive("reverse_proxy", *where, block=lines)


_UNSENT: Final = Placeholder("`{http.reverse_proxy.upstream.hostport} == null`")
_TWICE: Final = "Caddy up to 2.7.4 waits for these alone: no server was given the request yet."
_HOST: Final = (
    "A server that listens on this machine alone refuses the name of another host; whose pages "
    "may ask it is still decided by its own list of origins."
)


def _waiting(front: Front, servers: Sequence[FrontServer]) -> list[Directive]:
    """Return the bound of each server, which Caddy has for all of them, and who waits for it."""
    fewest = min(servers, key=lambda one: one.slots)
    asks = "How long a request asks for a server that is free, before it is told to come back."
    return [
        directive("unhealthy_request_count", str(fewest.slots), why=fewest.reason),
        directive("lb_try_duration", f"{front.queue_seconds}s", why=asks),
        directive("lb_try_interval", "100ms"),
        directive("lb_retry_match", block=[directive("expression", _UNSENT)], why=_TWICE),
        directive("fail_duration", "2s"),
        directive("max_fails", "1"),
    ]


def _transport(front: Front) -> list[Directive]:
    silent = (
        "How long a server may be silent: an answer that is not streamed is, until it is whole."
    )
    return [
        directive("dial_timeout", "5s"),
        directive("response_header_timeout", f"{front.answer_seconds}s", why=silent),
    ]


def _errors(front: Front) -> Directive:
    status = Placeholder("{err.status_code}")
    is_busy = Placeholder("`{err.status_code} == 503`")
    is_unknown = Placeholder("`{err.status_code} == 401`")
    told = directive("header", "@busy", "Retry-After", str(front.retry_seconds))
    other = Placeholder("{err.status_text}").text
    return directive(
        "handle_errors",
        block=[
            directive("@busy", "expression", is_busy),
            directive("@unknown", "expression", is_unknown),
            told,
            directive("handle", "@busy", block=_answer(BUSY, status)),
            directive("handle", "@unknown", block=_answer(UNKNOWN, status)),
            directive("handle", block=_answer(other, status)),
        ],
    )


def _metrics(front: Front, services: dict[str, Service], at: At) -> Directive:
    every = {one.service: one for backend in front.backends for one in backend.servers}
    asked = _proxy(front, list(every.values()), services, at, bounded=False)
    health = [directive("rewrite", "*", front.health), asked]
    block = [
        directive("handle", "/metrics", block=[directive("metrics")], why="For Prometheus."),
        directive("handle", "/healthz", block=health, why="200 while there is a server to ask."),
        directive("handle", block=[directive("respond", "404")]),
    ]
    return _site(at.metrics_host, front.metrics_port, "http", block)
