"""`gen plan`."""

from __future__ import annotations

from typing import Any

import click

from generator.cli.options import json_option, plan_options, planned

EXAMPLES = """
\b
Examples:
  gen plan xeon-cpu
  gen plan ./my-host.toml --ollama-version 0.24
"""


@click.command(name="plan", epilog=EXAMPLES)
@click.argument("profile")
@plan_options
@json_option
def command(profile: str, as_json: bool, **flags: Any) -> None:  # noqa: ANN401, ARG001
    """Print the Plan of a profile as JSON: every decision with its reason."""
    from generator.targets import load_target

    for file in load_target("plan").render(planned(profile, **flags)):
        click.echo(file.text, nl=False)
