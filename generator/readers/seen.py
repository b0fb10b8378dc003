"""What the readers make of groups of files, and why they make nothing of some."""

from __future__ import annotations

import posixpath
import re
from dataclasses import field
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.engines import JUDGED, READ
from generator.engines import load_signs as load_engine
from generator.errors import EnvironmentFailure, Problem, ProfileError
from generator.readers import load_reader
from generator.readers.applications import of_an_application
from generator.readers.base import Context, NeedsMore, PartlyRead, Source, Unlike, made_for
from generator.readers.discover import DOCUMENT, FELLOWS, NO_KIND, Found
from generator.readers.embedded import with_gaps
from generator.readers.groups import Group, texts_of
from generator.readers.handed_on import once
from generator.readers.local import with_local_images
from generator.readers.signs import may_run, mentioned
from generator.readers.templates import as_written, has_branches, has_gaps, plain
from generator.readers.together import together
from generator.readers.unknown import unknown_values
from generator.records import dataclass, replace
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.view import View

_ENGINES: Final = " or ".join(name.capitalize() for name in READ)
_NO_SERVER: Final = f"no server of {_ENGINES} is recognised in it"


@dataclass(frozen=True, slots=True)
class Seen:
    """The Views of all groups, what is wrong with files that are broken, and what tells nothing.

    `texts` are those of all files that were read, `read` the paths of what those refer to.
    """

    views: list[View] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    not_judged: list[NotJudged] = field(default_factory=list)
    read: set[str] = field(default_factory=set)


def views(found: Found, context: Context) -> Seen:
    """Return what the readers make of all groups; what one of them cannot read stops no other."""
    seen = Seen(texts=found.texts, problems=list(found.problems))
    seen.not_judged.extend(_nothing_in(folder) for folder in found.empty)
    read = seen.read
    known = seen.texts

    def glance(path: str) -> str | None:
        return context.read(path) if (text := known.get(path)) is None else text

    def reading(path: str) -> str | None:
        read.add(path)
        return glance(path)

    fellows = _fellows(found)
    tasks = [one.text for one in fellows["steps"]] if "steps" in fellows else []
    groups = [_lying(group, tasks, context, seen) for group in found.groups]
    for group in (one for one in groups if one.sources):
        given = replace(context, read=reading, glance=glance, fellows=fellows[group.kind])
        seen.not_judged.extend(_read(group, given, seen))
    for group in found.aside:
        if any(source.path not in read for source in group.sources):
            seen.not_judged.extend(_read(group, context, seen))
        seen.texts.update(texts_of((group,)))
    _with_taken_in(seen, read)
    seen.views[:] = with_local_images(together(once(seen.views)), context)
    taken = {variable.place.file for view in seen.views for variable in view.variables}
    taken |= {line.place.file for view in seen.views for line in view.lines}
    seen.not_judged[:] = [
        gap for gap in seen.not_judged if gap.reason != _NO_SERVER or gap.file not in taken
    ]
    # What a judged file has taken in is judged with that.
    used = {*read, *taken}
    seen.not_judged[:0] = (gap for gap in found.gaps if gap.part or gap.file not in used)
    return seen


def _with_taken_in(seen: Seen, read: Iterable[str]) -> None:
    """Count a named file of no kind as judged where another one has read it."""
    names = {posixpath.normpath(path) for path in read}
    taken = [
        p for p in seen.problems if p.message == NO_KIND and posixpath.normpath(p.source) in names
    ]
    seen.texts.update({problem.source: "" for problem in taken})
    seen.problems[:] = [problem for problem in seen.problems if problem not in taken]


def _lying(group: Group, tasks: Sequence[str], context: Context, seen: Seen) -> Group:
    """Return a group without what lies in a role of Ansible, and which no task installs."""
    parts = [part for s in group.sources if (part := PurePosixPath(s.path).parts)]
    if group.named or not any(_OF_ROLES & {*part} for part in parts):
        return group
    from generator.readers.steps.lying import is_left_lying  # Few files lie in a role.

    looks = replace(context, glance=context.read)
    left = [s for s in group.sources if is_left_lying(s.path, tasks, looks)]
    reason, hint = "no task of its role installs it", "check the tasks, or take it out"
    seen.not_judged.extend(NotJudged(file=s.path, reason=reason, hint=hint) for s in left)
    return replace(group, sources=tuple(s for s in group.sources if s not in left))


