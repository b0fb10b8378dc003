"""Files that another file names by the path where they will be installed."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source
from generator.readers.systemd import install_root
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.view import Place

_UP: Final = 3
"""How far above its directory a file of a repository may have the others."""
_MOST: Final = 6
_NEAR: Final = ("", "..", "../scripts", "scripts")
_SCRIPTS: Final = 20
"""How many scripts are looked into for one file at most."""


def installed(path: str, by: str, context: Context) -> Source | None:
    """Return what is at an absolute path, for the file `by` that names it; None: not at hand.

    An installed file means its own root, a captured one too. One of a repository means what will
    be installed with it: that lies beside it, or in a tree that looks like the end of the path.
    """
    root = install_root(by)
    places = [root + path.lstrip("/")] if root is not None else [*_beside(path, by), path]
    for place in dict.fromkeys(places):
        text = context.read(place)
        if text is not None:
            return Source(place, text)
    return None


def _beside(path: str, by: str) -> Iterator[str]:
    folder = posixpath.dirname(by)
    if folder.endswith(".d"):
        folder = posixpath.dirname(folder)
    parts = PurePosixPath(path).parts[1:][-_MOST:]
    for up in range(_UP):
        # A bare name means something only close by.
        for at in range(len(parts) - (up > 1)):
            yield posixpath.normpath(posixpath.join(folder, *[".."] * up, *parts[at:]))


_PUTS: Final = re.compile(
    r"\b(?:cp|install|ln|mv)\b[^\n]{0,300}?"
    r"(?:/systemd/(user|system)\b|(\.config|/etc)/containers/systemd\b)"
)
_MANAGERS: Final = {".config": "user", "/etc": "system"}
_FOLDER: Final = re.compile(
    r"(?m)^[ \t]*(?:(?:export|local|readonly)[ \t]+)?(\w{1,50})="
    r"[\"']?([^\"'\n]{0,200}/systemd\b[^\"'\n;]{0,50})"
)
_NAMED: Final = re.compile(r"\$\{?(\w{1,50})\}?")


def is_for_a_user(path: str, context: Context) -> bool:
    """Return whether a script of the repository puts a unit where a user's manager reads it."""
    name = posixpath.basename(path)
    every = f"*.{name.rpartition('.')[2]}"
    places = set()
    for script in scripts_near(path, context):
        text = context.read(script) or ""
        folders = dict(_FOLDER.findall(text))
        for line in (one for one in text.split("\n") if name in one or every in one):
            if found := _PUTS.search(_filled_in(line, folders)):
                places.add(found[1] or _MANAGERS[found[2]])
    return places == {"user"}


def _filled_in(line: str, folders: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda found: folders.get(found[1], found[0]), line)


def scripts_near(path: str, context: Context) -> list[str]:
    """Return the scripts of the repository that lie where one would that installs a file."""
    folder, name = posixpath.split(path)
    near = (posixpath.normpath(posixpath.join(folder, one, name)) for one in _NEAR)
    found = (file for one in near for file in context.listed(one) if file.endswith(".sh"))
    return [*dict.fromkeys(found)][:_SCRIPTS]


def dockerfiles_near(path: str, context: Context) -> Iterator[str]:
    """Yield the text of each Dockerfile in the folder of a file, and in the one above."""
    folder, name = posixpath.split(path)
    above = posixpath.normpath(posixpath.join(folder, "..", name))
    every = (one for near in (path, above) for one in context.listed(near))
    files = [one for one in dict.fromkeys(every) if _DOCKERFILE.search(one)]
    yield from (context.read(one) or "" for one in files[:_SCRIPTS])


_DOCKERFILE: Final = re.compile(r"(?:^|[/.])(?:Docker|Container)file(?:\.[\w-]+)?$", re.IGNORECASE)


def missing(what: str, place: Place) -> NotJudged:
    """Return what is to be said of a file that is not at hand."""
    return NotJudged(
        file=place.file,
        part=f"`{what}`",
        line=place.line,
        reason="the file is not at hand, and what it sets may win",
        hint="check it where it is, together with this file",
    )
