"""Scripts: `docker run`, exported variables, calls of the program and files that they write.

A Makefile and a justfile have command lines, too; what is before them on a line does not matter.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, NeedsMore, Source, each, problem_at
from generator.readers.beside import dockerfiles_near
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.script import SCRIPT
from generator.readers.script.boots import is_user_data, may_be_of_a_boot
from generator.readers.syntax.applied import hastens, while_booting, without_home
from generator.readers.syntax.fatal import fatal
from generator.readers.syntax.shell import runs_the_server
from generator.units import is_entry_point
from generator.view import ALONE, FATAL, Line, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import Reach, View

_LOGIN: Final = re.compile(
    r"(?:^|/)\.?(?:bash|zsh|z)?(?:rc|profile|_profile|env|login)$|bash\.bashrc$|/profile\.d/"
)
_SHELL: Final = (".sh", ".bash", ".zsh")
_OF_AN_EDITOR: Final = ".devcontainer"
_MOST: Final = 20  # scripts of one folder


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each script: one for each container, and one for what else it says."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _reach(source: Source) -> Reach:
    """Return who gets what is exported: recipes of make and just are clients."""
    recipes = re.search(r"(?:^|/)\.?(?:GNU)?(?:make|just)file$|\.(?:mk|just)$", source.path, re.I)
    return "client" if recipes else "shell"


def _serves_beside(source: Source, context: Context) -> bool:
    """Whether another script of the folder starts the server, so that this one only prepares."""
    others = [path for path in context.listed(source.path) if path.endswith(_SHELL)]
    texts = (context.read(path) or "" for path in others[:_MOST] if path != source.path)
    return any(runs_the_server(text, context.engine) for text in texts)


def _is_of_an_image(source: Source, context: Context) -> bool:
    """Whether a Dockerfile of the folder, or of the one above, copies the script into an image.

    What lies beside a dev container is for that.
    """
    if _OF_AN_EDITOR in source.path.split("/"):
        return True
    name = re.escape(posixpath.basename(source.path))
    copies = re.compile(rf"(?m)^[ \t]*(?:COPY|ADD)[ \t][^\n]*\b{name}(?![\w.-])")
    return any(map(copies.search, dockerfiles_near(source.path, context)))


def _views(source: Source, context: Context) -> tuple[View, ...]:
    reach, login = _reach(source), _LOGIN.search(source.path) is not None
    if reach == "shell" and not login and _serves_beside(source, context):
        reach = "server"
    told = Told(context, source.path, SCRIPT, reach, login=login)
    told.script(source.text)
    found = with_gaps(told.found(), told.gaps)
    if found and is_entry_point(source.path) and context.engine.verbs:
        found = (_with_fatal(found[0], source, context), *found[1:])
    if any(v.variable(context.engine.address) for v in found) and _is_of_an_image(source, context):
        found = tuple(_inside(view, context.engine.address) for view in found)
    if any(hastens(view) for view in found) and may_be_of_a_boot(source, context):
        found = tuple(while_booting(view) for view in found)
    if any(view.lines_in(ALONE) for view in found) and is_user_data(source, context):
        found = tuple(without_home(view) for view in found)
    if not found and told.gaps:
        gap = told.gaps[0]
        problem = problem_at(Place(gap.file, gap.line), gap.reason, gap.hint)
        raise NeedsMore(source.path, (problem,))
    return found


def _with_fatal(view: View, source: Source, context: Context) -> View:
    """Return a View with the pull whose failure ends what a container begins with."""
    lines = [
        Line(section=FATAL, name=view.engine, value=words, place=Place(source.path, at + 1))
        for at, words in fatal(source.text, context.engine)
    ]
    return replace(view, lines=(*view.lines, *lines))


def _inside(view: View, address: str) -> View:
    """Return a View of what runs in a container, where the address is that of the inside."""
    own = tuple(v for v in view.variables if v.name != address)
    return view if view.container else replace(view, variables=own)
