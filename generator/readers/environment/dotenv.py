"""`.env` and its samples: read as Compose reads them, and whom each variable reaches.

Beside a compose file such a file fills gaps of it; the server gets only what is passed on.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.compose.variables import parse_dotenv
from generator.readers.signs import names_an_engine
from generator.units import closest
from generator.view import UNPASSED, UNREAD, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context, Source

_NAME: Final = re.compile(r"\.env(?:\..+)?|(?:[\w-]+\.)*env(?:\.(?:example|sample|template|dist))+")
_COMPOSE: Final = re.compile(r"(?m)^services[ \t]*:")
_PASSES: Final = re.compile(
    r"^[ \t]*(?:-[ \t]*)?[\"']?([A-Za-z_]\w*)[\"']?(?:[ \t]*[:=][ \t]*[\"']?\$\{?(\w+)|[ \t]*\r?$)"
    r"|[\[,][ \t]*[\"']?([A-Za-z_]\w*)[\"']?[ \t]*(?=[,\]])",
    re.MULTILINE,
)
_ASKED: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")
_FIRST: Final = re.compile(r"(?m)^([ \t]+)[\w\"'.$-]")
_IMAGE: Final = re.compile(r"(?m)(?:^|[{,])[ \t]*image[ \t]*:[ \t]*[\"']?([^\s\"'#,}]+)")
_BUILDS: Final = re.compile(r"(?m)(?:^|[{,])[ \t]*build[ \t]*:")
_SAMPLE: Final = re.compile(r"(?:example|sample|template|dist)(?:\.env)?$|(?:^|/)env\.")
_NO_PROGRAM: Final = re.compile(
    r"(?i)(?:\.?[\w.-]*\.?env(?:\.[\w.-]+)?|[\w.-]+\.(?:ya?ml|md|rst|txt|png|jpe?g|svg|conf)"
    r"|licen[cs]e|readme|changelog|\.git\w+|\.dockerignore|\.editorconfig|caddyfile)"
)
_OF_PROGRAMS: Final = (
    *("src", "app", "apps", "backend", "frontend", "server", "api", "bin", "lib", "cmd", "scripts"),
    *("packages", "services", "tools"),
)
"""Folders in which people keep programs of their own."""
_FILLED_IN: Final = re.compile(r"env[-_]file\b[^#\n]{0,40}(?:\n[ \t]*-[^\n]{0,80})?[${*]")
_INCLUDED: Final = re.compile(r"(?m)^include[ \t]*:")
_TOP: Final = re.compile(r"(?m)^\w")
_FILE: Final = re.compile(
    r"(?m)^[ \t]*(?:-[ \t]*)?(?:path[ \t]*:[ \t]*)?[\"']?((?:\./)?\w[\w./-]*/[\w.-]+\.ya?ml)\b"
)
_MOST_BESIDE: Final = 100
_MOST: Final = 20  # compose files in one directory
_NEAR: Final = 0.9


def is_dotenv(path: str) -> bool:
    """Return whether a name is that of a `.env`, or of a sample of one."""
    return _NAME.fullmatch(PurePosixPath(path).name) is not None


def variables_of(source: Source) -> list[Variable]:
    """Return the variables of a `.env`; none where Compose would refuse the file."""
    try:
        entries = parse_dotenv(source.text, {})
    except ValueError:
        return []
    return [
        Variable(
            name=entry.name,
            value=entry.value or "",
            place=Place(source.path, entry.line, entry.name),
            written=entry.written,
            unresolved=entry.value is None,
        )
        for entry in entries
    ]


def passed_on(
    source: Source, variables: Iterable[Variable], context: Context
) -> Iterator[Variable]:
    """Yield the variables; what compose files beside it do not pass on is for no server.

    Without such a file an application may read it as well: a name that no release knows is its
    own, unless it looks misspelt.
    """
    named, variables = is_dotenv(source.path), tuple(variables)
    projects = _projects(source.path, context)
    passed, whole = _passed(projects, context), _is_given(source.path, projects, context)
    asked = asked_in("\n".join(projects))
    if not named and (whole or asked.isdisjoint(v.name for v in variables)):
        lists_ports = sum(v.name.endswith(_OF_PORTS) for v in variables) > _FEW
        for variable in variables:
            listed = lists_ports and variable.name.endswith(_OF_PORTS)
            another = listed and is_dead(variable.name, context)
            yield replace(variable, reach="client") if another else variable
        return
    anothers = named and not projects and _is_anothers(source.path, context)
    alone = whole and _is_given(source.path, _of_servers(projects, context))
    # A script beside it may have a use for a name that the server has none for any more.
    others = named and not projects and not _is_alone(source.path, projects, context)
    for variable in variables:
        filled_in = variable.name in asked and is_dead(variable.name, context)
        # What a program gets that is built here, has names of its own.
        given = alone or (whole and _may_be_ours(variable, context))
        told = variable.name in passed or (given and not filled_in)
        ours = told if projects else not anothers and _may_be_ours(variable, context)
        # Where a server in a container listens, its ports decide: that is told there.
        ours = ours and not (projects and variable.name == context.engine.address)
        ours = ours and not (others and _is_for_others(variable.name, source.path, context))
        yield variable if ours else replace(variable, reach="client")


_OF_PORTS: Final = "_PORT"
_FEW: Final = 2
"""Ports in one file, with more of which it is for whoever starts several programs."""


def asked_in(text: str) -> frozenset[str]:
    """Return the names of variables that a compose file has filled in."""
    lines = (line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return frozenset(match[1] for line in lines for match in _ASKED.finditer(line))


def is_dead(name: str, context: Context) -> bool:
    """Return whether no release reads a variable any more, or ever did."""
    fact = context.catalogue.at(context.engine.name, context.release_for()[0]).variable(name)
    return fact is None or fact.gone


def _is_for_others(name: str, path: str, context: Context) -> bool:
    """Return whether a program beside a file reads what the server does not any more.

    A port of the server is asked for by every program that asks it, wherever that lies.
    """
    fact = context.catalogue.at(context.engine.name, context.release_for()[0]).variable(name)
    if fact is None or not fact.gone:
        return False
    names = (one for one in context.listed(path)[:_MOST_BESIDE] if not _says_no_more(one))
    word = re.compile(rf"\b{re.escape(name)}\b")
    return name.endswith("_PORT") or any(word.search(context.glance(one) or "") for one in names)


def _says_no_more(path: str) -> bool:
    return _NO_PROGRAM.fullmatch(PurePosixPath(path).name) is not None


def _is_anothers(path: str, context: Context) -> bool:
    """Whether the compose files beside it, none of which speaks of the engine, name the file."""
    return _is_given(path, _every_project(path, context))


def unpassed(source: Source, variables: Iterable[Variable], context: Context) -> Iterator[Line]:
    """Yield what stands in a `.env` beside a server's compose file that nothing there asks for."""
    told = [variable for variable in variables if variable.value]
    projects = _projects(source.path, context) if told else []
    if projects and not is_dotenv(source.path) and _is_named(source.path, context):
        return
    asked = asked_in("\n".join(projects))
    parts = [part for text in projects for part in _services(text)]
    served = any(_IMAGE.search(part) and _may_serve(part, context) for part in parts)
    if not served or _is_given(source.path, projects, context):
        return
    passed = _passed(projects, context)
    section = UNREAD if _is_alone(source.path, projects, context) else UNPASSED
    for variable in told:
        if variable.name not in asked | passed:
            place = variable.place
            yield Line(section=section, name=variable.name, value=variable.value, place=place)


