"""`gen schema`."""

from __future__ import annotations

import click

EXAMPLES = """
\b
Examples:
  gen schema > profile.schema.json
  then, as the first line of a profile: #:schema ./profile.schema.json
"""


@click.command(name="schema", epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Accepted for symmetry; it always is JSON.")
def command(as_json: bool) -> None:  # noqa: ARG001 -- every command takes --json
    """Print the JSON Schema of profiles, for editors."""
    from generator.formats.data import to_json
    from generator.profile import json_schema

    click.echo(to_json(json_schema()), nl=False)
