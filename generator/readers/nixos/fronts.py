"""Proxies that a module sets up before a server: `services.nginx`, `caddy`, `haproxy`, `traefik`.

What NixOS writes of the options is put together as far as it counts for requests, and read as the
file that it becomes. Source: nixos/modules/services/web-servers/nginx/default.nix and
caddy/default.nix, services/networking/haproxy.nix.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.readers.caddy import CADDY
from generator.readers.caddy.read import hops_of as of_caddy
from generator.readers.embedded import embedded
from generator.readers.nginx import NGINX
from generator.readers.nginx.read import hops_of as of_nginx
from generator.readers.nixos.evaluate import Definition
from generator.readers.nixos.installed import first_line
from generator.readers.nixos.services import Services, filled_in
from generator.readers.syntax import caddyfile, nginx
from generator.readers.syntax.nix import UNKNOWN
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.traefik import TRAEFIK
from generator.readers.traefik.read import hops_of as of_traefik
from generator.units import is_local
from generator.view import NotJudged, Place, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.around import Hop
    from generator.readers.base import Context, Source

_SERVICES: Final = re.compile(r"\b(?:nginx|caddy|haproxy|traefik)\b")
_HOSTS: Final = "virtualHosts"
_SECURED: Final = ("forceSSL", "addSSL", "onlySSL", "enableSSL")
_BODY: Final = "10m"  # `services.nginx.clientMaxBodySize`
_ASKS: Final = ("basicAuth", "basicAuthFile")
_UNTOLD: Final = "untold"
_URL: Final = re.compile(r"\burl = \"([^\"\n]+)\"")
_FAR: Final = 20  # lines of a list


def fronts(source: Source, context: Context) -> tuple[list[View], list[NotJudged]]:
    """Return a View of each proxy that leads to an engine, and what of it could not be judged."""
    if not _SERVICES.search(source.text):
        return [], []
    plain = _Module(source, context)
    module = _Module(filled_in(source, plain), context)
    views = [*module.view(NGINX, module.by_nginx), *module.view(CADDY, module.by_caddy)]
    views += module.view(TRAEFIK, module.by_traefik)
    balanced, gaps = module.haproxy()
    return [*views, *balanced], [*module.gaps, *gaps]


class _Module(Services):
    def __init__(self, source: Source, context: Context) -> None:
        super().__init__(source, context)
        self.gaps: list[NotJudged] = []

    @property
    def _is_wide(self) -> bool:
        """Whether the engine of the same module listens on more than the loopback."""
        return not is_local(self.address()["host"].strip("[]"))

    def view(self, book: Any, hops: Callable[[], Sequence[Hop]]) -> Iterator[View]:  # noqa: ANN401
        """Yield the View of a proxy, where it leads to an engine."""
        if led := tuple(hops()):
            name, place = f"services.{book.kind}", Place(self.source.path, led[0].place.line)
            release = self.context.release_for()
            book = replace(book, mendable=False)
            led = tuple(replace(hop, local=hop.local and not self._is_wide) for hop in led)
            yield self.context.view(book, release, name=name, place=place, adds=True, hops=led)

    def haproxy(self) -> tuple[list[View], list[NotJudged]]:
        """Return the same of HAProxy, whose file is one option."""
        found = self.told.get(("services", "haproxy", "config"))
        if found is None or not isinstance(found.value, str):
            return [], []
        at, text = self._begins(found), found.value.replace(UNKNOWN, _UNTOLD)
        return embedded(text, "haproxy.cfg", self.source.path, at, self.context, "haproxy")

    def by_nginx(self) -> list[Hop]:
        """Return the ways through nginx."""
        raw = [d for option in ("appendHttpConfig", "httpConfig", "commonHttpConfig")
               for d in self._directives("services", "nginx", option)]  # fmt: skip
        hosts = dict.fromkeys(p[0] for p, _ in self.of("services", "nginx", _HOSTS) if p)
        servers = [self._server(name) for name in hosts]
        return self._led(of_nginx([*raw, *self._pools(), *servers], self.source, self.context))

    def _led(self, told: tuple[list[Hop], list[NotJudged]]) -> list[Hop]:
        hops, gaps = told
        self.gaps += gaps if hops else []
        return hops

    def _pools(self) -> Iterator[nginx.Directive]:
        above = ("services", "nginx", "upstreams")
        for pool in dict.fromkeys(p[0] for p, _ in self.of(*above) if p):
            inside = [nginx.Directive("server", (path[1],), found.line)
                      for path, found in self.of(*above, pool, "servers")
                      for path in [("", *path)] if len(path) > 1]  # fmt: skip
            inside += self._directives(*above, pool, "extraConfig")
            line = min((d.line for d in inside), default=1)
            yield nginx.Directive("upstream", (pool,), line, tuple(inside))

    def _server(self, name: str) -> nginx.Directive:
        above = ("services", "nginx", _HOSTS, name)
        told = dict(self.of(*above))
        line = min(found.line for found in told.values())
        aliases = [str(one) for one in self._list(*above, "serverAliases")]
        names = (self.text(*above, "serverName") or name, *aliases)
        inside = [nginx.Directive("server_name", names, line), *self._asked(above, line)]
        inside.append(nginx.Directive("client_max_body_size", (self._body(),), line))
        if any(self._is_on(*above, option) for option in _SECURED):
            inside.append(nginx.Directive("listen", ("443", "ssl"), line))
        inside += self._directives(*above, "extraConfig")
        places = dict.fromkeys(p[1] for p in told if p[:1] == ("locations",) and len(p) > 1)
        inside += [self._location(above, path) for path in places]
        return nginx.Directive("server", (), line, tuple(inside))

    def _body(self) -> str:
        return self.text("services", "nginx", "clientMaxBodySize") or _BODY

    def _asked(self, above: tuple[str, ...], line: int) -> list[nginx.Directive]:
        asks = any(path[:1] == (option,) for option in _ASKS for path, _ in self.of(*above))
        return [nginx.Directive("auth_basic", ("secured",), line)] if asks else []

    def _location(self, above: tuple[str, ...], path: str) -> nginx.Directive:
        here = (*above, "locations", path)
        passed = self.told.get((*here, "proxyPass"))
        line = min(found.line for _, found in self.of(*here))
        inside = [*self._asked(here, line), *self._directives(*here, "extraConfig")]
        if passed is not None and isinstance(passed.value, str):
            inside.append(nginx.Directive("proxy_pass", (passed.value,), passed.line))
            inside += self._recommended(here, inside, passed.line)
        return nginx.Directive("location", tuple(path.split()), line, tuple(inside))

    def _recommended(
        self, here: tuple[str, ...], inside: list[nginx.Directive], line: int
    ) -> list[nginx.Directive]:
        """Return the headers that NixOS writes, where it is told to."""
        option = "recommendedProxySettings"
        own, of_all = (*here, option), ("services", "nginx", option)
        on = self._is_on(*own) if own in self.told else self._is_on(*of_all)
        own_words = any(d.name == "proxy_set_header" for d in inside)
        host = nginx.Directive("proxy_set_header", ("Host", "$host"), line)
        return [host] if on and not own_words else []

    def by_caddy(self) -> list[Hop]:
        """Return the ways through Caddy."""
        above = ("services", "caddy")
        hosts = dict.fromkeys(p[0] for p, _ in self.of(*above, _HOSTS) if p)
        sites = [site for name in hosts for site in self._site((*above, _HOSTS, name), name)]
        sites += self._entries(*above, "extraConfig")
        return self._led(of_caddy(sites, self.source, self.context))

    def by_traefik(self) -> list[Hop]:
        """Return the ways through Traefik."""
        return [
            hop
            for option in (("dynamicConfigOptions",), ("dynamic", "files"))
            for top in self._settings("services", "traefik", *option)
            for hop in of_traefik(top, self.context)
        ]

    def _settings(self, *above: str) -> Iterator[Table]:
        """Yield the settings below an option, which may be several files of settings."""
        files: dict[str, dict[str, Any]] = {}
        for path, found in self.of(*above):
            head, rest = ("", path)
            if "settings" in path[1:2]:
                head, rest = path[0], path[2:]
            inner = files.setdefault(head, {})
            for step in rest[:-1]:
                inner = inner.setdefault(step, {})
            if rest:
                servers = rest[-1] == "servers" and self._urls(found)
                inner[rest[-1]] = replace(found, value=servers) if servers else found
        for told in files.values():
            node = self._node(told)
            if isinstance(node, Table):
                yield node

    def _urls(self, found: Definition) -> list[dict[str, str]]:
        """Return the servers of a list, which stand in it as sets of their own."""
        text = "\n".join(self.lines[found.line - 1 : found.line - 1 + _FAR]).partition("]")[0]
        return [{"url": url} for url in _URL.findall(text)]

    def _node(self, told: Any) -> Node:  # noqa: ANN401
        if isinstance(told, Definition):
            return self._value(told.value, Place(self.source.path, told.line))
        inner = {name: self._node(one) for name, one in told.items()}
        line = min((one.place.line for one in inner.values()), default=1)
        return Table(inner, Place(self.source.path, line))

    def _value(self, value: Any, place: Place) -> Node:  # noqa: ANN401
        if isinstance(value, dict):
            return Table({name: self._value(one, place) for name, one in value.items()}, place)
        if isinstance(value, list):
            return Items(tuple(self._value(one, place) for one in value), place)
        return Scalar(str(value).lower() if isinstance(value, bool) else str(value), place)

    def _site(self, above: tuple[str, ...], name: str) -> Iterator[caddyfile.Entry]:
        line = min(found.line for _, found in self.of(*above))
        names = (
            self.text(*above, "hostName") or name,
            *map(str, self._list(*above, "serverAliases")),
        )
        inside = tuple(self._entries(*above, "extraConfig", within=True))
        yield caddyfile.Entry(names, line, inside)

    def _list(self, *path: str) -> list[Any]:
        found = self.told.get(path)
        return found.value if found and isinstance(found.value, list) else []

    def _is_on(self, *path: str) -> bool:
        found = self.told.get(path)
        return found is not None and found.value is True

    def _begins(self, found: Definition) -> int:
        return (
            first_line(self.lines, found.value.replace(UNKNOWN, _UNTOLD), found.line) or found.line
        )

    def _directives(self, *path: str) -> list[nginx.Directive]:
        """Return the directives of a text, at their lines."""
        found = self.told.get(path)
        if found is None or not isinstance(found.value, str):
            return []
        try:
            told = nginx.parse(found.value.replace(UNKNOWN, _UNTOLD))
        except ValueError:
            return []
        return [_moved(one, self._begins(found) - 1) for one in told]

    def _entries(self, *path: str, within: bool = False) -> list[caddyfile.Entry]:
        found = self.told.get(path)
        if found is None or not isinstance(found.value, str):
            return []
        text = found.value.replace(UNKNOWN, _UNTOLD)
        try:
            told = caddyfile.parse(f"site {{\n{text}\n}}" if within else text)
        except ValueError:
            return []
        by = self._begins(found) - (2 if within else 1)
        return [_moved(one, by) for one in (told[0].block if within else told)]


def _moved(one: Any, by: int) -> Any:  # noqa: ANN401 -- a Directive or an Entry
    """Return what stands in a text, with the lines of the file."""
    return replace(one, line=one.line + by, block=tuple(_moved(each, by) for each in one.block))
