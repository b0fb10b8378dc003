"""`gen diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    instance_option,
    json_option,
    profile_option,
    set_option,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable, say, visible, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.cli.diff_text import Section
    from generator.plan import Plan
    from generator.profiles.document import Document

NEWEST: Final = "newest"
EXAMPLES: Final = """
\b
Examples:
  gen diff my-host.toml                  what is installed here → the profile
  gen diff my-host.toml --root /mnt      … on another root
  gen diff before.toml after.toml        settings, memory and slots
  gen diff before.toml after.toml --markdown >> report.md
  gen diff xeon-cpu --from 0.24 --to newest
\b
Exit codes: 0 the same; 1 something differs; 2 bad usage or input; 3 the
environment failed.
"""


@click.command(name="diff", epilog=EXAMPLES)
@click.argument("profiles", metavar="PROFILE [PROFILE]", nargs=-1)
@profile_option("option")
@filled_option("--from", "old", metavar="RELEASE", example="0.24", text="An earlier release.")
@filled_option("--to", "new", metavar="RELEASE", example="0.32", text="A later one, or newest.")
@filled_option("--root", metavar="DIR", example="/mnt", text="The machine below DIR.")
@filled_option("--service", metavar="NAME", example="ollama", text="The installed one, of several.")
@set_option
@instance_option
@click.option("--markdown", is_flag=True, help="Print tables for a report.")
@json_option
def command(
    profiles: tuple[str, ...],
    *,
    option: str | None,
    old: str | None,
    new: str | None,
    root: str | None,
    service: str | None,
    overrides: tuple[str, ...],
    markdown: bool,
    as_json: bool,
) -> None:
    """Compare by effect: two profiles, two releases, or what is installed and a profile.

    Values count by what the server makes of them, not by how they are written. Memory, slots
    and speed are the estimates of `gen fit`.
    """
    names = (*profiles, *((option,) if option is not None else ()))
    releases = old is not None or new is not None
    _refuse(names, releases=releases, here=root is not None or service is not None)
    if markdown and as_json:
        raise Misuse("--markdown and --json exclude each other", "choose one", where="--markdown")
    documents = [document_of(name, overrides) for name in names]
    plans = [_plan(each, _release(old) if releases else None) for each in documents]
    if releases:
        sections, document = _upgraded(plans[0], _plan(documents[0], _release(new)))
    elif len(plans) > 1:
        sections, document = _profiles(*plans)
    else:
        sections, document = _installed(plans[0], root, service)
    _print(sections, document, markdown=markdown, as_json=as_json)
    click.get_current_context().exit(int(any(each.rows for each in sections)))


def _refuse(names: Sequence[str], *, releases: bool, here: bool) -> None:
    if not names:
        raise Misuse("no profile is named", "name one or two", where="PROFILE")
    most = 1 if releases or here else 2
    if len(names) > most:
        message = f"{len(names)} profiles are named, and {most} can be compared so"
        raise Misuse(message, "leave one out", where="PROFILE")
    if list(names).count(STDIO) > 1:
        raise Misuse("`-` stands twice for stdin", "name a file in one place", where="PROFILE")
    if releases and here:
        message = "--from and --to compare releases, and nothing that is installed"
        raise Misuse(message, "leave one of them out", where="--from")


def _release(name: str | None) -> str | None:
    """Return a release as `plan_of` takes it; None: the newest that is known."""
    return None if name in {None, NEWEST} else name


def _plan(document: Document, version: str | None) -> Plan:
    from generator.pipeline import plan_of

    return plan_of(document, version=version)


def _profiles(old: Plan, new: Plan) -> tuple[list[Section], dict[str, Any]]:
    from generator.catalogue.catalogue import load_catalogue
    from generator.cli.diff_text import of_difference
    from generator.difference.plans import compared

    found = compared(old, new, load_catalogue())
    return of_difference(found, old.name, new.name), {"difference": found}


def _upgraded(old: Plan, new: Plan) -> tuple[list[Section], dict[str, Any]]:
    from generator.catalogue.catalogue import load_catalogue
    from generator.cli.diff_text import of_upgrade
    from generator.difference.upgrade import upgraded

    found = upgraded(old, new, load_catalogue())
    return of_upgrade(found, old.service.release, new.service.release), {"upgrade": found}


def _installed(
    plan: Plan, root: str | None, service: str | None
) -> tuple[list[Section], dict[str, Any]]:
    from generator.catalogue.catalogue import load_catalogue
    from generator.cli.diff_text import of_installed
    from generator.difference.installed import against_installed

    if root is not None and not Path(root).is_dir():
        raise Misuse(f"there is no directory `{root}`", where="--root")
    found = against_installed(plan, load_catalogue(), root=root, service=service)
    for gap in found.not_judged:
        say(f"{word('warning')} {visible(gap.what)}: {visible(gap.why)}")
    for each in found.left_out:
        say(f"{word('info')} {each.what}: {visible(each.why)}")
    say(f"{visible(found.service)}, by {visible(', '.join(found.files))}")
    return of_installed(found, plan.name), {"installed": found}


def _print(
    sections: list[Section], document: dict[str, Any], *, markdown: bool, as_json: bool
) -> None:
    from generator.cli.diff_text import as_markdown, as_text

    if as_json:
        print_json(**{"difference": None, "upgrade": None, "installed": None, **document})
    elif markdown:
        click.echo(as_markdown(sections), nl=False)
    elif not any(each.rows for each in sections):
        say("nothing differs")
    else:
        click.echo(printable(as_text(sections)), nl=False, color=coloured())
