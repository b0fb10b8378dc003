"""Rules of routers of Traefik, and which of its middlewares ask who comes.

Labels, resources of Kubernetes and files have them alike. Source:
doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOSTS: Final = re.compile(r"\bHost\(([^()]*)\)")
_LIKE: Final = re.compile(r"\bHostRegexp\(\s*([`'\"])((?:(?!\1).)+)\1")
_ANY: Final = re.compile(r"(?:\{[\w-]*:?\.[+*]\}|\.[+*]\??|\[[^\]]+\][+*])\)?\$?$")
"""The end of a pattern that has any domain: of the second release of Traefik, and of the third."""
_QUOTED: Final = re.compile(r"[`'\"]([^`'\"]+)[`'\"]")
_ASKS: Final = frozenset({
    "basicauth", "digestauth", "forwardauth", "ipallowlist", "ipwhitelist", "passtlsclientcert",
    "plugin", "jwt", "oidc", "apikey", "hmac", "ldap",
})  # fmt: skip
_PLAIN: Final = re.compile(
    r"(?i)header|rate-?limit|cors|compress|gzip|strip|redirect|retry|buffer|prefix|inflight|circuit"
)
_MAY: Final = re.compile(r"(?i)auth|allow|white|login|sso|chain|oidc|vpn|lan\b|local|internal|key")


def hosts_of(rule: str) -> list[str]:
    """Return the names that a rule is for."""
    return [name for inside in _HOSTS.findall(rule) for name in _QUOTED.findall(inside)]


def host_of(rule: str) -> str:
    """Return the first name that a rule is for; empty: it has none, `$`: any domain will do."""
    like = _LIKE.search(rule)
    return next(iter(hosts_of(rule)), "$" if like and _ANY.search(like[2]) else "")


_BELOW: Final = re.compile(r"\bPathPrefix\(\s*[`'\"](/[\w./-]+)[`'\"]\s*\)")
_CHANGES: Final = re.compile(r"(?i)strip|replace|rewrite|prefix|path|chain|add|regex")


def below(rule: str, middlewares: Iterable[str]) -> str:
    """Return the path that requests of a rule begin with, where no middleware may take it off."""
    found = _BELOW.findall(rule)
    changed = any(map(may_change, middlewares))
    return str(found[0]) if len(found) == 1 and "||" not in rule and not changed else ""


def may_change(middleware: str) -> bool:
    """Return whether a middleware of a name or a kind may hand on another path."""
    return _CHANGES.search(middleware) is not None


def may_ask(name: str, known: Mapping[str, Iterable[str]]) -> bool:
    """Return whether a middleware asks who comes, or may: by its kind, where that is `known`.

    Of one that is not at hand the name has to say that it does something else.
    """
    kinds = {kind.lower() for kind in known.get(name.partition("@")[0], ())}
    if kinds and "chain" not in kinds:
        return bool(kinds & _ASKS)
    return bool(_MAY.search(name)) or _PLAIN.search(name) is None