_OF_ROLES: Final = frozenset({"templates", "files"})


def _fellows(found: Found) -> dict[str, tuple[Source, ...]]:
    """Return the files of each kind, whatever groups they are in, and those that may tell them."""
    kinds: dict[str, list[Source]] = {}
    for group in found.groups:
        kinds.setdefault(group.kind, []).extend(group.sources)
    for source in found.around:
        kinds.setdefault(FELLOWS[PurePosixPath(source.path).suffix], []).append(source)
    return {kind: tuple(sources) for kind, sources in kinds.items()}


def _read(group: Group, context: Context, seen: Seen) -> Iterator[NotJudged]:
    """Add the Views and Problems of a group, and yield why it has none."""
    files = [source.path for source in group.sources]
    context = replace(
        context,
        order=group.order,
        release=context.release or context.release_by_file(files[0]),
        channel=context.channel or context.channel_by_file(files[0]),
    )
    gaps = any(has_gaps(source, group.kind) for source in group.sources)
    others = {s.read_as: s for s in group.sources if s.read_as}
    names = {name: source.path for name, source in others.items()}
    try:
        every, refused = _every_view(group, context)
        every = [as_written(view, others, gaps=gaps) for view in every]
    except NeedsMore as error:
        for problem in error.problems:
            file = problem.source or error.source
            file = names.get(file, file)
            reason = f"{problem.where}: {problem.message}" if problem.where else problem.message
            yield NotJudged(file=file, reason=reason, hint=problem.hint)
    except ProfileError as error:
        yield from _broken(error, names | _braced(group), seen, named=group.named)
    except EnvironmentFailure as error:
        for file in files:
            yield NotJudged(
                file=file, reason=error.message, hint=error.hint, exit_code=error.exit_code
            )
    else:
        for fault in refused:
            yield from _broken(fault, names | _braced(group), seen, named=group.named)
        known, with_facts = context.catalogue.engine, context.catalogue.engines
        views = [view for view in every if view.engine in with_facts]
        lacking = [view for view in every if view.engine not in with_facts]
        yield from dict.fromkeys(_without_facts(v, " and ".join(with_facts)) for v in lacking)
        views = [of_an_application(view, context) for view in views]
        seen.views.extend(views)
        yield from (gap for view in views for gap in view.not_judged)
        ours = load_engine(known)
        for view in views:
            yield from unknown_values(view, context.facts(view), ours)
        # A guide that somebody comes across may show anything.
        looked = group.kind != DOCUMENT and _looked_for(group.kind, group.sources)
        if not every and not refused and (group.named or looked):
            hint = "name the file that starts the server, or leave this one out"
            yield from (NotJudged(file=file, reason=_NO_SERVER, hint=hint) for file in files)


def _of_role(path: str, context: Context) -> Mapping[str, str]:
    """Return the values that a role of Ansible has for the variables of its templates."""
    if PurePosixPath(path).parent.name != "templates":
        return {}
    from generator.readers.steps.ansible import values_around  # Few files are templates of a role.

    return values_around(path, context)


def _every_view(group: Group, context: Context) -> tuple[list[View], list[ProfileError]]:
    """Return what is read for each engine, and the faults of files that were read all the same.

    Of a template whose branches cannot stand beside each other the first ones are read. Raises what
    a reader does of files that cannot be.
    """
    try:
        return _views_of(_plain(group, context), group, context)
    except NeedsMore:
        raise
    except ProfileError as error:
        gaps = [s for s in group.sources if has_gaps(s, group.kind) and has_branches(s.text)]
        if not gaps:
            return _without(error, group, context)
        try:
            views, refused = _views_of(_plain(group, context, first=True), group, context)
        except ProfileError:
            raise error from None
    left = (_others(source) for source in gaps)
    return [*with_gaps(views, left)], refused


