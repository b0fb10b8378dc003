"""A Report as SARIF 2.1.0, which code-scanning services and editors read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.check.report import in_a_line
from generator.formats.data import to_json
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from generator.check.report import Report
    from generator.rules.rule import Rule
    from generator.view import LocatedFinding, Place

LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report) -> str:
    """Return one run with the rules that were hit and all results."""
    ids = sorted({placed.finding.rule for placed in report.found})
    driver = {
        "name": "Hostwright",
        "informationUri": "https://github.com/hostwright/hostwright",
        "rules": [_rule(every_rule()[name]) for name in ids],
    }
    results = [_result(placed, ids) for placed in report.found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\nBad:\n{rule.bad}\n\nGood:\n{rule.good}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(placed: LocatedFinding, ids: list[str]) -> dict[str, Any]:
    finding = placed.finding
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": LEVELS[finding.severity],
        "message": {"text": in_a_line(finding)},
        "locations": [{"physicalLocation": _location(placed.place)}],
    }
    if finding.ignored:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.ignored}]
    return result


def _location(place: Place) -> dict[str, Any]:
    from urllib.parse import quote

    location: dict[str, Any] = {"artifactLocation": {"uri": quote(place.file)}}
    if place.line:
        location["region"] = {"startLine": place.line}
    return location
