"""`gen list`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import click

from generator.cli.options import json_option
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
        from generator.formats.data import to_json

        listed: documents.Profiles = {
            "schema_version": 1,
            "profiles": [
                {"name": name, "system": system, "description": description}
                for name, system, description in rows
            ],
        }
        click.echo(to_json(listed), nl=False)
    else:
        click.echo(table(("profile", "system", "description"), rows))
