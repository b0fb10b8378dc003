"""`gen doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    html_option,
    json_option,
    profile_if_named,
    release_option,
    seconds_of,
    set_option,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable

if TYPE_CHECKING:
    from generator.doctor.doctor import Diagnosis
    from generator.plan import Plan
    from generator.profiles.document import Document

EXAMPLES: Final = """
\b
Examples:
  gen doctor                             what runs here; root sees more
  gen doctor ./my-host.toml              also against its profile
  gen doctor --url http://127.0.0.1:9000
  gen doctor --root ./captured           a captured machine
  gen doctor --json
  gen doctor --html doctor.html          a page to attach to a ticket

\b
Exit codes: 0 no fault; 1 a fault; 2 bad usage or profile; 3 nobody to ask.
"""
HERE: Final = "this machine"
_PLAIN: Final = 'schema_version = 1\nname = "here"\n'
_WAIT: Final = "10s"


@click.command(name="doctor", epilog=EXAMPLES)
@profile_if_named
@filled_option(
    "--url",
    metavar="URL",
    example="http://host:11434",
    text="Where the server answers.  [default: where the profile, or Ollama, has it listen]",
)
@filled_option(
    "--timeout",
    metavar="TIME",
    example="10s",
    text="How long all programs, and the server with all its answers, may take.  [default: 10s]",
)
@filled_option(
    "--root",
    metavar="DIR",
    example="captured",
    text="A captured machine, instead of this one.",
)
@release_option("Release that is judged by.  [default: the one that answers]")
@set_option
@click.option("--all", "every", is_flag=True, help="Also what is well.")
@html_option
@json_option
def command(
    profile: str | None,
    *,
    url: str | None,
    timeout: str | None,
    root: str | None,
    version: str | None,
    overrides: tuple[str, ...],
    every: bool,
    html: str | None,
    as_json: bool,
) -> None:
    """Find what is wrong with a server that runs here, and the command that mends it.

    Does it answer, does it compute on the GPUs that are there, may it read its models, does it wait
    for memory or CPU time, has it the settings that somebody wrote, what does its log say? Nothing
    is changed, and secrets are left out, so that the text can be pasted.
    """
    from generator.catalogue.catalogue import load_catalogue
    from generator.doctor.doctor import doctor

    if root is not None and url is not None:
        raise Misuse("--url is about a server that runs", "leave it or --root out", where="--url")
    if profile is None and overrides:
        raise Misuse("--set changes a profile", "name the profile as well", where="--set")
    seconds = seconds_of(timeout or _WAIT, "--timeout")
    plan = _plan(profile, overrides, version, url, root, seconds)
    found = doctor(
        plan, load_catalogue(), url=url, seconds=seconds, root=root, profile=profile or ""
    )
    if html is not None:
        from generator.cli.writing import write_page
        from generator.doctor.page import as_page

        write_page(as_page(found), html)
    if html != STDIO:
        _print(found, every=every, as_json=as_json)
    click.get_current_context().exit(1 if found.fails else 0)


def _print(found: Diagnosis, *, every: bool, as_json: bool) -> None:
    if as_json:
        print_json(url=found.url, who=list(found.who), results=found.results)
        return
    from generator.cli.doctor_text import doctor_text

    click.echo(printable(doctor_text(found, every=every)), color=coloured())


def _plan(
    profile: str | None,
    overrides: tuple[str, ...],
    version: str | None,
    url: str | None,
    root: str | None,
    seconds: float,
) -> Plan:
    """Return the Plan of the profile; without one, that of a server as it comes."""
    from generator.pipeline import plan_of

    if profile is not None:
        return plan_of(document_of(profile, overrides), version=version)
    return plan_of(_as_it_comes(), version=version or _release(url, root, seconds))


def _as_it_comes() -> Document:
    from generator.profiles.load import read_document

    return read_document(HERE, stdin=_PLAIN.encode())


def _release(url: str | None, root: str | None, seconds: float) -> str | None:
    """Return the release that answers; None: none does, or the Catalogue has it not."""
    from generator.doctor.doctor import release_at

    return release_at(url or "http://127.0.0.1:11434", root, seconds)
