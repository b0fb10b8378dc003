"""Property lists of launchd: what an agent runs, and the variables that it gets."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal
from xml.sax.saxutils import unescape

from generator.readers.base import Context, Source, each, refused
from generator.readers.beside import scripts_near
from generator.readers.commands.told import Told
from generator.readers.launchd import LAUNCHD
from generator.view import Line, Place, Reach, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_ITEM: Final = re.compile(
    r"<!--(?:[^-]|-(?!->))*-->|<(?P<tag>/?(?:key|string|dict|array))>(?P<text>[^<]*)"
)
LOG: Final = "log"
"""The section of the files that launchd opens for an agent."""
_LOGS: Final = frozenset({"StandardOutPath", "StandardErrorPath"})
_AGENTS: Final = re.compile(r"(?i)launch_?agents")
_OF_USER: Final = re.compile(
    r"(?:~|\$\{?HOME\}?|/Users/[^/\s]+)/Library/LaunchAgents|LAUNCH_?AGENTS"
)
_VARIABLES: Final = "EnvironmentVariables"
_ARGUMENTS: Final = frozenset({"ProgramArguments", "Program"})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each agent. Raises ProfileError for what is no property list of text."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    if "<plist" not in source.text:
        hint = "convert it: `plutil -convert xml1`"
        raise refused(source.path, "", "this is no property list in XML", hint)
    told = Told(context, source.path, LAUNCHD)
    found = list(_texts(source))
    arguments = [(text, place) for key, _, text, place in found if key in _ARGUMENTS]
    if arguments:
        told.script(shlex.join(text for text, _ in arguments), arguments[0][1].line)
    for key, name, text, place in found:
        if key == _VARIABLES and name:
            reach: Reach = "server" if told.served else "client"
            placed = Place(place.file, place.line, name)
            told.variables.append(Variable(name=name, value=text, place=placed, reach=reach))
    logs = tuple(
        Line(section=LOG, name=key, value=text, place=place)
        for key, _, text, place in found
        if key in _LOGS
    )
    manager: Literal["user", ""] = "user" if _is_of_a_user(source, context) else ""
    return [replace(view, lines=(*view.lines, *logs), manager=manager) for view in told.found()]


def _is_of_a_user(source: Source, context: Context) -> bool:
    """Return whether it is an agent of a user: by its directory, or where a script puts it."""
    if _AGENTS.search(source.path):
        return not source.path.startswith("/Library")
    name = source.path.rpartition("/")[2]
    texts = (context.read(path) or "" for path in scripts_near(source.path, context))
    lines = [line for text in texts for line in text.split("\n") if name in line]
    put = [line for line in lines if re.search(r"\b(?:cp|mv|ln|cat|tee|install)\b", line)]
    return bool(put) and all(_OF_USER.search(line) for line in put)


def _texts(source: Source) -> Iterator[tuple[str, str, str, Place]]:
    """Yield each text, with its key of the list as a whole and its own, which may be the same."""
    keys, depth, line, at = ["", ""], 0, 1, 0
    for found in _ITEM.finditer(source.text):
        line += source.text.count("\n", at, found.start())
        at = found.start()
        tag, text = found["tag"], unescape((found["text"] or "").strip())
        if tag in {"dict", "/dict"}:
            depth += 1 if tag == "dict" else -1
        elif tag == "key":
            keys = [text, ""] if depth <= 1 else [keys[0], text]
        elif tag == "string":
            yield keys[0], keys[1], text, Place(source.path, line)
