"""Names under which what stands before a server opens its API to anybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.view import INGRESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import Place, View

_AT_HOME: Final = re.compile(
    r"^(?![A-Z]+_[A-Z_]+$)[^.]*$"
    r"|\b(?:10|127|192[.-]168|172[.-](?:1[6-9]|2\d|3[01]))[.-][\d.-]{1,40}\.(?:nip|sslip|xip)\.io$"
    r"|\.(?:local|lan|internal|intranet|home|home\.arpa|localhost|test|localdomain)$|[{$]"
)
"""Names that nobody asks for beyond the local network, and those of a template."""
_ROUTES: Final = {
    "host": ("an Ingress", "`nginx.ingress.kubernetes.io/auth-type`"),
    "alb": ("an Ingress of AWS", "`alb.ingress.kubernetes.io/auth-type`"),
    "other": ("an Ingress", "what its controller has for that"),
    "route": ("a route of the gateway", "a policy of the gateway for the route"),
    "traefik": ("a router of Traefik", "the middleware `basicauth` or `forwardauth`"),
    "openshift": ("a Route of OpenShift", "a proxy before it, like `oauth-proxy`"),
    "tcp": ("a router of Traefik for TCP", "a router of HTTP with `basicauth`"),
    "fly": ("Fly's proxy", "a server of its own before it, or drop the service and use `flycast`"),
    "run": ("an invoker that is anybody", "a service account as the invoker"),
    "render": ("a web service of Render", "a server of its own before a `type: pserv`"),
    "cloud": (
        "an external ingress",
        "the authentication of the platform, or `ip_security_restriction`",
    ),
    "caddy": ("Caddy", "`caddy.basic_auth`"),
    "caddyfile": ("Caddy", "`basic_auth`"),
    "haproxy": ("HAProxy", "`http-request auth`"),
    "nginx": ("nginx", "`auth_basic`"),
    "nginx-proxy": ("nginx-proxy", "a file `htpasswd/NAME` of it"),
}
"""What a name is said by, and how it asks who comes. A second word in the name of the line says
that it is public even where nobody knows the name, which something else fills in."""


_NAMELESS: Final = {"openshift": "under a name that the cluster makes up"}


@dataclass(frozen=True, slots=True)
class Route:
    """A way that is open to anybody: what opens it, by which name, and how that would ask."""

    subject: str
    how: str
    name: str
    place: Place


def is_public(name: str) -> bool:
    """Return whether a name may be known beyond the local network; that of a template is not."""
    return _AT_HOME.search(name) is None


def public_routes(view: View) -> Iterator[Route]:
    """Yield the ways to a server under public names, where nothing asks who comes."""
    exposed = view.container.exposed if view.container else ()
    named = (line for hop in view.hops for line in hop.names)
    for line in dict.fromkeys((*exposed, *named)):
        if line.section != INGRESS:
            continue
        what, public = f"{line.name} ".split(" ", 1)
        filled_in = public.strip() and re.search(r"[{$]", line.value)
        if filled_in or is_public(line.value):
            subject, how = _ROUTES.get(what, _ROUTES["host"])
            name = _NAMELESS.get(what, "by any name") if line.value == "$" else f"as {line.value}"
            yield Route(subject, how, name, line.place)
