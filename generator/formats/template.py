"""Whole files from `generator/templates/`: fixed prose and layout around computed values."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent.parent / "templates"


def render_template(name: str, **context: object) -> str:
    """Return the template `name` (`nixos/module.nix.jinja`) filled with `context`.

    A name that the context lacks is an error (StrictUndefined). Nothing is escaped on its own:
    a template pipes each value through `nix` or `sh`, or is given text another format wrote.
    """
    return _environment().get_template(name).render(context)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from generator.formats import nix, shell

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 -- no template is HTML
    )
    environment.filters.update(nix=nix.to_nix, sh=shell.quote)
    return environment
