"""Talk to people: stderr, colour on a terminal only, 80 columns."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from generator.errors import HostwrightError, ProfileError, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.errors import Finding, Problem

COLOURS: Final = {"error": "red", "warning": "yellow", "info": "cyan", "hint": "green"}
WIDTH: Final = 80
NARROW: Final = 60
_LONG_WORK: Final = 500
_LONG_VALUE: Final = re.compile(r"(?<=`)[^`]{100,}(?=`)")


def coloured() -> bool | None:
    """Return False where NO_COLOR asks for none, else None: click strips colour off a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def say(text: str) -> None:
    """Print one line of talk. Talk that nobody can read (stderr is full or gone) is no failure."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, color=coloured())


def word(kind: str) -> str:
    """Return `error:`, `hint:` … in its colour."""
    return click.style(f"{kind}:", fg=COLOURS.get(kind), bold=kind == "error")


def counted(**counts: int) -> str:
    """Return `3 hosts, 1 warning` for numbers by their nouns, without those that are 0."""
    found = [(noun, number) for noun, number in counts.items() if number]
    return ", ".join(f"{number} {noun}{'s' if number > 1 else ''}" for noun, number in found)


def progress(done: int, of: int) -> None:
    """Show on a terminal, and nowhere else, how far long work is; the line goes at the end."""
    step = max(of // 100, 1)
    if of < _LONG_WORK or done % step or not sys.stderr.isatty():
        return
    last = done + step >= of
    click.echo("\r\033[K" if last else f"\r{done} of {of}", err=True, nl=False)


def status(text: str = "") -> None:
    """Show on a terminal, and nowhere else, what is done now, in place of what was; empty: none."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{visible(text)}", err=True, nl=False)


def report(error: HostwrightError) -> None:
    """Print an expected failure with all its problems and what to do about each."""
    say(f"{word('error')} {visible(error.message)}")
    if isinstance(error, ProfileError):
        say("")
        for problem, line in in_order(error):
            place, source = visible(problem.where), problem.source or error.source
            file = f"{source}:{line}" if line else source
            where = f"{file}: {place}: ".replace(": : ", ": ")
            say(f"  {where}{visible(problem.message)}")
            if problem.hint:
                say(f"    {word('hint')} {visible(problem.hint)}")
    elif error.hint:
        say(f"{word('hint')} {visible(error.hint)}")


def in_order(error: ProfileError) -> list[tuple[Problem, int]]:
    """Return the Problems of each file in the order of its lines, with the line of each."""
    lines = [(one, _line_of(one.source or error.source, one.where)) for one in error.problems]
    files = dict.fromkeys(one.source for one in error.problems)
    order = {source: number for number, source in enumerate(files)}
    return sorted(lines, key=lambda row: (order[row[0].source], row[1]))


def _line_of(source: str, key: str) -> int:
    """Return the line of a key in a file; 0: nobody knows."""
    from generator.check.profiles import line_of
    from generator.reading import read_regular

    try:
        text = read_regular(Path(source)).decode(errors="replace")
    except (OSError, ValueError, HostwrightError):
        return 0
    return line_of(text, key)


def visible(message: str) -> str:
    """Shorten values that would fill the screen, and show line ends and control characters."""
    from generator.formats.text import INVISIBLE, escape

    shown = INVISIBLE.sub(lambda found: escape(found[0]), message)
    return _LONG_VALUE.sub(lambda found: shortened(found[0]), shown)


def printable(text: str) -> str:
    """Return text of several lines with our colours; other control characters are shown."""
    from generator.formats.text import INVISIBLE, escape

    ours = r"(\x1b\[(?:[01]|3[1-6])m|\n)"
    return re.sub(f"{ours}|{INVISIBLE.pattern}", lambda found: found[1] or escape(found[0]), text)


def patch_shown(patch: str) -> str:
    """Return a patch in colours, for people; what is no text in it is shown by its escapes."""
    from generator.formats.text import INVISIBLE, escape

    colours = {"+": "green", "-": "red", "@": "cyan"}

    def shown(line: str) -> str:
        text = INVISIBLE.sub(lambda found: "\t" if found[0] == "\t" else escape(found[0]), line)
        head = line.startswith(("+++ ", "--- "))
        colour = None if head else colours.get(line[:1])
        return click.style(text, fg=colour, bold=head or None)

    return "\n".join(shown(line) for line in patch.split("\n"))


def print_findings(findings: Iterable[Finding]) -> None:
    """Print Findings that nobody silences, one paragraph each."""
    import textwrap

    for finding in findings:
        if finding.ignored:
            continue
        lead = f"{finding.severity}: {finding.rule} {finding.where}: "
        body = visible(finding.message) + (f" ({finding.fix})" if finding.fix else "")
        text = textwrap.fill(lead + body, width(), subsequent_indent="  ", break_on_hyphens=False)
        # Colour last: its codes take no columns, but textwrap would count them.
        say(word(finding.severity) + text.removeprefix(f"{finding.severity}:"))


def width() -> int:
    """Return the columns to use: the terminal's, otherwise 80."""
    if not sys.stdout.isatty():
        return WIDTH
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns as wide as their text; the last column wraps into what is left.

    A narrow terminal gets the last column below the others, which are cut where they must be.
    """
    import textwrap

    columns = list(zip(head, *rows, strict=True))[:-1]
    columns_there = width()
    widths = [min(max(map(len, column)), 34) for column in columns]
    narrow = columns_there < NARROW
    indent = 2 if narrow else sum(widths) + 2 * len(widths)
    room = max(columns_there - indent, 20)
    lines = []
    for row in (head, *rows):
        wrapped = textwrap.wrap(row[-1], room, break_on_hyphens=False) or [""]
        if narrow:
            lines.append(shortened("  ".join(cell for cell in row[:-1] if cell), columns_there))
        else:
            cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=False)]
            lines.append("  ".join([*cells, wrapped.pop(0)]).rstrip())
        lines += [" " * indent + line for line in wrapped if line]
    return "\n".join(lines)
