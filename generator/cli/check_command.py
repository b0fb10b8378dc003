"""`gen check`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    filled_option,
    html_option,
    json_option,
    profile_option,
    release_option,
    targets_option,
)
from generator.cli.streams import STDIO, stdin_if
from generator.cli.talk import coloured, counted, say, visible
from generator.cli.talk import report as tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.check.gather import CheckRequest
    from generator.check.report import Report
    from generator.errors import HostwrightError
    from generator.files.rewrite import Rewritten

FORMATS: Final = ("text", "json", "sarif", "junit", "github", "gitlab")
FAIL_ON: Final = ("error", "warning", "info", "never", "not-judged")
_LEAVE_OUT: Final = "leave it out: `--fix --diff` shows its patch"
"""What there is to do about a file that cannot be written."""
EXAMPLES: Final = """
\b
Examples:
  gen check                              what this machine runs
  gen check xeon-cpu ./my-host.toml
  gen check /etc/systemd/system/ollama.service.d
  gen check compose.yaml --ollama-version 0.24
  gen check . --fix --diff               show what --fix would change
  gen check . --format sarif > hostwright.sarif
  systemctl cat ollama | gen check - --stdin-name ollama.service
\b
Silence a rule where it does not hold, with a reason:
  # hostwright: ignore HW401 because a proxy authenticates
  [check] ignore = [{ rule = "HW401", reason = "…" }]     in a profile
