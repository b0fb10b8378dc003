"""What `gen bench --ab` and `gen tune` share: how the server is started anew, and what is asked."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from generator.cli.options import Misuse, filled_option
from generator.errors import HostwrightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from generator.plan import Service
    from generator.trial.choice import Choice
    from generator.trial.restart import Restarter

    Command = TypeVar("Command", bound=Callable[..., Any])

MOST_REQUESTS: Final = 1000
MOST_TOKENS: Final = 1 << 20


def trial_options(*, requests: int, timeout: str) -> Callable[[Command], Command]:
    """Return the options of a trial, with so many requests for each visit by themselves."""
    every = (
        filled_option(
            "--url",
            metavar="URL",
            example="http://host:11434",
            text="Where the server answers.  [default: where the profile has it listen]",
        ),
        click.option(
            "--requests",
            type=click.IntRange(2, MOST_REQUESTS),
            default=requests,
            show_default=True,
            help="Requests of each visit.",
        ),
        click.option(
            "--prompt-tokens",
            type=click.IntRange(1, MOST_TOKENS),
            help="Tokens of a prompt, about.",
        ),
        click.option(
            "--output-tokens",
            type=click.IntRange(1, MOST_TOKENS),
            help="Tokens of an answer, at most.",
        ),
        filled_option(
            "--restart-command",
            metavar="COMMAND",
            example='"systemctl restart ollama"',
            text="Starts the server anew with what HOSTWRIGHT_TRIAL names.",
        ),
        filled_option(
            "--compose",
            metavar="FILE",
            example="compose.yaml",
            text="The Compose file of the server, to start it anew.",
        ),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, help="Of prompts."),
        filled_option(
            "--timeout",
            metavar="TIME",
            example="1h",
            text=f"How long all of it may take.  [default: {timeout}]",
        ),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    )
    return lambda command: functools.reduce(
        lambda made, option: option(made), reversed(every), command
    )


def needed_restarter(
    choices: Sequence[Choice],
    service: Service | None,
    url: str,
    command: str | None,
    compose: str | None,
) -> Restarter | None:
    """Return who starts the server anew; None: no choice needs it.

    Raises HostwrightError for a Change that cannot be brought about in that way.
    """
    if not any(choice.restarts for choice in choices):
        if command is not None or compose is not None:
            where = "--compose" if command is None else "--restart-command"
            message = f"{where}: each request says what is tried, and nothing is started anew"
            raise Misuse(message, "leave it out", where=where)
        return None
    from generator.trial.find import restarter

    if service is None:
        raise HostwrightError("no profile says which server that is", hint="name one")
    found = restarter(service, url, command=command, compose=compose)
    for choice in choices:
        found.way.text(choice.change)
    return found


def steps(key: str, choices: Iterable[Choice], restarter: Restarter | None) -> list[str]:
    """Return what a trial would do for each choice, line by line."""
    lines = []
    for choice in choices:
        options = ", ".join(f"{option.name} {option.value}" for option in choice.options)
        lines.append(f"{key}={choice.label}: " + (f"requests with {options}" if options else
                     f"requests for {choice.model}"))  # fmt: skip
        if restarter and choice.restarts:
            lines += [f"  {line}" for line in restarter.steps(choice.change)]
    if restarter:
        lines.append(f"at the end, whatever ends it: {restarter.way.by_hand}")
    return lines
