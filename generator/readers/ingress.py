"""Ingresses as proxies, by their class and their annotations, whoever writes them.

Source: kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations; its
internal/ingress/annotations/auth/main.go, which denies a location whose secret is not named, and
proxy/main.go there, which takes the default where a number has a unit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.around import Hop, Said, Words
from generator.units import whole
from generator.view import Place

if TYPE_CHECKING:
    from generator.readers.syntax.yaml_tree import Scalar, Table
    from generator.view import Line

AUTHENTICATES: Final = re.compile(
    r"auth|oidc|middleware|white-?list|allow-?list|source-range|snippet|plugin|jwt|mtls|client-ca"
    r"|policy|security|access|internal|private|tailscale|acl|waf|configuration-",
    re.IGNORECASE,
)
"""Names of annotations, classes and gateways that say, or may say, who comes."""
_OF_AWS: Final = re.compile(r"(?m)^alb\b|\balb$|^\s*alb\.ingress\.kubernetes\.io/")
_NOTE: Final = "nginx.ingress.kubernetes.io/"
_NGINX: Final = re.compile(rf"(?:^|[\s-])(?:nginx|ingress-nginx)\b|{re.escape(_NOTE)}")
_UNIT: Final = re.compile(r"\d{1,9} ?[a-z]{1,3}")
_SIZE: Final = re.compile(r"(\d{1,12})([kKmMgG]?)")
_SIZES: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_WORDS: Final = Words(
    program="ingress-nginx",
    wait=f'`{_NOTE}proxy-read-timeout: "1800"`',
    stream=f'`{_NOTE}proxy-buffering: "off"`',
    body=f'`{_NOTE}proxy-body-size: "64m"`',
    authenticate=f"`{_NOTE}auth-type` and `auth-secret`",
)
PLAIN: Final = Words(program="the ingress")


def named_by(kind: str, notes: str) -> str:
    """Return what a host of an Ingress is said by, by its class or else its annotations.

    Without either it is as one of nginx.
    """
    if _NGINX.search(f"{kind} {notes}"):
        return "host"
    return "alb" if _OF_AWS.search(f"{kind}\n{notes}") else "other" if kind else "host"


def hop_of(notes: Table, kind: str, place: Place, names: tuple[Line, ...] = ()) -> Hop:
    """Return the way through an Ingress of a class, `kind`, that has the annotations.

    `place` is where it leads to the engine, `names` are those under which it does so.
    """
    chosen = f"{kind} {' '.join(notes.entries)}"
    nginx = _NGINX.search(f"{chosen} {notes.text('kubernetes.io/ingress.class')}") is not None
    return Hop(
        words=_WORDS if nginx else PLAIN,
        place=place,
        answer=_time(notes, place) if nginx else None,
        held=_held(notes) if nginx else None,
        body=_body(notes, place) if nginx else None,
        names=() if AUTHENTICATES.search(chosen) else names,
        barred=_barred(notes) if nginx else None,
    )


def _note(notes: Table, name: str) -> Scalar | None:
    return notes.scalar(f"{_NOTE}{name}")


def _at(note: Scalar, name: str) -> Place:
    return Place(note.place.file, note.place.line, name)


def _time(notes: Table, place: Place) -> Said | None:
    name = "proxy-read-timeout"
    note = _note(notes, name)
    if note is None:
        return Said(name=name, value=60, place=place, told=False)
    value = whole(note.text)
    if value is None and _UNIT.fullmatch(note.text):
        return Said(name=name, value=60, place=_at(note, name), unread=True)
    return Said(name=name, value=value, place=_at(note, name)) if value else None


def _held(notes: Table) -> Said | None:
    name = "proxy-buffering"
    note = _note(notes, name)
    return Said(name=name, value=1, place=_at(note, name)) if note and note.text == "on" else None


def _body(notes: Table, place: Place) -> Said | None:
    name = "proxy-body-size"
    note = _note(notes, name)
    if note is None:
        return Said(name=name, value=2**20, place=place, told=False)
    found = _SIZE.fullmatch(note.text)
    value = int(found[1]) * _SIZES[found[2].lower()] if found else 0
    return Said(name=name, value=value, place=_at(note, name)) if value else None


def _barred(notes: Table) -> Place | None:
    """Return where authentication is asked for, and nothing says against what."""
    asked = _note(notes, "auth-type")
    return _at(asked, "auth-type") if asked and not _note(notes, "auth-secret") else None
