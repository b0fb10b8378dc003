"""What a path is: profiles, and groups of files that describe a service together.

A file that the user names must be one of ours; in a directory the others are passed over.
"""

from __future__ import annotations

import functools
import os
import posixpath
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.engines import READ
from generator.errors import Problem
from generator.readers import KINDS, passed
from generator.readers.base import Source
from generator.readers.groups import Group, listed, ordered, paths_of, texts_of
from generator.readers.links import in_one_form, is_link, led_out_of, linked_drop_ins, named_as
from generator.readers.passed import (
    in_utf_16,
    judged_where_named,
    may_matter,
    settings_that_name,
    text_that_uses,
    unjudged,
    uses_an_engine,
)
from generator.readers.signs import (
    end_of,
    kind_by_look,
    kind_of,
    may_be_ours,
    names_an_engine,
    orders_in,
    signs_of,
)
from generator.readers.taken import is_taken
from generator.readers.templates import is_template, read_as
from generator.readers.text import (
    is_file,
    is_masked,
    likely_text,
    listed_beside,
    read_beside,
    text_of,
)
from generator.records import dataclass
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from generator.readers.base import Order
    from generator.readers.signs import Signs

STDIN: Final = "-"
MOST_FILES: Final = 5000
DOCUMENT: Final = "document"
NO_KIND: Final = "is none of the files that are checked"
"""What is said of a named file that no reader takes; another one may read it all the same."""
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "venv"})
_LINKS: Final = (".wants", ".requires", ".upholds")
"""Directories of systemd with links to units."""
_BESIDE: Final = re.compile(r"hostwright-[\w.@-]+\.(?:service|timer)")
"""Units that a bundle has beside its server: none of them runs one."""
FELLOWS: Final = {".nix": "nixos"}
"""Suffixes of files that may tell others of a kind something, whatever they are about."""
_SAYS: Final = re.compile(r"(?i)(?:make|just|task)file.*|readme.*|.*\.(?:sh|mk|just|service|ya?ml)")
"""Files that say how those beside them are run."""
_HIDDEN: Final = frozenset(
    {
        *(".config", ".github", ".gitea", ".forgejo", ".woodpecker", ".circleci", ".gitlab"),
        *(".devcontainer", ".docker"),
    }
)
"""Hidden, and where the units and quadlets of a user lie, or what a forge or an editor runs."""


