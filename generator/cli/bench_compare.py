"""`gen bench compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import Misuse, filled_option, json_option
from generator.cli.streams import print_json
from generator.cli.talk import coloured, printable

if TYPE_CHECKING:
    from generator.bench.measurement import Measurement

FAIL: Final = "--fail-on-regression"
EXAMPLES: Final = """
\b
Examples:
  gen bench compare before.json after.json
  gen bench compare before.json after.json --fail-on-regression 5%

\b
Exit codes: 0 compared; 1 worse by as much as --fail-on-regression says; 2 bad
usage or files; 3 a file cannot be read.
"""


@click.command(name="bench compare", epilog=EXAMPLES)
@click.argument("before")
@click.argument("after")
@filled_option(
    FAIL,
    metavar="SHARE",
    example="5%",
    text="Exit 1 where a median is worse by so much, and surely worse.",
)
@json_option
def command(*, before: str, after: str, fail_on_regression: str | None, as_json: bool) -> None:
    """Compare two measurements of `gen bench --json`: better, worse, or no difference.

    A difference is told where the interval of it is on one side of nothing, and that interval is
    wide enough for all comparisons together to be 95 % sure. `-` is standard input.
    """
    from generator.bench.compare import compare

    share = share_of(fail_on_regression) if fail_on_regression else None
    if before == after:
        raise Misuse("both are the same file", "name two", where="AFTER")
    compared = compare(read_measurement(before), read_measurement(after))
    if as_json:
        print_json(differences=compared.differences, remarks=list(compared.remarks))
    else:
        from generator.cli.bench_text import compare_text

        click.echo(printable(compare_text(compared)), color=coloured())
    if share is not None and compared.regressions(share):
        click.get_current_context().exit(1)


def read_measurement(name: str) -> Measurement:
    """Return what a file of `gen bench --json` says; `-` is standard input."""
    from pathlib import Path

    from generator.bench.reading import LARGEST, measurement
    from generator.cli.streams import stdin_if
    from generator.reading import read_regular

    data = stdin_if(name)
    return measurement(read_regular(Path(name), LARGEST) if data is None else data, name)


def share_of(text: str) -> float:
    """Return the share that an option says. Raises Misuse for what is none."""
    number = text.removesuffix("%")
    try:
        share = float(number) / 100
    except ValueError:
        share = -1.0
    if not (text.endswith("%") and 0 <= share <= 10):  # noqa: PLR2004 -- ten times
        raise Misuse(f"{FAIL}: `{text}` is no share", "like 5%", where=FAIL)
    return share
