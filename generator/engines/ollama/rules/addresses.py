"""HW113, HW122, HW401 to HW403, HW633: what the server listens on, and who can reach the API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import (
    EVERY,
    is_address,
    is_nobodys,
    is_of_a_mesh,
    listens_on,
)
from generator.meaning import SCHEMES, cleaned, parts_of, port_of
from generator.rules.helpers.containers import is_client, is_official
from generator.rules.helpers.ports import ALL_ADDRESSES, covers, inside_of, made_local
from generator.rules.helpers.routes import is_public, public_routes
from generator.rules.helpers.variables import corrected, renamed
from generator.rules.rule import Hit, Hits, Rule
from generator.units import is_entry_point, is_local, whole
from generator.view import CLOUD, INGRESS, OPENED, SHUT, TUNNEL, WORLD

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


_PORT: Final = 11434
_ADDRESS_AND_PORT: Final = f"write an address and a port: `127.0.0.1:{_PORT}`"
_LAST_PORT: Final = 65535
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_NUMBERS: Final = re.compile(r"[\d.]+", re.ASCII)
# gin-contrib/cors v1.7.2 with AllowBrowserExtensions, as server/routes.go asks for it.
_ORIGINS: Final = (
    "http://", "https://", "chrome-extension://", "safari-extension://", "moz-extension://",
    "ms-browser-extension://",
)  # fmt: skip


@Rule(
    id="HW113",
    title="an address that the server reads otherwise",
    why="OLLAMA_HOST is host:port. With `http://` and no port the server listens on port 80, not "
    "on 11434; a path means nothing to it; an invalid port is replaced. What is no address at "
    "all, or an origin without a scheme in OLLAMA_ORIGINS, ends the server at start.",
    bad="OLLAMA_HOST=http://0.0.0.0",
    good="OLLAMA_HOST=0.0.0.0:11434",
    source="envconfig/config.go@v0.32.15:22-60,85-109",
)
def address_misread(view: View, _: Facts) -> Hits:
    if is_client(view):
        return  # To a client it is the URL of a server, with a path and TLS.
    host, origins = view.variable("OLLAMA_HOST"), view.variable("OLLAMA_ORIGINS")
    if host is not None and not host.unresolved and cleaned(host.value):
        yield from _host(view, host)
    if origins is not None and not origins.unresolved and cleaned(origins.value):
        yield from _origins(view, origins)


def _host(view: View, variable: Variable) -> Hits:
    text = cleaned(variable.value).strip()
    scheme, host, port, path = parts_of(text)
    default = SCHEMES.get(scheme, _PORT)
    bare = f"{host}:{port or _PORT}"
    if fault := _no_address(host if port is None else f"{host}:{port}", host):
        yield corrected(view, variable, *fault, _ADDRESS_AND_PORT, severity="error")
    elif port is not None and ((number := whole(port)) is None or number > _LAST_PORT):
        message = f"`{port}` is no port; Ollama warns and listens on {default}"
        yield corrected(view, variable, message, f"{host}:{_PORT}")
    elif not host:
        message = f"`{text}` names no address: the server listens on all of them"
        yield corrected(view, variable, message, f"127.0.0.1:{port}", certain=False)
    elif scheme and port is None and default != _PORT:
        message = f"`{text}` means port {default}, not {_PORT}"
        yield corrected(view, variable, message, bare, certain=False)
    elif scheme == "https":
        message = "the server speaks no TLS; `https://` in OLLAMA_HOST is for clients"
        yield corrected(view, variable, message, bare, certain=False)
    elif scheme or path:
        extra = f"the path `/{path}`" if path else f"`{scheme}://`"
        yield corrected(
            view, variable, f"{extra} means nothing to the server", bare, severity="info"
        )


def _no_address(text: str, host: str) -> tuple[str, str] | None:
    """Return what is wrong with a host that cannot be listened on, and what was meant."""
    plain, end = host[1:-1] if host.startswith("[") else host, "; the server does not start"
    if is_nobodys(plain):
        message = f"no machine has the address {plain}, which cannot be bound{end}"
        return f"{message}: 0.0.0.0 is all addresses, 127.0.0.1 this machine alone", ""
    named = _NAME.fullmatch(plain) and not _NUMBERS.fullmatch(plain)
    if not plain or is_address(plain) or named:
        return None
    if plain.isdecimal():
        return f"`{text}` is a port without an address{end}", ""
    before, _, port = plain.rpartition(":")
    if ":" in before and is_address(before) and port.isdecimal():
        return f"`{text}`: an IPv6 address before a port needs brackets{end}", f"[{before}]:{port}"
    if ":" in before:
        return f"`{text}` has two ports; publish them in the container, not here{end}", ""
    return f"`{text}` is no address{end}", "0.0.0.0:11434" if plain == "*" else ""


def _origins(view: View, variable: Variable) -> Hits:
    entries = cleaned(variable.value).split(",")
    faults = [fault for entry in entries if (fault := _origin_fault(entry))]
    if not faults:
        if entries[0].strip().startswith("["):
            message = f"`{variable.value}` is no list to the server: it matches no page"
            fix = "write origins parted by commas, without brackets and quotes"
            yield corrected(view, variable, message, "", fix)
        return
    tidy = ",".join(entry.strip() for entry in entries if entry.strip())
    mended = not any(_origin_fault(entry) for entry in tidy.split(","))
    yield corrected(
        view,
        variable,
        f"OLLAMA_ORIGINS: {faults[0]}; the server panics at start",
        tidy if mended else "",
        "write origins like `https://chat.example.com`",
        severity="error",
    )


def _origin_fault(entry: str) -> str:
    if not entry:
        return "an entry is empty"
    if entry.count("*") > 1:
        return f"`{entry}` has more than one `*`"
    if "*" in entry or entry.startswith(_ORIGINS):
        return ""
    blank = entry != entry.strip() and entry.strip().startswith(_ORIGINS)
    return f"`{entry}` starts with a blank" if blank else f"`{entry}` has no scheme that it takes"


@Rule(
    id="HW122",
    title="HTTP_PROXY on the server",
    why="Pulls use HTTPS_PROXY. HTTP_PROXY catches clients in the same environment on their way to "
    "the server: a health check, a warm-up, `ollama list` where OLLAMA_HOST is 0.0.0.0.",
    bad="HTTP_PROXY=http://proxy.example.com:3128",
    good="HTTPS_PROXY=http://proxy.example.com:3128",
    source="docs/faq.mdx@v0.32.15:131-136; ollama#6195",
)
def proxy_between(view: View, _: Facts) -> Hits:
    for name, right in (("HTTP_PROXY", "HTTPS_PROXY"), ("http_proxy", "https_proxy")):
        variable, both = view.variable(name), view.variable(right) is not None
        if variable is None or not variable.value:
            continue
        spared = _spared(view)
        message = "; a client in this environment reaches the server through the proxy"
        yield Hit(
            message=f"`{name}` does nothing for pulls, which use HTTPS{'' if spared else message}",
            place=variable.place,
            severity="info" if spared else None,
            fix="remove it" if both else f"use {right} alone",
            edits=renamed(view, variable, right),
        )


def _spared(view: View) -> bool:
    """Return whether clients go around the proxy: Go does on loopback, NO_PROXY may say so."""
    variable = view.variable("OLLAMA_HOST")
    in_image = "0.0.0.0" if view.container else ""  # noqa: S104 -- what the official image sets
    host = listens_on(variable.value) if variable else in_image
    listed = [v.value for name in ("NO_PROXY", "no_proxy") if (v := view.variable(name))]
    return is_local(host) or bool({"*", host} & set(re.split(r"[,\s]+", ",".join(listed))))


EVERY_PAGE: Final = frozenset({"*", "http://*", "https://*"})


@Rule(
    id="HW401",
    title="the API can be reached from other machines",
    why="The API has no authentication: whoever reaches it can run, pull and delete models.",
    bad="OLLAMA_HOST=0.0.0.0:11434",
    good="OLLAMA_HOST=127.0.0.1:11434    # and a proxy that authenticates",
    source="docs/faq.mdx@v0.32.15",
)
def reachable_from_outside(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(WORLD):
        yield Hit(
            message=f"the rule lets `{line.value}` come to port {facts.image.port}, and the "
            "API has no authentication",
            place=line.place,
            fix="name the addresses, or the group, of those that ask it",
        )
    yield from _by_proxies(view)
    address = view.variable("OLLAMA_HOST")
    # In a container it has to listen on all; what is published decides there.
    if address is None or view.container is not None or is_entry_point(address.place.file):
        return
    if _is_off(view):
        return
    host = listens_on(address.value)
    if address.reach == "server" and _OWN_NAME.fullmatch(address.value):
        yield Hit(
            message=f"the API listens at `{address.value}`, where other machines reach it, and has "
            "no authentication",
            place=address.place,
            fix="listen on 127.0.0.1, and reach it by a tunnel of SSH, or keep the network closed",
        )
    if not is_local(host) and _is_known(host) and not _is_asked(view, address.value, host):
        shut, among = _is_shut(view), is_of_a_mesh(host)
        held = ", which the firewall keeps shut until something opens the port" if shut else ""
        held = held or (": machines of its private network may use it" if among else "")
        yield Hit(
            message=f"the API listens on {host} and has no authentication{held}",
            place=address.place,
            severity="info" if shut or among else None,
            fix="listen on 127.0.0.1 behind a proxy that authenticates, or keep the network closed",
        )


_OWN_NAME: Final = re.compile(
    r"[\"']?(?:http://)?(?:\$(?:HOSTNAME|SLURMD_NODENAME)|\$\{(?:HOSTNAME|SLURMD_NODENAME)\}"
    r"|\$\((?:hostname|uname[ ]+-n)(?:[ |][^()]*)?\)|`(?:hostname|uname[ ]+-n)(?:[ |][^`]*)?`)"
    r"(?::.*)?"
)
"""How scripts name the machine that they run on, as others know it."""


def _by_proxies(view: View) -> Hits:
    """Yield the ports at which a proxy on the host of the server lets everybody in."""
    told = set()
    for hop in view.hops:
        # Of a name that is known beyond the local network HW661 tells.
        known = any(is_public(line.value) for line in hop.names)
        if hop.local and hop.open_at is not None and not known and hop.open_at[0] not in told:
            told.add(hop.open_at[0])
            yield Hit(
                message=f"with `{hop.open_at[0]}` every machine that reaches this host may use the "
                f"API: {hop.words.program} asks nobody who they are",
                place=hop.open_at[1],
                fix="listen on 127.0.0.1, or have it authenticate"
                + (f": {hop.words.authenticate}" if hop.words.authenticate else ""),
            )


def _is_asked(view: View, value: str, host: str) -> bool:
    """Whether an address is rather that of a server that a program asks, outside of units."""
    if view.phrases.unit_file or view.manager or host in {EVERY, *ALL_ADDRESSES}:
        return False
    return "://" in value or not is_address(host)


@Rule(
    id="HW633",
    severity="info",
    title="a firewall that is opened for a server on the loopback",
    why="`openFirewall` lets others come to the port, and `host` is 127.0.0.1 unless somebody says "
    "otherwise: nobody answers them.",
    bad="services.ollama = { enable = true; openFirewall = true; };",
    good="services.ollama = { enable = true; };    # and a proxy that authenticates",
    source="nixos/modules/services/misc/ollama.nix at 25.11: host, openFirewall",
)
def opened_for_nobody(view: View, _: Facts) -> Hits:
    address = view.variable("OLLAMA_HOST")
    told = None if address is None else listens_on(address.value)
    reached = address is not None and (address.unresolved or not is_local(told or ""))
    for setting in view.settings:
        if setting.name == "openFirewall" and setting.value is True and not reached:
            yield Hit(
                message="it opens the port in the firewall, and the server listens on the loopback "
                "alone, unless another module sets `host`",
                place=setting.place,
                fix="leave it out, or set `host`, with a proxy or a network that asks who comes",
            )


def _is_off(view: View) -> bool:
    """Return whether a module turns the service off, and not as a default alone."""
    said = [s for s in view.settings if s.name == "enable" and not s.within]
    return any(s.value is False and s.strength >= 0 and not s.maybe for s in said)


_FIREWALL: Final = ("networking.firewall", "networking.nftables")


def _is_shut(view: View) -> bool:
    """Return whether a firewall keeps others out: one of NixOS is on unless told otherwise."""
    if view.lines_in(SHUT):
        return True
    if not view.phrases.firewalled or view.manager != "system":
        return False
    asked = any(s.name == "openFirewall" and s.value is not False for s in view.settings)
    touched = any(f"{line.section}.{line.name}".startswith(_FIREWALL) for line in view.lines)
    return not asked and not touched


def _is_known(host: str) -> bool:
    """Return whether a host can be judged: no gap that the machine fills in, no broken address."""
    if is_address(host):
        return not is_nobodys(host)
    named = _NAME.fullmatch(host) is not None and not _NUMBERS.fullmatch(host)
    return named or host == EVERY


@Rule(
    id="HW402",
    title="a container opens the API on all addresses of the host",
    why="A port published without an address is open on every address of the host, and the API "
    "has no authentication. Docker forwards published ports in rules of its own, so that a host "
    "firewall like ufw does not stop them. Containers of the same network need no published port. "
    "An address of a home network, or one of the internet, is reached by all that are in there.",
    bad='ports: ["11434:11434"]',
    good='ports: ["127.0.0.1:11434:11434"]',
    source="docs.docker.com/engine/network/packet-filtering-firewalls; ollama#16236",
)
def published_on_all_addresses(view: View, facts: Facts) -> Hits:
    yield from _published(view, facts)
    for line in view.lines_in(OPENED):
        yield Hit(
            message=f"`{line.value}` of `{line.name}` opens the API to every machine that "
            "reaches this host: the proxy asks nobody who they are",
            place=line.place,
            fix="publish it on 127.0.0.1, or have the proxy authenticate, as with `auth_basic`",
        )
    yield from _on_the_host_network(view, facts)
    yield from _cluster_service(view)


_AMONG_THEM: Final = "other containers reach it over their common network"


def _published(view: View, facts: Facts) -> Hits:
    container, address = view.container, view.variable("OLLAMA_HOST")
    # On the host's network nothing is published, whatever the file says.
    if container is None or container.host_network is not None or view.phrases.passing:
        return  # Nor does anybody reach a machine that is made for one run.
    of_cloud = any(line.name == CLOUD for line in view.lines_in(SHUT))
    ours = facts.image.port
    api = port_of(address.value, ours) if address else ours
    for text, place in container.ports:
        host, inside = inside_of(text)
        if not covers(inside, api):
            continue
        bound = view.phrases.binds_addresses
        if not bound and host:
            yield Hit(
                message=f"`{text}` opens the API to every machine that reaches a node: a stack "
                "passes over the address, and publishes on all of them",
                place=place,
                fix=f"publish no port; {_AMONG_THEM}",
            )
            continue
        if _is_of_network(host):
            yield Hit(
                message=f"`{text}` opens the API to every machine that reaches {host}, and it asks "
                "nobody who they are",
                place=place,
                severity="info" if of_cloud else None,
                fix="publish it on 127.0.0.1 behind a proxy that authenticates, or keep the "
                "network closed",
            )
        if host not in ALL_ADDRESSES:
            continue
        local = made_local(text)
        beyond = "past a host firewall" if view.phrases.past_firewall else "without authentication"
        yield Hit(
            message=f"`{text}` opens the API to every machine that reaches this host, {beyond}",
            place=place,
            severity="info" if of_cloud else None,
            # No Edit: whether other machines may use it is for somebody to decide.
            fix=f"write `{view.phrases.local_port(local or f'127.0.0.1:{api}:{api}', place)}`; "
            f"{_AMONG_THEM}"
            if view.phrases.publishes_local
            else f"publish no port; {_AMONG_THEM}",
        )


def _is_of_network(host: str) -> bool:
    """Whether an address is surely that of a network with others: of a home, or of the internet.

    Those of tunnels, bridges and containers are 100.64.0.0/10, 172.16.0.0/12 and 10.0.0.0/8.
    """
    import ipaddress  # Few ports name an address.

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global or host.startswith("192.168.")


def _on_the_host_network(view: View, facts: Facts) -> Hits:
    container, address = view.container, view.variable("OLLAMA_HOST")
    if container is None or container.host_network is None:
        return
    of_image = facts.image.environment["OLLAMA_HOST"] if is_official(view, facts) else ""
    host = listens_on(address.value if address else of_image)
    if not is_local(host):
        set_by = "" if address else ", as the image sets it"
        yield Hit(
            message=f"on the host's network the API listens on {host}{set_by}: every machine that "
            f"reaches this host can use it",
            place=address.place if address else container.host_network,
            fix=f"set OLLAMA_HOST to `127.0.0.1:{facts.image.port}`",
        )


def _cluster_service(view: View) -> Hits:
    for line in view.container.exposed if view.container else ():
        if line.section in {TUNNEL, INGRESS}:
            continue
        yield Hit(
            message=f"a service of type {line.value} opens the API outside the cluster, and it has "
            f"no authentication",
            place=line.place,
            fix="write `ClusterIP`, with an ingress that authenticates before it",
        )


@Rule(
    id="HW562",
    severity="error",
    title="a tunnel to the API",
    why="A tunnel opens what it leads to for the whole internet, and the API has no "
    "authentication: whoever finds the name can run, pull and delete models. Scanners do find it.",
    bad="command: tunnel --url http://ollama:11434",
    good="command: tunnel --url http://proxy:8080    # a proxy that authenticates, before the API",
    source="docs/faq.mdx@v0.32.15: How can I use Ollama with Cloudflare Tunnel?",
)
def tunnel_to_the_api(view: View, _: Facts) -> Hits:
    exposed = view.container.exposed if view.container else ()
    for line in (*exposed, *view.lines):
        if line.section == TUNNEL:
            yield Hit(
                message=f"`{line.name}` leads to the API from the whole internet, and it has no "
                "authentication",
                place=line.place,
                fix="lead it to a proxy that authenticates, before the API",
            )


@Rule(
    id="HW661",
    title="a public name for the API that asks nobody who they are",
    why="An Ingress, a route of a gateway, Traefik or OpenShift, or a site of a proxy opens the "
    "API under its name, and the API has no authentication: whoever finds the name can run, pull "
    "and delete models. Said where no annotation or middleware names authentication or who may "
    "come, and not for names of a local network, like `.local`.",
    bad="kind: Ingress, with `backend: {service: {name: ollama}}`",
    good="annotations: {nginx.ingress.kubernetes.io/auth-type: basic}",
    source="kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations",
)
def ingress_to_the_api(view: View, _: Facts) -> Hits:
    for route in public_routes(view):
        yield Hit(
            message=f"{route.subject} opens the API {route.name}, and neither asks who comes",
            place=route.place,
            fix=f"have it authenticate, as with {route.how}, unless something before it does",
        )


@Rule(
    id="HW403",
    title="every web page may use the API",
    why="OLLAMA_ORIGINS says which web pages may use the API; it filters no addresses. With `*` "
    "any page opened near the server can run, pull and delete models, on the loopback address too.",
    bad="OLLAMA_ORIGINS=*",
    good="OLLAMA_ORIGINS=https://chat.example.org",
    source="envconfig/config.go@v0.32.15:86-109; ollama#9359",
)
def every_origin(view: View, _: Facts) -> Hits:
    origins = view.variable("OLLAMA_ORIGINS")
    parts = [part.strip() for part in origins.value.split(",")] if origins else []
    wide = next((part for part in parts if part in EVERY_PAGE), "")
    if origins and wide:
        yield Hit(
            message=f"`{wide}` lets every web page that a user opens run, pull and delete models; "
            f"it is no filter of addresses either",
            place=origins.place,
            fix="name the pages that need it, like `https://chat.example.org`; those on localhost "
            "may anyway",
        )
