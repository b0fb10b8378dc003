"""`gen fleet`."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import json_option, needs_directory, output_options
from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import counted, print_findings, progress, say, table

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.fleet.decide import Decided

EXAMPLES = """
\b
Examples:
  gen fleet fleet.toml                 what each host gets
  gen fleet fleet.toml -o .            write the flake beside the fleet file
  gen fleet fleet.toml -o . --diff     show what would change
  gen fleet fleet.toml -o . --check    in CI: exit 1 if out of date
  gen fleet fleet.toml --only gpu      what the hosts with a tag get
\b
A fleet file:
  schema_version = 1
  [hosts.grey-area]
  profile = "xeon-cpu"
  address = "grey-area.lan"
  modules = ["hosts/grey-area.nix"]
  overrides.resources.memory_max = "24G"
  [hosts.spark]
  profile = "dgx-spark"
  target = "systemd"
  deploy.ssh_user = "root"
"""


@click.command(name="fleet", epilog=EXAMPLES)
@click.argument("file", metavar="FLEET.toml")
@output_options("Back up and replace files that somebody has edited, too.")
@click.option(
    "--only",
    multiple=True,
    metavar="TAG",
    help="Only hosts with this tag, or the host of this name; repeat it for more.",
)
@click.option("--strict", is_flag=True, help="Refuse what a host's release does not take.")
@json_option
def command(
    file: str,
    *,
    output: str | None,
    only: tuple[str, ...],
    strict: bool,
    as_json: bool,
    **how: bool,
) -> None:
    """Write a flake for many hosts: NixOS by deploy-rs or Colmena, others by deploy-rs.

    Without -o, list the hosts. FLEET.toml may be - for stdin. With --only, what is written is a
    flake of these hosts alone.
    """
    from generator.fleet.decide import decide_fleet, findings_of, refuse_to_drop

    needs_directory(output, **how)
    # Records hold each other in no circles: to look for some takes a tenth of the time.
    gc.disable()
    fleet = decide_fleet(
        Path(file), only=only, strict=strict, progress=progress, stdin=stdin_if(file)
    )
    here = None if output in {None, STDIO} else Path(output or "")
    if here is not None and not how["force"]:
        refuse_to_drop(fleet, here)
    findings = findings_of(fleet, here)
    if output is None:
        _list(fleet, findings, as_json=as_json)
        return
    from generator.cli.writing import files_text, write_files
    from generator.fleet.render import render_fleet

    print_findings([finding for finding in findings if finding.severity != "info"])
    files = render_fleet(fleet)
    if output == STDIO:
        printed = [("", file) for file in files]
        click.echo(files_text(printed, findings, as_json=as_json), nl=False)
        return
    write_files(files, output, findings, within=(), as_json=as_json, **how)


def _list(fleet: Decided, findings: list[Finding], *, as_json: bool) -> None:
    hosts = [
        {
            "name": node.name,
            "target": node.target,
            "address": node.address,
            "system": node.plan.host.system,
            "profile": node.plan.name,
            "release": node.plan.services[0].release,
            "tags": node.tags,
        }
        for node in fleet.every
    ]
    if as_json:
        print_json(hosts=hosts, findings=findings)
        return
    columns = ("name", "target", "profile", "release", "address")
    rows = [[str(host[column]) for column in columns] for host in hosts]
    click.echo(table(("host", "target", "profile", "Ollama", "address"), rows))
    warnings = sum(finding.severity != "info" for finding in findings)
    say(f"{counted(host=len(rows), warning=warnings)}; -o DIR writes the flake")
