"""Files that are read together: because of where they lie, or because somebody says so."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import Order, Source
from generator.readers.signs import signs_of
from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Read = Callable[[str], str | None]

_UP: Final = 3
"""How far above a script the files may lie that it names."""
_MOST: Final = 100
"""Orders that are followed, of a tree."""


@dataclass(frozen=True, slots=True)
class Group:
    """Files of one kind that are read together; `named`: the user has named one of them.

    `order` is the command that says so, at the paths of the files.
    """

    kind: str
    sources: tuple[Source, ...]
    named: bool = False
    order: Order | None = None


def listed(groups: Sequence[Group], read: Read) -> Iterator[Group]:
    """Yield the groups, those together of which a file beside them says that they are read so."""
    every = {posixpath.normpath(s.path): s for group in groups for s in group.sources}
    done: set[str] = set()
    for group in groups:
        first = PurePosixPath(group.sources[0].path)
        names = signs_of(group.kind).together(first, read)
        texts = [(path, None if path in every else read(path)) for path in names]
        there = [every.get(path) or Source(path, text or "") for path, text in texts]
        if not there or any(path not in every and text is None for path, text in texts):
            rest = tuple(s for s in group.sources if posixpath.normpath(s.path) not in done)
            yield from (replace(group, sources=rest),) if rest else ()
        elif not done.issuperset(names):
            done.update(names)
            yield replace(group, sources=tuple(there))
            rest = tuple(s for s in group.sources if posixpath.normpath(s.path) not in names)
            yield from (replace(group, sources=rest),) if rest else ()


def ordered(groups: Sequence[Group], orders: Iterable[Order], read: Read) -> list[Group]:
    """Return the groups as the orders have them read: a group of files that one of them names
    together is left to those that do.

    An order that has a file which is not at hand is none.
    """
    told = list(dict.fromkeys(orders))[:_MOST]
    found: dict[object, Group] = {}
    plainly: set[str] = set()
    for kind in dict.fromkeys(g.kind for g in groups if told and signs_of(g.kind).bases):
        sources = (source for group in groups if group.kind == kind for source in group.sources)
        every = {posixpath.normpath(source.path): source for source in sources}
        for order in told:
            if group := _of_order(order, kind, every, read):
                found.setdefault(
                    (group.sources, group.order and replace(group.order, by="")), group
                )
            else:
                plainly.update(_usual(order, kind, every))
    several = {path for group in found.values() for path in paths_of(group)} - plainly
    kept = [group for group in groups if not paths_of(group) <= several]
    # A command that says what is read anyhow makes no other service.
    said = {group.sources for group in kept}
    return [*kept, *(g for g in found.values() if g.sources not in said or _changes(g.order))]


def _changes(order: Order | None) -> bool:
    """Return whether a command has files read otherwise than by themselves."""
    return order is not None and bool(order.env_files or order.variables)


def texts_of(groups: Iterable[Group]) -> dict[str, str]:
    """Return the text of each file of groups, by the name that places use."""
    return {source.path: source.text for group in groups for source in group.sources}


def paths_of(group: Group) -> set[str]:
    """Return the paths of the files of a group, each in one form."""
    return {posixpath.normpath(source.path) for source in group.sources}


def _folders(order: Order) -> Iterator[str]:
    """Yield where the files of an order may lie: where it is given, and above."""
    folder = posixpath.dirname(order.by)
    for up in range(_UP):
        above = posixpath.join(folder, *[".."] * up)
        yield from (
            posixpath.normpath(posixpath.join(above, order.folder)),
            posixpath.normpath(above),
        )


def _usual(order: Order, kind: str, every: dict[str, Source]) -> Iterator[str]:
    """Yield the files that are read where an order names none."""
    if order.files or order.env_files or order.variables:
        return
    for folder in _folders(order):
        there = [posixpath.normpath(posixpath.join(folder, n)) for n in signs_of(kind).bases]
        if first := next((path for path in there if path in every), ""):
            yield first
            return


def _of_order(order: Order, kind: str, every: dict[str, Source], read: Read) -> Group | None:
    """Return the files that an order names, where one of them is among those that are checked."""
    bases = signs_of(kind).bases
    plain = not order.files and (order.env_files or order.variables)
    for folder in dict.fromkeys(_folders(order)):
        names = order.files
        if plain:
            names = tuple(
                n for n in bases if posixpath.normpath(posixpath.join(folder, n)) in every
            )
        sources = [_source(name, folder, every, read) for name in names[: 1 if plain else None]]
        there = [source for source in sources if source is not None]
        ours = any(posixpath.normpath(source.path) in every for source in there)
        if there and len(there) == len(sources) and ours:
            envs = (_source(name, folder, every, read) for name in order.env_files)
            files = tuple(one.path for one in envs if one is not None)
            placed = replace(order, folder="", files=tuple(s.path for s in there), env_files=files)
            return Group(kind, tuple(there), order=placed)
    return None


def _source(name: str, folder: str, every: dict[str, Source], read: Read) -> Source | None:
    """Return the file that a command names: of a path that only the host knows, its end."""
    parts = PurePosixPath(name).parts
    unknown = max(
        (at for at, part in enumerate(parts, 1) if "$" in part or part in "/~"), default=0
    )
    for start in range(unknown, len(parts) if unknown else unknown + 1):
        path = posixpath.normpath(posixpath.join(folder, *parts[start:]))
        text = None if path in every else read(path)
        if path in every or text is not None:
            return every.get(path) or Source(path, text or "")
    return None
