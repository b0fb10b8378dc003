"""Scripts that a machine runs while it starts for the first time."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context, Source

_BOOTS: Final = re.compile(r"(?im)^[ \t]*#.*\b(?:user[-_ ]?data|cloud-?init|startup[- ]script)\b")
_HEAD: Final = 1000  # characters in which a script says what it is for
_HANDS: Final = re.compile(r"(?:user|custom)_data|startup[-_]script|cloud-?init")
_TERRAFORM: Final = (".tf", ".tofu")
_MOST: Final = 20  # files of Terraform
_USER_DATA: Final = re.compile(r"(?:user[-_]?data|cloud[-_]?init)[\w.-]*", re.IGNORECASE)
_SAYS_SO: Final = re.compile(
    r"(?:[ \t]*#?\r?\n|#[^\n]*\n){0,6}?#[^\n]*\buser[- ]?data\b", re.IGNORECASE
)


def may_be_of_a_boot(source: Source, context: Context) -> bool:
    """Return whether a machine may run it at its first boot: it says so, or Terraform.

    That is enough to say less of it; `is_user_data` asks for more.
    """
    if _BOOTS.search(source.text[:_HEAD]):
        return True
    name = re.escape(posixpath.basename(source.path))
    handed = re.compile(rf"file\(\s*\"[^\"\n]*(?<![\w.-]){name}\"")
    texts = _terraform(source, context, above=2)
    return any(handed.search(text) and _HANDS.search(text) for text in texts)


def is_user_data(source: Source, context: Context) -> bool:
    """Return whether a script is surely what a cloud hands a machine: by name, or by Terraform.

    A script that starts a container may call itself a startup script.
    """
    name = posixpath.basename(source.path)
    if _USER_DATA.fullmatch(name) or _SAYS_SO.match(source.text):
        return True
    hands = re.compile(
        rf"(?:user[-_]?data|custom_data|startup[-_]script)\w*[\"']?[ \t]*=[^\n=]{{0,200}}"
        rf"(?:\n[^\n=]{{0,200}}){{0,2}}[/\"]{re.escape(name)}\""
    )
    return any(map(hands.search, _terraform(source, context, above=1)))


def _terraform(source: Source, context: Context, *, above: int) -> Iterator[str]:
    """Yield the files of Terraform beside a script, and in so many folders above."""
    folder, name = posixpath.split(source.path)
    ups = ([".."] * up for up in range(above + 1))
    near = (posixpath.normpath(posixpath.join(folder, *up, name)) for up in ups)
    every = (path for one in near for path in context.listed(one))
    files = [path for path in every if path.endswith(_TERRAFORM)][:_MOST]
    yield from (context.read(path) or "" for path in files)
