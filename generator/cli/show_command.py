"""`gen show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    instance_option,
    json_option,
    plan_options,
    profile_argument,
)
from generator.cli.secrets_shown import shown
from generator.cli.streams import keyed, print_json
from generator.cli.talk import print_findings, table
from generator.pipeline import plan_of
from generator.targets import TARGETS, limitations, load_target

if TYPE_CHECKING:
    from generator.plan import Plan

HEAD: Final = ("setting", "value", "why")
EXAMPLES = """
\b
Examples:
  gen show xeon-cpu
  gen show xeon-cpu --ollama-version 0.9
  gen show ./my-host.toml --set ollama.num_parallel=2 --json
  gen show xeon-cpu -t compose        and what that target leaves out
  gen show ./my-host.toml --toml      the profile, extends and --set applied
"""


@click.command(name="show", epilog=EXAMPLES)
@profile_argument
@plan_options
@instance_option
@click.option(
    "-t", "--target", type=click.Choice(list(TARGETS)),
    help="Also what this target leaves out of the decisions, and why.",
)  # fmt: skip
@click.option("--toml", "as_toml", is_flag=True, help="Print the merged profile instead.")
@json_option
def command(
    profile: str,
    target: str | None,
    as_toml: bool,
    as_json: bool,
    overrides: tuple[str, ...],
    full_unit: bool,
    **flags: Any,  # noqa: ANN401 -- what `plan_of` takes
) -> None:
    """Show every setting of a profile with its reason, then the findings."""
    if as_toml and as_json:
        raise Misuse("--toml and --json exclude each other", "choose one of them", where="--toml")
    document = document_of(profile, overrides, full_unit=full_unit)
    plan = plan_of(document, **flags)
    findings = [*plan.findings, *(limitations(target, plan) if target else ())]
    if as_toml:
        from generator.formats.data import to_toml

        merged = {key: value for key, value in document.data.items() if key != "extends"}
        click.echo(to_toml(merged), nl=False)
    elif as_json:
        print_json(
            settings=_settings(plan),
            left_out=keyed(("what", "why"), _left_out(target, plan)),
            findings=findings,
        )
    else:
        for number, part in enumerate(plan.parts):
            if number:
                click.echo()
            click.echo(_title(part, named=len(plan.services) > 1))
            click.echo(table(HEAD, _rows(part)))
        if target:
            click.echo()
            click.echo(table((f"{target} leaves out", "why"), _once(_left_out(target, plan))))
        print_findings(findings)


def _title(plan: Plan, *, named: bool) -> str:
    service = plan.service
    server = f"{service.product} {service.release}"
    names = [plan.name, service.name] if named else [plan.name]
    return " · ".join((*names, server, plan.host.system, service.acceleration))


def _left_out(target: str | None, plan: Plan) -> list[tuple[str, str]]:
    every = load_target(target).LEFT_OUT if target else ()
    items = [item for item in every if any(map(item.concerns, plan.services))]
    return [(what, item.why) for item in items for what in item.what]


def _once(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the rows with a reason where it is another than the one above."""
    before = ["", *(why for _, why in rows[:-1])]
    pairs = zip(rows, before, strict=False)
    return [(what, "" if why == last else why) for (what, why), last in pairs]


def _settings(plan: Plan) -> list[dict[str, object]]:
    """Return the rows as JSON has them, of several servers each with its name."""
    several = len(plan.services) > 1
    return [
        row | ({"service": part.service.name} if several else {})
        for part in plan.parts
        for row in keyed(HEAD, _rows(part))
    ]


def _rows(plan: Plan) -> list[tuple[str, str, str]]:
    service = plan.service
    rows = [(s.name, shown(plan, s), f"{s.source}: {s.reason}") for s in service.environment]
    rows += [(a.name, a.value, f"{a.source}: {a.reason}") for a in service.arguments]
    rows += [(x.directive, x.written, f"{x.source}: {x.reason}") for x in service.limits]
    for model in service.models:
        rows.append(("model", model.served, model.role))
        rows += [(f"  {p.name}", p.value, p.reason) for p in model.parameters]
    rows += [(job.name, "", job.reason) for job in service.jobs]
    return rows
