"""What readers of proxies share: which address is an engine's, and how their files become Views."""

from __future__ import annotations

import posixpath
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.readers.base import NeedsMore, refused
from generator.units import is_local
from generator.view import INGRESS, Line, NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.around import Hop
    from generator.errors import ProfileError
    from generator.readers.base import Context, Source
    from generator.view import Phrases, View

MOST: Final = 200
"""Ways to an engine that one file has; more of them are not judged."""
_FAULT: Final = re.compile(r"line (\d+): (.*)", re.DOTALL)
_PUBLIC: Final = re.compile(
    r"(?=[^:]*[A-Za-z])[\w-]+(?:\.[\w-]+)+|.*[{$].*|[A-Z]+(?:_[A-Z]+)+"  # Or to be filled in.
)
EVERY_NAME: Final = "*"
"""The Host of a proxy that hands on any name by which somebody asks."""
_QUICK: Final = re.compile(
    r"/?(?:api/(?:tags|version|ps|show)|v1/models|health\w*|status|metrics|ping)?/?"
)


def is_api(address: str, context: Context) -> bool:
    """Return whether an address, with or without a scheme and a path, is that of an engine."""
    bare = re.sub(r"^\w+://", "", address).partition("/")[0]
    named = re.search(r"[{$]", bare) and context.engine.name in bare.lower()
    return bool(named) or re.fullmatch(context.engine.api, bare) is not None


def by_tls(addresses: Iterable[tuple[str, Place]], context: Context) -> tuple[str, Place] | None:
    """Return the first address at which an engine is asked by TLS, at the port that is its own.

    A name with dots may be that of a proxy which speaks TLS there.
    """
    port = context.catalogue.at(context.engine.name).image.port
    own = re.compile(rf"(?:https|grpcs)://(?:[\w-]+|[\d.]+|\[[\da-fA-F:]+\]):{port}(?:/.*)?")
    return next((one for one in addresses if own.fullmatch(one[0])), None)


def on_loopback(address: str) -> bool:
    """Return whether an address is one that the proxy itself has alone."""
    bare = re.sub(r"^\w+://", "", address).partition("/")[0]
    host = re.sub(r":\d+$", "", bare).strip("[]")
    return is_local(host or "?") or (not host and bare[:1] == ":")


def generates(path: str) -> bool:
    """Return whether a path may lead to what generates text, and not to a list alone."""
    return not path.strip("/") or _QUICK.fullmatch(path.strip("=~^* ")) is None


_BENEATH: Final = re.compile(r"(/[A-Za-z][\w.-]{0,60}(?:/[\w.-]{1,60})*)/?\*?")


def beneath(path: str) -> str:
    """Return the path that a matcher of a proxy has all requests begin with; empty: none."""
    found = _BENEATH.fullmatch(path)
    return found[1] if found else ""


def streams(path: str) -> bool:
    """Return whether a path may lead to what answers word by word; vectors come at once."""
    return "embed" not in path


def public(names: Iterable[str], how: str, place: Place) -> tuple[Line, ...]:
    """Return those of the names that may be known beyond the local network."""
    told = (re.sub(r"^https?://|:\d+$|/.*$", "", name.strip(",")) for name in names)
    return tuple(
        Line(section=INGRESS, name=f"{how} public", value=name, place=place)
        for name in told
        if _PUBLIC.fullmatch(name)
    )


def fault(source: Source, error: ValueError, what: str) -> ProfileError:
    """Return what is wrong with a text that is no configuration of a program."""
    found = _FAULT.fullmatch(str(error))
    where, message = (f"line {found[1]}", found[2]) if found else ("", str(error))
    return refused(source.path, where, f"is no {what}: {message}", "mend the syntax")


def some(hops: Iterable[Hop], path: str, gaps: list[NotJudged]) -> list[Hop]:
    """Return the ways to an engine, and add to `gaps` where there are too many of them."""
    found = list(islice(hops, MOST + 1))
    if len(found) > MOST:
        reason = f"it has more than {MOST} ways to an engine: later ones are not judged"
        part = "what stands behind"
        gaps.append(NotJudged(file=path, line=found[-1].place.line, reason=reason, part=part))
    return found[:MOST]


def made(
    source: Source, book: Phrases, hops: Sequence[Hop], gaps: Sequence[NotJudged], context: Context
) -> View:
    """Return the View of a proxy's file. Raises NeedsMore where it leads to no engine."""
    if not hops:
        reason = f"nothing in it leads to {context.engine.name.capitalize()}"
        hint = "name the file that does, or leave this one out"
        if gaps:
            reason = f"{reason}, and a part of it is not at hand: {gaps[0].part}"
        raise NeedsMore(source.path, (Problem("", reason, hint, source.path),))
    return context.view(
        book,
        context.release_for(),
        name=posixpath.basename(source.path),
        place=Place(source.path),
        adds=True,
        hops=tuple(hops),
        not_judged=tuple(gaps),
    )
