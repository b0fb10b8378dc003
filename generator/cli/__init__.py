"""The command `gen`. Thin: parse, call one function, print. The only print and exit."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import profile_option, render_options
from generator.errors import HostwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

COMMANDS: Final = {
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
    if ctx.invoked_subcommand is not None:
        return
    if profile is None:
        click.echo(ctx.get_help())
        return
    from generator.cli.render_command import run

    run(profile, **options)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `gen` and exit; expected failures are printed as `error:` and `hint:`."""
    # Nothing here makes cycles that grow, so looking for them only slows the start down.
    gc.disable()
    try:
        code = gen.main(args=argv, prog_name="gen", standalone_mode=False)
    except HostwrightError as error:
        from generator.cli.talk import report

        report(error)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # The reader (`head`) has what it wanted. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
