"""`gen plan`."""

from __future__ import annotations

from typing import Any

import click

from generator.cli.options import document_of, json_option, plan_options, profile_argument
from generator.pipeline import plan_of

EXAMPLES = """
\b
Examples:
  gen plan xeon-cpu
  gen plan ./my-host.toml --ollama-version 0.24
"""


@click.command(name="plan", epilog=EXAMPLES)
@profile_argument
@plan_options
@json_option
def command(
    profile: str,
    as_json: bool,  # noqa: ARG001 -- it is what this prints anyway
    overrides: tuple[str, ...],
    full_unit: bool,
    **flags: Any,  # noqa: ANN401 -- what `plan_of` takes
) -> None:
    """Print the Plan of a profile as JSON: every decision with its reason."""
    from generator.targets import load_target

    document = document_of(profile, overrides, full_unit=full_unit)
    for file in load_target("plan").render(plan_of(document, **flags)):
        click.echo(file.text, nl=False)
