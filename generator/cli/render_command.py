"""`gen render`, which is also what `gen --profile NAME` does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import planned, profile_option, render_options
from generator.cli.talk import counted, say, tell
from generator.cli.writing import changes_of, report_changes
from generator.targets import TARGETS, load_target

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.plan import Plan
    from generator.targets.base import File

DEFAULT_TARGET: Final = "nixos"
EXAMPLES: Final = """
\b
Examples:
  gen render --profile xeon-cpu
  gen render --profile dual-pascal -t all -o out
  gen render --profile dual-pascal -t systemd -o out --diff
  gen render --profile dgx-spark -t systemd --full-unit -o out --force
  gen render --profile xeon-cpu -t compose --set resources.memory_max=16G
"""


@click.command(name="render", epilog=EXAMPLES)
@profile_option
@render_options
def command(profile: str | None, **options: Any) -> None:  # noqa: ANN401
    """Render a profile for one or more targets.

    Without -o the files go to stdout. With -o they go to DIR/<target>/; a file that is there and
    differs is shown and kept, unless --force.
    """
    if profile is None:
        raise click.UsageError("name a profile: --profile NAME or --profile PATH")
    run(profile, **options)


def run(
    profile: str,
    *,
    targets: tuple[str, ...],
    output: str | None,
    diff: bool,
    check: bool,
    force: bool,
    as_json: bool,
    **plan_flags: Any,  # noqa: ANN401
) -> None:
    """Render `profile` and print, compare or write the files."""
    if output is None and (diff or check or force):
        raise click.UsageError("--diff, --check and --force are about files: name them by -o DIR")
    if output == "":
        raise click.UsageError("-o names no directory: write one, like -o out")
    plan = planned(profile, **plan_flags)
    names = list(TARGETS) if "all" in targets else list(dict.fromkeys(targets)) or [DEFAULT_TARGET]
    rendered = {name: load_target(name).render(plan) for name in names}
    limitations = [finding for name in names for finding in load_target(name).limitations(plan)]
    _remarks(plan, limitations, profile)
    findings = [*plan.findings, *limitations]
    if output is None:
        _print(rendered, findings, as_json=as_json)
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


def _print(
    rendered: dict[str, tuple[File, ...]], findings: list[Finding], *, as_json: bool
) -> None:
    if as_json:
        from generator.formats.data import to_json

        document = {
            "schema_version": 1,
            "files": [
                {"target": name, "path": file.path, "text": file.text}
                for name, files in rendered.items()
                for file in files
            ],
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }
        click.echo(to_json(document), nl=False)
        return
    files = [(name, file) for name, group in rendered.items() for file in group]
    for index, (name, file) in enumerate(files):
        if len(files) > 1:
            click.echo(f"{chr(10) if index else ''}# ==> {name}/{file.path}")
        click.echo(file.text, nl=False)
