"""HW113 and HW122: the address to listen on, the origins to let in, and proxies."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import SCHEMES, listens_on, parts_of
from generator.engines.ollama.rules.helpers.values import cleaned
from generator.rules.helpers.edits import corrected, renamed
from generator.rules.rule import Hit, Rule
from generator.units import is_local, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


_PORT: Final = 11434
_ADDRESS_AND_PORT: Final = f"write an address and a port: `127.0.0.1:{_PORT}`"
_LAST_PORT: Final = 65535
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
# gin-contrib/cors v1.7.2 with AllowBrowserExtensions, as server/routes.go asks for it.
_SCHEMES: Final = (
    "http://", "https://", "chrome-extension://", "safari-extension://", "moz-extension://",
    "ms-browser-extension://",
)  # fmt: skip


@Rule(
    id="HW113",
    severity="warning",
    title="an address that the server reads otherwise",
    why="OLLAMA_HOST is host:port. With `http://` and no port the server listens on port 80, not "
    "on 11434; a path means nothing to it; an invalid port is replaced. What is no address at "
    "all, or an origin without a scheme in OLLAMA_ORIGINS, ends the server at start.",
    bad="OLLAMA_HOST=http://0.0.0.0",
    good="OLLAMA_HOST=0.0.0.0:11434",
    source="envconfig/config.go@v0.32.15:22-60,85-109",
)
def address_misread(view: View, _: Facts) -> Iterator[Hit]:
    host, origins = view.variable("OLLAMA_HOST"), view.variable("OLLAMA_ORIGINS")
    if host is not None and not host.unresolved and cleaned(host.value):
        yield from _host(view, host)
    if origins is not None and not origins.unresolved and cleaned(origins.value):
        yield from _origins(view, origins)


def _host(view: View, variable: Variable) -> Iterator[Hit]:
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
    plain = host[1:-1] if host.startswith("[") else host
    if not plain or _is_address(plain) or (_NAME.fullmatch(plain) and not plain.isdecimal()):
        return None
    if plain.isdecimal():
        return f"`{text}` is a port without an address; the server does not start", ""
    before, _, port = plain.rpartition(":")
    end = "; the server does not start"
    if ":" in before and _is_address(before) and port.isdecimal():
        return f"`{text}`: an IPv6 address before a port needs brackets{end}", f"[{before}]:{port}"
    if ":" in before:
        return f"`{text}` has two ports; publish them in the container, not here{end}", ""
    return f"`{text}` is no address{end}", "0.0.0.0:11434" if plain == "*" else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _origins(view: View, variable: Variable) -> Iterator[Hit]:
    entries = cleaned(variable.value).split(",")
    faults = [fault for entry in entries if (fault := _origin_fault(entry))]
    if not faults:
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
    if "*" in entry or entry.startswith(_SCHEMES):
        return ""
    blank = entry != entry.strip() and entry.strip().startswith(_SCHEMES)
    return f"`{entry}` starts with a blank" if blank else f"`{entry}` has no scheme that it takes"


@Rule(
    id="HW122",
    severity="warning",
    title="HTTP_PROXY on the server",
    why="Pulls use HTTPS_PROXY. HTTP_PROXY catches clients in the same environment on their way to "
    "the server: a health check, a warm-up, `ollama list` where OLLAMA_HOST is 0.0.0.0.",
    bad="HTTP_PROXY=http://proxy.example.com:3128",
    good="HTTPS_PROXY=http://proxy.example.com:3128",
    source="docs/faq.mdx@v0.32.15:131-136; ollama#6195",
)
def proxy_between(view: View, _: Facts) -> Iterator[Hit]:
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
