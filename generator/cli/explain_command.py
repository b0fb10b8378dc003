"""`gen explain`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.environment import written
from generator.cli.options import Misuse, json_option, profile_option, release_option
from generator.cli.streams import STDIO, json_text, print_json
from generator.cli.talk import COLOURS, coloured, printable, table, width
from generator.errors import HostwrightError
from generator.explain.page import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.advise.advise import Advice
    from generator.explain.layout import Line
    from generator.explain.page import Page
    from generator.reasons import Reason

EXAMPLES = """
\b
Examples:
  gen explain HW202
  gen explain OLLAMA_NUM_PARALLEL
  gen explain OLLAMA_NUM_THREADS --ollama-version 0.9
  gen explain keep_alive CPUQuota num_ctx        keys, limits, model options
  gen explain --list rule
  gen explain -p xeon-cpu                      every value that it leads to
  gen explain OLLAMA_KEEP_ALIVE -p xeon-cpu    what it is there, and why
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
@profile_option("profile")
@release_option("Only what holds for one release.")
@json_option
def command(
    names: tuple[str, ...],
    kind: str | None,
    profile: str | None,
    version: str | None,
    as_json: bool,
) -> None:
    """Explain rules, variables, profile keys, limits, model options, models, settings of programs
    around a server, and topics; with a profile, every value that it leads to.
    """
    if profile is not None and kind is not None:
        raise Misuse("--list takes no profile", "leave one of them out", where="--list")
    if profile is not None:
        _of_profile(names, profile, version, as_json=as_json)
        return
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


def _of_profile(
    names: tuple[str, ...], profile: str, version: str | None, *, as_json: bool
) -> None:
    """Print the values that a profile leads to: all, or those of the names behind their pages."""
    from generator.cli.options import document_of
    from generator.cli.secrets_shown import without_secrets
    from generator.explain.lookup import explain, find
    from generator.pipeline import plan_of
    from generator.reasons import reasons

    plan = without_secrets(plan_of(document_of(profile), version=version))
    wanted = {name.casefold() for name in (*names, *_about(names))}
    rows = [
        one
        for one in reasons(plan)
        if not wanted or wanted & {text.casefold() for text in (one.where, one.name, one.key)}
    ]
    told = {text.casefold() for one in rows for text in (one.where, one.name, one.key)}
    # What is neither a value of the Plan nor has a page is told as by itself.
    pages = explain([n for n in names if find(n) or n.casefold() not in told], version)
    keys = wanted | {one.key.casefold() for one in rows}
    advice = _advice(profile, version, keys) if names else []
    if as_json:
        data = [_data(page) for page in pages]
        print_json(profile=plan.name, values=rows, advice=advice, pages=data)
        return
    _print_pages(pages)
    if names:
        click.echo(f"In {plan.name}:" if rows else f"{plan.name} decides nothing of that name.")
    click.echo("\n".join(_tables(rows)), nl=bool(rows), color=coloured())
    _print_advice(advice)


def _print_pages(pages: Iterable[Page]) -> None:
    from generator.explain.layout import laid_out

    for page in pages:
        click.echo(_text(laid_out(page, width(), table)), color=coloured())


def _print_advice(advice: Sequence[Advice]) -> None:
    if advice:
        from generator.cli.advise_text import advice_lines

        lines = (line for number, one in enumerate(advice, 1) for line in advice_lines(number, one))
        click.echo(printable("\n".join(("Advised:", *lines))), color=coloured())


def _advice(profile: str, version: str | None, keys: set[str]) -> list[Advice]:
    """Return what is advised of some keys; nothing where nothing can be, as for several servers."""
    from generator.cli.advise_command import advised

    if profile == STDIO:  # which has been read
        return []
    try:
        found = advised(profile, (), version).advice
    except HostwrightError:
        return []
    return [each for each in found if keys & {text.partition("=")[0] for text in each.sets}]


def _about(names: tuple[str, ...]) -> Iterator[str]:
    """Yield the whole names of keys, and those that a topic sends to: what a host has of them."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.explain.lookup import find

    for name in names:
        for kind, found in find(name):
            yield from load_catalogue().topics[found].see if kind == "topic" else (found,)


def _tables(rows: Iterable[Reason]) -> Iterator[str]:
    """Yield a table for each place of the plan, under the place."""
    for where, inner in groupby(rows, lambda one: one.where.rpartition(".")[0]):
        told = [(one.name, one.value, _why(one)) for one in inner]
        yield click.style(where or "plan", bold=True)
        yield table(("what", "value", "why"), told) + "\n"


def _why(one: Reason) -> str:
    return f"{one.source}: {one.reason}" if one.source else one.reason


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
