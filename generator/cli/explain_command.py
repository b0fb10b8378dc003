"""`gen explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import json_option
from generator.cli.talk import COLOURS, coloured, table, width
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
@click.option("--ollama-version", metavar="RELEASE", help="Only what holds for one release.")
@json_option
def command(
    names: tuple[str, ...], kind: str | None, ollama_version: str | None, as_json: bool
) -> None:
    """Explain rules, variables, profile keys, limits and model options."""
    if kind is not None and (names or ollama_version is not None):
        raise click.UsageError("--list takes a kind and nothing else beside it")
    if kind is not None:
        _list(None if kind == EVERYTHING else kind, as_json=as_json)
    elif names:
        _explain(names, ollama_version, as_json=as_json)
    else:
        raise click.UsageError("name what to explain, like HW202 or OLLAMA_KEEP_ALIVE, or --list")


def _list(kind: str | None, *, as_json: bool) -> None:
    from generator.explain.lookup import listed

    entries = listed(kind)
    if as_json:
        _print_json({"names": [entry._asdict() for entry in entries]})
    else:
        from generator.explain.layout import list_lines

        _print(list_lines(entries, width()))


def _explain(names: tuple[str, ...], version: str | None, *, as_json: bool) -> None:
    from generator.explain.layout import laid_out
    from generator.explain.lookup import explain

    pages = explain(names, version)
    if as_json:
        _print_json({"pages": [_data(page) for page in pages]})
        return
    for number, page in enumerate(pages):
        if number:
            click.echo()
        _print(laid_out(page, width(), table))


def _data(page: Page) -> dict[str, object]:
    head = {"kind": page.kind, "name": page.name, "summary": page.summary}
    return {**head, **page.facts, "sources": list(page.sources)}


def _print_json(document: dict[str, object]) -> None:
    from generator.formats.data import to_json

    click.echo(to_json({"schema_version": 1, **document}), nl=False)


def _print(lines: Iterable[Line]) -> None:
    for line in lines:
        style = _STYLES.get(line.role)
        click.echo(click.style(line.text, **style) if style else line.text, color=coloured())
