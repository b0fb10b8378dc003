"""Mount units that stand beside a service: what is behind a directory that it uses."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.syntax import unit
from generator.readers.syntax.storage import network
from generator.readers.systemd import install_root
from generator.view import Place, Variable, Volume

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.systemd.merged import Unit

_DEEPEST: Final = 12
_PLAIN: Final = re.compile(r"(?:/[\w.]+)+")  # systemd escapes the rest, `-` too
_PATHS: Final = re.compile(r".*_MODELS|HOME")


def mounts(one: Unit, variables: Iterable[Variable], context: Context) -> Iterator[Volume]:
    """Yield the mounts that a service asks for, or has its files below, where their units are
    beside it: `/net/nas` is that of `net-nas.mount`, systemd.mount(5).
    """
    asked = " ".join(a.value for a in one.named("RequiresMountsFor", "Unit")).split()
    paths = (*asked, *(v.value for v in variables if _PATHS.fullmatch(v.name)))
    folders = {str(PurePosixPath(file).parent) for file in one.files}
    for path in dict.fromkeys(p for told in paths for p in _above(told)):
        for folder in sorted(folders):
            name = f"{folder}/{path.strip('/').replace('/', '-')}.mount"
            if (text := context.read(name)) is not None:
                yield from _volume(Source(name, text))
    yield from _of_fstab(one, [path for told in paths for path in _above(told)], context)


def _of_fstab(one: Unit, paths: list[str], context: Context) -> Iterator[Volume]:
    """Yield the mounts of the table that is installed with a unit, fstab(5)."""
    roots = dict.fromkeys(install_root(file) for file in one.files)
    for name in [f"{root}etc/fstab" for root in roots if root is not None]:
        for number, line in enumerate((context.read(name) or "").split("\n"), 1):
            what, where, kind, *_ = (*line.partition("#")[0].split(), "", "", "")
            if where in paths:
                place = Place(name, number)
                yield Volume(target=where, place=place, network=network(kind, what))


def _above(path: str) -> list[str]:
    """Return a directory and those above it, without the root."""
    if not _PLAIN.fullmatch(path):
        return []
    every = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
    return every[:-1][:_DEEPEST]


def _volume(source: Source) -> Iterator[Volume]:
    try:
        found = unit.parse(source)
    except ProfileError:
        return
    told = {key: unit.named(found, key, "Mount")[-1:] for key in ("What", "Where", "Type")}
    kind, what = ("".join(a.value for a in told[key]) for key in ("Type", "What"))
    for where in told["Where"]:
        place = (told["Type"] or [where])[0].place()
        yield Volume(target=where.value, place=place, network=network(kind, what))
