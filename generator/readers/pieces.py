"""Files that another file writes: a unit is read with its drop-ins and with what it reads."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError
from generator.readers import load_reader
from generator.readers.base import Source
from generator.readers.embedded import Spot, embedded, moved
from generator.readers.signs import kind_of, signs_of
from generator.readers.templates import as_written, has_gaps, plain
from generator.records import dataclass
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.readers.base import Context
    from generator.view import NotJudged, View

_KINDS: Final = frozenset({"systemd", "quadlet", "compose"})
"""What is read with other files: drop-ins, overrides, files of variables."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that another one writes: its path and text, and the line on which that begins.

    `lines`: where each of its lines stands, if that is not one behind the other; `packed`: all of
    it stands on that line.
    """

    path: str
    text: str
    line: int
    lines: Sequence[int] = ()
    packed: bool = False


Read = tuple[list[Piece], list["View"], list["NotJudged"]]
"""Files that are read together, what they say, and what could not be judged."""


def read_pieces(pieces: Sequence[Piece], file: str, context: Context) -> Iterator[Read]:
    """Yield what the files say that `file` writes, each of their places in it.

    What is no file of a kind that is read yields no View.
    """
    groups: dict[int, Read] = {}
    taken: set[int] = set()
    once = _once(pieces)
    for kind, several in _groups(once.values(), context) if len(once) > 1 else ():
        every, views = _together(several, kind, once, file, context)
        if views:
            groups[id(several[0])] = every, views, []
            taken.update(map(id, every))
    for piece in pieces:
        if group := groups.get(id(piece)):
            yield group
        elif id(piece) not in taken:
            lines, packed = piece.lines, piece.packed
            told = (piece.text, piece.path, file, piece.line, context)
            views, gaps = embedded(*told, lines=lines, packed=packed)
            yield [piece], views, gaps


def _once(pieces: Iterable[Piece]) -> dict[str, Piece]:
    """Return the files that are written once, by their paths: of others nobody knows which."""
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.path, []).append(piece)
    return {path: several[0] for path, several in found.items() if len(several) == 1}


def _groups(pieces: Iterable[Piece], context: Context) -> Iterator[tuple[str, list[Piece]]]:
    """Yield the files that belong together, with their kind; what lies over others is last."""
    found: dict[tuple[str, str], list[Piece]] = {}
    for piece in pieces:
        kind = kind_of(Source(piece.path, piece.text))
        if kind in _KINDS and re.search(context.engine.mentioned, f"{piece.text}\n{piece.path}"):
            belongs = signs_of(kind).belongs(PurePosixPath(piece.path))
            found.setdefault((kind, belongs), []).append(piece)
    for (kind, _), several in found.items():
        over = re.compile(signs_of(kind).over)
        yield kind, sorted(several, key=lambda p: bool(over.fullmatch(PurePosixPath(p.path).name)))


def _together(
    several: list[Piece], kind: str, once: Mapping[str, Piece], file: str, context: Context
) -> tuple[list[Piece], list[View]]:
    """Return files with those that they name, and what they say together; alone it says nothing."""
    used: dict[str, Piece] = {}

    def read(path: str) -> str | None:
        if path in once:
            used[path] = once[path]
        return once[path].text if path in once else None

    sources = [Source(piece.path, piece.text) for piece in several]
    try:
        inner = replace(context, read=read)
        views = load_reader(kind)([plain(source, kind) for source in sources], inner)
    except HostwrightError:
        return several, []  # Each of them says so.
    pieces = [*several, *(piece for piece in used.values() if piece not in several)]
    if len(pieces) == 1:
        return several, []
    gaps = any(has_gaps(source, kind) for source in sources)
    spots = {one.path: Spot(Place(file, one.line), one.packed, one.lines) for one in pieces}
    found = [moved(as_written(view, {}, gaps=gaps), spots) for view in views]
    if any(piece.packed or piece.lines for piece in pieces):
        found = [replace(v, phrases=replace(v.phrases, mendable=False)) for v in found]
    return pieces, found
