"""Files that a script writes, and what it hands to a chart."""

from __future__ import annotations

import dataclasses
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from generator.readers.base import Context, Source
from generator.readers.commands.alone import on_their_own
from generator.readers.commands.words import SPOKEN, elsewhere
from generator.readers.embedded import file_name
from generator.readers.environment.read import SHELL_FILES
from generator.readers.helm.read import views_of_release
from generator.readers.helm.releases import read_from, release_of
from generator.readers.pieces import Piece, read_pieces
from generator.readers.syntax.applied import directories_of_root
from generator.readers.syntax.blocks import branches
from generator.readers.syntax.placed import among_links, is_put_elsewhere, misplaced
from generator.readers.syntax.units import whole
from generator.readers.syntax.written import is_unit, put_at
from generator.view import BRANCH, PREFIXES, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.readers.syntax.script import CommandLine
    from generator.readers.syntax.written import Document
    from generator.view import NotJudged, Phrases, View


_EXPRESSION: Final = re.compile(r"\$\{\{[ \t]*([A-Za-z][^{}\n]*)\}\}")


@dataclasses.dataclass(slots=True)
class Documents:
    """What comes of the files that a script writes and of the charts that it installs.

    `bare`: it is a guide, whose files lie elsewhere. `profiles` are views of files of a login
    shell; `views` of all others.
    """

    context: Context
    file: str
    bare: bool = False
    views: list[View] = dataclasses.field(default_factory=list)
    profiles: list[View] = dataclasses.field(default_factory=list)
    gaps: list[NotJudged] = dataclasses.field(default_factory=list)
    _written: dict[str, Document] = dataclasses.field(default_factory=dict)
    _values: list[Document] = dataclasses.field(default_factory=list)
    _files: list[Document] = dataclasses.field(default_factory=list)

    def writes(self, line: CommandLine) -> None:
        """Take in the files that a command writes, but for values that it hands to a chart."""
        for document in line.documents:
            if document not in self._values:
                self._written[document.target] = document
                self.takes(document)
        source, target = put_at(line.words)
        self._files = [
            dataclasses.replace(one, target=target) if source and one.target == source else one
            for one in self._files
        ]

    def takes(self, document: Document) -> None:
        """Take in a file, or a part of one, to be read with what else there is of it."""
        self._files.append(document)

    def _read(self) -> None:
        """Read the files that the script has written, of units all that is added to each."""
        files, self._files = self._files, []
        every = whole(one for one in files if one not in self._values)
        documents = {id(piece): (piece, one) for one in every if (piece := _piece(one))}
        pieces = [piece for piece, _ in documents.values()]
        for several, views, gaps in read_pieces(pieces, self.file, self.context):
            self._takes_in([documents[id(piece)][1] for piece in several], views)
            self.gaps += gaps

    def _takes_in(self, documents: Sequence[Document], views: Iterable[View]) -> None:
        """Take in what files say that are read together, with what the script makes of them."""
        links = tuple(
            link
            for one in documents
            for link in among_links(one.target, Place(self.file, max(1, one.line - 1)))
        )
        found = on_their_own(views)
        found[:1] = [dataclasses.replace(v, lines=(*v.lines, *links)) for v in found[:1]]
        if any(one.filled for one in documents):  # What stands there is another text.
            found = [dataclasses.replace(v, phrases=_unmendable(v.phrases)) for v in found]
        if any(one.lines for one in documents):  # A branch may write what another one has.
            found = [dataclasses.replace(v, overruled=()) for v in found]
        expands = any(one.expands for one in documents)
        of_login = documents[0].spoken and _is_of_login(documents[0].target)
        (self.profiles if of_login else self.views).extend(
            map(_filled_in, found) if expands else found
        )

    def of_cluster(self, line: CommandLine) -> bool:
        """Take in a command that sets what a cluster runs, and return whether it is one."""
        if self._release(line):
            return True
        gap = elsewhere(line.words, self.context.engine)
        self.gaps += [dataclasses.replace(gap, file=self.file)] if gap else []
        return gap is not None

    def _release(self, line: CommandLine) -> bool:
        """Take in what a command gives a chart, and return whether that is all of it."""
        words, engine = line.words, self.context.engine
        release = release_of(words, engine, lambda name: self._named(name, line))
        if release is None or words[0].text in SPOKEN:
            return False
        views = views_of_release(release, words[0].place, self.context)
        if not views and not any(engine.name in word.text for word in words):
            return False
        self.views += views
        # A guide has its files elsewhere, or lets somebody write them.
        self.gaps += () if self.bare else release.gaps
        open_ended = any(word.unresolved and "=" in word.text for word in words)
        return bool(views or release.gaps) and not open_ended

    def _named(self, name: str, line: CommandLine) -> Source | None:
        """Return the values that a command names: on disk, or as the script itself has written."""
        document = next(iter(line.documents), None) if name == "-" else self._written.get(name)
        if document is None:
            return read_from(self.file, self.context)(name)
        self._values.append(document)
        return Source(self.file, "\n" * (document.line - 1) + document.text)

    def for_servers(self) -> frozenset[str]:
        """Return the names of variables that are written for a server."""
        self._read()
        variables = (v for view in self.views for v in view.variables)
        return frozenset(v.name for v in variables if v.reach == "server")

    def found(self, texts: Sequence[tuple[int, list[str]]], *, managed: bool) -> Iterable[View]:
        """Yield what the scripts `texts` write: of a unit also what they make for root around it.

        `managed`: they have a service started, which a file of a login shell does not reach.
        """
        self._read()
        units = any(view.phrases.unit_file for view in self.views)
        scripts = [(self.file, first, "\n".join(script)) for first, script in texts]
        kept = tuple(directories_of_root(scripts)) if units else ()
        texts_of, engine = (text for _, _, text in scripts), self.context.engine
        elsewhere = units and is_put_elsewhere(texts_of, engine)
        own_unit = any(view.phrases.unit_file and not view.adds for view in self.views)
        for view in _with_branches(self.views, texts):
            # The user of a drop-in stands in the unit, which is the installer's, or here.
            more = kept if view.phrases.unit_file and not (view.adds and own_unit) else ()
            if elsewhere and view.phrases.unit_file:
                more = (*more, *misplaced(view.lines, engine))
            yield dataclasses.replace(view, lines=(*view.lines, *more)) if more else view
        yield from self._profiles("system" if managed else "")

    def _profiles(self, manager: Literal["", "system"]) -> Iterable[View]:
        """Yield what is added to files of a login shell: whether a service misses it, is told."""
        facts, of_service = self.context.catalogue.at(self.context.engine.name), self.for_servers()
        for view in self.profiles:
            served = {v.name for v in view.variables if facts.variable(v.name)} & of_service
            kept = tuple(v for v in view.variables if v.name not in served)
            book = dataclasses.replace(view.phrases, guide=True)
            yield dataclasses.replace(view, phrases=book, manager=manager, variables=kept)


