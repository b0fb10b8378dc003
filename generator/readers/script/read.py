"""Scripts: `docker run`, exported variables, calls of the program and files that they write.

A Makefile and a justfile have command lines, too; what is before them on a line does not matter.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, NeedsMore, Source, each, problem_at
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.script import SCRIPT
from generator.readers.syntax.applied import hastens, while_booting, without_home
from generator.readers.syntax.shell import runs_the_server
from generator.view import ALONE, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import Reach, View

_LOGIN: Final = re.compile(
    r"(?:^|/)\.?(?:bash|zsh|z)?(?:rc|profile|_profile|env|login)$|bash\.bashrc$|/profile\.d/"
)
_SHELL: Final = (".sh", ".bash", ".zsh")
_DOCKERFILE: Final = re.compile(r"(?:^|[/.])(?:Docker|Container)file(?:\.[\w-]+)?$", re.IGNORECASE)
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
    """Whether a Dockerfile of the folder, or of the one above, copies the script into an image."""
    folder, name = posixpath.split(source.path)
    above = posixpath.normpath(posixpath.join(folder, "..", name))
    every = (path for near in (source.path, above) for path in context.listed(near))
    files = [path for path in every if _DOCKERFILE.search(path)][:_MOST]
    copies = re.compile(rf"(?m)^[ \t]*(?:COPY|ADD)[ \t][^\n]*\b{re.escape(name)}(?![\w.-])")
    return any(copies.search(context.read(path) or "") for path in files)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    reach, login = _reach(source), _LOGIN.search(source.path) is not None
    if reach == "shell" and not login and _serves_beside(source, context):
        reach = "server"
    told = Told(context, source.path, SCRIPT, reach, login=login)
    told.script(source.text)
    found = with_gaps(told.found(), told.gaps)
    if any(v.variable(context.engine.address) for v in found) and _is_of_an_image(source, context):
        found = tuple(_inside(view, context.engine.address) for view in found)
    if any(hastens(view) for view in found) and _is_of_a_boot(source, context):
        found = tuple(while_booting(view) for view in found)
    if any(view.lines_in(ALONE) for view in found) and _is_user_data(source, context):
        found = tuple(without_home(view) for view in found)
    if not found and told.gaps:
        gap = told.gaps[0]
        problem = problem_at(Place(gap.file, gap.line), gap.reason, gap.hint)
        raise NeedsMore(source.path, (problem,))
    return found


_BOOTS: Final = re.compile(r"(?im)^[ \t]*#.*\b(?:user[-_ ]?data|cloud-?init|startup[- ]script)\b")
_HEAD: Final = 1000  # characters in which a script says what it is for
_HANDS: Final = re.compile(r"(?:user|custom)_data|startup[-_]script|cloud-?init")
_TERRAFORM: Final = (".tf", ".tofu")


def _is_of_a_boot(source: Source, context: Context) -> bool:
    """Whether a machine runs it while it starts for the first time: it says so, or Terraform."""
    if _BOOTS.search(source.text[:_HEAD]):
        return True
    folder, name = posixpath.split(source.path)
    near = (posixpath.normpath(posixpath.join(folder, *[".."] * up, name)) for up in range(3))
    every = (path for one in near for path in context.listed(one))
    files = [path for path in every if path.endswith(_TERRAFORM)][:_MOST]
    handed = re.compile(rf"file\(\s*\"[^\"\n]*(?<![\w.-]){re.escape(name)}\"")
    texts = (context.read(path) or "" for path in files)
    return any(handed.search(text) and _HANDS.search(text) for text in texts)


_USER_DATA: Final = re.compile(r"(?:user[-_]?data|cloud[-_]?init)[\w.-]*", re.IGNORECASE)
_SAYS_SO: Final = re.compile(
    r"(?:[ \t]*#?\r?\n|#[^\n]*\n){0,6}?#[^\n]*\buser[- ]?data\b", re.IGNORECASE
)


def _is_user_data(source: Source, context: Context) -> bool:
    """Whether a script is surely what a cloud hands a machine: by its name, or as Terraform says.

    A script that starts a container may call itself a startup script.
    """
    folder, name = posixpath.split(source.path)
    if _USER_DATA.fullmatch(name) or _SAYS_SO.match(source.text):
        return True
    above = posixpath.normpath(posixpath.join(folder, "..", name))
    every = (path for near in (source.path, above) for path in context.listed(near))
    files = [path for path in every if path.endswith(_TERRAFORM)][:_MOST]
    hands = re.compile(
        rf"(?:user[-_]?data|custom_data|startup[-_]script)\w*[\"']?[ \t]*=[^\n=]{{0,200}}"
        rf"(?:\n[^\n=]{{0,200}}){{0,2}}[/\"]{re.escape(name)}\""
    )
    return any(hands.search(context.read(path) or "") for path in files)


def _inside(view: View, address: str) -> View:
    """Return a View of what runs in a container, where the address is that of the inside."""
    own = tuple(v for v in view.variables if v.name != address)
    return view if view.container else replace(view, variables=own)
