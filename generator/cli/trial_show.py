"""What `gen bench --ab` and `gen tune` found, as a page, as JSON, or for people."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import click

from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable
from generator.trial.ab import Trial

if TYPE_CHECKING:
    from generator.trial.tune import Tuned


def show(found: Trial | Tuned, html: str | None, *, as_json: bool) -> None:
    """Write the page to the file `html`, if one is wanted, and print what was found.

    A page on standard output is all that is printed.
    """
    if html is not None:
        from generator.cli.writing import write_page
        from generator.trial.page import trial_page, tuned_page

        write_page(trial_page(found) if isinstance(found, Trial) else tuned_page(found), html)
    if html == STDIO:
        return
    if as_json:
        print_json(**{each.name: getattr(found, each.name) for each in fields(found)})
    else:
        from generator.cli.trial_text import trial_text, tuned_text

        text = trial_text(found) if isinstance(found, Trial) else tuned_text(found)
        click.echo(printable(text), color=coloured())
