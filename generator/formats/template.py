"""Whole files from `generator/templates/`: as they are, or with computed values filled in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from jinja2 import Environment

TEMPLATES = Path(__file__).parent.parent / "templates"


def render_template(name: str, **context: object) -> str:
    """Return the template `name` (`systemd/README.md.jinja`) filled with `context`.

    A name that the context lacks is an error (StrictUndefined). Nothing is escaped: a template
    is given plain names, or text that another format wrote.
    """
    return _environment().get_template(name).render(context)


@cache
def shipped_text(name: str) -> str:
    """Return the file `name` (`bundle/apply.sh`), which is the same for everybody."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def module_text(module: ModuleType) -> str:
    """Return the text of a module that programs of their own carry."""
    return Path(str(module.__file__)).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # no template changes while the program runs
        autoescape=False,  # noqa: S701 -- no template is HTML
    )
