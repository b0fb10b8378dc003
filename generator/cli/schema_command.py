"""`gen schema`."""

from __future__ import annotations

import click

from generator.cli.options import Misuse

EXAMPLES = """
\b
Examples:
  gen schema > profile.schema.json
  then, as the first line of a profile: #:schema ./profile.schema.json
  gen schema --markdown        the same for people
  gen schema --fleet           of the file that `gen fleet` reads
"""


@click.command(name="schema", epilog=EXAMPLES)
@click.option("--markdown", is_flag=True, help="Print a reference page instead.")
@click.option("--fleet", is_flag=True, help="The schema of fleet files.")
@click.option("--json", "as_json", is_flag=True, help="The default.")
def command(markdown: bool, fleet: bool, as_json: bool) -> None:
    """Print the JSON Schema of profiles or fleet files, for editors."""
    from generator.formats.data import to_json
    from generator.profiles.json_schema import FLEET, PROFILE, json_schema, reference

    if markdown and as_json:
        raise Misuse("--markdown and --json exclude each other", "choose one", where="--markdown")
    kind = FLEET if fleet else PROFILE
    click.echo(reference(kind) if markdown else to_json(json_schema(kind)), nl=False)
