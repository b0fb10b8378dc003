"""Standard input and output, which `-` stands for wherever a path is read or written."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from generator.errors import HostwrightError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STDIO: Final = "-"
LARGEST: Final = 5 * 2**20
"""More is no text that somebody has written."""


def stdin_if(*names: str | None) -> bytes | None:
    """Return what comes through standard input if a name is `-`.

    Raises HostwrightError where it is too large to be meant.
    """
    if STDIO not in names:
        return None
    data = sys.stdin.buffer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise HostwrightError(
            f"standard input has more than {LARGEST // 2**20} MiB", hint="name the file instead"
        )
    return data


def json_text(**document: object) -> str:
    """Return what `--json` prints, as docs/schemas/ describes it."""
    from generator.formats.data import to_json

    return to_json({"schema_version": 1, **document})


def print_json(**document: object) -> None:
    """Print the same."""
    click.echo(json_text(**document), nl=False)


def keyed(keys: Sequence[str], rows: Iterable[Sequence[object]]) -> list[dict[str, object]]:
    """Return the rows of a table as JSON has them."""
    return [dict(zip(keys, row, strict=True)) for row in rows]


def prepare_streams() -> None:
    """Make stdout carry any text, as UTF-8 like every file, and stderr at least not fail."""
    # A closed stream is None: what is written to it is lost, as the caller asked.
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_RDONLY), "r")
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def settle_streams() -> None:
    """Let go of what cannot be written; Python would complain about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
