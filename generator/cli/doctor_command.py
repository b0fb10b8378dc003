"""`gen doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_if_named,
    release_option,
    seconds_of,
    set_option,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable

if TYPE_CHECKING:
    from generator.advise.advise import Advised
    from generator.doctor.doctor import Diagnosis
    from generator.plan import Plan

EXAMPLES: Final = """
\b
Examples:
  gen doctor                             what runs here; root sees more
  gen doctor ./my-host.toml              also against its profile
  gen doctor --url http://127.0.0.1:9000
  gen doctor --capture host.tar.gz       keep what is asked, without secrets
  gen doctor --root host.tar.gz          and judge it, anywhere
  gen doctor --json
  gen doctor --html doctor.html          a page to attach to a ticket

\b
Exit codes: 0 no fault; 1 a fault; 2 bad usage or profile; 3 nobody to ask.
"""
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
    metavar="DIR|TAR",
    example="captured.tar.gz",
    text="A captured machine, instead of this one; - is stdin.",
)
@filled_option(
    "--capture",
    metavar="TAR",
    example="captured.tar.gz",
    text="Only keep in an archive what is asked, without secrets; - is stdout.",
)
@click.option("--force", is_flag=True, help="Back up and replace a capture that is there.")
@release_option("Release that is judged by.  [default: the one that answers]")
@set_option
@instance_option
@click.option("--all", "every", is_flag=True, help="Also what is well.")
@html_option
@json_option
def command(
    profile: str | None,
    *,
    url: str | None,
    timeout: str | None,
    root: str | None,
    capture: str | None,
    force: bool,
    version: str | None,
    overrides: tuple[str, ...],
    every: bool,
    html: str | None,
    as_json: bool,
) -> None:
    """Find what is wrong with a server that runs here, and the command that mends it.

    Does it answer, does it compute on the GPUs that are there, may it read its models, does it wait
    for memory or CPU time, has it the settings that somebody wrote, what does its log say? Nothing
    is changed, and secrets are left out, so that the text can be pasted. With a profile it ends
    with what is left to gain, as `gen advise` tells it.
    """
    if root is not None and (url or capture):
        where = "--url" if url else "--capture"
        raise Misuse(f"{where} is about a machine that runs", "leave --root out", where=where)
    if profile is None and overrides:
        raise Misuse("--set changes a profile", "name the profile as well", where="--set")
    seconds = seconds_of(timeout or _WAIT, "--timeout")
    plan = _plan(profile, overrides, version)
    if capture is not None:
        _keep(plan, capture, url, seconds, force=force)
        return
    found = _found(plan, profile, version, url, root, seconds)
    left = None
    if profile is not None and profile != STDIO:
        from generator.cli.advise_command import advised

        left = advised(profile, overrides, version)
    if html is not None:
        from generator.cli.writing import write_page
        from generator.doctor.page import as_page

        write_page(as_page(found, left), html)
    if html != STDIO:
        _print(found, left, profile or "", every=every, as_json=as_json)
    click.get_current_context().exit(1 if found.fails else 0)


def _print(
    found: Diagnosis, left: Advised | None, profile: str, *, every: bool, as_json: bool
) -> None:
    if as_json:
        advice = left and left.advice
        print_json(url=found.url, who=list(found.who), results=found.results, advice=advice)
        return
    from generator.cli.advise_text import advise_text
    from generator.cli.doctor_text import doctor_text

    parts = [doctor_text(found, every=every)]
    if left is not None:
        parts.append(f"Left to gain on {advise_text(left, profile)}")
    click.echo(printable("\n\n".join(parts)), color=coloured())


def _plan(profile: str | None, overrides: tuple[str, ...], version: str | None) -> Plan | None:
    if profile is None:
        return None
    from generator.pipeline import plan_of

    return plan_of(document_of(profile, overrides), version=version)


def _found(
    plan: Plan | None,
    profile: str | None,
    version: str | None,
    url: str | None,
    root: str | None,
    seconds: float,
) -> Diagnosis:
    import sys

    from generator.catalogue.catalogue import load_catalogue
    from generator.doctor.doctor import doctor

    return doctor(
        plan,
        load_catalogue(),
        profile=profile or "",
        release=version,
        url=url,
        seconds=seconds,
        root=root,
        stdin=sys.stdin.buffer if root == STDIO else None,
    )


def _keep(plan: Plan | None, file: str, url: str | None, seconds: float, *, force: bool) -> None:
    """Write what is asked of this machine."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.cli.writing import keep_archive
    from generator.doctor.doctor import capture

    files = capture(plan, load_catalogue(), url=url, seconds=seconds)
    keep_archive(file, files, f"gen doctor --root {file}", force=force)
