"""`gen plan`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import document_of, json_option, plan_options, profile_argument
from generator.cli.talk import say
from generator.pipeline import plan_of
from generator.redact import HIDDEN

if TYPE_CHECKING:
    from generator.plan import Plan

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
    plan = plan_of(document, **flags)
    for file in load_target("plan").render(_to_look_at(plan)):
        click.echo(file.text, nl=False)


def _to_look_at(plan: Plan) -> Plan:
    """Return the Plan, on a terminal without secrets: what reads a file of it needs them."""
    from generator.cli.secrets_shown import insists, without_secrets

    if not (sys.stdout.isatty() and insists(plan)):
        return plan
    say(f"secrets are shown as `{HIDDEN}` on a terminal, and are in a file or a pipe")
    return without_secrets(plan)
