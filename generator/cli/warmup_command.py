"""`gen warmup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.options import (
    document_of,
    filled_option,
    instance_option,
    json_option,
    profile_argument,
    release_option,
    seconds_of,
    set_option,
)
from generator.cli.streams import print_json
from generator.cli.talk import coloured, printable, status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Plan
    from generator.warmup.warmed import Warmed

EXAMPLES = """
\b
Examples:
  gen warmup xeon-cpu                         on the machine that serves
  gen warmup ./my-host.toml --pull            downloads what is missing
  gen warmup ./my-host.toml -m qwen3:4b --timeout 10m
  gen warmup ./my-host.toml --url http://spark:11434

\b
Exit codes: 0 all are in memory; 2 bad usage or profile; 3 one is not, or the
server cannot be asked.
"""


@click.command(name="warmup", epilog=EXAMPLES)
@profile_argument
@filled_option(
    "--url",
    metavar="URL",
    example="http://host:11434",
    text="Where the server answers.  [default: where the profile has it listen]",
)
@filled_option(
    "--timeout",
    metavar="TIME",
    example="300s",
    text="How long all of it may take.  [default: warmup.timeout of the profile]",
)
@click.option("--pull", is_flag=True, help="Download what is missing.")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="MODEL",
    help="Load this one, not the profile's; repeatable.",
)  # fmt: skip
@release_option("Release that the profile is resolved for.  [default: newest known]")
@set_option
@instance_option
@json_option
def command(
    profile: str,
    *,
    url: str | None,
    timeout: str | None,
    pull: bool,
    models: tuple[str, ...],
    version: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Load the models of a profile into memory, one after the other, and tell what came of it.

    Those that the profile loads after a start, otherwise all of it. A model stays as long as the
    profile says, in `ollama.keep_alive`. With `warmup.tokens = 1` it computes one token.
    """
    from generator.catalogue.catalogue import load_catalogue
    from generator.pipeline import plan_of
    from generator.warmup.warmup import warm_up

    plan = plan_of(document_of(profile, overrides), version=version)
    # An address, and models that are named, are of one server.
    own = f"http://{plan.service.listen.address}" if url or models else ""
    parts = {url or own: plan} if own else _with_models(plan)
    try:
        done = {
            at: warm_up(
                part,
                load_catalogue(),
                url=at,
                seconds=seconds_of(timeout, "--timeout") if timeout else None,
                models=models,
                pull=pull,
                tell=status,
            )
            for at, part in parts.items()
        }
    finally:
        status()
    _print(plan, done, as_json=as_json)
    whole = all(one.state == "loaded" for each in done.values() for one in each)
    click.get_current_context().exit(0 if whole else 3)


def _with_models(plan: Plan) -> dict[str, Plan]:
    """Return the servers that have models to load, or all where none has, by their addresses."""
    parts = [part for part in plan.parts if part.service.models] or plan.parts
    return {f"http://{part.service.listen.address}": part for part in parts}


def _print(plan: Plan, done: Mapping[str, tuple[Warmed, ...]], *, as_json: bool) -> None:
    if as_json and len(done) == 1:
        ((url, models),) = done.items()
        print_json(url=url, models=models)
        return
    if as_json:
        print_json(services=[{"url": url, "models": models} for url, models in done.items()])
        return
    from generator.cli.warmup_text import warmup_text

    for url, models in done.items():
        head = f"{plan.name} · {plan.services[0].product} · {url}"
        click.echo(printable(f"{head}\n{warmup_text(models)}"), color=coloured())
