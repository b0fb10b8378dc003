"""The best value as a line of the profile: everything else of that file stays as it is."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import HostwrightError
from generator.files.diff import Content, unified
from generator.files.rewrite import rewrite
from generator.formats.edit import with_value
from generator.pipeline import plan_of
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.records import dataclass
from generator.verify.served import tagged

if TYPE_CHECKING:
    from generator.profiles.document import Document

_PLACE: Final = "{at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A profile before and after; `serves` are models that clients ask for under a new name, and
    the names: a server makes a model of its own for what no variable says.
    """

    path: Path
    old: str
    new: str
    serves: tuple[tuple[str, str], ...] = ()

    @property
    def diff(self) -> str:
        """What changes, as people and `patch` read it; empty: nothing."""
        if self.old == self.new:
            return ""
        before, after = (Content(text.encode(), executable=False) for text in (self.old, self.new))
        return unified(self.path.name, before, after)

    def write(self) -> Path:
        """Write it, and return where the file is as it was. Raises as `rewrite` does."""
        return rewrite(self.path, self.old, self.new)


def own_file(document: Document) -> Path:
    """Return the file of a profile that may be written. Raises HostwrightError: there is none."""
    path = Path(document.source)
    if document.source in {f"profiles/{each.name}" for each in shipped_profiles()}:
        raise HostwrightError(
            f"{document.source} is shipped, and is not written to",
            hint=f'write a profile of your own with `extends = "{path.stem}"`',
        )
    if not path.is_file():
        what = "standard input" if document.source == "stdin" else f"`{path}`"
        raise HostwrightError(f"{what} is no file to write to", hint="name the file")
    for place in (path, path.absolute().parent, path.resolve().parent):
        if not os.access(place, os.W_OK):
            message = f"`{place}` may not be written to"
            raise HostwrightError(message, hint="leave out --write, or run as who may")
    return path


def place_of(document: Document, key: str, model: str) -> tuple[str, ...]:
    """Return the path of a key in a profile's own file; that of a model has its place in it.

    Raises HostwrightError for a model that this file does not have.
    """
    if _PLACE not in key:
        return tuple(key.split("."))
    own = tomllib.loads(document.texts[document.source]).get("models", [])
    for at, one in enumerate(own if isinstance(own, list) else []):
        if isinstance(one, dict) and tagged(model) in _names(one):
            return tuple(key.format(at=at).split("."))
    raise HostwrightError(
        f"{document.source} itself has no model `{model}`",
        hint='add it: [[models]] with `name = "…"`',
    )


def _names(model: dict[str, Any]) -> set[str]:
    name = str(model.get("name", ""))
    own = str(model.get("serve_as") or "")
    return {tagged(each) for each in (name, own, f"{tagged(name)}-tuned", f"{name}:tuned") if each}


def edit(document: Document, path: tuple[str, ...], value: int, reason: str) -> Edit:
    """Return the profile with a value and its reason, which is still a profile that resolves.

    Raises HostwrightError where it cannot be written so, ProfileError where it would be none.
    """
    old = document.texts[document.source]
    new = with_value(old, path, value, reason)
    before, after = (
        plan_of(read_document(document.source, stdin=text.encode())).service.models
        for text in (old, new)
    )
    pairs = zip((one.served for one in before), (one.served for one in after), strict=True)
    serves = tuple((was, is_) for was, is_ in pairs if was != is_)
    return Edit(path=own_file(document), old=old, new=new, serves=serves)
