"""What the file of variables beside a project says, or a sample of one that is not at hand."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source
from generator.readers.compose.variables import parse_dotenv
from generator.readers.signs import names_an_engine, reached
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.readers.compose.variables import Entry

    Read = Callable[[str], str | None]

_ENDS: Final = (".example", ".sample", ".template", ".dist")
_ALSO: Final = ("env.example", "example.env", "sample.env")
_IMAGES: Final = re.compile(r"(?m)^[ \t]+[\"']?image[\"']?[ \t]*:[ \t]*[\"']?(\$[^\s\"'#]+)")
_BARE: Final = re.compile(r"\$\{?([A-Za-z_]\w*+)(?!:?[-+])")
_ADDRESS: Final = re.compile(r"(?:https?://)?[\w.-]+:\d+")
_ASKED: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Told:
    """What the file `path` says, the one that is asked for or a sample of it."""

    path: str
    entries: tuple[Entry, ...] = ()


def told_beside(path: str, read: Read) -> Told:
    """Return what a file of variables says, or its sample: nothing where Compose refuses it."""
    for name in _names(path):
        text = read(name)
        if text is not None:
            try:
                return Told(name, tuple(parse_dotenv(text, {})))
            except ValueError:
                break
    return Told(path)


def _names(path: str) -> Iterator[str]:
    """Yield the names of a file of variables, and of what may be a sample of it."""
    yield path
    yield from (f"{path}{end}" for end in _ENDS)
    if posixpath.basename(path) == ".env":
        yield from (posixpath.join(posixpath.dirname(path), name) for name in _ALSO)


def images_told(sources: Sequence[Source], read: Read) -> dict[str, str]:
    """Return what a sample fills images in with, where the `.env` itself is not at hand."""
    asked = {name for source in sources for name in _in_images(source.text)}
    path = _beside(sources[0])
    if not asked or read(path) is not None:
        return {}
    entries = told_beside(path, read).entries
    return {one.name: one.value for one in entries if one.name in asked and one.value}


def speaks_by_variables(source: Source, read: Read) -> bool:
    """Return whether the file of variables beside fills in an engine's image, or its address."""
    asked = frozenset(_ASKED.findall(source.text))
    told = told_beside(_beside(source), read).entries if asked else ()
    images = frozenset(_in_images(source.text)) if told else frozenset()
    return any(
        names_an_engine(one.value) if one.name in images else reached(Source("", one.value))
        for one in told
        if one.name in asked and one.value and (one.name in images or _ADDRESS.match(one.value))
    )


def _in_images(text: str) -> Iterator[str]:
    """Yield the variables without a default that an image begins with, or has behind such a one."""
    for image in _IMAGES.findall(text):
        yield from _BARE.findall(image)


def _beside(source: Source) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source.path), ".env"))
