"""A Report as a page for people, to look at or to attach to a ticket."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

from generator.check.excerpt import excerpt
from generator.check.mend import fixable
from generator.check.reports import page_of
from generator.errors import SEVERITIES
from generator.formats.page import Bar, page
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from generator.check.report import Report
    from generator.view import LocatedFinding


def as_page(report: Report) -> str:
    """Return the HTML: rules, then each file with its lines, and what was not judged."""
    ordered = sorted(report.findings, key=lambda placed: (placed.place.file, placed.place.line))
    by_file = itertools.groupby(ordered, key=lambda placed: placed.place.file)
    told = {placed.place.file for placed in ordered}
    return page(
        "check",
        title="gen check",
        lead=_lead(report),
        rules=_rules(report),
        files=[(file, [_finding(each, report) for each in found]) for file, found in by_file],
        not_judged=[(e.file, e.line or "", e.part, e.reason) for e in report.not_judged],
        clean=[(file,) for file in report.judged if file not in told],
    )


def _lead(report: Report) -> str:
    nouns = zip(SEVERITIES, ("error", "warning", "remark"), strict=True)
    counts = [(report.count(severity), noun) for severity, noun in nouns]
    told = ", ".join(f"{n} {noun if n == 1 else f'{noun}s'}" for n, noun in counts if n)
    part = f" ({len(report.in_part)} in part)" if report.in_part else ""
    judged = f"{len(report.judged)} judged{part}, {len(report.unjudged)} not"
    return f"{judged}; {told or 'nothing to remark'}"


def _rules(report: Report) -> list[Bar]:
    hits = Counter(placed.finding.rule for placed in report.findings)
    worst = {placed.finding.rule: placed.finding.severity for placed in reversed(report.findings)}
    most = max(hits.values(), default=0)
    rules = every_rule()
    order = sorted(hits, key=lambda rule: (SEVERITIES.index(worst[rule]), -hits[rule], rule))
    return [
        Bar(
            rule,
            [(worst[rule], hits[rule] / most, rules[rule].why)],
            f"{hits[rule]}  {rules[rule].title}",
        )
        for rule in order
    ]


def _finding(placed: LocatedFinding, report: Report) -> dict[str, Any]:
    finding, line = placed.finding, placed.place.line
    found = excerpt(placed, report)
    return {
        "severity": finding.severity,
        "rule": finding.rule,
        "page": page_of(finding.rule),
        "where": f"line {line}" if line else finding.where,
        "message": finding.message,
        "line": found and found.parts,
        "fix": finding.fix,
        "fixable": fixable(placed, report.texts),
        "withheld": placed.withheld,
    }