def _piece(document: Document) -> Piece | None:
    """Return a file that a script writes, or a line that it adds to one; None: it tells nothing."""
    name = file_name(document.target)
    if document.spoken and not (_is_of_login(name) or is_unit(name) or _is_environment(name)):
        return None  # Of another file a line is a part that tells nothing alone.
    if document.spoken and not {"=", "["} & {*document.text}:
        return None  # A variable has all of it.
    text = _EXPRESSION.sub(_variable, document.text)
    return Piece(name, text, document.line, document.lines)


def _is_of_login(path: str) -> bool:
    """Return whether a login shell reads a file."""
    return PurePosixPath(path).name in SHELL_FILES or PurePosixPath(path).parent.name == "profile.d"


def _with_branches(views: Sequence[View], texts: Sequence[tuple[int, list[str]]]) -> Iterable[View]:
    """Yield Views, of several units each with the branches of the script that write it."""
    if sum(view.phrases.unit_file and view.starts is not None for view in views) < 2:  # noqa: PLR2004
        yield from views  # Of one alone nobody asks.
        return
    around = {first + at: b for first, script in texts for at, b in enumerate(branches(script))}
    for view in views:
        place = view.starts if view.phrases.unit_file else None
        told = [(place, *one) for one in around.get(place.line, ())] if place else []
        lines = (
            Line(section=BRANCH, name=str(block), value=str(branch), place=at)
            for at, block, branch in told
        )
        yield dataclasses.replace(view, lines=(*view.lines, *lines))


def _variable(expression: re.Match[str]) -> str:
    """Return a variable for what a CI system puts in before the shell sees it: nobody knows it."""
    return "${" + re.sub(r"[^A-Za-z0-9]", "_", expression[1]) + "}"


def _unmendable(book: Phrases) -> Phrases:
    return dataclasses.replace(book, mendable=False)


def _filled_in(view: View) -> View:
    """Return a View of which the shell fills in what begins with a dollar sign."""
    unread = tuple(line for line in view.unread if "$" not in line.value)
    variables = (
        dataclasses.replace(v, unresolved=v.unresolved or "$" in v.value) for v in view.variables
    )
    lines = (
        dataclasses.replace(line, value=_FOLDER.sub(r"\1/\2", line.value))
        if "$" in line.value and line.name.startswith("Exec")
        else line
        for line in view.lines
    )
    return dataclasses.replace(view, variables=tuple(variables), lines=tuple(lines), unread=unread)


_FOLDER: Final = re.compile(rf"^([{PREFIXES}]*)(\$\{{?\w+\}}?/)", re.ASCII)
"""The folder of a program, of which the shell knows the whole path."""


def _is_environment(path: str) -> bool:
    """Return whether a file of variables is read line by line, so that each counts alone."""
    name, folder = PurePosixPath(path).name, PurePosixPath(path).parent.name
    named = name == "environment" or name.endswith(".env")
    return named or folder in {"default", "sysconfig", "environment.d"}