def _is_named(path: str, context: Context) -> bool:
    """Whether a file beside it speaks of a file, or of one by a name that is filled in."""
    name = PurePosixPath(path).name
    beside = (
        context.glance(one) or "" for one in context.listed(path)[:_MOST_BESIDE] if one != path
    )
    return any(name in text or _FILLED_IN.search(text) for text in beside)


def _is_alone(path: str, projects: list[str], context: Context) -> bool:
    """Whether nothing beside a file is a program, or made into one, that might read it."""
    mounted = re.compile(
        rf"(?:{re.escape(PurePosixPath(path).name)}|(?<![\w.])\.{{1,2}}/?)[\"']?\s*:"
    )
    if any(mounted.search(text) or _BUILDS.search(text) for text in projects):
        return False
    if _is_given(path, projects):
        return False
    names = (PurePosixPath(one).name for one in context.listed(path))
    folder = PurePosixPath(path).parent
    return all(_NO_PROGRAM.fullmatch(one) for one in names) and not any(
        context.exists(str(folder / one)) for one in _OF_PROGRAMS
    )


def _projects(path: str, context: Context) -> list[str]:
    return [text for text in _every_project(path, context) if names_an_engine(text)]


def _every_project(path: str, context: Context) -> list[str]:
    names = [name for name in context.listed(path) if name.endswith((".yaml", ".yml"))]
    texts = [context.read(name) or "" for name in names[:_MOST]]
    beside = [text for text in texts if _COMPOSE.search(text) or _INCLUDED.search(text)]
    below = [one for text in beside for one in _included(text)]
    folder = PurePosixPath(path).parent
    further = [context.read(str(folder / one)) or "" for one in dict.fromkeys(below[:_MOST_BESIDE])]
    return [text for text in (*beside, *further) if _COMPOSE.search(text)]


