"""Talk to people: stderr, colour on a terminal only, 80 columns."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from generator.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.errors import Finding, HostwrightError

COLOURS: Final = {"error": "red", "warning": "yellow", "info": "cyan", "hint": "green"}
WIDTH: Final = 80


def coloured() -> bool | None:
    """Return False where NO_COLOR asks for none, else None: click strips colour off a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def say(text: str) -> None:
    """Print one line of talk."""
    click.echo(text, err=True, color=coloured())


def word(kind: str) -> str:
    """Return `error:`, `hint:` … in its colour."""
    return click.style(f"{kind}:", fg=COLOURS.get(kind), bold=kind == "error")


def report(error: HostwrightError) -> None:
    """Print an expected failure with all its problems and what to do about each."""
    say(f"{word('error')} {error.message}")
    if isinstance(error, ProfileError):
        say("")
        for problem in error.problems:
            where = f"{problem.source or error.source}: {problem.where}: ".replace(": : ", ": ")
            say(f"  {where}{problem.message}")
            if problem.hint:
                say(f"    {word('hint')} {problem.hint}")
    elif error.hint:
        say(f"{word('hint')} {error.hint}")


def tell(findings: Iterable[Finding]) -> None:
    """Print Findings, one paragraph each."""
    import textwrap

    for finding in findings:
        lead = f"{word(finding.severity)} {finding.rule} {finding.where}: "
        body = finding.message + (f" ({finding.fix})" if finding.fix else "")
        say(textwrap.fill(lead + body, width(), subsequent_indent="  ", break_on_hyphens=False))


def width() -> int:
    """Return the columns to use: the terminal's, otherwise 80."""
    if not sys.stdout.isatty():
        return WIDTH
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns as wide as their text; the last column wraps into what is left."""
    import textwrap

    columns = list(zip(head, *rows, strict=True))[:-1]
    widths = [min(max(map(len, column)), 34) for column in columns]
    indent = sum(widths) + 2 * len(widths)
    room = max(width() - indent, 20)
    lines = []
    for row in (head, *rows):
        first, *rest = textwrap.wrap(row[-1], room, break_on_hyphens=False) or [""]
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, first]).rstrip())
        lines += [" " * indent + line for line in rest]
    return "\n".join(lines)
