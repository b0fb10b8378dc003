"""`gen completion`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")
_SCRIPTS: Final = Path(__file__).parent.parent / "templates" / "completion"
EXAMPLES: Final = """
\b
Examples:
  eval "$(gen completion bash)"            in ~/.bashrc
  eval "$(gen completion zsh)"             in ~/.zshrc, after compinit
  gen completion fish | source             in ~/.config/fish/config.fish
"""


@click.command(name="completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def command(shell: str, as_json: bool) -> None:
    """Print the script by which a shell completes `gen`.

    Commands, options, profiles, targets, rules, variables, keys (`--set oll…`), releases, cards
    and models are completed, files where one is meant.
    """
    script = (_SCRIPTS / f"gen.{shell}").read_text(encoding="utf-8")
    if as_json:
        from generator.cli.streams import print_json

        print_json(shell=shell, script=script)
        return
    click.echo(script, nl=False)
