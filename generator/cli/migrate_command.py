"""`gen migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from generator.cli.options import Misuse, json_option, profile_option
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import say, visible, word

EXAMPLES: Final = """
\b
Examples:
  gen migrate host.toml                what would change
  gen migrate host.toml --write        change it; a backup is kept
  gen migrate plan.json -p host.toml   a plan, decided anew for its release
  gen migrate - < old.toml > new.toml
\b
Exit codes: 0 nothing is old, or it is written; 1 it would change; 2 bad
input.
"""


@click.command(name="migrate", epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@profile_option("profile")
@click.option("--write", is_flag=True, help="Change the file; the old one is backed up.")
@json_option
def command(file: str, *, profile: str | None, write: bool, as_json: bool) -> None:
    """Bring a profile, fleet file or plan of an earlier version up to this one.

    Shows the difference; comments stay. Of - the new text goes to stdout.
    """
    from generator.files.diff import Content, unified
    from generator.migrate.migrate import migrated

    if file == STDIO and write:
        raise Misuse("--write changes a file, and - is none", "leave it out", where="--write")
    old = _text(file)
    found = migrated(old, "stdin" if file == STDIO else file, profile=profile)
    changed = found.text != old
    diff = (
        unified(
            file,
            Content(old.encode(), executable=False),
            Content(found.text.encode(), executable=False),
        )
        if changed
        else ""
    )
    for note in found.notes:
        say(f"{word('warning')} {visible(note)}")
    if as_json:
        print_json(kind=found.kind, was=found.was, now=found.now, changed=changed, diff=diff,
                   text=found.text, notes=found.notes)  # fmt: skip
    elif file == STDIO:
        click.echo(found.text, nl=False)
    elif not write:
        from generator.cli.writing import print_patch

        print_patch(diff)
    if write and changed:
        from generator.files.rewrite import rewrite

        say(f"{word('hint')} the old one is {rewrite(Path(file), old, found.text)}")
    say(f"{file}: {found.kind} of version {found.was}, {_said(changed, write=write)}")
    click.get_current_context().exit(int(changed and not write and file != STDIO))


def _said(changed: bool, *, write: bool) -> str:
    if not changed:
        return "as this version has it"
    return "written" if write else "would change"


def _text(file: str) -> str:
    from generator.errors import EnvironmentFailure, HostwrightError
    from generator.reading import read_regular

    piped = stdin_if(file)
    try:
        return (read_regular(Path(file)) if piped is None else piped).decode()
    except UnicodeDecodeError as error:
        raise HostwrightError(f"{file} is not UTF-8", hint="save it as UTF-8") from error
    except FileNotFoundError as error:
        raise HostwrightError(f"there is no file `{file}`", hint="name one") from error
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {file}: {error.strerror}") from error
