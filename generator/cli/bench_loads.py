"""The loads of `gen bench` that are not all there is to it: held requests, cold starts, vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from generator.cli.options import Misuse, filled_option, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.bench.measure import Load
    from generator.bench.measurement import Measurement

    Command = TypeVar("Command", bound=Callable[..., Any])

WINDOW: Final = "--batch-window"
LONGEST: Final = 60
AGAIN: Final = 3
"""How often the checklist sends the same prompt."""


def more_loads(command: Command) -> Command:
    """Add the options of held requests, cold starts and vectors."""
    options = (
        filled_option(
            WINDOW,
            metavar="TIME",
            example="50ms",
            text="With --rate: also as a client that holds requests so long, to send several.",
        ),
        click.option(
            "--batch-size",
            type=click.IntRange(1, 1000),
            default=4,
            show_default=True,
            help=f"With {WINDOW}: how many it sends at once, at most.",
        ),
        click.option(
            "--cold",
            type=click.IntRange(1, 20),
            metavar="N",
            help="Also N cold starts from the disk, N from the page cache, and N warm ones.",
        ),
        click.option(
            "--checklist",
            is_flag=True,
            help="Fill in the testing checklist: one, four and ten at once, cold and warm, the "
            "same prompt again, how long the model stays.",
        ),
        filled_option(
            "--baseline",
            metavar="FILE",
            example="before.json",
            text="With --checklist: what --json printed before, to look for regressions.",
        ),
        click.option("--embed", is_flag=True, help="Ask for vectors, not for an answer."),
        click.option(
            "--texts",
            type=click.IntRange(1, 1000),
            default=1,
            show_default=True,
            help="Texts of each request for vectors.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def load_of(
    at_once: tuple[int, ...],
    rate: float | None,
    *,
    batch_window: str | None,
    batch_size: int,
    cold: int | None,
    checklist: bool,
    api: str,
) -> Load:
    """Return the loads that the options ask for. Raises Misuse for those that make no sense."""
    from generator.bench.measure import Load

    if checklist and (rate is not None or api != "ollama"):
        message = "--checklist asks Ollama's own API for so many at once"
        raise Misuse(message, "leave out --rate and --api", where="--checklist")

    if batch_window is not None and rate is None:
        message = f"{WINDOW} holds requests that come by themselves"
        raise Misuse(message, "say how many a second by --rate", where=WINDOW)
    if cold and api != "ollama":
        message = "--cold has the server let go of the model, which Ollama's own API can"
        raise Misuse(message, "leave out --api", where="--cold")
    return Load(
        at_once=() if rate else at_once,
        per_second=rate or 0.0,
        window=_window(batch_window) if batch_window else 0,
        most=batch_size,
        starts=cold or (1 if checklist else 0),
        again=AGAIN if checklist else 0,
    )


def _window(text: str) -> int:
    seconds = seconds_of(text, WINDOW)
    if seconds > LONGEST:
        message = f"{WINDOW}: {text} is more than anybody waits to send"
        raise Misuse(message, "like 50ms", where=WINDOW)
    return round(seconds * 1e9)


def baseline_of(name: str | None, *, checklist: bool) -> Measurement | None:
    """Return the measurement that a checklist is held against; None: none is named."""
    if name is None:
        return None
    if not checklist:
        hint = "or compare two files: gen bench compare"
        raise Misuse("--baseline is for --checklist", hint, where="--baseline")
    from generator.cli.bench_compare import read_measurement

    return read_measurement(name)


def prompts_of(name: str) -> list[str]:
    """Return the prompts of a file, a line each; `-` is standard input."""
    from pathlib import Path

    from generator.cli.streams import stdin_if
    from generator.reading import read_regular

    data = stdin_if(name)
    text = (read_regular(Path(name)) if data is None else data).decode(errors="replace")
    found = [line for line in text.splitlines() if line.strip()]
    if not found:
        raise Misuse(f"--prompts: `{name}` has none", "write one per line", where="--prompts")
    return found
