"""`gen detect`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import Misuse, document_of, filled_option, json_option, release_option
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import say, table, visible, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.detect.detect import Detection
    from generator.detect.detected import Detected

EXAMPLES = """
\b
Examples:
  gen detect                             what this machine is
  gen detect -o here.toml                write its profile
  gen detect -o here.toml --update       what has changed since, and no more
  gen detect -o - --like xeon-cpu        tuning of a shipped profile
  gen detect --capture machine.tar       keep what was read
  gen detect --root machine.tar          read it again, anywhere
  gen detect --from facter.json --json   a report of nixos-facter
"""


@click.command(name="detect", epilog=EXAMPLES)
@filled_option(
    "-o", "--output", metavar="FILE", example="here.toml", text="Write a profile; - is stdout."
)
@click.option("--force", is_flag=True, help="Back up and replace a file that is there.")
@click.option(
    "--update",
    is_flag=True,
    help="Change what -o FILE says otherwise than this machine; what is within 5 % stays.",
)
@click.option("--diff", is_flag=True, help="With --update: show what changes; write nothing.")
@click.option("--name", metavar="NAME", help="Name of the profile.")
@click.option("--like", metavar="PROFILE", help="Start from a profile.")
@release_option("Release to write for.  [default: the installed, or newest known]")
@filled_option("--root", metavar="DIR|TAR", example="machine.tar", text="Read a captured machine.")
@filled_option(
    "--from", "report", metavar="JSON", example="facter.json", text="Read a nixos-facter report."
)
@filled_option(
    "--capture", metavar="TAR", example="machine.tar", text="Write what was read to an archive."
)
@json_option
def command(
    *,
    output: str | None,
    force: bool,
    update: bool,
    diff: bool,
    name: str | None,
    like: str | None,
    version: str | None,
    root: str | None,
    report: str | None,
    capture: str | None,
    as_json: bool,
) -> None:
    """Read this machine and write the profile that follows from it.

    Without -o, print what was found. - is stdin or stdout for every file.
    """
    _refuse_contradictions(click.get_current_context().params)
    found = _found(root, report, capture, force=force)
    detection = _detect(found, version, like)
    if output is not None and update:
        _update(detection, output, diff=diff)
    elif output is not None:
        _write(detection, _extended(like, output), name, output, force=force)
    elif as_json:
        _print_json(detection)
    elif capture is None:
        _print_table(detection)


def _refuse_contradictions(given: Mapping[str, Any]) -> None:
    """Refuse options that do not go together; `given` are all, by the names that `command` has."""
    from generator.profiles.document import NAME

    if given["report"] is not None and (given["root"] is not None or given["capture"] is not None):
        message = "--from names a report, which --root and --capture do not go with"
        raise Misuse(message, "leave one of them out", where="--from")
    if given["output"] is not None and given["as_json"]:
        message = "-o writes a profile and --json prints facts"
        raise Misuse(message, "choose one of them", where="--json")
    if given["update"] and (given["output"] in {None, STDIO} or given["force"] or given["like"]):
        message = "--update changes a profile that is there, by what this machine is"
        raise Misuse(message, "name it by -o FILE, without --force and --like", where="--update")
    if given["diff"] and not given["update"]:
        raise Misuse("--diff shows what --update would change", "write both", where="--diff")
    if given["like"] == STDIO:
        raise Misuse("--like names what the profile extends", "name a file", where="--like")
    if given["capture"] == STDIO and (given["output"] == STDIO or given["as_json"]):
        message = "--capture - writes to stdout, and so does the other"
        raise Misuse(message, "name a file in one place", where="--capture")
    if (name := given["name"]) is not None and not NAME.fullmatch(name):
        message = f"--name: `{name}` is not a name"
        raise Misuse(message, "write lower-case letters, digits and `-`", where="--name")


def detected(root: str | None, release: str | None) -> Detection:
    """Return this machine, or a captured one, and the profile that follows."""
    return _detect(_found(root, None, None, force=False), release, None)


def _found(root: str | None, report: str | None, capture: str | None, *, force: bool) -> Detected:
    if report is not None:
        from generator.detect.facter import read_facter

        return read_facter(Path(report), stdin=stdin_if(report))
    from generator.detect.machine import read_machine
    from generator.detect.root import open_root

    stdin = sys.stdin.buffer if root == STDIO else None
    source = open_root(root, stdin=stdin, capture=capture is not None)
    found = read_machine(source)
    if capture is not None:
        from generator.cli.writing import keep_archive

        keep_archive(capture, source.taken, f"gen detect --root {capture}", force=force)
    return found


def _detect(found: Detected, release: str | None, like: str | None) -> Detection:
    from generator.catalogue.catalogue import load_catalogue
    from generator.detect.detect import detect

    base = None
    if like is not None:
        from generator.profiles.validate import validate

        base = validate(document_of(like))
    detection = detect(found, load_catalogue(), release=release, base=base)
    facts = detection.at.facts
    if not facts.known:
        say(
            f"{word('warning')} --ollama-version: {facts.release} is newer than the newest release "
            f"this catalogue knows, {facts.at}; the values are for that one"
        )
    return detection


def _extended(like: str | None, output: str) -> str:
    """Return what the profile extends: a path is seen from where the profile lies."""
    path = like is not None and ("/" in like or like.endswith(".toml"))
    if like is None or not path or output == STDIO or Path(like).is_absolute():
        return like or ""
    return os.path.relpath(like, Path(output).parent)


def _write(
    detection: Detection, extends: str, name: str | None, output: str, *, force: bool
) -> None:
    from generator.cli.writing import say_kept, say_link
    from generator.files.rewrite import create

    text = detection.profile(name or "", extends=extends)
    if output == STDIO:
        click.echo(text, nl=False)
        return
    say_link(output)
    say_kept(create(Path(output), text.encode(), force=force))
    _say_warnings(detection, alike=not extends)
    say(f"{word('hint')} gen --profile {output} -t all -o out; gen check {output}")


def _update(detection: Detection, output: str, *, diff: bool) -> None:
    """Change the profile where the machine is another now, and say what stays and why."""
    from generator.cli.writing import print_patch, say_kept, say_link
    from generator.detect.again import updated
    from generator.files.diff import Content, unified
    from generator.files.rewrite import rewrite
    from generator.reading import read_regular

    try:
        old = read_regular(Path(output)).decode()
    except UnicodeDecodeError:
        raise Misuse(f"`{output}` is no text", "name a profile", where="--output") from None
    new, told = updated(old, detection.profile(), output)
    for each in (one for one in told if one.kept):
        found = f"{each.old} stays, {each.new} was found" if each.old else f"{each.new} was found"
        say(f"{word('info')} {visible(f'{each.key}: {found}: {each.kept}')}")
    if new == old:
        say(f"{visible(output)} stays as it is")
        return
    sides = (Content(text.encode(), executable=False) for text in (old, new))
    print_patch(unified(Path(output).name, *sides))
    if not diff:
        say_link(output)
        say_kept(rewrite(Path(output), old, new))


def _say_warnings(detection: Detection, *, alike: bool) -> None:
    for warned in detection.at.found.warnings:
        say(f"{word('warning')} {warned.where}: {warned.message}")
    if alike and detection.like:
        say(f"this machine is like the shipped profile `{detection.like}`")


def _print_json(detection: Detection) -> None:
    from generator.detect.profile import host_of

    print_json(
        detected=detection.at.found,
        host=host_of(detection.at),
        release=str(detection.at.facts.release),
        like=detection.like,
        tuning=detection.tuning,
        left_out=detection.left_out,
    )


def _print_table(detection: Detection) -> None:
    from generator.detect.profile import capital
    from generator.detect.summary import rows

    click.echo(table(("fact", "found"), rows(detection.at.found)))
    click.echo()
    lines = [(each.key, _shown(each.value), capital(each.reason)) for each in detection.tuning]
    click.echo(table(("setting", "value", "why"), lines))
    _say_warnings(detection, alike=True)
    say(f"{word('hint')} gen detect -o here.toml writes this as a profile")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} by UUID"
    return str(value).lower() if isinstance(value, bool) else str(value)
