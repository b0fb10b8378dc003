"""Links: further names of files, and of directories into which a walk does not go.

A file with a link beside it, or a path that is written in two ways, is judged once. A link in
another folder is left alone: what lies beside it counts, as the `.env` of a compose file, which is
another one there.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.signs import names_an_engine
from generator.readers.text import listed_beside
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DROP_INS: Final = re.compile(r"\.(?:service|container|pod|socket)\.d\Z")


def is_link(path: str) -> bool:
    """Return whether a name is that of a link."""
    return os.path.islink(path)  # noqa: PTH114


def real_name(path: str) -> str:
    """Return the path of a file wherever links of its name lead."""
    return os.path.realpath(path)


def in_one_form(paths: Iterable[str]) -> list[str]:
    """Return paths as they stand, those from the root relative where others are that.

    What one file reads is sought beside it: by another name it would be another file.
    """
    several = list(paths)
    if all(map(posixpath.isabs, several)):
        return several
    here = os.getcwd()  # noqa: PTH109
    below = [posixpath.isabs(path) and f"{path}/".startswith(f"{here}/") for path in several]
    named = zip(several, below, strict=True)
    return [posixpath.relpath(path, here) if inner else path for path, inner in named]


def named_as(path: str) -> str:
    """Return the path of a file, of a link that of what it leads to in the same folder."""
    path = posixpath.normpath(path)
    if not is_link(path):
        return path
    folder, real = posixpath.dirname(path), real_name(path)
    beside = posixpath.dirname(real) == real_name(folder or ".")
    return posixpath.join(folder, posixpath.basename(real)) if beside else path


def linked_drop_ins(folder: str, folders: Iterable[str]) -> Iterator[str]:
    """Yield the drop-ins of units below a link to their directory, by their names in `folder`."""
    for name in folders:
        path = posixpath.join(folder, name)
        if _DROP_INS.search(name) and is_link(path):
            yield from (f"{name}/{posixpath.basename(one)}" for one in listed_beside(f"{path}/x"))


def led_out_of(top: str, folder: str, folders: Iterable[str]) -> Iterator[NotJudged]:
    """Yield the links to directories outside of `top` that speak of an engine."""
    for name in folders:
        path = posixpath.join(folder, name)
        if names_an_engine(name) and not _DROP_INS.search(name) and _leads_out_of(top, path):
            reason, hint = "is a link to a directory elsewhere, which is not followed", "name it"
            yield NotJudged(file=PurePosixPath(path).as_posix(), reason=reason, hint=hint)


def _leads_out_of(top: str, path: str) -> bool:
    inner = real_name(top)
    return is_link(path) and posixpath.commonpath((inner, real_name(path))) != inner
