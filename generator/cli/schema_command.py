"""`gen schema`."""

from __future__ import annotations

import click

EXAMPLES = """
\b
Examples:
  gen schema > profile.schema.json
  then, as the first line of a profile: #:schema ./profile.schema.json
  gen schema --markdown        the same for people
"""


@click.command(name="schema", epilog=EXAMPLES)
@click.option("--markdown", is_flag=True, help="Print a reference page instead.")
@click.option("--json", "as_json", is_flag=True, help="The default.")
def command(markdown: bool, as_json: bool) -> None:
    """Print the JSON Schema of profiles, for editors."""
    from generator.formats.data import to_json
    from generator.reference import profile_reference
    from generator.schema import json_schema

    if markdown and as_json:
        raise click.UsageError("--markdown and --json exclude each other")
    schema = json_schema()
    click.echo(profile_reference(schema) if markdown else to_json(schema), nl=False)
