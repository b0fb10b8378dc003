"""Compare rendered files with a directory, and write them.

A `manifest.json` beside the files says what the last write put there. The files decide whether
writing is refused; the manifest follows them. A `manifest.json` that Hostwright did not write
counts as a file of the user.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from generator.errors import WriteRefused
from generator.files import replace
from generator.files.diff import Content, unified
from generator.files.lock import failing, locked
from generator.records import dataclass
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MANIFEST = "manifest.json"
_SCHEMA_VERSION = 1

Kind = Literal["new", "changed", "unchanged", "removed", "kept"]


@dataclass(frozen=True, slots=True)
class Change:
    """What writing does to one file, with a unified diff.

    `removed` was written earlier and is no longer rendered; `kept` too, but the user has edited
    it since, so that it stays and is from now on the user's.
    """

    path: str
    kind: Kind
    diff: str


@dataclass(frozen=True, slots=True)
class _Survey:
    root: Path
    wanted: tuple[File, ...]  # the manifest last
    changes: tuple[Change, ...]
    missing: tuple[str, ...]  # written earlier, no longer rendered, gone already
    elsewhere: tuple[str, ...]  # written earlier, outside what this write is about
    foreign: bool  # the manifest on disk is not ours
    untouched: frozenset[str]  # written earlier, and as it was written


def compare(
    files: Sequence[File], directory: Path, *, within: Sequence[str] = ()
) -> tuple[Change, ...]:
    """Return what `write` would do, sorted by path and without doing it.

    `within` names the folders of `directory` that this is about: what an earlier write put into
    others stays theirs. Empty: all of it.
    Raises WriteRefused where no `force` helps, EnvironmentFailure for what cannot be read.
    """
    return _survey(_checked(files), directory, within).changes


def write(
    files: Sequence[File],
    directory: Path,
    *,
    force: bool = False,
    again: bool = False,
    within: Sequence[str] = (),
) -> tuple[Change, ...]:
    """Write `files` below `directory`, all or nothing, and return what changed.

    `within` is that of `compare`. With `again`, what an earlier write put there and nobody has
    edited since changes and goes without `force`. A file that is already right is not touched;
    `generator.files.replace` says what a crash can leave. Raises WriteRefused when a file would be
    replaced or removed without `force`, and, `force` or not, for a path outside the directory,
    under a symbolic link, or on something that is no file; EnvironmentFailure when the machine
    fails. In both cases nothing has changed.
    """
    checked = _checked(files)
    with failing("write", directory), locked(_root(directory)) as held:
        survey = _survey(checked, directory, within)
        if not force:
            _refuse_loss(survey, directory, again=again)
        work = _work(survey)
        if held:
            replace.sweep(work)
        if work.steps:
            replace.put(work)
    return survey.changes


def _checked(files: Sequence[File]) -> tuple[File, ...]:
    """Return `files`, sorted by path."""
    paths = Counter(file.path for file in files)
    for path, times in paths.items():
        if not _plain(path):
            raise WriteRefused(f"`{path}` is not a plain path inside the directory")
        if path == MANIFEST or times > 1:
            raise WriteRefused(f"`{path}` would be written twice")
        for folder in PurePosixPath(path).parents:
            if str(folder) == MANIFEST or str(folder) in paths:
                raise WriteRefused(f"`{folder}` would be both a file and a directory")
    return tuple(sorted(files, key=lambda file: file.path))


def _plain(path: str) -> bool:
    pure = PurePosixPath(path)
    inside = not pure.is_absolute() and ".." not in pure.parts and pure.parts
    return bool(inside) and str(pure) == path and path.isprintable()


def _manifest(files: Sequence[File], elsewhere: Mapping[str, str]) -> File:
    try:
        written = {file.path: _digest(file.text.encode()) for file in files}
    except UnicodeEncodeError as error:
        raise WriteRefused(f"a value cannot be written as UTF-8: {error.reason}") from None
    digests = dict(sorted({**written, **elsewhere}.items()))
    document = {"schema_version": _SCHEMA_VERSION, "files": digests}
    return File(MANIFEST, json.dumps(document, indent=2) + "\n")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _root(directory: Path) -> Path:
    """Return the real place of `directory`, which need not exist, or raise WriteRefused."""
    root = Path(os.path.realpath(directory))
    present = next(place for place in (root, *root.parents) if os.path.lexists(place))
    if not present.is_dir() or (directory.is_symlink() and not root.exists()):
        raise WriteRefused(
            f"`{directory}` is not a directory", hint="name a directory, or a new one, with `-o`"
        )
    return root


def _survey(files: tuple[File, ...], directory: Path, within: Sequence[str]) -> _Survey:
    with failing("read", directory):
        root = _root(directory)
        listed = _listed(root)
        earlier = listed or {}
        elsewhere = {
            path: digest
            for path, digest in earlier.items()
            if within and path.partition("/")[0] not in within and (root / path).is_file()
        }
        wanted = (*files, _manifest(files, elsewhere))
        leaving = set(earlier) - set(elsewhere) - {file.path for file in wanted}
        changes = [_change(file, _find(root, file.path)) for file in wanted]
        changes += [c for path in leaving if (c := _leaving(root, path, earlier[path]))]
    ordered = tuple(sorted(changes, key=lambda change: change.path))
    missing = tuple(sorted(leaving - {change.path for change in changes}))
    untouched = frozenset(path for path in earlier if _is_as_written(root, path, earlier[path]))
    return _Survey(root, wanted, ordered, missing, tuple(elsewhere), listed is None, untouched)


def _is_as_written(root: Path, path: str, digest: str) -> bool:
    try:
        found = _find(root, path)
    except WriteRefused:
        return False
    return found is not None and _digest(found.data) == digest


def _listed(root: Path) -> dict[str, str] | None:
    """Return path and SHA-256 of each file of the last write; None: that manifest is not ours."""
    found = _find(root, MANIFEST)
    if found is None:
        return {}
    try:
        match json.loads(found.data):
            case {"schema_version": int(version), "files": dict(files)}:
                # The paths get deleted: trust none that this program would not have written.
                sane = version == _SCHEMA_VERSION and all(map(_plain, files))
                return files if sane and MANIFEST not in files else None
    except (ValueError, RecursionError):
        pass
    return None


def _find(root: Path, path: str) -> Content | None:
    """Return the regular file at `path`, None if missing; refuse anything in its way."""
    parts = PurePosixPath(path)
    places = [root / part for part in (*reversed(parts.parents[:-1]), parts)]
    for place in places:
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            return None
        _refuse_obstacle(place, mode, folder=place != places[-1])
    with failing("read", root / path):
        return Content((root / path).read_bytes(), executable=bool(mode & stat.S_IXUSR))


def _refuse_obstacle(place: Path, mode: int, *, folder: bool) -> None:
    """Refuse what is no folder or file; os.replace would take the link for the file."""
    if folder and not stat.S_ISDIR(mode):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "not a directory"
    elif not folder and not stat.S_ISREG(mode):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    else:
        return
    raise WriteRefused(
        f"`{place}` is {what}", hint="move it away, or choose another directory with `-o`"
    )


def _change(file: File, found: Content | None) -> Change:
    wanted = Content(file.text.encode(), file.executable)
    if found == wanted:
        return Change(file.path, "unchanged", "")
    return Change(file.path, "changed" if found else "new", unified(file.path, found, wanted))


def _leaving(root: Path, path: str, digest: str) -> Change | None:
    """Return the fate of a file that is no longer rendered; None if it is gone already."""
    try:
        found = _find(root, path)
    except WriteRefused:  # it is not the file that was written
        return Change(path, "kept", "")
    if found is None:
        return None
    if _digest(found.data) != digest:
        return Change(path, "kept", "")
    return Change(path, "removed", unified(path, found, None))


def _refuse_loss(survey: _Survey, directory: Path, *, again: bool) -> None:
    lost = [
        change
        for change in survey.changes
        if change.kind in ("changed", "removed")
        and (change.path != MANIFEST or survey.foreign)
        and not (again and change.path in survey.untouched)
    ]
    if not lost:
        return
    acts = [
        f"{verb} " + ", ".join(f"`{change.path}`" for change in lost if change.kind == kind)
        for kind, verb in (("changed", "replace"), ("removed", "remove"))
        if any(change.kind == kind for change in lost)
    ]
    raise WriteRefused(
        f"writing to `{directory}` would {' and '.join(acts)}",
        hint="`--diff` shows what would change, `--force` replaces",
    )


def _work(survey: _Survey) -> replace.Work:
    """Return the steps, the manifest last: until then the old one vouches for what is there."""
    kinds = {change.path: change.kind for change in survey.changes}
    files = [(file.path, file) for file in survey.wanted if kinds[file.path] != "unchanged"]
    gone = [path for path, kind in kinds.items() if kind == "removed"]
    # A killed run may have left its litter, or an empty folder, where missing files were.
    steps = [*files[:-1], *((path, None) for path in (*gone, *survey.missing)), *files[-1:]]
    same = tuple(path for path, kind in kinds.items() if kind == "unchanged")
    return replace.Work(survey.root, tuple(steps), (*same, *survey.elsewhere))
