"""`haproxy.cfg` of a front: one queue for each backend, and all that is asked of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.haproxy import Line, Section, Variable, line, to_haproxy
from generator.front import CERTIFICATE, KEYS
from generator.targets.front.words import BUSY, CLOSED, SILENT, UNKNOWN
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.front import Backend, Front
    from generator.plan import Plan, Service
    from generator.targets.front.config import At

ASIDES: Final = "asides"
"""The backend for what needs no slot."""
CLIENTS: Final = 4096
LOOKED_AT: Final = 131072
"""Bytes of a request that are kept for its model, as clients of OpenAI put `messages` first."""
_TO: Final = "txn.backend"
_UNSET: Final = ("!{", f"var({_TO})", "-m", "found", "}")
_RESOLVERS: Final = "names"
_HERE: Final = "localhost"
_WIDTH: Final = 60  # of the values of a list in one line


def haproxy(plan: Plan, front: Front, at: At) -> str:
    """Return `haproxy.cfg`."""
    services = {service.name: service for service in plan.services}
    sections = [
        Section("global", "", list(_global(front, at))),
        Section("defaults", "", list(_defaults(front))),
        *_resolvers(at),
        Section("frontend", "api", list(_api(front, at))),
        *(
            Section("backend", b.name, list(_backend(front, b, services, at)))
            for b in front.backends
        ),
        Section("backend", ASIDES, list(_asides(front, services, at))),
        Section("frontend", "metrics", list(_metrics(front, at))),
    ]
    return to_haproxy((*plan.header, front.reason), sections)


def _global(front: Front, at: At) -> Iterator[Line]:
    yield line("log", "stdout", "format", "raw", "local0", why="One line for each request.")
    yield line("maxconn", str(CLIENTS), why="Clients at once, served or waiting.")
    why = "Answers that run may end when the front stops or reads this file again."
    yield line("hard-stop-after", f"{at.drain_seconds or front.drain_seconds}s", why=why)
    if front.by_body and len(front.backends) > 1:
        why = "So much of a request is read for the model; some clients put it behind the prompt."
        yield line("tune.bufsize", str(LOOKED_AT), why=why)
    if at.socket:
        why = "Takes commands, as to drain a server: the README has them."
        yield line("stats", "socket", at.socket, "mode", "600", "level", "admin", why=why)
    if front.secret(CERTIFICATE):
        yield line("ssl-default-bind-options", "ssl-min-ver", "TLSv1.2")


def _defaults(front: Front) -> Iterator[Line]:
    yield line("mode", "http")
    yield line("log", "global")
    yield line("option", "httplog")
    yield line("option", "dontlognull")
    yield line("option", "http-no-delay", why="Each part of an answer goes out as it comes.")
    yield line("option", "redispatch", why="A server that takes no connection is passed over.")
    why = "Who has gone waits no more, and the server stops computing for nobody."
    yield line("option", "abortonclose", why=why)
    why = "A process that ends lets clients ask once more, on connections that they keep."
    yield line("option", "idle-close-on-response", why=why)
    yield line("timeout", "connect", "5s")
    yield line("timeout", "http-request", "30s")
    why = "How long a server may be silent: an answer that is not streamed is, until it is whole."
    yield line("timeout", "server", f"{front.answer_seconds}s", why=why)
    yield line("timeout", "client", f"{front.answer_seconds}s")
    why = "How long a request waits for a slot, before it is told to come back."
    yield line("timeout", "queue", f"{front.queue_seconds}s", why=why)
    again = ("hdr", "Retry-After", str(front.retry_seconds))
    yield line("http-error", "status", "503", *_json(BUSY), *again)
    yield line("http-error", "status", "504", *_json(SILENT))


def _json(error: str) -> tuple[str, ...]:
    """Return a body as the server writes one of an error."""
    return ("content-type", "application/json", "string", f'{{"error":"{error}"}}')


def _resolvers(at: At) -> list[Section]:
    if not at.named:
        return []
    why = "Asks for the addresses again and again: a container has another after each start."
    lines = [line("parse-resolv-conf", why=why), line("hold", "valid", "5s")]
    if at.many:
        why = "An answer of the DNS has the addresses of all pods."
        lines.append(line("accepted_payload_size", "8192", why=why))
    return [Section("resolvers", _RESOLVERS, lines)]


def _api(front: Front, at: At) -> Iterator[Line]:
    tls, why = tuple[str | Variable, ...](), ""
    if front.secret(CERTIFICATE):
        tls = ("ssl", "crt", _secret(at, CERTIFICATE), "alpn", "http/1.1")
        why = (
            "HTTP/2 is not offered: HAProxy 2.6 ends a stream whose body is still to come before "
            "its own answer, like 401, is out."
        )
    yield line("bind", address(at.host, at.port), *tls, why=why)
    yield line("option", "forwardfor")
    yield from _known(front, at)
    if len(front.backends) > 1:
        yield from _choice(front)
    yield from _open(front)
    if front.by_body and len(front.backends) > 1:
        yield from _read(front)
    why = (
        "A server that listens on this machine alone refuses the name of another host; whose pages "
        "may ask it is still decided by its own list of origins."
    )
    yield line("http-request", "set-header", "Host", _HERE, why=why)
    why = "Answered at once, however long the queue is."
    asides = ("path,url_dec", "-m", "str")
    yield from _listed("aside", asides, front.asides, why)
    yield line("use_backend", ASIDES, "if", "aside", "||", "METH_OPTIONS")
    for backend in front.backends if len(front.backends) > 1 else ():
        yield line(
            "use_backend", backend.name, "if", "{", f"var({_TO})", "-m", "str", backend.name, "}"
        )
    yield line("default_backend", front.backends[0].name)


def _choice(front: Front) -> Iterator[Line]:
    """Say for which backend a request is: by its path, or its header."""
    for backend in front.backends:
        to = ("http-request", f"set-var({_TO})", f"str({backend.name})", "if")
        yield line(*to, "{", "path_beg", f"{backend.prefix}/", "}", why=backend.reason)
        named = ("-i", "-m", "str", *backend.models)
        yield line(*to, *_UNSET, "{", f"req.hdr({front.header})", *named, "}")
    for backend in front.backends:
        pattern = f"^{backend.prefix.replace('.', chr(92) + '.')}(/.*)"
        yield line("http-request", "replace-path", pattern, r"\1")


def _read(front: Front) -> Iterator[Line]:
    """Say for which backend a request is by what is in it: of one that is let in alone."""
    post, why = (
        ("if", "METH_POST"),
        "The model stands in the request, which is kept until it is read.",
    )
    yield line("http-request", "wait-for-body", "time", "30s", *post, why=why)
    model = ("set-var(txn.model)", "req.body,json_query($.model)")
    yield line("http-request", *model, *post)
    for backend in front.backends:
        to = ("http-request", f"set-var({_TO})", f"str({backend.name})", "if")
        yield line(*to, *_UNSET, "{", "var(txn.model)", "-i", "-m", "str", *backend.models, "}")


def _known(front: Front, at: At) -> Iterator[Line]:
    if not front.auth:
        return
    secret = front.secret(KEYS)
    why = (secret.reason if secret else "", "Without one that stands there, nobody is let in.")
    basic = front.auth == "basic"
    told = "req.hdr(authorization),word(2,' '),b64dec" if basic else "http_auth_bearer"
    yield line("acl", "known", told, "-m", "str", "-f", _secret(at, KEYS), why=why)
    asks = "A browser asks whether it may ask, without a key; the server answers that itself."
    yield line("acl", "preflight", "method", "OPTIONS", why=asks)
    challenge = f'{"Basic" if basic else "Bearer"} realm="front"'
    refused = ("http-request", "return", "status", "401", *_json(UNKNOWN))
    yield line(*refused, "hdr", "WWW-Authenticate", challenge, "unless", "known", "||", "preflight")
    yield line(
        "http-request", "del-header", "Authorization", why="For this front, and nobody else."
    )


def _open(front: Front) -> Iterator[Line]:
    why = "What clients compute with; all else, as to fetch and delete models, is closed."
    exact = [path for path in front.paths if path == "/" or not path.endswith("/")]
    below = [path for path in front.paths if path != "/" and path.endswith("/")]
    yield from _listed("open", ("path,url_dec", "-m", "str"), exact, why)
    yield from _listed("open", ("path,url_dec", "-m", "beg"), below)
    yield line("acl", "crooked", "path,url_dec", "-m", "sub", "//", "/.")
    denied = ("http-request", "return", "status", "403", *_json(CLOSED))
    yield line(*denied, "if", "crooked", "||", "!open")


def _listed(name: str, how: Sequence[str], values: Sequence[str], why: str = "") -> Iterator[Line]:
    taken: list[str] = []
    for value in values:
        if taken and sum(map(len, taken)) + len(taken) + len(value) > _WIDTH:
            yield line("acl", name, *how, *taken, why=why)
            taken, why = [], ""
        taken.append(value)
    if taken:
        yield line("acl", name, *how, *taken, why=why)


def _secret(at: At, name: str) -> str | Variable:
    return f"{at.folder}/{name}" if at.folder else Variable("CREDENTIALS_DIRECTORY", f"/{name}")


def _backend(
    front: Front, backend: Backend, services: dict[str, Service], at: At
) -> Iterator[Line]:
    why = "" if len(front.backends) > 1 else backend.reason
    yield line("balance", "leastconn", why=why)
    yield from _checked(front, backend)
    yield _each_server(at)
    for server in backend.servers:
        bound = ("maxconn", str(server.slots), "check")
        yield line(*_server(at, services[server.service]), *bound, why=server.reason)


def _server(at: At, service: Service) -> tuple[str, ...]:
    """Return a server, or as many as one name may have addresses."""
    if at.many is None:
        return ("server", service.name, at.reach(service))
    return ("server-template", f"{service.name}-", str(at.many(service)), at.reach(service))


def _each_server(at: At) -> Line:
    why = "A name that nobody knows yet keeps nothing from starting." if at.named else ""
    names = ("resolvers", _RESOLVERS) if at.named else ()
    timing = ("inter", "5s", "fall", "3", "rise", "1")
    return line("default-server", *timing, "init-addr", "last,libc,none", *names, why=why)


def _checked(front: Front, backend: Backend) -> Iterator[Line]:
    asked = ("ver", "HTTP/1.1", "hdr", "Host", _HERE)
    yield line("option", "httpchk")
    if backend.loaded:
        yield line("http-check", "connect")
    yield line("http-check", "send", "meth", "GET", "uri", front.health, *asked)
    yield line("http-check", "expect", "status", "200")
    for model in backend.loaded:
        why = "Out of service until the model is loaded."
        yield line("http-check", "connect", why=why)
        yield line("http-check", "send", "meth", "GET", "uri", front.present, *asked)
        yield line("http-check", "expect", "string", f'"{model}"')


def _asides(front: Front, services: dict[str, Service], at: At) -> Iterator[Line]:
    yield line("balance", "leastconn", why="What needs no slot waits for none.")
    yield from _whose(front, at)
    yield _each_server(at)
    seen: set[str] = set()
    for backend in front.backends:
        for server in backend.servers:
            if server.service not in seen:
                seen.add(server.service)
                # One that stands for several cannot say whose health is whose.
                one = f"{backend.name}/{server.service}"
                same = ("check",) if at.many else ("track", one)
                yield line(*_server(at, services[server.service]), *same)


def _whose(front: Front, at: At) -> Iterator[Line]:
    """Say which server answers for the backend that a request names: each has other models."""
    why = "Who names a model is told of the server that has it."
    for backend in front.backends if len(front.backends) > 1 else ():
        name = backend.servers[0].service
        server = name if at.many is None else f"{name}-1"
        named = ("if", "{", f"var({_TO})", "-m", "str", backend.name, "}")
        yield line("use-server", server, *named, why=why)
        why = ""


def _metrics(front: Front, at: At) -> Iterator[Line]:
    yield line("bind", address(at.metrics_host, front.metrics_port))
    yield line("option", "dontlog-normal")
    yield line("monitor-uri", "/healthz", why="200 while there is a server to ask.")
    dead = [("{", f"nbsrv({backend.name})", "eq", "0", "}") for backend in front.backends]
    yield line("monitor", "fail", "if", *(word for test in dead for word in test))
    service = ("http-request", "use-service", "prometheus-exporter")
    yield line(*service, "if", "{", "path", "/metrics", "}", why="For Prometheus.")
    yield line("http-request", "deny", "deny_status", "404")
