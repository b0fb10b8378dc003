"""What becomes of each setting of a file: an Entry of the profile, or something Left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.view import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A `value` for the `key` of a profile, and where it comes from: the setting `name`.

    `note` tells why the key is another than that of the setting, `rule` is the one that says so of
    the file.
    """

    key: str
    value: Any
    name: str
    place: Place
    note: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A setting that the profile does not carry, why, and what to do about it.

    `value` is empty where it is a secret. `idle`: it has no effect as it stands, or keeps it where
    it stands, so that nothing is lost.
    """

    name: str
    value: str
    place: Place
    reason: str
    fix: str = ""
    rule: str = ""
    idle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A setting that the rendered files have beyond those that were read, and why."""

    name: str
    value: str
    reason: str
