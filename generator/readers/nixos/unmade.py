"""Directories that the options of a service name, and that no module at hand makes for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.nixos.told import MOST
from generator.view import UNMADE, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition, Definitions

_COMMENT: Final = re.compile(r"(?:^|\s)#.*")


def unmade(module: Definitions, options: tuple[str, ...], context: Context) -> Iterator[Line]:
    """Yield the directories that options name, unless a text speaks of one elsewhere, or its user.

    Who says more of a directory, or makes the user that the service runs as, may have made it.
    """
    named = [d for d in module.found if d.path[:-1] == options and _is_directory(d, context)]
    if not named or module.value(*options, "enable") is False:
        return
    texts = [_code(text) for text in _texts(module.source, named, context)]
    name = context.engine.name
    user = re.compile(
        rf"\b(?:users|groups)\b[\s.={{\"]{{1,40}}{name}\b"
        rf"|\b{name}\"?\s{{0,9}}=\s{{0,9}}\{{\s{{0,40}}(?:is\w{{1,9}}User|uid)\b"
    )
    by_name = re.compile(rf"\$\{{[^{{}}\n]{{0,80}}\.(?:{'|'.join(d.path[-1] for d in named)})\}}")
    if any(user.search(text) or by_name.search(text) for text in texts):
        return
    values = {d.value for d in named}
    for found in named:
        if not any(_speaks_of(text, found.value, values) for text in texts):
            place = module.place(found)
            yield Line(section=UNMADE, name=found.path[-1], value=found.value, place=place)


def _is_directory(found: Definition, context: Context) -> bool:
    told = isinstance(found.value, str) and found.value.startswith("/")
    certain = not (found.unresolved or found.maybe)
    return told and certain and found.path[-1] in context.engine.nixos_variables


def _texts(source: Source, named: list[Definition], context: Context) -> Iterator[str]:
    """Yield the text of the module, of those that it imports, beside it, or checked with it."""
    texts = {one.path: one.text for one in (*context.fellows[:MOST], source)}
    beside = [path for path in context.listed(source.path) if path.endswith(".nix")]
    for path in (*beside[:MOST], *(d.file for d in named if d.file)):
        if path not in texts:
            texts[path] = context.glance(path) or ""
    yield from texts.values()


def _code(text: str) -> str:
    return "\n".join(_COMMENT.sub("", line) for line in text.split("\n"))


def _speaks_of(text: str, path: str, values: set[str]) -> bool:
    """Whether a text names a directory, or one above it, other than as the value of an option."""
    names = [name for name in path.split("/") if name]
    above = ["/" + "/".join(names[:n]) for n in range(1, len(names) + 1)]
    for folder in above:
        whole = r"(?![\w-])" if folder == above[-1] else r"/?(?![\w./-])"
        for found in re.finditer(rf"(?<![\w./-]){re.escape(folder)}{whole}", text):
            if not _is_value(text, found.start(), values):
                return True
    return False


def _is_value(text: str, at: int, values: set[str]) -> bool:
    """Whether a path is what the line assigns: `models = "/srv/models";`."""
    line = text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    told = re.search(r"=\s*\"([^\"]*)\";", line)
    return told is not None and told[1] in values
