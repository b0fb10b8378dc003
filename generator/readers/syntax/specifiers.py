"""`%` specifiers of unit files, systemd.unit(5): expanded where a file alone can tell."""

from __future__ import annotations

import re
from typing import Final

from generator.records import dataclass

_SPECIFIER: Final = re.compile(r"%(.?)", re.DOTALL)
_DIRECTORIES: Final = {
    "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc", "T": "/tmp",  # noqa: S108
    "V": "/var/tmp", "D": "/usr/share", "h": "/root", "u": "root", "U": "0", "g": "root", "G": "0",  # noqa: S108
}  # fmt: skip
_ON_THE_HOST: Final = frozenset("aAbBcdfHlmMoqrRsvwWyY")
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})|(-)")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its specifiers expanded; `unresolved`: some are kept, for only a host can."""

    text: str
    unresolved: bool = False


def expand(text: str, unit: str, *, user: bool = False) -> Expanded | None:
    """Expand the specifiers of a value in `unit`, a unit of a `user` manager or of the system.

    None: it has one that systemd does not know, for which it ignores the whole value.
    """
    if "%" not in text:
        return Expanded(text)
    known = {**_names(unit), **({} if user else _DIRECTORIES)}
    asked = {letter for letter in _SPECIFIER.findall(text) if letter not in known}
    open_ended = {letter for letter in asked if letter.isascii() and letter.isalnum()}
    if open_ended - _ON_THE_HOST - _DIRECTORIES.keys() - {"i", "I"}:
        return None
    return Expanded(_SPECIFIER.sub(lambda m: known.get(m[1], m[0]), text), bool(open_ended))


def _names(unit: str) -> dict[str, str]:
    """Return the specifiers of the unit's name; a template does not know its instance."""
    stem = unit.rpartition(".")[0] or unit
    prefix, at, instance = stem.partition("@")
    last = prefix.rpartition("-")[2]
    names = {
        "%": "%", "n": unit, "N": stem, "p": prefix, "P": _unescaped(prefix), "j": last,
        "J": _unescaped(last),
    }  # fmt: skip
    if at and not instance:
        return names
    return {**names, "i": instance, "I": _unescaped(instance)}


def _unescaped(name: str) -> str:
    r"""Undo the escaping of names, systemd-escape(1): `-` was a slash, `\x2d` a dash."""
    return _ESCAPED.sub(lambda match: "/" if match[2] else chr(int(match[1], 16)), name)
