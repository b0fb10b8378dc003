"""Templates of Jinja and sample files: each is read as the file that becomes of it.

Nothing is filled in: an expression with a literal default is that default, any other stands for a
value that nobody knows here. Lines stay where they are.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.view import NotJudged, Phrases, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.readers.base import Source
    from generator.view import View

T = TypeVar("T")
_JINJA: Final = (".j2", ".jinja", ".jinja2")
_SAMPLES: Final = (".example", ".sample", ".dist", ".template")
_STATEMENT: Final = re.compile(r"\{%[^{}]*%\}|\{#[^{}]*#\}")
_EXPRESSION: Final = re.compile(r"\{\{-?([^{}\n]*)\}\}")
_DEFAULT: Final = re.compile(
    r"\s*[\w.]+\s*\|\s*(?:default|d)\s*\(\s*(?:'([^']*)'|\"([^\"]*)\"|([\w.]+))\s*(?:,[^()]*)?\)"
    r"\s*(?:\|\s*(?:string|int|lower|upper|trim|quote)\s*)?-?"
)
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
UNTOLD: Final = "${"
"""What a value begins with, or has in it, that the template leaves open."""


def read_as(path: str) -> str:
    """Return the name of the file that becomes of a template or a sample; empty: it is neither."""
    ends = (end for end in (*_JINJA, *_SAMPLES) if path.endswith(end))
    return next((path[: -len(end)] for end in ends if len(path) > len(end)), "")


def is_template(path: str) -> bool:
    """Return whether a name is that of a template of Jinja."""
    return path.endswith(_JINJA)


def plain(source: Source) -> Source:
    """Return the file that a Source is read as: its own, or what becomes of it."""
    if not source.read_as:
        return source
    text = _filled(source.text) if is_template(source.path) else source.text
    return replace(source, path=source.read_as, text=text, read_as="")


def _filled(text: str) -> str:
    kept = _STATEMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    return _EXPRESSION.sub(_value, kept)


def _value(found: re.Match[str]) -> str:
    if told := _DEFAULT.fullmatch(found[1]):
        return told[1] or told[2] or told[3] or ""
    name = _NAME.search(found[1])
    return f"{UNTOLD}{name[0].replace('.', '_') if name else 'untold'}}}"


def as_written(view: View, sources: Mapping[str, Source]) -> View:
    """Return a View of files that were read as others, at the places of those that are there.

    `sources` are those by the path that they were read as.
    """
    if not sources:
        return view
    found = _placed(view, {name: source.path for name, source in sources.items()})
    if not any(is_template(source.path) for source in sources.values()):
        return found
    variables = (replace(v, unresolved=v.unresolved or UNTOLD in v.value) for v in found.variables)
    box = found.container
    if box is not None and UNTOLD in box.image:
        box = replace(box, digest=True)
    return replace(
        found,
        container=box,
        variables=tuple(variables),
        unread=tuple(line for line in found.unread if UNTOLD not in line.value),
        # Which branch of a template is taken, nobody knows here.
        overruled=(),
    )


def _placed(value: T, names: Mapping[str, str]) -> T:
    """Return a View, or a part of one, with the places of files moved to others, by `names`."""
    found: Any = value
    if isinstance(found, Place | NotJudged):
        found = replace(found, file=names.get(found.file, found.file))
    elif isinstance(found, tuple) and not hasattr(found, "_fields"):
        found = tuple(_placed(item, names) for item in found)
    elif is_dataclass(found) and not isinstance(found, Phrases):
        parts = {f.name: _placed(getattr(found, f.name), names) for f in fields(found) if f.init}
        found = replace(found, **parts)  # type: ignore[type-var]
    return found  # type: ignore[no-any-return]
