"""`gen render`, which is also what `gen --profile NAME` does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import planned, profile_option, render_options
from generator.cli.talk import say, tell, word
from generator.targets import TARGETS, load_target

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.plan import Plan
    from generator.targets.base import File
    from generator.write import Change

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
    findings = [dataclasses.asdict(finding) for finding in (*plan.findings, *limitations)]
    if output is None:
        _print(rendered, findings, as_json=as_json)
    else:
        files = [
            dataclasses.replace(file, path=f"{name}/{file.path}")
            for name in names
            for file in (*rendered[name], *load_target(name).install_note(plan))
        ]
        changes = _changes(files, Path(output), names, dry=diff or check, force=force)
        document = {
            "schema_version": 1,
            "changes": [dataclasses.asdict(change) for change in changes],
            "findings": findings,
        }
        _report(changes, output, document if as_json else None, diff=diff, check=check)


def _remarks(plan: Plan, limitations: list[Finding], profile: str) -> None:
    tell(limitations)
    warnings = sum(finding.severity != "info" for finding in plan.findings)
    infos = len(plan.findings) - warnings
    counts = [_count(warnings, "warning"), _count(infos, "remark")]
    if plan.findings:
        say(f"{', '.join(c for c in counts if c)}: gen show {profile}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""


def _print(
    rendered: dict[str, tuple[File, ...]], findings: list[dict[str, Any]], *, as_json: bool
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
            "findings": findings,
        }
        click.echo(to_json(document), nl=False)
        return
    files = [(name, file) for name, group in rendered.items() for file in group]
    for index, (name, file) in enumerate(files):
        if len(files) > 1:
            click.echo(f"{chr(10) if index else ''}# ==> {name}/{file.path}")
        click.echo(file.text, nl=False)


def _changes(
    files: list[File], directory: Path, names: list[str], *, dry: bool, force: bool
) -> tuple[Change, ...]:
    from generator.errors import WriteRefused
    from generator.write import compare, write

    if dry:
        return compare(files, directory, within=names)
    try:
        return write(files, directory, within=names, force=force)
    except WriteRefused:
        for change in compare(files, directory, within=names):
            if change.kind in {"changed", "removed"}:
                say(change.diff.rstrip("\n"))
        raise


def _report(
    changes: tuple[Change, ...],
    directory: str,
    document: dict[str, Any] | None,
    *,
    diff: bool,
    check: bool,
) -> None:
    differ = [change for change in changes if change.kind != "unchanged"]
    if document is not None:
        from generator.formats.data import to_json

        click.echo(to_json(document), nl=False)
    elif diff:
        for change in differ:
            click.echo(change.diff, nl=False)
    _summary(changes, directory, dry=diff or check)
    if check and differ:
        click.get_current_context().exit(1)


def _summary(changes: tuple[Change, ...], directory: str, *, dry: bool) -> None:
    kinds = ("new", "changed", "removed", "kept", "unchanged")
    counts = {kind: sum(change.kind == kind for change in changes) for kind in kinds}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    say(f"{'would be in' if dry else 'in'} {directory}: {told}")
    for change in changes if not dry else ():
        if change.path.endswith("README.md"):
            say(f"{word('hint')} how to apply, verify and remove: {directory}/{change.path}")
