"""What a shell asks while somebody types: the words that may stand where the cursor is.

The scripts of `gen completion` put the line before the cursor into `_GEN_LINE` and read lines of
kind, value and help, parted by tabs. A `part` is no whole word yet; `file` and `dir` leave it to
the shell to look for one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import click
from click import shell_completion

from generator.cli.complete_values import COMPLETERS, Word, profiles
from generator.errors import HostwrightError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=")
_FILES: Final = frozenset({"file", "dir"})


def answer() -> None:
    """Print what the shell wants to know; nothing, where nothing can be told."""
    line, breaks = os.environ.get("_GEN_LINE", ""), os.environ.get("_GEN_BREAKS", "")
    for word in complete(line, breaks):
        click.echo("\t".join((word.kind, word.value, word.help)))


def complete(line: str, breaks: str = "") -> list[Word]:
    """Return the words that may stand at the end of `line`.

    `breaks` are the characters after which the shell takes a word for a new one, as bash does.
    """
    words = shell_completion.split_arg_string(line)
    typed = words.pop() if words and not line[-1].isspace() else ""
    while words and _ASSIGNED.match(words[0]):
        del words[0]
    try:
        return [_after(word, typed, breaks) for word in _found(words[1:], typed)]
    except (HostwrightError, click.ClickException, OSError):
        return []


def _after(word: Word, typed: str, breaks: str) -> Word:
    """Return a word without what the shell takes for another one before it."""
    if word.kind in _FILES:
        return word
    kept = max((typed.rfind(mark) + 1 for mark in breaks if mark in ":="), default=0)
    return word._replace(value=word.value[kept:], help=" ".join(word.help.split()))


def _found(args: list[str], typed: str) -> Iterator[Word]:
    """Yield the words, each as the whole that would stand in place of what is typed."""
    from generator.cli import gen

    # Private names of click, which have been there since it completes at all.
    context = shell_completion._resolve_context(gen, {}, "gen", args)  # noqa: SLF001
    asked, part = shell_completion._resolve_incomplete(context, args, typed)  # noqa: SLF001
    head = typed[: len(typed) - len(part)]
    for word in _words(context, asked, part):
        yield word._replace(value=head + word.value)


def _words(
    context: click.Context, asked: click.Command | click.Parameter, part: str
) -> Iterable[Word]:
    if isinstance(asked, click.Parameter):
        found = [completer for completer in map(COMPLETERS.get, spellings(asked)) if completer]
        return found[0](part) if found else _by_click(context, asked, part)
    if isinstance(asked, click.Group) and not part.startswith("-"):
        return _commands(part)
    return _by_click(context, asked, part)


def spellings(parameter: click.Parameter) -> list[str]:
    """Return by what the values of a parameter are known: its options, its metavar, words of it."""
    metavar = parameter.metavar or ""
    return [*parameter.opts, metavar, *re.findall(r"[\w.]+", metavar)]


def _commands(part: str) -> Iterator[Word]:
    from generator.cli import COMMANDS

    for name, text in COMMANDS.items():
        if name.startswith(part):
            yield Word(name, text)
    yield from profiles(part)


def _by_click(
    context: click.Context, asked: click.Command | click.Parameter, part: str
) -> Iterator[Word]:
    for item in asked.shell_complete(context, part):
        yield Word(str(item.value), item.help or "", item.type)
