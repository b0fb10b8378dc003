"""The command `gen`. Thin: parse, call one function, print. The only print and exit."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from generator.cli.options import profile_option, render_options
from generator.errors import EnvironmentFailure, HostwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

COMMANDS: Final = {
    "detect": "Read this machine and write its profile.",
    "explain": "Explain rules, variables, keys, limits and options.",
    "check": "Check profiles, units, compose files … against what Ollama reads.",
    "fit": "Tell which models a host holds, and how they are placed.",
    "fleet": "Write a flake for many hosts.",
    "list": "List the shipped profiles.",
    "plan": "Print the Plan of a profile as JSON.",
    "render": "Render a profile for one or more targets.",
    "schema": "Print the JSON Schema of profiles.",
    "show": "Show every setting of a profile with its reason.",
}

HELP: Final = """Hostwright: one typed profile per inference host, checked configuration for Ollama.

Without a command, `gen --profile NAME` renders, as `gen render` does.

\b
Examples:
  gen list
  gen --profile xeon-cpu                             NixOS module on stdout
  gen --profile ./my-host.toml -t systemd -o out     write a bundle
  gen --profile xeon-cpu --ollama-version 0.9        for an older release
  gen --profile xeon-cpu --set threads.count=12 -t compose

\b
Exit codes: 0 ok; 1 findings, drift or --check differs; 2 bad usage, profile or
input; 3 the environment failed (permission, missing tool, full disk).
"""


class LazyGroup(click.Group):
    """Imports a command's module when that command runs, so that `gen --version` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names without importing anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import `generator.cli.<name>` and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"generator.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from COMMANDS, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from generator import __version__

        click.echo(f"gen {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@profile_option
@render_options
@click.pass_context
def gen(ctx: click.Context, /, profile: str | None, **options: Any) -> None:  # noqa: ANN401
    """Render, unless a command is named."""
    given = [
        max(parameter.opts, key=len)
        for parameter in ctx.command.params
        if ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if ctx.invoked_subcommand is not None:
        if given:
            raise click.UsageError(
                f"{given[0]} stands before the command `{ctx.invoked_subcommand}`, where it does "
                f"nothing; write options after the command"
            )
        return
    if profile is None:
        if given:
            raise click.UsageError(f"{given[0]} needs a profile: --profile NAME or --profile PATH")
        click.echo(ctx.get_help())
        return
    from generator.cli.render_command import run

    run(profile, **options)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `gen` and exit; expected failures are printed as `error:` and `hint:`."""
    # Nothing here makes cycles that grow, so looking for them only slows the start down.
    gc.disable()
    _prepare_streams()
    try:
        code = _invoke(sys.argv[1:] if argv is None else list(argv))
    except HostwrightError as error:
        code = _failed(error)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 0  # The reader (`head`) has what it wanted.
    except OSError as error:
        what = f"cannot use {error.filename}" if error.filename else "cannot write to stdout"
        code = _failed(EnvironmentFailure(f"{what}: {error.strerror}"))
    _settle_streams()
    sys.exit(code)


def _invoke(argv: list[str]) -> int:
    """Do what click's `main` does, which takes a closed pipe for a failure."""
    if "_GEN_COMPLETE" in os.environ:
        gen.main(argv, prog_name="gen")
    try:
        with gen.make_context("gen", argv) as context:
            gen.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0


def _failed(error: HostwrightError) -> int:
    from generator.cli.talk import report

    report(error)
    return error.exit_code


def _prepare_streams() -> None:
    """Make stdout carry any text, as UTF-8 like every file, and stderr at least not fail."""
    # A closed stream is None: what is written to it is lost, as the caller asked.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def _settle_streams() -> None:
    """Let go of what cannot be written; Python would complain about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
