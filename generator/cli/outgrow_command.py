"""`gen outgrow`."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_argument,
    release_option,
    set_option,
)
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import coloured, printable
from generator.errors import HostwrightError, ProfileError
from generator.profiles.load import FLAG
from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.bench.measurement import Measurement
    from generator.fit.measured import Measured
    from generator.outgrow.outgrow import Outgrown
    from generator.outgrow.traffic import Traffic
    from generator.plan import Plan

MOST_TOKENS: Final = 1 << 20
SLO: Final = "--slo"
EXAMPLES: Final = """
\b
Examples:
  gen outgrow dgx-spark --rate 2 --tokens 300
  gen outgrow dgx-spark --rate 2 --tokens 300 --slo ttft=500ms
  gen outgrow xeon-cpu --rate 100                the arithmetic of 100 QPS
  gen outgrow ./my-host.toml --bench bench.json  what gen bench --json printed
  gen outgrow ./my-host.toml --log haproxy.log   concurrency, from what came
  gen outgrow ./my-host.toml --log prompts.jsonl --rate 2   repeats as well
  gen outgrow dgx-spark --rate 2 --html page.html   a page to show

\b
Exit codes: 0 one server is enough; 1 it is not; 2 bad usage, profile or file;
3 a file cannot be read.
"""


@click.command(name="outgrow", epilog=EXAMPLES)
@profile_argument
@click.option(
    "--rate",
    type=click.FloatRange(0, 1e6, min_open=True),
    help="Requests per second.  [default: those of the log's busiest minute, or of the bench]",
)
@click.option(
    "--tokens",
    type=click.IntRange(1, MOST_TOKENS),
    help="Tokens of an answer.  [default: as in log or bench, or 200]",
)
@click.option(
    "--prompt-tokens",
    type=click.IntRange(1, MOST_TOKENS),
    help="Tokens of a prompt.  [default: as in the bench, or 512]",
)
@click.option(
    "--slo",
    "promises",
    multiple=True,
    metavar="KEY=VALUE",
    help="A promise, as in [slo]: ttft=500ms, p95=20s, tokens_per_second=10; repeatable.",
)
@filled_option(
    "--bench",
    metavar="FILE",
    example="bench.json",
    text="How fast the server is, by what `gen bench --json` printed.",
)
@filled_option(
    "--log",
    metavar="FILE",
    example="haproxy.log",
    text="What came: an access log of HAProxy or Caddy, or a line of JSON for each prompt.",
)
@release_option("Release that the profile is resolved for.  [default: newest known]")
@set_option
@instance_option
@html_option
@json_option
def command(
    *,
    profile: str,
    as_json: bool,
    html: str | None,
    bench: str | None,
    log: str | None,
    **asked: Any,  # noqa: ANN401 -- what `_outgrown` takes
) -> None:
    """Tell whether one server is enough, and what comes where it is not.

    By the arithmetic of slots: a request takes so long with all of them busy, so that they carry so
    many a second. More slots come first, then more servers behind one queue, then another engine,
    with what leaving Ollama costs this profile. A log also tells how many requests run at once and
    how many ask the same again.
    """
    if [profile, bench, log].count(STDIO) > 1:
        raise Misuse("`-` stands twice for stdin", "name a file in one place", where="--log")
    if asked["rate"] is not None and isnan(asked["rate"]):
        raise Misuse("--rate: nan is no number of requests", "like 2.5", where="--rate")
    traffic = None if log is None else _traffic(log)
    found = _outgrown(profile, _measurement(bench), traffic, **asked)
    if html is not None:
        from generator.cli.writing import write_page
        from generator.outgrow.page import as_page

        write_page(as_page(found, profile), html)
    if html != STDIO:
        _print(found, profile, as_json=as_json)
    click.get_current_context().exit(0 if found.enough else 1)


def _print(found: Outgrown, profile: str, *, as_json: bool) -> None:
    if as_json:
        names = type(found).__dataclass_fields__
        print_json(**{name: getattr(found, name) for name in names})
        return
    from generator.cli.outgrow_text import outgrow_text

    click.echo(printable(outgrow_text(found, profile)), color=coloured())


def _outgrown(
    profile: str,
    bench: Measurement | None,
    traffic: Traffic | None,
    *,
    rate: float | None,
    tokens: int | None,
    prompt_tokens: int | None,
    promises: tuple[str, ...],
    version: str | None,
    overrides: tuple[str, ...],
) -> Outgrown:
    from generator.bench.objectives import objectives_of
    from generator.catalogue.catalogue import load_catalogue
    from generator.outgrow.outgrow import Asked, outgrow
    from generator.pipeline import plan_of
    from generator.profiles.load import read_document
    from generator.profiles.validate import validate

    sets = (*overrides, *(f"slo.{each}" for each in promises))
    stdin = stdin_if(profile)
    with _by_option(promises):
        document = read_document(profile, sets, stdin=stdin)
        validate(document)
    promised = objectives_of(validate(document).slo) if "slo" in document.data else None
    asked = Asked(
        per_second=rate,
        tokens=tokens,
        prompt_tokens=prompt_tokens,
        traffic=traffic,
        bench=bench,
        objectives=promised,
    )
    plan = plan_of(document, version=version)
    written, measured = document.data, _measured(profile)

    def planned(more: tuple[str, ...]) -> Plan:
        return plan_of(read_document(profile, (*sets, *more), stdin=stdin))

    return outgrow(
        plan, load_catalogue(), asked, written=written, planned=planned, measured=measured
    )


@contextmanager
def _by_option(promises: tuple[str, ...]) -> Iterator[None]:
    """Name the option that people wrote where a promise of theirs is wrong."""
    keys = {f"slo.{each.partition('=')[0].strip()}" for each in promises}
    try:
        yield
    except ProfileError as error:
        problems = [
            replace(one, source=SLO)
            if (one.source or error.source) == FLAG and one.where in keys
            else one
            for one in error.problems
        ]
        sources = {one.source for one in problems}
        source = SLO if error.source == FLAG and sources == {SLO} else error.source
        raise ProfileError(source, tuple(problems)) from None


def _measured(profile: str) -> tuple[Measured, ...]:
    """Return what `gen bench` keeps beside a profile."""
    if profile == STDIO:
        return ()
    from generator.bench.remembered import remembered, remembered_beside

    return remembered(remembered_beside(profile))


def _measurement(name: str | None) -> Measurement | None:
    if name is None:
        return None
    from generator.cli.bench_compare import read_measurement

    return read_measurement(name)


def _traffic(name: str) -> Traffic:
    """Return what a log says; it is read as it comes, so that it may be of any size."""
    from generator.outgrow.traffic import lines_of, read_log

    if name == STDIO:
        return read_log(lines_of(sys.stdin.buffer), name)
    with open(name, "rb", opener=_opened) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            message = f"`{name}` is no regular file, and might never end"
            raise HostwrightError(message, hint="name a file, or `-` for standard input")
        return read_log(lines_of(stream), name)


def _opened(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
