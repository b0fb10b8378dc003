"""`gen render`, which is also what `gen --profile NAME` does."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.compose_options import compose_options
from generator.cli.options import (
    again,
    document_of,
    json_option,
    needs_directory,
    output_options,
    plan_options,
    profile_argument,
    targets_option,
)
from generator.cli.streams import STDIO
from generator.cli.talk import counted, print_findings, say
from generator.cli.writing import files_text, write_files
from generator.errors import Finding
from generator.files.cache import remembered
from generator.targets import all_files, away, fitting, limitations, load_target

if TYPE_CHECKING:
    from generator.plan import Plan
    from generator.profiles.document import Document

DEFAULT_TARGET: Final = "nixos"
EXAMPLES: Final = """
\b
Examples:
  gen render xeon-cpu, or: gen xeon-cpu, gen --profile xeon-cpu
  gen render dual-pascal -t all -o out
  gen render dual-pascal -t systemd -o out --diff
  gen render dgx-spark -t systemd --full-unit -o out
  gen render - -t compose --set resources.memory_max=16G < my-host.toml
  gen render my-host.toml --fragment -o out      to include in a project
  gen render my-host.toml --override-of compose.yaml -o out
"""


@click.command(name="render", epilog=EXAMPLES)
@profile_argument
@targets_option("What to render; repeatable.  [default: nixos]")
@output_options("Back up and replace files that others wrote or edited.")
@plan_options
@compose_options
@json_option
def command(
    profile: str,
    *,
    targets: tuple[str, ...],
    output: str | None,
    as_json: bool,
    diff: bool,
    check: bool,
    force: bool,
    overrides: tuple[str, ...],
    full_unit: bool,
    **flags: Any,  # noqa: ANN401 -- what `plan_of` takes
) -> None:
    """Render a profile for one or more targets.

    Without -o the files go to stdout. With -o they go to DIR/<target>/ and replace what an earlier
    call wrote there. A file that somebody wrote or has edited since is named, shown and kept.
    """
    needs_directory(output, diff=diff, check=check, force=force)
    document = document_of(profile, overrides, full_unit=full_unit)
    more = again("show", profile, overrides, full_unit=full_unit, **flags)
    names = list(targets) or [DEFAULT_TARGET]
    if output is None or output == STDIO:
        asked = [document.digest, document.source, names, as_json, *sorted(flags.items())]
        asked += _beside(document)
        kept = remembered(
            "outputs", json.dumps(asked), lambda: _printed(document, names, flags, as_json=as_json)
        )
        text, said, infos = json.loads(kept)
        _remark([Finding(**each) for each in said], infos, more)
        click.echo(text, nl=False)
        return
    from generator.cli.refused import plan_to_print

    plan = plan_to_print(document, names, flags)
    every, names = names, fitting(names, plan)
    findings = [*_losses(plan, names), *away(every, names, plan)]
    _remark([*_warnings(plan), *findings], _infos(plan), more)
    files = [
        dataclasses.replace(file, path=f"{name}/{file.path}")
        for name in names
        for file in all_files(name, plan)
    ]
    how = {"as_json": as_json, "diff": diff, "check": check, "force": force}
    write_files(files, output, [*plan.findings, *findings], within=names, **how)


def _beside(document: Document) -> list[object]:
    """Return what else has a say in the Plan: what was measured on a host that is watched."""
    if "monitor" not in document.data:
        return []
    from generator.pipeline import measured_beside

    return [measured_beside(document)]


def _printed(document: Document, names: list[str], flags: dict[str, Any], *, as_json: bool) -> str:
    """Return as JSON what goes to stdout and stderr, to be remembered."""
    from generator.cli.refused import plan_to_print

    plan = plan_to_print(document, names, flags)
    every, names = names, fitting(names, plan)
    losses = [*_losses(plan, names), *away(every, names, plan)]
    files = [(name, file) for name in names for file in load_target(name).render(plan)]
    text = files_text(files, [*plan.findings, *losses], as_json=as_json)
    said = [dataclasses.asdict(each) for each in (*_warnings(plan), *losses)]
    return json.dumps([text, said, _infos(plan)])


def _losses(plan: Plan, names: list[str]) -> list[Finding]:
    return [finding for name in names for finding in limitations(name, plan)]


def _warnings(plan: Plan) -> list[Finding]:
    return [finding for finding in plan.remarks if finding.severity != "info"]


def _infos(plan: Plan) -> int:
    return len(plan.remarks) - len(_warnings(plan))


def _remark(said: list[Finding], infos: int, more: str) -> None:
    """Print what is wrong, and by which command one sees what is worth knowing beside."""
    print_findings(said)
    if infos:
        say(f"{counted(remark=infos)}: {more}")
