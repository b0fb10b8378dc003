"""`gen models`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.options import Misuse, filled_option, json_option, release_option
from generator.cli.streams import print_json
from generator.cli.talk import table, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.explain.history import Asked

# Spelt here too, so that `--help` reads no facts; a test holds them to generator/explain/models.py.
USES = ("chat", "code", "vision", "embedding", "reasoning", "tools", "audio", "guard")
ORDERS = ("pulls", "size", "released", "name")
HEAD = ("model", "size", "for", "released", "")
EXAMPLES = """
\b
Examples:
  gen models                                 what is not superseded
  gen models qwen coder                      names with both words
  gen models --for vision --max-size 8GiB
  gen models --sort released --for code
  gen models qwen3.6:27b                     one: shape, tags, sizes, licence
  gen models gemma --json
"""


@click.command(name="models", epilog=EXAMPLES)
@click.argument("words", metavar="[WORD...]", nargs=-1)
@click.option("--for", "uses", multiple=True, type=click.Choice(USES), help="What it is good for.")
@filled_option("--max-size", metavar="SIZE", example="8GiB", text="Files of at most that size.")
@click.option(
    "--sort",
    "order",
    type=click.Choice(ORDERS),
    default=ORDERS[0],
    help="The most pulled first, the smallest, the newest, or by name.",
)
@click.option("--all", "everything", is_flag=True, help="Superseded ones, too.")
@release_option("Only what that release loads.")
@json_option
def command(
    words: tuple[str, ...],
    uses: tuple[str, ...],
    max_size: str | None,
    order: str,
    everything: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """List and search the models of the library, or tell all of one."""
    from generator.explain.history import asked
    from generator.explain.models import exactly, search

    wanted, largest = asked(version), _largest(max_size)
    facts = wanted.facts
    one = None if uses or max_size else exactly(facts, words)
    if one is not None:
        _print_one(one, wanted, as_json=as_json)
        return
    found = search(facts, words, uses=uses, largest=largest, order=order)
    loaded = [model for model in found if version is None or _loads(model, facts)]
    current = [model for model in loaded if everything or words or not model.superseded]
    if words and not current:
        raise Misuse(f"no model has {_quoted(words)} in its name", _nearest(facts, words))
    _print(current, len(loaded) - len(current), facts, as_json=as_json)


def _largest(text: str | None) -> int | None:
    from generator.units import parse_size

    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise Misuse(f"--max-size: {error}", "write it like 8GiB", where="--max-size") from None


def _loads(model: ModelFact, facts: Facts) -> bool:
    since = model.since
    return facts.loads(model.architecture) and (since is None or since <= facts.at)


def _quoted(words: Sequence[str]) -> str:
    return " and ".join(f"`{word}`" for word in words)


def _nearest(facts: Facts, words: Sequence[str]) -> str:
    if why := facts.missing_model(words[0]):
        return why
    close = facts.closest_model(words[0])
    return f"did you mean `{close}`?" if close else "`gen models` lists those that there are"


def _print(found: Sequence[ModelFact], hidden: int, facts: Facts, *, as_json: bool) -> None:
    from generator.explain.models import as_data, row, shown_name

    if as_json:
        print_json(models=[{"name": shown_name(m)} | as_data(m, facts) for m in found])
        return
    click.echo(table(HEAD, [row(model) for model in found]))
    if hidden:
        click.echo(f"{hidden} that others superseded are left out; --all lists them.", err=True)


def _print_one(model: ModelFact, wanted: Asked, *, as_json: bool) -> None:
    from generator.explain.layout import laid_out
    from generator.explain.models import as_data, model_page, shown_name, sizes

    if as_json:
        facts = wanted.facts
        whole = {"name": shown_name(model)} | as_data(model, facts)
        print_json(model=whole | {"sizes": sizes(model, facts), "source": model.source})
        return
    for line in laid_out(model_page(model.names[0], wanted), width(), table):
        click.echo(line.text)