def _included(text: str) -> Iterator[str]:
    """Yield the files in folders below that a compose file includes: they share its variables."""
    for start in _INCLUDED.finditer(text):
        end = _TOP.search(text, start.end())
        for match in _FILE.finditer(text, start.end(), end.start() if end else len(text)):
            yield match[1].removeprefix("./")


def _passed(projects: list[str], context: Context) -> frozenset[str]:
    """Return the names that compose files give to a container under the same name.

    One of an image that is another program's is none of them.
    """
    parts = (part for text in projects for part in _services(text))
    ours = (part for part in parts if _may_serve(part, context))
    found = (match for text in ours for match in _PASSES.finditer(text))
    return frozenset(m[1] or m[3] for m in found if m[2] in {None, m[1]})


def _services(text: str) -> Iterator[str]:
    """Yield what a compose file says of each service, and around them."""
    start = _COMPOSE.search(text)
    indent = _FIRST.search(text, start.end()) if start else None
    if indent is None:
        yield text
        return
    heads = re.finditer(rf"(?m)^{indent[1]}[\w\"'.$-]|^\w", text[indent.start() :])
    ends = [0, *(indent.start() + head.start() for head in heads), len(text)]
    yield from (text[begin:end] for begin, end in itertools.pairwise(ends))


def _may_serve(text: str, context: Context) -> bool:
    """Whether a service may be the server: its image is the engine's, or none that is told."""
    image, built = _IMAGE.search(text), _BUILDS.search(text) is not None
    if built:
        port = context.catalogue.at(context.engine.name).image.port
        return names_an_engine(text) or str(port) in text
    if image is None or "$" in image[1]:
        return True
    base = image_name(image[1]).repository.rpartition("/")[2]
    return re.fullmatch(context.engine.builds, base) is not None


def _of_servers(projects: list[str], context: Context) -> list[str]:
    """Return what compose files say of services that run the engine's image as it is."""
    parts = [part for text in projects for part in _services(text)]
    images = [(_IMAGE.search(part), part) for part in parts if not _BUILDS.search(part)]
    return [part for image, part in images if image and _may_serve(part, context)]


def _is_given(path: str, projects: list[str], context: Context | None = None) -> bool:
    """Whether a compose file gives a container all of the file: one that may be the server's."""
    file = re.escape(PurePosixPath(path).name)
    sample = r"|\.env" if _SAMPLE.search(path) else ""
    given = re.compile(rf"env_file\b[^#]{{0,200}}?(?:{file}{sample})[\"'\s\],]")
    parts = (part for text in projects for part in (_services(text) if context else (text,)))
    named = (part for part in parts if given.search(f"{part}\n"))
    return any(context is None or _may_serve(part, context) for part in named)


def _may_be_ours(variable: Variable, context: Context) -> bool:
    name, engine = variable.name, context.engine
    facts = context.catalogue.at(engine.name, context.release_for()[0])
    if not name.startswith(engine.prefixes) or facts.variable(name) or name in facts.dead_names:
        return True
    return bool(closest(name, facts.harmless, _NEAR))
