"""`gen explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.environment import written
from generator.cli.options import Misuse, json_option, release_option
from generator.cli.streams import json_text
from generator.cli.talk import COLOURS, coloured, table, width
from generator.errors import HostwrightError
from generator.explain.page import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.explain.layout import Line
    from generator.explain.page import Page

EXAMPLES = """
\b
Examples:
  gen explain HW202
  gen explain OLLAMA_NUM_PARALLEL
  gen explain OLLAMA_NUM_THREADS --ollama-version 0.9
  gen explain keep_alive CPUQuota num_ctx        keys, limits, model options
  gen explain --list rule
  gen explain OLLAMA_KEEP_ALIVE --json
"""
EVERYTHING: Final = "all"
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "title": {"bold": True},
    "label": {"fg": COLOURS["hint"]},
    "sample": {"fg": COLOURS["info"]},
}


@click.command(name="explain", epilog=EXAMPLES)
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option(
    "--list",
    "kind",
    is_flag=False,
    flag_value=EVERYTHING,
    type=click.Choice([*KINDS, EVERYTHING]),
    metavar="[KIND]",
    help=f"List all names, or those of a kind: {', '.join(KINDS)}.",
)
@release_option("Only what holds for one release.")
@json_option
def command(names: tuple[str, ...], kind: str | None, version: str | None, as_json: bool) -> None:
    """Explain rules, variables, profile keys, limits, model options and models."""
    if kind is not None and (names or (version is not None and written("version"))):
        raise Misuse("--list takes a kind and nothing else beside it", where="--list")
    if kind is None and not names:
        hint = "name what to explain, like HW202 or OLLAMA_KEEP_ALIVE, or --list"
        raise Misuse("no name is given", hint)
    from generator.files.cache import remembered

    def text() -> str:
        if kind is None:
            return _explain(names, version, as_json=as_json)
        return _list(None if kind == EVERYTHING else kind, as_json=as_json)

    # The second time without reading the facts.
    asked = (names, kind, version, as_json, width())
    try:
        page = remembered("pages", repr(asked), text)
    except HostwrightError:
        if len(names) > 1 and not as_json:
            click.echo(_known(names, version), nl=False, color=coloured())
        raise
    click.echo(page, nl=False, color=coloured())


def _list(kind: str | None, *, as_json: bool) -> str:
    from generator.explain.lookup import listed

    entries = listed(kind)
    if as_json:
        return json_text(names=[entry._asdict() for entry in entries])
    from generator.explain.layout import list_lines

    return _text(list_lines(entries, width()))


def _explain(names: tuple[str, ...], version: str | None, *, as_json: bool) -> str:
    from generator.explain.layout import laid_out
    from generator.explain.lookup import explain

    pages = explain(names, version)
    if as_json:
        return json_text(pages=[_data(page) for page in pages])
    return "\n".join(_text(laid_out(page, width(), table)) for page in pages)


def _known(names: tuple[str, ...], version: str | None) -> str:
    """Return the pages of the names that have one."""
    from generator.explain.lookup import find

    known = tuple(name for name in names if find(name))
    return _explain(known, version, as_json=False) if known else ""


def _data(page: Page) -> dict[str, object]:
    head = {"kind": page.kind, "name": page.name, "summary": page.summary}
    return {**head, **page.facts, "sources": page.sources}


def _text(lines: Iterable[Line]) -> str:
    styled = ((line.text, _STYLES.get(line.role)) for line in lines)
    return "".join((click.style(text, **how) if how else text) + "\n" for text, how in styled)
