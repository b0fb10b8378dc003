"""`gen list`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import click

from generator.cli.options import json_option
from generator.cli.streams import print_json
from generator.cli.talk import table
from generator.profiles.load import shipped_profiles

if TYPE_CHECKING:
    from generator.cli import documents


@click.command(name="list", epilog="\b\nExamples:\n  gen list\n  gen list --json")
@json_option
def command(as_json: bool) -> None:
    """List the shipped profiles."""
    profiles = [tomllib.loads(path.read_text(encoding="utf-8")) for path in shipped_profiles()]
    rows = [(p["name"], p["host"]["system"], p["description"]) for p in profiles]
    if as_json:
        listed: documents.Profiles = {
            "profiles": [
                {"name": name, "system": system, "description": description}
                for name, system, description in rows
            ]
        }
        print_json(listed)
    else:
        click.echo(table(("profile", "system", "description"), rows))
