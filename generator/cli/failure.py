"""Expected failures: `error:` and `hint:` on stderr, and with `--json` a document on stdout."""

from __future__ import annotations

import contextlib
import itertools
import sys
from typing import TYPE_CHECKING

import click

from generator.cli.options import OWN_OPTIONS, Misuse, did_you_mean
from generator.cli.streams import print_json
from generator.cli.talk import in_order, report
from generator.errors import HostwrightError, Problem, ProfileError

if TYPE_CHECKING:
    from collections.abc import Sequence


def wants_json(argv: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON, even one that is not understood otherwise."""
    options = list(argv[: argv.index("--")] if "--" in argv else argv)
    pairs = itertools.pairwise(options)
    return "--json" in options or "--format=json" in options or ("--format", "json") in pairs


def fail(error: HostwrightError, *, as_json: bool, where: str = "") -> int:
    """Print a failure and return its exit code."""
    report(error)
    if as_json:
        # The failure may be that nothing can be written to stdout.
        with contextlib.suppress(OSError):
            print_json(**document(error, where))
            sys.stdout.flush()
    return error.exit_code


def document(error: HostwrightError, where: str = "") -> dict[str, object]:
    """Return a failure as JSON carries it; one that is no list of Problems is one Problem."""
    if isinstance(error, ProfileError):
        source, problems = error.source, tuple(problem for problem, _ in in_order(error))
    else:
        source, problems = "", (Problem(where, error.message, error.hint),)
    return {
        "error": error.message,
        "exit_code": error.exit_code,
        "problems": [
            Problem(each.where, each.message, each.hint, each.source or source) for each in problems
        ],
    }


def usage_failure(error: click.ClickException) -> tuple[HostwrightError, str]:
    """Return click's complaint as a failure of ours, and what it is about."""
    context = getattr(error, "ctx", None)
    listed = f"`{context.command_path if context else 'gen'} --help` lists what there is"
    if isinstance(error, Misuse):
        return HostwrightError(error.message, hint=error.hint or listed), error.where
    if isinstance(error, click.NoSuchOption):
        meant = did_you_mean(_near(error, context))
        message = f"there is no option `{error.option_name}`"
        return HostwrightError(message, hint=f"{meant}{listed}"), error.option_name
    if isinstance(error, click.BadOptionUsage):
        return HostwrightError(error.message.rstrip("."), hint=listed), error.option_name
    param = getattr(error, "param", None)
    where = _name_of(param) if param else ""
    if isinstance(error, click.MissingParameter):
        message = f"{where} is missing"
    else:
        message = f"{where}: {error.message}" if where else error.message
    return HostwrightError(message.rstrip("."), hint=listed), where


def _near(error: click.NoSuchOption, context: click.Context | None) -> list[str]:
    """Return options that may be meant; where no command is named, `gen` has its own as well."""
    own = context.meta.get(OWN_OPTIONS, ()) if context else ()
    if not own:
        return sorted(error.possibilities or ())
    from difflib import get_close_matches

    return get_close_matches(error.option_name, [*own, *(error.possibilities or ())])[:1]


def _name_of(param: click.Parameter) -> str:
    option = param.param_type_name == "option"
    return max(param.opts, key=len) if option else param.human_readable_name
