"""A file inside another one: a fence of Markdown, a here-document, `content:` of cloud-init.

It is read as what it is, and every place is moved to where it stands.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.errors import HostwrightError, ProfileError
from generator.readers import KINDS, load_reader
from generator.readers.base import Context, PartlyRead, Source
from generator.readers.signs import assigns_only, is_for_a_shell, kind_of, reached, signs_of
from generator.readers.templates import as_written, has_gaps, plain
from generator.records import dataclass
from generator.view import NotJudged, Phrases, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")
_FAR: Final = 2_000  # lines


def embedded(
    text: str,
    name: str,
    file: str,
    line: int,
    context: Context,
    kind: str | None = None,
    *,
    packed: bool = False,
    gaps: bool = False,
    lines: Sequence[int] = (),
) -> tuple[list[View], list[NotJudged]]:
    """Return the Views of a text that begins on `line` of `file`, and what could not be judged.

    `name` is the file that it becomes, empty where nobody says; `kind` is told, or seen. Of what is
    `packed` all stands on that line, and no fix can change it. `gaps`: something fills it in.
    `lines`: where each line stands, if that is not one behind the other.
    """
    source = Source(name or "-", text)
    told = bool(kind or name)
    kind = _of_program(text, kind or kind_of(source))
    sure = told and kind == "modelfile"  # Nothing else has such files.
    engine = context.engine
    if kind not in KINDS or (engine.kinds and kind not in engine.kinds):
        return [], []
    named = re.search(engine.mentioned, f"{text}\n{name}")
    if not (sure or named or _leads(source, kind)):
        return [], []
    if kind == "environment" and not told and not assigns_only(text):
        return [], []  # A program in another language assigns as well.
    inner = replace(context, read=lambda _: None)
    unread: list[NotJudged] = []
    try:
        gaps = gaps or has_gaps(source, kind)
        views = load_reader(kind)((plain(source, kind),), inner)
    except ProfileError as error:
        views = error.views if isinstance(error, PartlyRead) else ()
        error = error if packed else _told_again(error, source, line, inner, kind)
        unread = [_gap(problem.message, problem.hint, KINDS[kind], file, line)
                  for problem in error.problems[:1]]  # fmt: skip
    except HostwrightError as error:
        return [], [_gap(error.message, error.hint, KINDS[kind], file, line)]
    views = tuple(as_written(view, {}, gaps=gaps) for view in views)
    spots = {source.path: Spot(Place(file, line), packed, lines)}
    found = [moved(view, spots) for view in views]
    if packed or lines:
        found = [replace(v, phrases=replace(v.phrases, mendable=False)) for v in found]
    return found, unread


def _of_program(text: str, kind: str | None) -> str | None:
    """Return the kind of a text, which is a script or none where it names the program of one."""
    if not text.startswith("#!") or kind == "script":
        return kind
    return "script" if is_for_a_shell(text) else None


def _leads(source: Source, kind: str) -> bool:
    """Return whether a text of a kind that need not name an engine leads to the address of one."""
    return signs_of(kind).ours is reached and reached(source)


def _told_again(
    error: ProfileError, source: Source, line: int, context: Context, kind: str
) -> ProfileError:
    """Return what is wrong with a text, with the lines of the file around it in the message."""
    if line > _FAR or "line " not in error.problems[0].message:
        return error
    padded = replace(source, text="\n" * (line - 1) + source.text)
    try:
        load_reader(kind)((padded,), context)
    except ProfileError as again:
        return again
    return error


def _gap(message: str, hint: str, what: str, file: str, line: int) -> NotJudged:
    return NotJudged(file=file, reason=message, hint=hint, part=f"{what} in it", line=line)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a text stands in the file around it: it begins at a place.

    `flat`: all of it is there; `lines`: each of its lines is where these say.
    """

    place: Place
    flat: bool = False
    lines: Sequence[int] = ()

    def line(self, number: int, unknown: int) -> int:
        """Return where a line of the text stands; without one (0) it is one that is `unknown`."""
        if self.lines:
            return self.lines[min(max(number, 1), len(self.lines)) - 1]
        if self.flat:
            return self.place.line
        return number + self.place.line - 1 if number else unknown


def moved(value: T, spots: Mapping[str, Spot]) -> T:
    """Return a View, or a part of one, with the places in files moved to where their texts are."""
    found: Any = value
    if isinstance(found, Place):
        spot = spots.get(found.file)
        if spot is None:
            return value
        line = spot.line(found.line, max(spot.place.line - 1, 1))
        found = Place(spot.place.file, line, found.key)
    elif isinstance(found, NotJudged):
        spot = spots.get(found.file) or next(iter(spots.values()))
        line = spot.line(found.line, spot.place.line)
        found = replace(found, file=spot.place.file, line=line, part=found.part or "a part of it")
    elif isinstance(found, tuple) and not hasattr(found, "_fields"):
        found = tuple(moved(item, spots) for item in found)
    elif is_dataclass(found) and not isinstance(found, Phrases):
        named = [f.name for f in fields(found) if f.init]
        found = replace(found, **{name: moved(getattr(found, name), spots) for name in named})  # type: ignore[type-var]
    return found  # type: ignore[no-any-return]


def with_gaps(views: Iterable[View], gaps: Iterable[NotJudged]) -> tuple[View, ...]:
    """Return the Views, of which the first one carries what could not be judged."""
    found = tuple(views)
    if found and (more := tuple(gaps)):
        found = (replace(found[0], not_judged=(*found[0].not_judged, *more)), *found[1:])
    return found


def file_name(path: str) -> str:
    """Return a path as a name to tell a kind by, empty where it is none."""
    return path if PurePosixPath(path).name not in {"", "null", "-"} else ""
