"""HW401, HW402 and HW403: who can reach the API."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import listens_on, port_of
from generator.rules.helpers.containers import REFERENCE, is_official
from generator.rules.rule import Hit, Rule
from generator.units import is_local, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


ALL_ADDRESSES: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 -- what we look for
EVERY_PAGE: Final = frozenset({"*", "http://*", "https://*"})


@Rule(
    id="HW401",
    severity="warning",
    title="the API can be reached from other machines",
    why="The API has no authentication: whoever reaches it can run, pull and delete models.",
    bad="OLLAMA_HOST=0.0.0.0:11434",
    good="OLLAMA_HOST=127.0.0.1:11434    # and a proxy that authenticates",
    source="docs/faq.mdx@v0.32.15",
)
def reachable_from_outside(view: View, _: Facts) -> Iterator[Hit]:
    address = view.variable("OLLAMA_HOST")
    # In a container it has to listen on all; what is published decides there.
    if address is None or view.container is not None:
        return
    host = listens_on(address.value)
    if not is_local(host) and _is_known(host):
        yield Hit(
            message=f"the API listens on {host} and has no authentication",
            place=address.place,
            fix="listen on 127.0.0.1 behind a proxy that authenticates, or keep the network closed",
        )


def _is_known(host: str) -> bool:
    """Return whether a host can be judged: no gap that the machine fills in, no broken address."""
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return not re.search(r"[:%$]", host)


@Rule(
    id="HW402",
    severity="warning",
    title="a container opens the API on all addresses of the host",
    why="A port published without an address is open on every address of the host, and the API "
    "has no authentication. Docker forwards published ports in rules of its own, so that a host "
    "firewall like ufw does not stop them. Containers of the same network need no published port.",
    bad='ports: ["11434:11434"]',
    good='ports: ["127.0.0.1:11434:11434"]',
    source="docs.docker.com/engine/network/packet-filtering-firewalls; ollama#16236",
)
def published_on_all_addresses(view: View, facts: Facts) -> Iterator[Hit]:
    yield from _published(view, facts)
    yield from _on_the_host_network(view, facts)
    yield from _cluster_service(view)


def _published(view: View, facts: Facts) -> Iterator[Hit]:
    container, address = view.container, view.variable("OLLAMA_HOST")
    # On the host's network nothing is published, whatever the file says.
    if container is None or container.host_network is not None:
        return
    ours = facts.image.port
    api = port_of(address.value, ours) if address else ours
    for text, place in container.ports:
        host, inside = _port(text)
        if host not in ALL_ADDRESSES or not _covers(inside, api):
            continue
        local = _made_local(text)
        beyond = "past a host firewall" if view.phrases.past_firewall else "without authentication"
        yield Hit(
            message=f"`{text}` opens the API to every machine that reaches this host, {beyond}",
            place=place,
            # No Edit: whether other machines may use it is for somebody to decide.
            fix=f"write `{local or f'127.0.0.1:{api}:{api}'}`; other containers reach it over "
            f"their common network",
        )


def _port(text: str) -> tuple[str, str]:
    """Return address and container port of `[ADDRESS:][PORT:]PORT[/PROTOCOL]`; `?`: a variable."""
    plain = REFERENCE.sub(lambda match: match["default"] or "?", text.strip("\"' ")).split("/")[0]
    if plain.startswith("["):
        host, _, rest = plain[1:].partition("]")
        return host, rest.rpartition(":")[2]
    *before, inside = plain.split(":")
    return ":".join(before[:-1]), inside


def _covers(inside: str, api: int) -> bool:
    first, _, last = inside.partition("-")
    low, high = whole(first), whole(last or first)
    # What is not told is taken for the API: nothing else is in this container.
    return low is None or high is None or low <= api <= high


def _made_local(text: str) -> str:
    """Return the port on the loopback address; empty: the host port is left to the engine."""
    for everywhere, local in (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")):
        if text.startswith(everywhere):
            return text.replace(everywhere, local, 1)
    several = ":" in REFERENCE.sub("", text)
    return f"127.0.0.1:{text}" if several and _port(text)[0] == "" else ""


def _on_the_host_network(view: View, facts: Facts) -> Iterator[Hit]:
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


def _cluster_service(view: View) -> Iterator[Hit]:
    for line in view.container.exposed if view.container else ():
        yield Hit(
            message=f"a service of type {line.value} opens the API outside the cluster, and it has "
            f"no authentication",
            place=line.place,
            fix="write `ClusterIP`, with an ingress that authenticates before it",
        )


@Rule(
    id="HW403",
    severity="warning",
    title="every web page may use the API",
    why="OLLAMA_ORIGINS says which web pages may use the API; it filters no addresses. With `*` "
    "any page opened near the server can run, pull and delete models, on the loopback address too.",
    bad="OLLAMA_ORIGINS=*",
    good="OLLAMA_ORIGINS=https://chat.example.org",
    source="envconfig/config.go@v0.32.15:86-109; ollama#9359",
)
def every_origin(view: View, _: Facts) -> Iterator[Hit]:
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
