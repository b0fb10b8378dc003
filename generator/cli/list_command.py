"""`gen list`."""

from __future__ import annotations

import tomllib

import click

from generator.cli.options import json_option
from generator.cli.streams import keyed, print_json
from generator.cli.talk import table
from generator.profiles.shipped import shipped_profiles


@click.command(name="list", epilog="\b\nExamples:\n  gen list\n  gen list --json")
@json_option
def command(as_json: bool) -> None:
    """List the shipped profiles."""
    profiles = [tomllib.loads(path.read_text(encoding="utf-8")) for path in shipped_profiles()]
    rows = [(p["name"], p["host"]["system"], p["description"]) for p in profiles]
    if as_json:
        print_json(profiles=keyed(("name", "system", "description"), rows))
    else:
        click.echo(table(("profile", "system", "description"), rows))
