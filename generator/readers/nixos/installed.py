"""Files that a module puts somewhere as they are: units, drop-ins, quadlets, variables."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source
from generator.readers.embedded import embedded
from generator.readers.nixos.literal import parts
from generator.readers.signs import kind_of, names_an_engine
from generator.readers.syntax.grammar import TooMuch
from generator.readers.syntax.nix import UNKNOWN
from generator.readers.templates import UNTOLD
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context
    from generator.readers.nixos.evaluate import Definition
    from generator.view import View

_ABOVE: Final[dict[tuple[str, ...], str]] = {
    ("environment", "etc"): "etc/",
    ("systemd", "units"): "etc/systemd/system/",
    ("xdg", "configFile"): ".config/",
    ("home", "file"): "",
}
"""Options that make files, and below which directory."""
_FAR: Final = 20
_HINT: Final = "check the file on the host"


def installed(source: Source, context: Context) -> tuple[list[View], list[NotJudged]]:
    """Return the Views of the files that a module writes, and what could not be judged."""
    views: list[View] = []
    gaps: list[NotJudged] = []
    for name, found in _files(source.text):
        more, left = _read(name, found, source, context)
        views += more
        gaps += left
    return views, gaps


def _files(text: str) -> Iterator[tuple[str, Definition]]:
    """Yield what says the text of a file, or where that is, with the name of the file."""
    try:
        modules = parts(text) if any(above[-1] in text for above in _ABOVE) else ()
    except TooMuch:
        return
    for found in (one for module in modules or () for one in module.found):
        folder = _ABOVE.get(found.path[:2])
        if folder is not None and found.path[3:] in {("text",), ("source",)}:
            yield f"{folder}{found.path[2]}", found


def _read(
    name: str, found: Definition, source: Source, context: Context
) -> tuple[list[View], list[NotJudged]]:
    beside = found.value if found.path[3] == "source" and isinstance(found.value, str) else ""
    if beside.startswith("."):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), beside))
        text = context.read(path)
        if text is not None:
            return embedded(text, name, path, 1, context)
    text = found.holds if found.path[3] == "source" else found.value
    if not isinstance(text, str) or not text:
        return [], [*_unknown(name, found, source)]
    text = text.replace(UNKNOWN, f"{UNTOLD}untold}}")
    line = first_line(source.text.split("\n"), text, found.line)
    at, gaps = line or found.line, UNTOLD in text
    return embedded(text, name, source.path, at, context, packed=not line, gaps=gaps)


def _unknown(name: str, found: Definition, source: Source) -> Iterator[NotJudged]:
    if names_an_engine(name) and kind_of(Source(name, "")) is not None:
        reason = "something else makes the text of the file"
        yield NotJudged(file=source.path, part=name, line=found.line, reason=reason, hint=_HINT)


def first_line(lines: list[str], text: str, near: int) -> int:
    """Return the line on which a text begins that stands in a file; 0: not line by line."""
    wanted = [line.strip() for line in text.split("\n")]
    first = next((n for n, line in enumerate(wanted) if line and UNTOLD not in line), 0)
    for at in range(near - 1, min(near + _FAR, len(lines))):
        if wanted[first] and lines[at].strip().endswith(wanted[first]):
            return at + 1 - first
    return 0
