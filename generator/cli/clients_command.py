"""`gen clients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    instance_option,
    json_option,
    needs_directory,
    output_options,
    plan_options,
    profile_argument,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import say, table, visible, word

if TYPE_CHECKING:
    from generator.clients.clients import Clients

EXAMPLES: Final = """
\b
Examples:
  gen clients xeon-cpu                     roles, and what loads a model anew
  gen clients xeon-cpu -o clients          write the files
  gen clients xeon-cpu --file env -o -     one of them to stdout
  gen clients xeon-cpu --url http://grey-area:11434 -o clients
\b
Files: env, taskmaster, mcp, open-webui, open-webui-nixos, notes.
"""


@click.command(name="clients", epilog=EXAMPLES)
@profile_argument
@filled_option(
    "--url", metavar="URL", example="http://host:11434",
    text="Where clients reach the server.  [default: as on its host]",
)  # fmt: skip
@filled_option("--file", "only", metavar="NAME", example="env", text="Only this file, below.")
@output_options("Back up and replace files that somebody has edited, too.")
@plan_options
@instance_option
@json_option
def command(
    profile: str,
    *,
    url: str | None,
    only: str | None,
    output: str | None,
    as_json: bool,
    overrides: tuple[str, ...],
    full_unit: bool,
    diff: bool,
    check: bool,
    force: bool,
    **flags: Any,  # noqa: ANN401 -- what `plan_of` takes
) -> None:
    """Write the configuration of clients: Task Master, Open WebUI, OpenAI's.

    The roles of the models decide which model a client asks for what. Without
    -o, print them, and the options of requests that load a model anew.
    """
    how = {"diff": diff, "check": check, "force": force}
    needs_directory(output, **how)
    from generator.catalogue.catalogue import load_catalogue
    from generator.clients.clients import clients_of
    from generator.clients.files import FILES, client_files
    from generator.pipeline import plan_of

    if only is not None and only not in FILES:
        raise Misuse(f"--file: no file `{only}`", f"they are {', '.join(FILES)}", where="--file")
    plan = plan_of(document_of(profile, overrides, full_unit=full_unit), **flags)
    told = clients_of(plan, load_catalogue(), url=url or "")
    made = client_files(plan, told, load_catalogue())
    files = [made[only]] if only else [*made.values()]
    for remark in told.remarks:
        say(f"{word('warning')} {visible(remark)}")
    if output not in {None, STDIO}:
        from generator.cli.writing import write_files

        write_files(files, str(output), (), as_json=as_json, within=(), **how)
    elif output == STDIO or only:
        from generator.cli.writing import files_text

        click.echo(files_text([("", file) for file in files], (), as_json=as_json), nl=False)
    else:
        _print(told, as_json=as_json)


def _print(told: Clients, *, as_json: bool) -> None:
    if as_json:
        print_json(url=told.url, uses=told.uses, reloads=told.reloads, remarks=told.remarks)
        return
    click.echo(told.url)
    rows = [(use.role, str(use.context), str(use.answer), use.model) for use in told.uses]
    click.echo(table(("role", "context", "answer", "model"), rows))
    loads = [(option, loaded or "its own", ", ".join(of)) for option, loaded, of in told.alike]
    if loads:
        click.echo()
        click.echo(table(("option", "loaded with", "another value loads anew"), loads))
    say("-o DIR writes the files")
