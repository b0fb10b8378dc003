"""`gen mcp`."""

from __future__ import annotations

import gc
from typing import Final

import click

from generator.cli.options import filled_option, json_option, seconds_of
from generator.errors import EnvironmentFailure

EXAMPLES: Final = """
\b
Examples:
  gen mcp                                  what a client starts
  claude mcp add hostwright -- gen mcp
  gen mcp --json                           the tools and what they take
\b
In the file of an editor, like .mcp.json:
  {"mcpServers": {"hostwright": {"command": "gen", "args": ["mcp"]}}}
"""


@click.command(name="mcp", epilog=EXAMPLES)
@filled_option(
    "--timeout", metavar="TIME", example="60s",
    text="How long each call may take.  [default: 60s]",
)  # fmt: skip
@json_option
def command(*, timeout: str | None, as_json: bool) -> None:
    """Serve commands that only read as tools, over stdin and stdout.

    The Model Context Protocol, for editors and agents: list, show, render,
    check, explain, fit, advise, detect, verify, doctor. No tool writes a file.
    With --json, print the tools and serve nobody.
    """
    if as_json:
        _print_tools()
        return
    import asyncio

    from generator import __version__

    seconds = seconds_of(timeout or "60s", "--timeout")
    try:
        from generator.mcp.serve import serve
    except ImportError as error:
        if not (error.name or "").startswith(("mcp", "jsonschema")):
            raise
        raise EnvironmentFailure(
            "`gen mcp` speaks by the package `mcp`, which is not installed, or is another version",
            hint="pip install 'hostwright[mcp]'",
        ) from error
    gc.enable()  # It runs for long.
    asyncio.run(serve(__version__, seconds))


def _print_tools() -> None:
    from generator.cli.streams import keyed, print_json
    from generator.mcp.tools import COMMANDS

    keys = ("name", "description", "input_schema", "output_schema")
    rows = [(name, each.about, each.inputs, each.outputs) for name, each in COMMANDS.items()]
    print_json(tools=keyed(keys, rows))
