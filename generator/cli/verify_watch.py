"""`gen verify --watch`: one screen again and again, or a block each time where there is none."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from generator.cli.streams import json_text
from generator.cli.talk import coloured, counted, printable, width
from generator.cli.verify_text import COLOURS
from generator.errors import EnvironmentFailure, shortened
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed
    from generator.verify.vitals import Card, Vitals

    Round = tuple[Comparison, Observed, Vitals]

_LEAST: Final = 0.1  # seconds between the end of one round and the next
_OPEN: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_CLOSE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
"""A screen of its own, without the cursor, on which lines are cut; and back."""
_BAR: Final = 20
_YEAR: Final = 365 * 86400
_FULL: Final = 0.9
"""Of a bound, beyond which a bar is of another colour."""


def watch(plan: Plan, seconds: float, ask: Callable[[], Round], *, as_json: bool) -> int:
    """Show every so many seconds how a server does, until Ctrl-C; return the last exit code."""
    code, screen = 0, sys.stdout.isatty() and not as_json
    with _until_told(), _screen(on=screen):
        try:
            while True:
                began = time.monotonic()
                try:
                    found = ask()
                    code = found[0].code(found[1])
                    text = _line(found, code) if as_json else watch_text(plan, *found)
                except EnvironmentFailure as error:
                    code = error.exit_code
                    text = _failure(error, as_json=as_json)
                _show(text, on_screen=screen, as_json=as_json)
                time.sleep(max(seconds - (time.monotonic() - began), _LEAST))
        except KeyboardInterrupt:
            pass
    return code


@contextmanager
def _until_told() -> Iterator[None]:
    """Take an end that somebody asks for as Ctrl-C, so that the terminal is put right."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    old = [(one, signal.signal(one, stop)) for one in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for one, handler in old:
            signal.signal(one, handler)


@contextmanager
def _screen(*, on: bool) -> Iterator[None]:
    if not on:
        yield
        return
    click.echo(_OPEN, nl=False)
    try:
        yield
    finally:
        click.echo(_CLOSE, nl=False)


def _show(text: str, *, on_screen: bool, as_json: bool) -> None:
    if not on_screen:
        click.echo(text if as_json else f"{printable(text)}\n", color=coloured())
        sys.stdout.flush()
        return
    import shutil

    plain = click.unstyle(text) if coloured() is False else text
    lines = printable(plain).splitlines()[: shutil.get_terminal_size().lines - 1]
    click.echo("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J", nl=False)
    sys.stdout.flush()


def _line(found: Round, code: int) -> str:
    """Return a round as JSON in one line."""
    from generator.cli.verify_command import document

    comparison, seen, vitals = found
    wrong = [row for row in comparison.rows if row.fails]
    loaded = seen.answers.loaded if seen.answers else ()
    text = json_text(
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        exit_code=code,
        vitals=vitals,
        models=loaded,
        **{**document(comparison, seen), "rows": wrong},
    )
    return _one_line(text)


def _failure(error: EnvironmentFailure, *, as_json: bool) -> str:
    if not as_json:
        return f"{time.strftime('%H:%M:%S')} · {shortened(error.message, 200)}"
    return _one_line(json_text(error=error.message, exit_code=error.exit_code, problems=[]))


def _one_line(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def watch_text(plan: Plan, found: Comparison, seen: Observed, vitals: Vitals) -> str:
    """Return the screen: who, models, slots, CPU, memory, GPUs, and what is at odds."""
    head = " · ".join((plan.name, *seen.who(plan.service.product), time.strftime("%H:%M:%S")))
    lines = [head, "", *_models(seen), "", *_machine(vitals), *map(_card, vitals.cards), ""]
    return "\n".join([*lines, _drift(found, seen)])


def _models(seen: Observed) -> Iterator[str]:
    loaded = seen.answers.loaded if seen.answers else ()
    if not loaded:
        yield seen.unanswered or "no model is loaded"
        return
    yield f"{'model':32} {'size':>9} {'context':>8} {'on GPU':>7}  leaves"
    for one in loaded:
        share = f"{100 * one.on_gpus // one.size}%" if one.size else "-"
        size, context = about(one.size) if one.size else "-", str(one.context or "-")
        name = shortened(one.name, 32)
        yield f"{name:32} {size:>9} {context:>8} {share:>7}  {_leaves(one.until)}"


def _leaves(until: str) -> str:
    """Return how long a model stays, as the server writes its end."""
    from datetime import UTC, datetime

    try:
        seconds = (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()
    except (OverflowError, TypeError, ValueError):
        return "-"
    if seconds > _YEAR:
        return "never"
    hours, rest = divmod(max(int(seconds), 0), 3600)
    return f"in {hours}h{rest // 60:02}m" if hours else f"in {rest // 60}m{rest % 60:02}s"


def _machine(vitals: Vitals) -> Iterator[str]:
    if vitals.slots and vitals.used is not None:
        bar = _bar(vitals.used, vitals.slots)
        yield f"{'slots':8} {bar} {vitals.used} of {vitals.slots} in use"
    if vitals.cpu is not None:
        of = f"of a quota of {vitals.quota}%" if vitals.quota else "of one CPU, no quota"
        yield f"{'CPU':8} {_bar(vitals.cpu, vitals.quota)} {vitals.cpu:.0f}% {of}"
    if vitals.waited:
        times = f"{vitals.waited} of the last {vitals.periods} periods"
        yield f"{'':8} it waited for CPU time in {times}"
    if vitals.memory is not None:
        of = f"of {about(vitals.limit)}" if vitals.limit else "no limit"
        yield f"{'memory':8} {_bar(vitals.memory, vitals.limit)} {about(vitals.memory)} {of}"


def _bar(value: float, of: float | None) -> str:
    share = min(value / of, 1.0) if of else 0.0
    full = round(share * _BAR)
    bar = click.style("|" * full, fg="red" if share > _FULL else "green") if full else ""
    return f"[{bar}{' ' * (_BAR - full)}]" if of else " " * (_BAR + 2)


def _card(card: Card) -> str:
    used, total = card.used or 0, card.total or 0
    memory = f"{_bar(used, total)} {about(used)} of {about(total)}" if total else "its memory: -"
    busy = "-" if card.busy is None else f"{card.busy}%"
    watts = "" if card.watts is None else f" {card.watts:.0f} W"
    reasons = f" · clocks: {', '.join(card.reasons)}" if card.reasons else ""
    return f"{f'GPU {card.index}':8} {memory} · {busy} · {card.state}{watts}{reasons} · {card.name}"


def _drift(found: Comparison, seen: Observed) -> str:
    wrong = [row for row in found.rows if row.fails]
    verdicts = [row.verdict for row in found.rows]
    unknown = verdicts.count("unknown")
    counts = f"{counted(setting=len(verdicts))}: {len(wrong)} at odds, {unknown} unknown"
    lines = [
        f"{click.style(row.verdict, fg=COLOURS.get(row.verdict))}  "
        + shortened(f"{row.setting}: {row.why}", max(width() - 12, 20))
        for row in wrong
    ]
    silent = [f"the server is silent: {seen.unanswered}"] if seen.unanswered else []
    return "\n".join([counts, *silent, *lines])
