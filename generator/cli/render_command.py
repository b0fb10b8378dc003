"""`gen render`, which is also what `gen --profile NAME` does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    TARGET,
    document_of,
    json_option,
    needs_directory,
    output_options,
    plan_options,
    planned,
    profile_argument,
)
from generator.cli.streams import STDIO
from generator.cli.talk import counted, say, tell
from generator.cli.writing import changes_of, print_files, report_changes
from generator.targets import TARGETS, load_target

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.plan import Plan

DEFAULT_TARGET: Final = "nixos"
EXAMPLES: Final = """
\b
Examples:
  gen render xeon-cpu, or: gen xeon-cpu, gen --profile xeon-cpu
  gen render dual-pascal -t all -o out
  gen render dual-pascal -t systemd -o out --diff
  gen render dgx-spark -t systemd --full-unit -o out --force
  gen render - -t compose --set resources.memory_max=16G < my-host.toml
"""


@click.command(name="render", epilog=EXAMPLES)
@profile_argument
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    type=TARGET,
    help="What to render; repeatable.  [default: nixos]",
)
@output_options("Replace files that differ.")
@plan_options
@json_option
def command(
    profile: str,
    *,
    targets: tuple[str, ...],
    output: str | None,
    diff: bool,
    check: bool,
    force: bool,
    as_json: bool,
    overrides: tuple[str, ...],
    full_unit: bool,
    **flags: Any,  # noqa: ANN401 -- what `planned` takes
) -> None:
    """Render a profile for one or more targets.

    Without -o the files go to stdout. With -o they go to DIR/<target>/; a file that is there and
    differs is shown and kept, unless --force.
    """
    needs_directory(output, diff=diff, check=check, force=force)
    plan = planned(document_of(profile, overrides, full_unit=full_unit), **flags)
    names = list(TARGETS) if "all" in targets else list(dict.fromkeys(targets)) or [DEFAULT_TARGET]
    rendered = {name: load_target(name).render(plan) for name in names}
    limitations = [finding for name in names for finding in load_target(name).limitations(plan)]
    _remarks(plan, limitations, profile)
    findings = [*plan.findings, *limitations]
    if output is None or output == STDIO:
        printed = [(name, file) for name in names for file in rendered[name]]
        print_files(printed, findings, as_json=as_json)
    else:
        files = [
            dataclasses.replace(file, path=f"{name}/{file.path}")
            for name in names
            for file in (*rendered[name], *load_target(name).install_note(plan))
        ]
        changes = changes_of(files, Path(output), within=names, dry=diff or check, force=force)
        report_changes(changes, output, findings, as_json=as_json, diff=diff, check=check)


def _remarks(plan: Plan, limitations: list[Finding], profile: str) -> None:
    tell(limitations)
    warnings = sum(finding.severity != "info" for finding in plan.remarks)
    infos = len(plan.remarks) - warnings
    counts = [counted(warnings, "warning"), counted(infos, "remark")]
    if plan.remarks:
        say(f"{', '.join(c for c in counts if c)}: gen show {profile}")