@dataclass(frozen=True, slots=True)
class Found:
    """What paths turn out to be; `profiles` and `fleets` are read by others.

    `empty` are directories that have nothing to do with an engine, `aside` files that are judged
    with one that names them, or else alone. `around` are files that say nothing of an engine, and
    may tell those of their kind something. `links` are further names of files that are read, each
    with the name under which that is.
    """

    groups: tuple[Group, ...] = ()
    aside: tuple[Group, ...] = ()
    profiles: tuple[str, ...] = ()
    fleets: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()
    empty: tuple[str, ...] = ()
    gaps: tuple[NotJudged, ...] = ()
    around: tuple[Source, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """The text of each file, by the name that places use."""
        return texts_of(self.groups)


@dataclass(frozen=True, slots=True)
class _File:
    source: Source
    kind: str
    named: bool
    aside: bool = False
    general: bool = False

    @property
    def system(self) -> tuple[str, str, str]:
        """What it has in common with the files that it is read with."""
        end = self.source.path.removeprefix(self.source.read_as) if self.source.read_as else ""
        return self.kind, signs_of(self.kind).belongs(self.path), end

    @property
    def path(self) -> PurePosixPath:
        return _parted(self.source.read_as or self.source.path)


@functools.lru_cache(maxsize=1024)
def _parted(path: str) -> PurePosixPath:
    """Parting a path costs more than most that is asked of it."""
    return PurePosixPath(path)


def discover(paths: Sequence[str], *, stdin: str | None = None, stdin_name: str = "") -> Found:
    """Return what each path is, in the order of the paths and of names in a directory.

    `-` stands for `stdin`, the text of standard input, which is called `stdin_name`.
    """
    problems: list[Problem] = []
    gaps: list[NotJudged] = []
    orders: list[Order] = []
    around: list[Source] = []
    empty: tuple[str, ...] = ()
    files: dict[str, _File] = {}
    for path in dict.fromkeys(in_one_form(paths)):
        if path == STDIN:
            source = Source(stdin_name or STDIN, stdin or "")
            found: Iterable[_File] = _named(source, problems, orders)
        elif os.path.isdir(path):  # noqa: PTH112 -- Path.is_dir raises for a name that is too long
            told = len(problems) + len(gaps)
            found = list(_walked(path, problems, gaps, orders, around))
            empty += () if found or len(problems) + len(gaps) > told else (path,)
        else:
            text = text_of(path, problems)
            found = () if text is None else _named(Source(path, text), problems, orders)
        for file in found:
            files.setdefault(file.source.path, file)
    once, links = _once(files.values())
    every = [*_laid_aside(once)]
    groups = _whole(every, orders)
    taken_in = {path for g in groups for s in g.sources for path in signs_of(g.kind).includes(s)}
    inner = [g for g in groups if taken_in and is_taken(paths_of(g), taken_in)]
    read = {named_as(file.source.path) for file in every}
    return Found(
        groups=tuple(group for group in groups if group not in inner),
        aside=(*_groups(f for f in every if f.aside), *inner),
        profiles=tuple(f.source.path for f in every if f.kind == "profile"),
        fleets=tuple(f.source for f in every if f.kind == "fleet"),
        problems=tuple(problems),
        empty=empty,
        gaps=tuple(gap for gap in gaps if gap.part or named_as(gap.file) not in read),
        around=tuple(around),
        links=tuple(links.items()),
    )


def _once(files: Collection[_File]) -> tuple[list[_File], dict[str, str]]:
    """Return each file once, and its further names, each with the one that is kept.

    A name that Compose reads by itself is kept before that of a file to which it leads, and another
    name of a unit that has drop-ins beside it.
    """
    names: dict[tuple[str, str], list[_File]] = {}
    folders = {file.path.parent.as_posix() for file in files}
    for file in files:
        own = f"{file.path}.d" in folders
        name = file.source.path if own else named_as(file.source.path)
        names.setdefault((file.kind, name), []).append(file)
    kept: list[_File] = []
    links: dict[str, str] = {}
    for several in names.values():
        first = min(several, key=_behind)
        kept.append(first)
        links |= {f.source.path: first.source.path for f in several if f is not first}
    return kept, links


def _behind(file: _File) -> tuple[bool, bool, bool]:
    """Return how far a name of a file comes behind its others."""
    bases = () if file.kind not in KINDS else signs_of(file.kind).bases
    alias = is_link(file.source.path)
    return bool(file.source.read_as), bool(bases) and file.path.name not in bases, alias


def _whole(files: Iterable[_File], orders: Sequence[Order]) -> list[Group]:
    """Return the groups of files, together as what lies beside them says."""
    own = [*_groups(file for file in files if not file.aside)]
    return ordered([*listed(own, read_beside)], orders, read_beside)


def discover_installed(
    paths: Iterable[tuple[str, str]], projects: Iterable[Sequence[str]]
) -> Found:
    """Return what of the files of a machine has to do with an engine.

    `paths` are their names, each with where the file lies that it stands for.
    `projects` are compose projects that run there, each by its files in their order.
    """
    problems: list[Problem] = []
    every = (_ours(path, problems, real)[0] for path, real in paths)
    files = list(_laid_aside(_together([file for file in every if file])))
    groups, gaps = list(_groups(f for f in files if not f.aside)), list[NotJudged]()
    for project in projects:
        faults: list[Problem] = []
        read = [(path, text_of(path, faults)) for path in project]
        gaps += (NotJudged(file=p.source, reason=p.message, hint=p.hint) for p in faults)
        sources = tuple(Source(path, text) for path, text in read if text is not None)
        if not faults and any(signs_of("compose").ours(source) for source in sources):
            groups.append(Group("compose", sources))
    aside = tuple(_groups(f for f in files if f.aside))
    return Found(tuple(groups), aside, problems=tuple(problems), gaps=tuple(gaps))


def _named(source: Source, problems: list[Problem], orders: list[Order]) -> Iterator[_File]:
    """Yield a file that the user has named, and what Compose lays over it by itself."""
    orders += orders_in(source)
    source, kind = _recognised(source)
    if kind is None:
        *most, last = KINDS.values()
        hint = f"name a profile, {', '.join(most)} or {last}"
        problems.append(Problem("", NO_KIND, hint, source.path))
        return
    file = _File(source, kind, named=True)
    orders += _orders_beside(file)
    yield file
    for path in signs_of(kind).beside(file.path) if not source.read_as else ():
        if is_file(path) and (text := text_of(path, [])) is not None:
            yield _File(Source(path, text), kind, named=False)


def _orders_beside(file: _File) -> Iterator[Order]:
    """Yield what the files beside one say that it is read with: it is laid over others."""
    if not signs_of(file.kind).bases or file.source.path == STDIN:
        return
    for path in listed_beside(file.source.path):
        if _SAYS.fullmatch(PurePosixPath(path).name):
            told = orders_in(Source(path, read_beside(path) or ""))
            names = ((order, [PurePosixPath(one).name for one in order.files]) for order in told)
            yield from (order for order, last in names if last[-1:] == [file.path.name])


_BY_LOOK: Final = frozenset({"caddy", "nginx"})
"""Kinds whose samples and templates are known by what they say, as nginx's image fills in some."""


def _recognised(source: Source, *, walked: bool = False) -> tuple[Source, str | None]:
    """Return the kind of a file, and the file with what becomes of it, where it has none itself."""
    name = read_as(source.path)
    if name and kind_of(source, walked=True) is None:
        inner = replace(source, path=name)
        kind = kind_of(inner, walked=walked)
        if kind in KINDS and (
            is_template(source.path)
            or signs_of(kind).by_name(PurePosixPath(name))
            or kind in _BY_LOOK
        ):
            return replace(source, read_as=name), kind
    return source, kind_of(source, walked=walked)


def _walked(
    top: str,
    problems: list[Problem],
    gaps: list[NotJudged],
    orders: list[Order],
    around: list[Source],
) -> Iterator[_File]:
    """Yield the files below a directory that have to do with an engine.

    What uses one, and is of no kind, is added to `gaps`, what may tell others something to
    `around`.
    """
    found: list[_File] = []
    number = others = 0
    for path in _paths(top, problems, gaps):
        if not may_be_ours(PurePosixPath(read_as(path.as_posix()) or path)):
            others += 1
            found += (
                _looked_into(path.as_posix(), gaps, orders) if others <= passed.MOST_FILES else ()
            )
            continue
        if number >= MOST_FILES:
            message = f"has more than {MOST_FILES} files that might be checked"
            problems.append(Problem("", message, "name the directories that matter", top))
            break
        number += 1
        file, text = _ours(path.as_posix(), problems, orders=orders)
        if file is not None:
            found.append(file)
        else:
            gaps += _left(path, text)
            around += [Source(path.as_posix(), text)] if path.suffix in FELLOWS else []
    if others > passed.MOST_FILES:
        most = passed.MOST_FILES
        reason = f"has more than {most} other files, of which the rest was not looked into"
        hint = "name the directories that matter"
        gaps.append(NotJudged(file=top, reason=reason, hint=hint, part="a part of it"))
    yield from _together(found)


def _looked_into(path: str, gaps: list[NotJudged], orders: list[Order]) -> Iterator[_File]:
    """Yield a file whose name says nothing, if it uses an engine and its content tells its kind."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(passed.MOST + 1)
    except OSError:
        return  # Nobody has asked for this file.
    if b"compose" in raw:
        orders += orders_in(Source(path, raw.decode("utf-8", "replace")))
    text = text_that_uses(raw)
    if text is None:
        gaps += settings_that_name(PurePosixPath(path), raw) or in_utf_16(path, raw)
        return
    source = Source(path, text)
    kind = kind_by_look(source)
    if kind is not None:
        if signs_of(kind).ours(source):
            yield _File(source, kind, named=False)
    else:
        gaps += _left(PurePosixPath(path), text)


def _left(path: PurePosixPath, text: str) -> list[NotJudged]:
    """Return what is said of a file of a directory that no reader takes there."""
    found = unjudged(path, text)
    named = found and kind_of(Source(path.as_posix(), text)) in KINDS
    return [judged_where_named(gap) for gap in found] if named else found


def _together(found: Sequence[_File]) -> list[_File]:
    """Return files of one place, without those that are nothing for what is there."""
    systems = {file.system for file in found if not file.general}
    served = {(file.kind, file.path.parent) for file in found if not file.general}
    ours = {posixpath.normpath(file.source.path) for file in found if not file.general}
    return [
        file
        for file in found
        if (
            file.system in systems
            and (not (file.general and _lies_over(file)) or (file.kind, file.path.parent) in served)
        )
        or (file.general and (_takes_in(file, ours) or (signs_of(file.kind).companion and ours)))
    ]


def _laid_aside(found: Sequence[_File]) -> Iterator[_File]:
    """Yield files of one check, marked where another one of them may read them."""
    mentioned = "\n".join(f.source.text for f in found if not signs_of(f.kind).referred)
    brought = {file.path.with_name(name) for file in found for name in signs_of(file.kind).brings}
    for file in found:
        # What a file reads is judged with that file.
        beside = signs_of(file.kind).referred and (
            file.path in brought or file.path.name in mentioned
        )
        yield replace(file, aside=beside) if beside else file


def _takes_in(file: _File, ours: Iterable[str]) -> bool:
    """Return whether a file takes in one that is about an engine."""
    patterns = tuple(signs_of(file.kind).includes(file.source))
    return any(is_taken((path,), patterns) for path in ours) if patterns else False


def _lies_over(file: _File) -> bool:
    return re.fullmatch(signs_of(file.kind).lays_over, file.path.name) is not None


def _ours(
    path: str, problems: list[Problem], real: str = "", orders: list[Order] | None = None
) -> tuple[_File | None, str]:
    """Return a file of a directory if it is one of ours and about an engine, and its text.

    It lies at `real`, if that is not its name. What it has read together is added to `orders`.
    """
    faults: list[Problem] = []
    text = "" if real == os.devnull else text_of(real or path, faults)
    if text is None:
        # Nobody has asked for this file, unless it is clearly meant.
        folder, name = PurePosixPath(path).parts[-2:] if "/" in path else ("", path)
        meant = names_an_engine(f"{folder}/{name}" if folder.endswith(".d") else name)
        meant = meant or (bool(faults) and _would_be_ours(path, likely_text(real or path)))
        problems += [replace(fault, source=path) for fault in faults if meant]
        return None, ""
    if orders is not None:
        orders += orders_in(Source(path, text))
    return _taken_for(path, text)


def _would_be_ours(path: str, text: str) -> bool:
    """Return whether a file that cannot be decoded speaks of an engine in what is likely there."""
    file, left = _taken_for(path, text) if text else (None, "")
    return (file is not None and not file.general) or bool(unjudged(PurePosixPath(path), left))


def _taken_for(path: str, text: str) -> tuple[_File | None, str]:
    """Return a file with this text if it is one of ours, and what is left for others to see."""
    source, kind = _recognised(Source(path, text), walked=True)
    kind = kind or (kind_by_look(source) if uses_an_engine(text) else None)
    if kind is None:
        return None, text
    signs = signs_of(kind)
    ours, plainly = signs.ours(source), PurePosixPath(path)
    ours = ours or signs.filled(source, read_beside) or _is_named_after(plainly, signs)
    general = signs.is_general(plainly) or bool(re.fullmatch(signs.lays_over, plainly.name))
    general = general or (
        not ours and (signs.companion or any(True for _ in signs.includes(source)))
    )
    file = _File(source, kind, named=False, general=not ours) if ours or general else None
    # Its kind has seen it: nothing in it is for an engine.
    return file, "" if kind == DOCUMENT else text


def _is_named_after(path: PurePosixPath, signs: Signs) -> bool:
    """Return whether a name is that of an engine and of a kind: what it has may be cut off."""
    return path.name.partition(".")[0] in READ and signs.by_name(path)


def _paths(top: str, problems: list[Problem], gaps: list[NotJudged]) -> Iterator[PurePosixPath]:
    """Yield the files below a directory that are no data by their name, in a fixed order.

    What has the name of a file that is read, and is none, is added to `gaps`.
    """

    def refused(error: OSError) -> None:
        message = f"cannot be read: {error.strerror}"
        problems.append(Problem("", message, "check who may read it", top))

    for folder, folders, names in os.walk(top, onerror=refused):
        gaps += led_out_of(top, folder, folders)
        hidden = {name for name in folders if name.startswith(".")} - _HIDDEN
        hidden |= {name for name in folders if name.endswith(_LINKS)}
        folders[:] = sorted({*folders} - hidden - _SKIPPED)
        for name in sorted([*names, *linked_drop_ins(folder, folders)]):
            path = PurePosixPath(folder, name)
            if not may_matter(path) or _BESIDE.fullmatch(name):
                continue
            if is_file(path.as_posix()) or is_masked(path.as_posix()):
                yield path
            elif os.path.exists(path):  # noqa: PTH110
                gaps += [_no_file(path.as_posix())] if _is_meant(path) else []
            elif _speaks(path) and _is_meant(path):
                gaps.append(_leads_nowhere(path.as_posix()))


def _is_meant(path: PurePosixPath) -> bool:
    """Whether a name alone says that it is a file for an engine, or one of a project."""
    named, end = _speaks(path), end_of(path)
    return any((named and s.by_suffix(*end)) or s.by_name(path) for s in map(signs_of, KINDS))


def _speaks(path: PurePosixPath) -> bool:
    return names_an_engine(f"{path.parent.name}/{path.name}")


def _leads_nowhere(path: str) -> NotJudged:
    """Return what is said of a link with the name of a file for an engine."""
    reason = "is a link, and where it leads there is no such file"
    return NotJudged(file=path, reason=reason, hint="check where it leads")


def _no_file(path: str) -> NotJudged:
    """Return what is said of a pipe or a device, which a reader would wait for."""
    reason = "is no regular file, and might never end"
    return NotJudged(file=path, reason=reason, hint="check what it is there for")


def _groups(files: Iterable[_File]) -> Iterator[Group]:
    """Yield the files as they belong together: a unit and its drop-ins, a project's overrides."""
    together: dict[tuple[str, ...], list[_File]] = {}
    for file in files:
        if file.kind in KINDS:
            together.setdefault(file.system, []).append(file)
    for (kind, *_), members in together.items():
        over = re.compile(signs_of(kind).over)
        # What is laid over comes last.
        ordered = sorted(members, key=lambda f: bool(over.fullmatch(f.path.name)))
        sources = tuple(file.source for file in ordered)
        yield Group(kind, sources, any(file.named for file in members))
