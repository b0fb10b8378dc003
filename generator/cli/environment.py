"""`GEN_…`: what options say that are not on the command line.

`GEN_SHOW_STRICT=1` is `gen show --strict`, and so for every option of every command. What decides
a Plan is declared with a name for all commands as well: `GEN_OLLAMA_VERSION`, `GEN_NIXOS`,
`GEN_SET`, and `GEN_PROFILE` for those that cannot do without one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


def mirrored(name: str, command: click.Command) -> click.Command:
    """Return a command that takes its options from the environment, too."""
    for option in command.params:
        if isinstance(option, click.Option):
            option.envvar = [*dict.fromkeys([own_variable(name, option), *shared(option)])]
    return command


def own_variable(name: str, option: click.Option) -> str:
    """Return the variable of an option of one command, `GEN_SHOW_OLLAMA_VERSION`."""
    word = max(option.opts, key=len).lstrip("-").replace("-", "_").upper()
    return f"GEN_{name.upper()}_{word}"


def shared(option: click.Option) -> Sequence[str]:
    """Return the variables that an option was declared with, which hold for several commands."""
    given = option.envvar or ()
    return [given] if isinstance(given, str) else given


def written(parameter: str) -> bool:
    """Return whether a parameter of the running command stands on the command line."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is click.core.ParameterSource.COMMANDLINE


def asks_json(args: Sequence[str], commands: Sequence[str], default: str) -> bool:
    """Return whether the environment asks the command of a command line for JSON."""
    name = args[0] if args and args[0] in commands else default
    value = os.environ.get(f"GEN_{name.upper()}_JSON", "")
    return value.strip().lower() in {"1", "true", "yes", "on", "t", "y"}