def _without(
    error: ProfileError, group: Group, context: Context
) -> tuple[list[View], list[ProfileError]]:
    """Return what is read of the files beside templates that cannot be read as they stand."""
    broken = {problem.source or error.source for problem in error.problems}
    names = {s.read_as or s.path: s for s in group.sources}
    left = tuple(source for name, source in names.items() if name not in broken)
    if not left or not all(n in names and has_gaps(names[n], group.kind) for n in broken):
        raise error
    rest = replace(group, sources=left)
    views, refused = _views_of(_plain(rest, context), rest, context)
    return views, [error, *refused]


def _plain(group: Group, context: Context, *, first: bool = False) -> list[Source]:
    """Return the files of a group as they are read; of templates all branches, or the first."""
    return [
        plain(source, group.kind, partial(_of_role, source.path, context),
              first=first and has_gaps(source, group.kind))
        for source in group.sources
    ]  # fmt: skip


def _others(source: Source) -> NotJudged:
    reason, hint = "they cannot stand beside the first ones", "check what is made of them"
    file = source.read_as or source.path
    return NotJudged(file=file, reason=reason, hint=hint, part="other branches of the template")


def _views_of(
    sources: Sequence[Source], group: Group, context: Context
) -> tuple[list[View], list[ProfileError]]:
    read = load_reader(group.kind)
    views: list[View] = []
    refused: list[ProfileError] = []
    for name in _looked_for(group.kind, sources):
        try:
            views += read(sources, context.of(load_engine(name), sources))
        except PartlyRead as error:
            if not error.views:
                raise
            views += error.views
            refused.append(error)
    if any(view.container for view in views):
        # Most files run no container.
        from generator.readers.begun import with_begun, with_models_beside

        views = [with_begun(view, load_engine(view.engine)) for view in views]
        views = with_models_beside(views, load_engine(context.catalogue.engine))
    return views, refused


_WHOLE: Final = frozenset({"document", "helm", "script", "steps"})
"""Kinds of file that say what they are about, and refer to nothing that would."""


def _looked_for(kind: str, sources: Sequence[Source]) -> list[str]:
    """Return the engines whose servers files may run; of others they say nothing.

    What `gen` wrote for one engine is about no other: a front has the port that was asked for.
    """
    others = [name for name in JUDGED if name not in READ and may_run(name, kind, sources)]
    theirs = kind in _WHOLE and others and not any(mentioned(source) for source in sources)
    made = made_for(sources)
    every = others if theirs else [*READ, *others]
    return [name for name in every if not made or name in made]


def _broken(
    error: ProfileError, names: Mapping[str, str], seen: Seen, *, named: bool
) -> Iterator[NotJudged]:
    """Add what is wrong with files; of a template it may be none, and is not judged."""
    for problem in (replace(p, source=p.source or error.source) for p in error.problems):
        if names.keys() & {problem.source}:
            yield _of_template(problem, names)
        elif isinstance(error, Unlike) and not named:
            yield NotJudged(file=problem.source, reason=problem.message, hint=problem.hint)
        else:
            seen.problems.append(problem)


def _braced(group: Group) -> dict[str, str]:
    """Return the files that another program fills in, by braces where a value begins."""
    found = (one.path for one in group.sources if not one.read_as and _BRACED.search(one.text))
    return {path: path for path in found}


_BRACED: Final = re.compile(
    r"(?m)^[ \t]*+(?:-[ \t]++)?(?:[\w.\"'-]++:[ \t]*+)?(?:\{\{|\{%|<%)"
    r"|^[ \t]*+\w++[ \t]++\{\{[^{}\n]*+\}\}[^;\n]*+;"
)


def _of_template(problem: Problem, names: Mapping[str, str]) -> NotJudged:
    """Return a fault of what nobody has filled in, which may be none of what becomes of it."""
    where = f"{problem.where}: " if problem.where else ""
    file = names.get(problem.source, problem.source)
    reason = f"is a template or a sample that cannot be read as it stands: {where}{problem.message}"
    return NotJudged(file=file, reason=reason, hint="check what is made of it")


def _without_facts(view: View, known: str) -> NotJudged:
    reason = f"there are no facts of {view.engine} here, only of {known}"
    return NotJudged(file=view.place.file, reason=reason, hint="leave this file out")


def _nothing_in(folder: str) -> NotJudged:
    reason = f"nothing below it has to do with {_ENGINES}"
    return NotJudged(
        file=folder, reason=reason, hint="name a file to be told why it is passed over"
    )
