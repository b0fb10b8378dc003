"""`gen import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.machine_option import machine_options
from generator.cli.options import Misuse, filled_option, json_option, release_option
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import counted, say, visible, word

if TYPE_CHECKING:
    from generator.cli.machine_option import Machine
    from generator.importing.importing import Imported, ImportRequest

EXAMPLES = """
\b
Examples:
  gen import /etc/systemd/system/ollama.service.d -o host.toml
  gen import compose.yaml --service ollama -o host.toml
  gen import ollama.env --ram 64GiB --cores 16 --gpu "RTX 4090"
  echo "docker run -e OLLAMA_NUM_PARALLEL=4 ollama/ollama" | gen import -
  gen import --here -o host.toml         what this machine runs and is
\b
Exit codes: 0 all is carried over; 1 something is not, and is named; 2 bad
input.
"""


@click.command(name="import", epilog=EXAMPLES)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@filled_option(
    "-o", "--output", metavar="FILE", example="host.toml", text="Write the profile; - is stdout."
)
@click.option("--force", is_flag=True, help="Back up and replace a file that is there.")
@click.option("--name", default="", metavar="NAME", help="Name of the profile.")
@filled_option("--service", metavar="NAME", example="ollama", text="The service, of several.")
@click.option("--here", is_flag=True, help="What this machine runs, with what it is.")
@filled_option("--root", metavar="DIR", example="/mnt", text="With --here: the machine below DIR.")
@release_option("Release that runs.  [default: what a file says, or newest]")
@machine_options
@click.option("--stdin-name", default="", metavar="NAME", help="File name that `-` stands for.")
@json_option
def command(
    *,
    machine: Machine,
    output: str | None,
    force: bool,
    as_json: bool,
    **asked: Any,  # noqa: ANN401
) -> None:
    """Make a profile of what runs already: units, env files, compose, quadlets …

    Each value has the line that it comes from above it. What the profile cannot
    say is listed with the reason, on stderr and at its end.
    """
    from generator.importing.importing import imported

    wanted = _wanted(machine, **asked)
    found = imported(wanted)
    if as_json:
        _print_json(found)
    if output not in {None, STDIO}:
        _write(found, str(output), force=force)
    elif not as_json:
        click.echo(found.text, nl=False)
    _say(found)
    click.get_current_context().exit(int(bool(found.lost)))


def _wanted(
    machine: Machine,
    *,
    paths: tuple[str, ...],
    here: bool,
    root: str | None,
    name: str,
    version: str | None,
    service: str | None,
    stdin_name: str,
) -> ImportRequest:
    from generator.importing.importing import ImportRequest
    from generator.profiles.document import NAME

    if not paths and not here:
        raise Misuse("nothing is named to import", "name files, or write --here", where="PATH")
    if paths and here:
        raise Misuse("--here stands for what is named", "leave one of them out", where="--here")
    if root is not None and not here:
        raise Misuse("--root says where --here is", "write --here, too", where="--root")
    if root is not None and not Path(root).is_dir():
        raise Misuse(f"there is no directory `{root}`", where="--root")
    if name and not NAME.fullmatch(name):
        message = f"--name: `{name}` is not a name"
        raise Misuse(message, "write lower-case letters, digits and `-`", where="--name")
    data = stdin_if(*paths)
    return ImportRequest(
        paths=paths,
        root=root,
        service=service,
        name=name,
        release=_release(version),
        host=_host(machine, here=here, root=root),
        stdin=None if data is None else data.decode("utf-8", "surrogateescape"),
        stdin_name=stdin_name,
    )


def _release(version: str | None) -> Any:  # noqa: ANN401 -- a Release
    if version is None:
        return None
    from generator.catalogue.catalogue import load_catalogue
    from generator.errors import split_message

    try:
        return load_catalogue().release(version)
    except ValueError as error:
        message, hint = split_message(error)
        where = "--ollama-version"
        raise Misuse(f"{where}: {message}", hint, where=where) from None


def _host(machine: Machine, *, here: bool, root: str | None) -> dict[str, Any]:
    """Return the `[host]` table of the machine that is meant; empty: nobody says."""
    from generator.cli.machine_option import described_host

    return described_host(machine, here=here, root=root)


def _write(found: Imported, output: str, *, force: bool) -> None:
    from generator.cli.writing import say_kept, say_link
    from generator.files.rewrite import create

    say_link(output)
    say_kept(create(Path(output), found.text.encode(), force=force))
    say(f"{word('hint')} gen check {output}; gen {output} -t {found.target} -o out")


def _say(found: Imported) -> None:
    from generator.importing.profile import left_text, retire_text

    for one in found.left:
        kind = "info" if one.idle else "warning"
        what = "left out without a loss" if one.idle else "not carried over"
        say(f"{word(kind)} {what}: {visible(left_text(one))}")
    for each in found.added:
        say(f"{word('info')} added: {visible(f'{each.name}={each.value}: {each.reason}')}")
    for path in found.retire:
        say(f"{word('hint')} {visible(retire_text(path))}")
    idle = len(found.left) - len(found.lost)
    total = counted(setting=len(found.carried)) or "nothing"
    say(f"{found.service}: {total} carried over, {len(found.lost)} not, {idle} without a loss")


def _print_json(found: Imported) -> None:
    print_json(
        name=found.name,
        service=found.service,
        files=found.files,
        profile=found.text,
        carried=[_row(one) | {"key": one.key, "value": one.value, "note": one.note}
                 for one in found.carried],
        left=[
            _row(one) | {"value": one.value, "reason": one.reason, "fix": one.fix, "idle": one.idle}
            for one in found.left
        ],
        added=found.added,
        retire=found.retire,
    )  # fmt: skip


def _row(one: Any) -> dict[str, Any]:  # noqa: ANN401 -- an Entry or a Left
    return {
        "setting": one.name,
        "file": one.place.file,
        "line": one.place.line,
        "rule": one.rule,
    }
