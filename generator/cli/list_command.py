"""`gen list`."""

from __future__ import annotations

import click

from generator.cli.options import json_option
from generator.cli.streams import keyed, print_json
from generator.cli.talk import table
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles


@click.command(name="list", epilog="\b\nExamples:\n  gen list\n  gen list --json")
@json_option
def command(as_json: bool) -> None:
    """List the shipped profiles."""
    # With what they extend: a profile need not name its host itself.
    profiles = [read_document(path.stem).data for path in shipped_profiles()]
    rows = [(p["name"], p["host"]["system"], p["description"]) for p in profiles]
    if as_json:
        print_json(profiles=keyed(("name", "system", "description"), rows))
    else:
        click.echo(table(("profile", "system", "description"), rows))
