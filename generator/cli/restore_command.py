"""`gen restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import Misuse, json_option
from generator.cli.streams import print_json
from generator.cli.talk import counted, say, table, visible, word

if TYPE_CHECKING:
    from datetime import datetime

    from generator.files.backup import Backup

LATEST: Final = "latest"
EXAMPLES: Final = """
\b
Examples:
  gen restore                            the backups below this directory
  gen restore out                        those below another
  gen restore out --at latest --diff     what putting back would change
  gen restore out --at 20261130T153501Z  put back all files of that time
  gen restore host.toml --at latest      put back one file
\b
Nothing is lost: backups stay, and what is in their place is backed up.
"""
_SPANS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@click.command(name="restore", epilog=EXAMPLES)
@click.argument("place", metavar="[DIR|FILE]", default=".")
@click.option("--at", "at", metavar="TIME|latest", help="Put back what was backed up at this time.")
@click.option("--diff", is_flag=True, help="With --at: show what would change; write nothing.")
@json_option
def command(place: str, *, at: str | None, diff: bool, as_json: bool) -> None:
    """List backups with their ages, and put them back.

    `--force` and `gen check --fix` back up what they replace, below the state of the user.
    """
    from generator.files.backup import find, now

    if diff and at is None:
        raise Misuse("--diff is about what --at puts back", "write both", where="--diff")
    found = find(Path(place))
    for folder in found.unread:
        say(f"{word('warning')} {visible(str(folder))} cannot be read")
    if at is None:
        _list(found.backups, place, now(), as_json=as_json)
        return
    chosen = _chosen(found.backups, at, place)
    if diff:
        _show(chosen)
        return
    _put_back(chosen, as_json=as_json)


def _chosen(backups: tuple[Backup, ...], at: str, place: str) -> tuple[Backup, ...]:
    wanted = backups[0].stamp if backups and at == LATEST else at
    chosen = tuple(each for each in backups if each.stamp == wanted)
    if not chosen:
        message = f"below `{place}` there is no backup" + (f" of {at}" if backups else "")
        hint = f"`gen restore {place}` lists what there is" if backups else "name where they are"
        raise Misuse(message, hint, where="--at")
    return chosen


def _list(backups: tuple[Backup, ...], place: str, now: datetime, *, as_json: bool) -> None:
    if as_json:
        print_json(backups=[_row(each, now) for each in backups], kept=[])
        return
    if not backups:
        say(f"below {visible(place)} there is no backup")
        return
    rows = [(each.stamp, _age(each, now), visible(str(each.file))) for each in backups]
    click.echo(table(("time", "age", "file"), rows))
    say(f"{word('hint')} gen restore {place} --at {LATEST} puts back {_of(backups)}")


def _of(backups: tuple[Backup, ...]) -> str:
    number = sum(each.stamp == backups[0].stamp for each in backups)
    return "that" if number == 1 else f"the {number} of {backups[0].stamp}"


def _age(backup: Backup, now: datetime) -> str:
    seconds = (now - backup.time).total_seconds()
    for noun, of in _SPANS:
        if seconds >= of:
            return f"{counted(**{noun: int(seconds // of)})} ago"
    return "just now" if seconds >= 0 else "in the future"


def _row(backup: Backup, now: datetime) -> dict[str, object]:
    return {
        "file": str(backup.file),
        "backup": str(backup.kept),
        "time": backup.stamp,
        "age_seconds": int((now - backup.time).total_seconds()),
    }


def _show(backups: tuple[Backup, ...]) -> None:
    from generator.cli.writing import print_patch
    from generator.files.backup import changes
    from generator.files.diff import content, unified

    for each in changes(backups):
        print_patch(unified(str(each.file).lstrip("/"), content(each.file), content(each.kept)))


def _put_back(backups: tuple[Backup, ...], *, as_json: bool) -> None:
    from generator.files.backup import changes, now, put_back

    changed = changes(backups)
    kept = put_back(backups)
    if as_json:
        print_json(
            backups=[_row(each, now()) for each in changed], kept=[str(path) for path in kept]
        )
    for each in changed:
        say(f"put back {visible(str(each.file))}")
    for path in kept:
        say(f"kept as it was: {visible(str(path))}")
    if not changed:
        say("nothing to put back: the files are as they were then")
