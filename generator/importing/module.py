"""What a NixOS module says beside variables and limits: options, and directives of its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.importing.entries import Entry, Left
from generator.importing.unit import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import Setting, View

_OPTIONS: Final = {
    "user": "service.user",
    "group": "service.group",
    "home": "service.home",
    "openFirewall": "{engine}.open_firewall",
}
_STAYS: Final = "what else the module sets, and other services in it, stay there"
_TAKE_OUT: Final = "take out of it what the rendered module sets"
_OF_UNIT: Final = frozenset({"User", "Group", "Restart", "RestartSec"})
KNOWN: Final = frozenset(
    {
        *_OPTIONS,
        *("enable", "package", "acceleration", "environmentVariables", "host", "port", "models"),
        *("loadModels", "listenAddress", "rocmOverrideGfx"),
    }
)
"""Options that a View has as variables and models, or that follow from what computes."""


def module(view: View) -> Iterator[Entry | Left]:
    """Yield what the options of a module become, and what computes."""
    if view.acceleration:
        key = f"{view.engine}.acceleration"
        told = (one.place for one in view.lines if one.name in {"acceleration", "package"})
        place = next(told, view.place)
        yield Entry(key=key, value=view.acceleration, name="acceleration", place=place)
    yield Left(name=view.name, value="", place=view.place, reason=_STAYS, fix=_TAKE_OUT, idle=True)
    for one in view.settings:
        key = _OPTIONS.get(one.name, "") if not one.within else ""
        if key:
            yield from _option(one, key.format(engine=view.engine))
        elif one.within == "serviceConfig" and one.name in _OF_UNIT:
            yield from _directive(one)


def _option(one: Setting, key: str) -> Iterator[Entry | Left]:
    if one.unresolved:
        reason = "something else makes its value"
        yield Left(name=one.name, value="", place=one.place, reason=reason)
    elif one.value is not None:
        yield Entry(key=key, value=one.value, name=one.name, place=one.place)


def _directive(one: Setting) -> Iterator[Entry | Left]:
    key, read = KEYS[one.name]
    try:
        yield Entry(key=key, value=read(str(one.value)), name=one.name, place=one.place)
    except ValueError as error:
        yield Left(name=one.name, value=str(one.value), place=one.place, reason=str(error))
