"""Pages for people: one HTML file each, which needs no other file, no script and no network.

They follow the reader's light or dark theme and can be printed. A page is a template of
`templates/page/`, which extends `base.html.jinja`; tables and bars are in `parts.html.jinja`.
Everything that a page is given is text, and is escaped.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from generator.formats.template import TEMPLATES
from generator.formats.text import INVISIBLE, escape
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jinja2 import Environment

MARK: Final = '<meta name="generator" content="Hostwright">'


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart: its label, parts as (class of colour, share of 1, what it says), a note."""

    label: str
    parts: Sequence[tuple[str, float, str]]
    note: str = ""


def page(name: str, *, title: str, lead: str, **context: object) -> str:
    """Return the HTML of the page `name` (`check`); what it lacks is an error (StrictUndefined)."""
    template = _environment().get_template(f"page/{name}.html.jinja")
    return template.render(title=title, lead=lead, **context)


def is_page(path: Path) -> bool:
    """Return whether a file is a page that this program has written."""
    with path.open("rb") as file:
        return MARK.encode() in file.read(1024)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=_visible,
    )


def _visible(value: object) -> object:
    """Show control characters of a text, which a page would swallow."""
    return INVISIBLE.sub(lambda found: escape(found[0]), value) if type(value) is str else value
