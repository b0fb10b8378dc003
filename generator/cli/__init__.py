"""The command `gen`. Thin: parse, call one function, print. The only print and exit."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from generator import __version__
from generator.cli.environment import asks_json, mirrored
from generator.cli.failure import fail, usage_failure, wants_json
from generator.cli.options import OWN_OPTIONS, Misuse, did_you_mean
from generator.cli.streams import STDIO, prepare_streams, settle_streams
from generator.errors import EnvironmentFailure, HostwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# By what somebody wants to do, in the order that a newcomer needs them.
SECTIONS: Final = {
    "Begin with a profile of a host": {
        "list": "List the shipped profiles.",
        "init": "Go from this machine to the files that run a server on it.",
        "detect": "Read this machine and write its profile.",
        "import": "Make a profile of what runs already.",
    },
    "See what fits and what is decided": {
        "show": "Show every setting of a profile with its reason.",
        "fit": "Tell which models a host holds, and how they are placed.",
        "models": "List and search the models of the library.",
        "advise": "Tell what is left to gain on the host of a profile.",
        "outgrow": "Tell whether one server is enough, and what comes then.",
    },
    "Write the files that run it": {
        "render": "Render a profile for one or more targets; the default.",
        "fleet": "Write a flake for many hosts.",
        "diff": "Compare profiles, releases, or what is installed, by effect.",
        "restore": "List backups of replaced files, and put them back.",
        "clients": "Write the configuration of clients of a profile.",
        "migrate": "Bring a file of an earlier version up to this one.",
    },
    "Check files and running servers": {
        "check": "Check profiles, units, compose files … against what Ollama reads.",
        "verify": "Compare a running server with its profile.",
        "doctor": "Find what is wrong with a server here, and what mends it.",
    },
    "Make a running server fast": {
        "warmup": "Load the models of a profile into a running server.",
        "bench": "Measure a running server under load, and compare measurements.",
        "tune": "Find the fastest value of a setting on a running server.",
    },
    "Look up, and for programs": {
        "explain": "Explain rules, variables, keys, limits, options, models.",
        "plan": "Print the Plan of a profile as JSON.",
        "schema": "Print the JSON Schema of profiles and fleet files.",
        "mcp": "Serve tools that only read to editors and agents.",
        "completion": "Print the completion script of a shell.",
    },
}
COMMANDS: Final = {name: text for verbs in SECTIONS.values() for name, text in verbs.items()}
DEFAULT: Final = "render"

HELP: Final = """Hostwright: one typed profile per inference host, checked configuration for Ollama.

A PROFILE is the name of a shipped one, a path to a .toml, or - for stdin. It is
the argument of a command or its option -p. `gen PROFILE` renders.

\b
Examples:
  gen list
  gen xeon-cpu                                   NixOS module on stdout
  gen detect -o my-host.toml                     a profile of this machine
  gen show ./my-host.toml                        each setting with its reason
  gen ./my-host.toml -t systemd -o out           write a bundle
  gen --profile xeon-cpu --ollama-version 0.9    for an older release
  gen check /etc/systemd/system/ollama.service.d

\b
Exit codes: 0 ok; 1 findings, drift, does not fit, or --check differs; 2 bad
usage or input, or nothing could be judged; 3 the environment failed
(permission, missing tool, full disk). With --json errors are JSON, too.
"""


class Verbs(click.Group):
    """Imports a command's module when that command runs, so that `gen --version` is quick."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of what is a profile or one of its options."""
        if args and (args[0].startswith("-") or _is_profile(args[0])):
            own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
            if args[0] not in own:
                args = [DEFAULT, *args]
                ctx.meta[OWN_OPTIONS] = sorted(own)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names without importing anything."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import `generator.cli.<name>` and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"generator.cli.{cmd_name}_command")
        return mirrored(cmd_name, module.command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named. Raises Misuse for one that is not there."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            meant = did_you_mean(get_close_matches(args[0], [*COMMANDS, *_shipped()]))
            hint = f"{meant}`gen --help` lists the commands, `gen list` the profiles"
            raise Misuse(f"there is no command or profile `{args[0]}`", hint, where=args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by section, importing none of them."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()), col_max=10)


def _is_profile(word: str) -> bool:
    """Return whether a word in place of a command can only be a profile."""
    if word in COMMANDS:
        return False
    return word == STDIO or "/" in word or word.endswith(".toml") or word in _shipped()


def _shipped() -> list[str]:
    from generator.profiles.shipped import shipped_profiles

    return [path.stem for path in shipped_profiles()]


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    help=HELP,
    subcommand_metavar="[COMMAND] [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(__version__, message="gen %(version)s", help="Print the version and exit.")
@click.pass_context
def gen(ctx: click.Context) -> None:
    """Print the help where nothing is asked for."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `gen` and exit; expected failures are printed as `error:` and `hint:`."""
    # Nothing here makes cycles that grow, so looking for them only slows the start down.
    gc.disable()
    prepare_streams()
    args = sys.argv[1:] if argv is None else list(argv)
    as_json = wants_json(args) or asks_json(args, tuple(COMMANDS), DEFAULT)
    try:
        code = _invoke(args)
    except HostwrightError as error:
        code = fail(error, as_json=as_json)
    except click.ClickException as error:
        failure, where = usage_failure(error)
        code = fail(failure, as_json=as_json, where=where)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 0  # The reader (`head`) has what it wanted.
    except OSError as error:
        what = f"cannot use {error.filename}" if error.filename else "cannot write to stdout"
        code = fail(EnvironmentFailure(f"{what}: {error.strerror}"), as_json=as_json)
    settle_streams()
    gc.freeze()  # Or Python would go through everything once more on its way out.
    sys.exit(code)


def _invoke(argv: list[str]) -> int:
    """Do what click's `main` does, which takes a closed pipe for a failure."""
    if "_GEN_COMPLETE" in os.environ:
        from generator.cli.complete import answer

        answer()
        return 0
    try:
        with gen.make_context("gen", argv) as context:
            gen.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0
