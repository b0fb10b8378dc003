"""`gen advise`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import (
    instance_option,
    json_option,
    profile_argument,
    release_option,
    set_option,
)
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import coloured, printable

if TYPE_CHECKING:
    from generator.advise.advise import Advised
    from generator.fit.measured import Measured

EXAMPLES: Final = """
\b
Examples:
  gen advise xeon-cpu                     what is left to gain, the best first
  gen advise ./my-host.toml --json
  gen advise dgx-spark --set ollama.num_parallel=1
  gen show xeon-cpu --set threads.count=12      what pulling a lever decides
"""


@click.command(name="advise", epilog=EXAMPLES)
@profile_argument
@release_option("Release that the profile is resolved for.  [default: newest known]")
@set_option
@instance_option
@json_option
def command(
    profile: str, *, version: str | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Tell what is left to gain on the host of a profile: levers that nobody has pulled.

    Each with what it takes, what is gained by the estimates of `gen fit` before and after, or by
    what `gen bench` has measured here, what it costs, and the --set that pulls it. Levers that do
    nothing here are named with the reason.
    """
    found = advised(profile, overrides, version)
    if as_json:
        print_json(model=found.model, verdict=found.verdict, advice=found.advice, idle=found.idle)
        return
    from generator.cli.advise_text import advise_text

    click.echo(printable(advise_text(found, profile)), color=coloured())


def advised(profile: str, overrides: tuple[str, ...], version: str | None) -> Advised:
    """Return what is left to gain for a profile; standard input is read once."""
    from generator.advise.advise import advise
    from generator.catalogue.catalogue import load_catalogue
    from generator.pipeline import plan_of
    from generator.profiles.load import read_document

    stdin = stdin_if(profile)
    written = read_document(profile, overrides, stdin=stdin).data
    return advise(
        lambda sets: plan_of(
            read_document(profile, (*overrides, *sets), stdin=stdin), version=version
        ),
        load_catalogue(),
        written=written,
        measured=_measured(profile),
        profile=profile,
    )


def _measured(profile: str) -> tuple[Measured, ...]:
    """Return what `gen bench` keeps beside a profile."""
    if profile == STDIO:
        return ()
    from generator.bench.remembered import remembered, remembered_beside

    return remembered(remembered_beside(profile))
