"""HW225, HW229, HW578, HW629: the Host that Ollama refuses, paths that it has not, closed doors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import BENEATH

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_TAKEN: Final = re.compile(
    r"(?i)localhost|[\d.]+|.*\.(?:localhost|local|internal)|(?!(?-i:[A-Z]+_[A-Z_]+$))[^.]*"
)
_EVERY: Final = "*"
_THERE: Final = re.compile(r"/(?:api/(?:tags|version|ps)|v1/models)?(?:\?.*)?")
_LOADS: Final = re.compile(r"/(?:api/(?:generate|chat|embed(?:dings)?)|v1/(?:chat/)?completions)\b")


@Rule(
    id="HW225",
    title="a name by which the server does not let itself be asked",
    why="A server that listens on the loopback alone answers 403 to a request whose Host is "
    "neither `localhost`, an address of the machine, nor a name that ends in `.localhost`, "
    "`.local` or `.internal`: so it keeps out web pages. A proxy that hands on the name which the "
    "client asked for has all of its requests refused. HAProxy and Caddy do so unless told "
    "otherwise, nginx with `proxy_set_header Host $host`.",
    bad="server_name llm.example.com;\nproxy_pass http://127.0.0.1:11434;\n"
    "proxy_set_header Host $host;",
    good="server_name llm.example.com;\nproxy_pass http://127.0.0.1:11434;\n"
    "proxy_set_header Host localhost;",
    source="server/routes.go@v0.32.15, allowedHostsMiddleware; docs/faq.mdx@v0.32.15: How can I "
    "use Ollama with a proxy server?",
)
def refused_host(view: View, _: Facts) -> Hits:
    for hop in view.hops:
        name, place = hop.host or ("", hop.place)
        if hop.local and name == _EVERY:
            yield Hit(
                message="the server is asked by whatever name the client says: where it listens on "
                "the loopback alone, it answers 403 to all but local ones",
                place=place,
                fix=f"write {hop.words.host}",
                severity="info",
            )
        elif hop.local and name and not _TAKEN.fullmatch(name):
            yield Hit(
                message=f"the server is asked as `{name}`: where it listens on the loopback alone, "
                "it answers 403 to that",
                place=place,
                fix=f"write {hop.words.host}",
            )


@Rule(
    id="HW229",
    severity="error",
    title="a health check of the proxy that no server passes",
    why="`option httpchk` by itself asks OPTIONS, and Ollama has a route for GET and HEAD alone: "
    "on another address than the loopback it answers 404 or 405. It has no /health and no /metrics "
    "either. The proxy takes such a server for dead, and answers 503. A path that generates loads "
    "a model with each check.",
    bad="option httpchk",
    good="option httpchk\nhttp-check send meth GET uri /api/version",
    source="server/routes.go@v0.32.15, GenerateRoutes; docs.haproxy.org/2.8: option httpchk",
)
def fails_its_check(view: View, _: Facts) -> Hits:
    told = set()
    for hop in view.hops:
        for method, path, place in hop.probes:
            if place in told or "$" in path or "{" in path:
                continue
            told.add(place)
            if _LOADS.match(path):
                message = f"`{path}` has the server load a model, and is no check"
            elif not _THERE.fullmatch(path):
                message = f"the server has no `{path}`: it answers 404, and counts as dead"
            elif method.upper() not in {"GET", "HEAD"}:
                message = f"the check asks with {method.upper()}, which the server has no route for"
            else:
                continue
            yield Hit(message=message, place=place, fix=f"write {hop.words.probe}")


@Rule(
    id="HW578",
    severity="error",
    title="authentication that nobody passes",
    why="ingress-nginx reads names and passwords from the Secret that `auth-secret` names. With "
    "`auth-type` alone it cannot, and denies the whole location: everybody gets 503.",
    bad="annotations: {nginx.ingress.kubernetes.io/auth-type: basic}",
    good="annotations:\n  nginx.ingress.kubernetes.io/auth-type: basic\n"
    "  nginx.ingress.kubernetes.io/auth-secret: ollama-users",
    source="github.com/kubernetes/ingress-nginx: internal/ingress/annotations/auth/main.go",
)
def lets_nobody_in(view: View, _: Facts) -> Hits:
    for hop in view.hops:
        if hop.barred is not None:
            yield Hit(
                message="`auth-type` is set without `auth-secret`: the ingress denies each request",
                place=hop.barred,
                fix="name the Secret in `nginx.ingress.kubernetes.io/auth-secret`",
            )


_ROOTS: Final = frozenset({"api", "v1"})


@Rule(
    id="HW629",
    title="a path below which the server has nothing",
    why="The server has its routes at `/api/` and `/v1/`, and knows no path before them. A proxy "
    "that leads to it below another path, and hands that on, gets 404 for each request: nginx "
    "takes the path of a location off where `proxy_pass` ends in one, as `/`, Caddy in "
    "`handle_path`, Traefik by the middleware `stripprefix`.",
    bad="location /ollama/ {\n  proxy_pass http://127.0.0.1:11434;\n}",
    good="location /ollama/ {\n  proxy_pass http://127.0.0.1:11434/;\n}",
    source="server/routes.go@v0.32.15, GenerateRoutes; nginx.org: proxy_pass; "
    "caddyserver.com/docs/caddyfile/directives/handle_path; doc.traefik.io: StripPrefix",
)
def below_another_path(view: View, _: Facts) -> Hits:
    found = [(hop.beneath, hop.place, hop.words.program) for hop in view.hops if hop.beneath]
    found += [(one.value, one.place, one.name) for one in view.lines_in(BENEATH)]
    for path, place, program in found:
        if path.split("/")[1] not in _ROOTS:
            yield Hit(
                message=f"{program} hands `{path}` on, and the server has no such path: it answers "
                "404",
                place=place,
                fix=f"have {program} take `{path}` off",
            )
