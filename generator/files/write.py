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
from typing import TYPE_CHECKING, Final, Literal

from generator.errors import WriteRefused
from generator.files import replace
from generator.files.diff import Content, unified
from generator.files.lock import BY_OPTION, failing, locked
from generator.records import dataclass
from generator.records import replace as _replaced
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MANIFEST = "manifest.json"
_SCHEMA_VERSION = 1

Kind = Literal["new", "changed", "unchanged", "removed", "kept"]
Whose = Literal["gen", "edited", "foreign"]
NOT_OURS: Final = {"edited": "edited since gen wrote it", "foreign": "gen did not write it"}


@dataclass(frozen=True, slots=True)
class Change:
    """What writing does to one file, with a unified diff: none of our own list of checksums.

    `removed` was written earlier and is no longer rendered; `kept` too, but the user has edited
    it since, so that it stays and is from now on the user's. `whose` is who wrote what is there:
    what is `edited` since or `foreign` is replaced by force alone, and then kept as `backup`.
    """

    path: str
    kind: Kind
    diff: str
    whose: Whose = "gen"
    backup: str = ""

    @property
    def lost(self) -> bool:
        """Whether the work of somebody is replaced."""
        return self.kind == "changed" and self.whose != "gen"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    changes: tuple[Change, ...]
    work: replace.Work


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
    within: Sequence[str] = (),
) -> tuple[Change, ...]:
    """Write `files` below `directory`, all or nothing, and return what changed.

    `within` is that of `compare`. What an earlier write put there and nobody has edited since
    changes and goes; anything else is replaced by `force` alone, and backed up first. A file that
    is already right is not touched; `generator.files.replace` says what a crash can leave. Raises
    WriteRefused, with every file that would be lost without `force`, and, `force` or not, for a
    path outside the directory, under a symbolic link, or on something that is no file;
    EnvironmentFailure when the machine fails. In both cases nothing has changed.
    """
    checked = _checked(files)
    with failing("write", directory, BY_OPTION), locked(_root(directory)) as held:
        survey = _survey(checked, directory, within)
        if not force:
            _refuse_loss(survey.changes, directory)
        if held:
            replace.sweep(survey.work)
        kept = replace.put(survey.work) if survey.work.steps else {}
    return tuple(
        _replaced(each, backup=str(kept[each.path])) if each.path in kept else each
        for each in survey.changes
    )


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
        left = {path: _left(root, path, digest) for path, digest in earlier.items()}
        whose = {path: _whose(path, left) for path in (file.path for file in wanted)}
        if listed is not None:
            whose[MANIFEST] = "gen"
        changes = [
            _change(file, _find(root, file.path), whose[file.path], told=file.path != MANIFEST)
            for file in wanted
        ]
    for path in leaving:
        if isinstance(old := left[path], Content):
            changes.append(Change(path, "removed", unified(path, old, None)))
        elif old:
            changes.append(Change(path, "kept", "", "edited"))
    kinds = {change.path: change.kind for change in changes}
    same = [path for path, kind in kinds.items() if kind == "unchanged"]
    return _Survey(
        changes=tuple(sorted(changes, key=lambda change: change.path)),
        work=replace.Work(
            root,
            _steps(wanted, leaving, kinds),
            (*same, *elsewhere),
            tuple(change.path for change in changes if change.lost),
        ),
    )


def _whose(path: str, left: Mapping[str, Content | Literal["edited"] | None]) -> Whose:
    """Return who wrote the file at a path, by the manifest of the last write."""
    if path not in left:
        return "foreign"
    return "edited" if left[path] == "edited" else "gen"


def _steps(
    wanted: Sequence[File], leaving: Iterable[str], kinds: Mapping[str, Kind]
) -> tuple[tuple[str, File | None], ...]:
    """Return the steps, the manifest last: until then the old one vouches for what is there."""
    fresh = [(file.path, file) for file in wanted if kinds[file.path] != "unchanged"]
    # A killed run may have left its litter, or an empty folder, where files are gone already.
    gone = [(path, None) for path in sorted(leaving) if kinds.get(path) != "kept"]
    return (*fresh[:-1], *gone, *fresh[-1:])


def _left(root: Path, path: str, digest: str) -> Content | Literal["edited"] | None:
    """Return a file of an earlier write if it is as it was written; None: it is gone."""
    try:
        found = _find(root, path)
    except WriteRefused:  # it is not the file that was written
        return "edited"
    return "edited" if found and _digest(found.data) != digest else found


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
    place, mode = root, 0
    for part in (*reversed(parts.parents[:-1]), parts):
        folder, place = part != parts, root / part
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            return None
        if not (stat.S_ISDIR if folder else stat.S_ISREG)(mode):
            # os.replace would take a link for the file.
            what = "not a directory" if folder else "not a regular file"
            what = "a symbolic link" if stat.S_ISLNK(mode) else what
            hint = f"move it away, or {BY_OPTION}"
            raise WriteRefused(f"`{place}` is {what}", hint=hint)
    with failing("read", place):
        return Content(place.read_bytes(), executable=bool(mode & stat.S_IXUSR))


def _change(file: File, found: Content | None, whose: Whose, *, told: bool) -> Change:
    wanted = Content(file.text.encode(), file.executable)
    if found == wanted:
        return Change(file.path, "unchanged", "", whose)
    if found is None:
        return Change(file.path, "new", unified(file.path, None, wanted) if told else "")
    diff = unified(file.path, found, wanted) if told or whose != "gen" else ""
    return Change(file.path, "changed", diff, whose)


def _refuse_loss(changes: Sequence[Change], directory: Path) -> None:
    """Raise WriteRefused with the name of every file that is not `gen`'s own any more."""
    lost = [f"`{each.path}` ({NOT_OURS[each.whose]})" for each in changes if each.lost]
    if lost:
        raise WriteRefused(
            f"writing to `{directory}` would replace {', '.join(lost)}",
            hint="`--diff` shows what would change; `--force` backs up and replaces",
        )