"""


@click.command(name="check", epilog=EXAMPLES)
@click.argument("paths", metavar="[PATH|PROFILE]...", nargs=-1)
@profile_option("profiles", multiple=True)
@release_option("Release that runs.  [default: what a file says, or newest]")
@click.option(
    "--nixos",
    metavar="RELEASE",
    help="Release of NixOS that modules are for, like 25.11 or unstable: which options there are, "
    "and which Ollama.  [default: what a file or its flake says]",
)
@filled_option(
    "--host",
    metavar="FILE",
    example="host.toml",
    text="TOML with a [host] table: facts of the machine.",
)
@filled_option(
    "--root",
    metavar="DIR",
    example="/mnt",
    text="Without PATH: the machine whose files are below DIR, instead of this one.",
)
@targets_option("Also say what this target cannot express of a profile.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to report.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="warning",
    show_default=True,
    help="Least severity that makes the exit code 1; `not-judged`: a warning, and code 2 for what "
    "was not judged.",
)
@click.option("--select", multiple=True, metavar="HW1,…", help="Only these rules.")
@click.option("--ignore", multiple=True, metavar="HW203,…", help="Not these rules.")
@click.option("--fix", is_flag=True, help="Back up, then mend what can be mended mechanically.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix: mend also what then says what nobody has written, as another image.",
)
@click.option("--diff", is_flag=True, help="With --fix: show it as a patch, write nothing.")
@click.option("--statistics", is_flag=True, help="Print how often each rule was hit.")
@click.option("--stdin-name", default="", metavar="NAME", help="File name that `-` stands for.")
@html_option
@json_option
def command(
    paths: tuple[str, ...],
    *,
    profiles: tuple[str, ...],
    form: str,
    as_json: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    fail_on: str,
    statistics: bool,
    html: str | None,
    **asked: Any,  # noqa: ANN401 -- what `_wanted` takes
) -> None:
    """Check profiles, and files of others, against what Ollama really reads.

    Without PATH it checks what this machine runs: units, drop-ins, quadlets, the compose projects
    that docker tells of, and files of variables.

    Takes profiles, plans, units, quadlets, compose files, Dockerfiles, NixOS modules, manifests
    and values of Kubernetes, Terraform, Ansible, CI files, scripts, Modelfiles, environment files,
    guides, what stands before and beside a server (nginx, Caddy, LiteLLM, Prometheus, …), and
    directories.
    """
    named = (*paths, *profiles)
    if fix and not (named or diff):
        raise Misuse("--fix mends what is named", "name files, or add --diff", where="--fix")
    if diff and not fix:
        raise Misuse("--diff shows what --fix would change", "write both", where="--diff")
    if unsafe_fixes and not fix:
        message = "--unsafe-fixes says what --fix may mend"
        raise Misuse(message, "write both", where="--unsafe-fixes")
    if diff and (as_json or form != "text"):
        raise Misuse("--diff prints a patch, which has no other format", where="--diff")
    from generator.check.gather import check

    wanted = _wanted(named, writes=fix and not diff, **asked)
    report, failure = check(wanted, fixing=fix), 0
    if fix and not diff:
        report, failure = _fixed(wanted, report, unsafe=unsafe_fixes)
    _say_notes(wanted, report)
    if html is not None:
        from generator.check.page import as_page
        from generator.cli.writing import write_page

        write_page(as_page(report), html)
    if diff:
        _print_patch(report, unsafe=unsafe_fixes)
    elif html != STDIO:
        _print(report, "json" if as_json else form, statistics=statistics)
    click.get_current_context().exit(max(_exit_code(report, fail_on), failure))


def _say_notes(wanted: CheckRequest, report: Report) -> None:
    from generator.check.gather import notes

    for sentence in notes(wanted, report):
        say(sentence)


def _wanted(
    paths: tuple[str, ...],
    *,
    writes: bool,
    root: str | None,
    host: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    **asked: Any,  # noqa: ANN401 -- a CheckRequest, with what it is about
) -> CheckRequest:
    from generator.catalogue.catalogue import load_catalogue
    from generator.check.gather import CheckRequest
    from generator.check.settings import read_settings

    if root is not None and paths:
        raise Misuse("--root stands for what is named", "leave one of them out", where="--root")
    if root is not None and not Path(root).is_dir():
        raise Misuse(f"there is no directory `{root}`", where="--root")
    if STDIO in paths and host == STDIO:
        raise Misuse("`-` stands twice for stdin", "name a file in one place", where="--host")
    if STDIO in paths and writes:
        raise Misuse("--fix cannot write to stdin", "add --diff, or name a file", where="--fix")
    return CheckRequest(
        settings=read_settings(load_catalogue()),
        paths=paths,
        root=root,
        host=Path(host) if host is not None else None,
        select=_rules(select),
        ignore=_rules(ignore),
        stdin=stdin_if(*paths, host),
        **asked,
    )


def _rules(values: tuple[str, ...]) -> tuple[str, ...]:
    from generator.rules.registry import every_rule

    rules = [part.strip().upper() for value in values for part in value.split(",")]
    for rule in rules:
        if not rule or not any(known.startswith(rule) for known in every_rule()):
            message = f"`{rule}` is no rule, nor the beginning of one, like HW1"
            raise Misuse(message, "`gen explain --list rule` has them all")
    return tuple(rules)


def _print(report: Report, form: str, *, statistics: bool) -> None:
    if form == "text":
        from generator.cli import check_text

        text = check_text.statistics(report) if statistics else check_text.render(report)
        click.echo(text, nl=False, color=coloured())
        return
    from generator.check import reports

    click.echo(reports.FORMATS[form](report), nl=False)


def _print_patch(report: Report, *, unsafe: bool) -> None:
    from generator.check.mend import mended
    from generator.cli.writing import print_patch
    from generator.files.diff import Content, unified

    for file, text in mended(report.found, report.texts, unsafe=unsafe).items():
        old, new = (Content(t.encode(), executable=False) for t in (report.texts[file], text))
        print_patch(unified(file.lstrip("/"), old, new))


def _fixed(wanted: CheckRequest, report: Report, *, unsafe: bool) -> tuple[Report, int]:
    """Mend, and say what: return the Report of what is there then, and the exit code of failures.

    Raises HostwrightError where nothing is mended, because of what stands in the way of something.
    """
    from generator.check.gather import check

    done = _mend(report, unsafe=unsafe)
    if done.failed and not done.kept:
        raise _nothing_mended(done.failed)
    after = check(wanted, fixing=True) if done.kept else report
    for file, kept in done.kept.items():
        say(f"mended {_told(file, report, after)}; as it was: {visible(str(kept))}")
    for failure in done.failed:
        tell(failure)
    return after, max((failure.exit_code for failure in done.failed), default=0)


def _mend(report: Report, *, unsafe: bool) -> Rewritten:
    """Write what can be mended."""
    from generator.check.mend import mended
    from generator.cli.writing import say_link
    from generator.files.rewrite import rewrite_all

    new = mended(report.found, report.texts, unsafe=unsafe)
    for file in new:
        say_link(file)
    return rewrite_all({file: (report.texts[file], text) for file, text in new.items()}, _LEAVE_OUT)


def _nothing_mended(failed: Sequence[HostwrightError]) -> HostwrightError:
    """Return the one failure that tells of all."""
    worst = max(failed, key=lambda failure: failure.exit_code)
    message = "; ".join(failure.message for failure in failed)
    hints = dict.fromkeys(failure.hint for failure in failed if failure.hint)
    return type(worst)(f"nothing is mended: {message}", hint="; ".join(hints))


def _told(file: str, before: Report, after: Report) -> str:
    """Return how many Findings of a file are mended, and how many a person has to look at."""
    first, left = (
        Counter((p.finding.rule, p.finding.where) for p in r.findings if p.place.file == file)
        for r in (before, after)
    )
    rest = f", {left.total()} left to you" if left else ""
    return f"{file}: {counted(finding=max((first - left).total(), 1))}{rest}"


def _exit_code(report: Report, fail_on: str) -> int:
    strict = fail_on == "not-judged"
    if report.broken:
        return 2
    if not report.judged or (strict and report.not_judged):
        return max((each.exit_code for each in report.not_judged), default=2)
    return int(report.reaches("warning" if strict else fail_on))
