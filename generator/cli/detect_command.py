"""`gen detect`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import json_option

if TYPE_CHECKING:
    from generator.detect.choice import Choice, Left
    from generator.detect.detected import Detected
    from generator.detect.situation import Situation
    from generator.profiles.schema import Profile

EXAMPLES = """
\b
Examples:
  gen detect                             what this machine is
  gen detect -o here.toml                write its profile
  gen detect -o - --like xeon-cpu        tuning of a shipped profile
  gen detect --capture machine.tar       keep what was read
  gen detect --root machine.tar          read it again, anywhere
  gen detect --from facter.json --json   a report of nixos-facter
"""


@click.command(name="detect", epilog=EXAMPLES)
@click.option("-o", "--output", metavar="FILE", help="Write a profile; - is stdout.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--name", metavar="NAME", help="Name of the profile.")
@click.option("--like", metavar="NAME|PATH", help="Start from a profile.")
@click.option("--ollama-version", metavar="RELEASE", help="Release to write for.")
@click.option("--root", metavar="DIR|TAR", help="Read a captured machine.")
@click.option("--from", "report", metavar="JSON", help="Read a nixos-facter report.")
@click.option("--capture", metavar="TAR", help="Write what was read to an archive.")
@json_option
def command(
    *,
    output: str | None,
    force: bool,
    name: str | None,
    like: str | None,
    ollama_version: str | None,
    root: str | None,
    report: str | None,
    capture: str | None,
    as_json: bool,
) -> None:
    """Read this machine and write the profile that follows from it.

    Without -o, print what was found.
    """
    _check_options(root, report, capture, output, as_json=as_json)
    found = _found(root, report, capture, force=force)
    at = _situation(found, ollama_version)
    base = _base(like) if like else None
    told = _told(at, base)
    if output is not None:
        _write(at, told, _extended(like, output), name, output, force=force)
    elif as_json:
        _print_json(at, told)
    elif capture is None:
        _print_table(at, told)


def _check_options(
    root: str | None, report: str | None, capture: str | None, output: str | None, *, as_json: bool
) -> None:
    if report is not None and (root is not None or capture is not None):
        raise click.UsageError("--from names a report, which --root and --capture do not go with")
    if output is not None and as_json:
        raise click.UsageError("-o writes a profile and --json prints facts: choose one of them")
    if "" in {output, capture, root, report}:
        raise click.UsageError("a file has no name: write one, like -o here.toml")


def _found(root: str | None, report: str | None, capture: str | None, *, force: bool) -> Detected:
    if report is not None:
        from generator.detect.facter import read_facter

        return read_facter(Path(report))
    from generator.detect.machine import read_machine
    from generator.detect.roots import open_root

    source = open_root(root)
    found = read_machine(source)
    if capture is not None:
        from generator.cli.talk import say
        from generator.detect.capture import archive_of
        from generator.files.rewrite import create

        create(Path(capture), archive_of(source.taken), force=force)
        say(f"{capture}: {len(source.taken)} files; read it with gen detect --root {capture}")
    return found


def _situation(found: Detected, release: str | None) -> Situation:
    from generator.catalogue.catalogue import load_catalogue
    from generator.detect.situation import situation_of
    from generator.errors import HostwrightError, told

    try:
        at = situation_of(found, load_catalogue(), release)
    except ValueError as error:
        message, hint = told(error)
        raise HostwrightError(f"--ollama-version: {message}", hint=hint) from None
    if not at.facts.known:
        _warn_of_release(at)
    return at


def _warn_of_release(at: Situation) -> None:
    from generator.cli.talk import say, word

    say(
        f"{word('warning')} --ollama-version: {at.facts.release} is newer than the newest release "
        f"this catalogue knows, {at.facts.at}; the values are for that one"
    )


def _base(like: str) -> Profile:
    from generator.profiles.load import load_profile

    return load_profile(like)


def _told(at: Situation, base: Profile | None) -> tuple[Choice | Left, ...]:
    from generator.detect.derive import derive

    told = derive(at)
    if base is None:
        return told
    from generator.detect.match import fitted

    return tuple(fitted(at, base, told))


def _matches(at: Situation) -> str:
    from generator.detect.match import matching
    from generator.profiles.load import load_profile, shipped_profiles

    return matching(at, (load_profile(path.stem) for path in shipped_profiles()))


def _write(
    at: Situation,
    told: tuple[Choice | Left, ...],
    base: str,
    name: str | None,
    output: str,
    *,
    force: bool,
) -> None:
    from generator.cli.talk import say, word
    from generator.detect.profile import name_of, profile_text
    from generator.files.rewrite import create

    _check_name(name)
    matches = "" if base else _matches(at)
    text = profile_text(at, told, name=name or name_of(at), base=base, matches=matches)
    if output == "-":
        click.echo(text, nl=False)
        return
    create(Path(output), text.encode(), force=force)
    for warned in at.found.warnings:
        say(f"{word('warning')} {warned.where}: {warned.message}")
    if matches:
        say(f"this machine is like the shipped profile `{matches}`")
    say(f"{word('hint')} gen --profile {output} -t all -o out; gen check {output}")


def _extended(like: str | None, output: str) -> str:
    """Return what the profile extends: a path is seen from where the profile lies."""
    import os

    path = like is not None and ("/" in like or like.endswith(".toml"))
    if like is None or not path or output == "-" or Path(like).is_absolute():
        return like or ""
    return os.path.relpath(like, Path(output).parent)


def _check_name(name: str | None) -> None:
    import re

    if name is not None and not re.fullmatch(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", name):
        raise click.UsageError(
            f"--name: `{name}` is not a name; write lower-case letters, digits and `-`"
        )


def _print_json(at: Situation, told: tuple[Choice | Left, ...]) -> None:
    from generator.detect.choice import Choice
    from generator.detect.profile import host_of
    from generator.formats.data import to_json

    document: dict[str, Any] = {
        "schema_version": 1,
        "detected": dataclasses.asdict(at.found),
        "host": host_of(at),
        "release": str(at.facts.release),
        "like": _matches(at),
        "tuning": [dataclasses.asdict(choice) for choice in told if isinstance(choice, Choice)],
        "left_out": [dataclasses.asdict(item) for item in told if not isinstance(item, Choice)],
    }
    click.echo(to_json(document), nl=False)


def _print_table(at: Situation, told: tuple[Choice | Left, ...]) -> None:
    from generator.cli.talk import say, table, word
    from generator.detect.choice import Choice
    from generator.detect.profile import capital
    from generator.detect.summary import rows

    click.echo(table(("fact", "found"), rows(at.found)))
    choices = [choice for choice in told if isinstance(choice, Choice)]
    click.echo()
    lines = [(choice.key, _shown(choice.value), capital(choice.reason)) for choice in choices]
    click.echo(table(("setting", "value", "why"), lines))
    for warned in at.found.warnings:
        say(f"{word('warning')} {warned.where}: {warned.message}")
    if matches := _matches(at):
        say(f"this machine is like the shipped profile `{matches}`")
    say(f"{word('hint')} gen detect -o here.toml writes this as a profile")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} by UUID"
    return str(value).lower() if isinstance(value, bool) else str(value)
