"""`.env` and its samples: read as Compose reads them, and whom each variable reaches.

Beside a compose file such a file fills gaps of it; the server gets only what is passed on.
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.compose.variables import parse_dotenv
from generator.readers.signs import names_an_engine
from generator.view import Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context, Source

_NAME: Final = re.compile(r"\.env(?:\..+)?|(?:[\w-]+\.)*env(?:\.(?:example|sample|template|dist))+")
_COMPOSE: Final = re.compile(r"(?m)^services[ \t]*:")
_PASSES: Final = re.compile(
    r"^[ \t]*(?:-[ \t]*)?[\"']?([A-Za-z_]\w*)[\"']?(?:[ \t]*[:=][ \t]*[\"']?\$\{?(\w+)|[ \t]*\r?$)",
    re.MULTILINE,
)
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
    if not is_dotenv(source.path):
        yield from variables
        return
    projects = _projects(source.path, context)
    passed, whole = _passed(projects), _is_given(source.path, projects)
    for variable in variables:
        told = whole or variable.name in passed
        ours = told if projects else _may_be_ours(variable, context)
        yield variable if ours else replace(variable, reach="client")


def _projects(path: str, context: Context) -> list[str]:
    names = [name for name in context.listed(path) if name.endswith((".yaml", ".yml"))]
    texts = (context.read(name) or "" for name in names[:_MOST])
    return [text for text in texts if _COMPOSE.search(text) and names_an_engine(text)]


def _passed(projects: list[str]) -> frozenset[str]:
    """Return the names that compose files give to a container under the same name."""
    found = (match for text in projects for match in _PASSES.finditer(text))
    return frozenset(match[1] for match in found if match[2] in {None, match[1]})


def _is_given(path: str, projects: list[str]) -> bool:
    """Whether a compose file gives a container all of the file."""
    file = re.escape(PurePosixPath(path).name)
    given = re.compile(rf"env_file\b[^#]{{0,200}}?{file}[\"'\s\],]")
    return any(given.search(f"{text}\n") for text in projects)


def _may_be_ours(variable: Variable, context: Context) -> bool:
    name, engine = variable.name, context.engine
    facts = context.catalogue.at(engine.name, context.release_for()[0])
    if not name.startswith(engine.prefixes) or facts.variable(name) or name in facts.dead_names:
        return True
    return bool(get_close_matches(name, facts.harmless, n=1, cutoff=_NEAR))
