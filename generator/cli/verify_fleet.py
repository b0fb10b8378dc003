"""`gen verify --fleet`: the hosts of a fleet, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from generator.cli.streams import STDIO, print_json, stdin_if
from generator.cli.talk import counted, printable, status, table

if TYPE_CHECKING:
    from generator.verify.fleet import Asked

HEAD: Final = ("host", "profile", "state", "what")


def verified_fleet(
    file: str, only: tuple[str, ...], *, seconds: float, form: str, html: str | None = None
) -> tuple[tuple[Asked, ...], int]:
    """Ask the hosts of a fleet file, print what became of them, and return that and the code."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.fleet.decide import decide_fleet
    from generator.verify.fleet import in_clusters, verify_fleet

    fleet = decide_fleet(Path(file), only=only, stdin=stdin_if(file))
    try:
        asked = verify_fleet(fleet.nodes, load_catalogue(), seconds=seconds, tell=_tell)
    finally:
        status()
    asked += in_clusters(fleet.clusters)
    code = code_of(asked)
    if html is not None:
        from generator.cli.writing import write_page
        from generator.verify.page import as_fleet_page

        write_page(as_fleet_page(asked, [*map(_what, asked)]), html)
    if html != STDIO:
        _print(form, asked, code)
    return asked, code


def _tell(done: int, of: int) -> None:
    status(f"{done} of {of} hosts")


def code_of(asked: tuple[Asked, ...]) -> int:
    """Return the exit code: drift of any host comes before another's silence."""
    codes = {one.code for one in asked}
    return next((code for code in (1, 3) if code in codes), 0)


def _print(form: str, asked: tuple[Asked, ...], code: int) -> None:
    if form == "json":
        print_json(hosts=[_document(one) for one in asked])
    elif form == "text":
        click.echo(printable(fleet_text(asked)))
    else:
        from generator.verify.reports import fleet_as_junit, fleet_as_nagios

        junit = form == "junit"
        click.echo(fleet_as_junit(asked) if junit else fleet_as_nagios(asked, code), nl=False)


def _document(one: Asked) -> dict[str, object]:
    from generator.cli.verify_command import document

    there = one.found is not None and one.seen is not None
    return {
        "name": one.name,
        "address": one.address,
        "profile": one.plan.name,
        "state": one.state,
        "failure": one.failure,
        "verified": document(one.found, one.seen) if there else None,  # type: ignore[arg-type]
    }


def fleet_text(asked: tuple[Asked, ...]) -> str:
    """Return a row for each host, and a line of counts."""
    from generator.verify.fleet import STATES

    rows = [(one.name, one.plan.name, one.state, _what(one)) for one in asked]
    states = [one.state for one in asked]
    told = [f"{states.count(state)} {state}" for state in STATES.values() if state in states]
    silent = [one.name for one in asked if one.state == "silent"]
    names = f"; cannot be asked: {', '.join(silent)}" if silent else ""
    return f"{table(HEAD, rows)}\n{counted(host=len(rows))}: {', '.join(told)}{names}"


def _what(one: Asked) -> str:
    """Return what there is to say of a host: why it is silent, or what differs there."""
    if one.found is None or one.seen is None:
        return one.failure
    wrong = [row for row in one.found.rows if row.fails]
    if wrong:
        return "; ".join(f"{row.setting}: {row.why}" for row in wrong)
    if silent := one.found.silence(one.seen):
        return silent
    verdicts = [row.verdict for row in one.found.rows]
    return f"{counted(setting=len(verdicts))}, {verdicts.count('unknown')} unknown"
