"""A Report as JSON, schema version 1."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from generator.check.mend import fixable
from generator.errors import SEVERITIES
from generator.formats.data import to_json

if TYPE_CHECKING:
    from generator.check.report import Report
    from generator.view import LocatedFinding


def render(report: Report) -> str:
    """Return the Findings, each with its place and whether `--fix` mends it, and the counts.

    `failures` are why some files were not read.
    """
    return to_json(
        {
            "schema_version": 1,
            "files": sorted(report.texts),
            "findings": [_finding(placed, report) for placed in report.found],
            "counts": {severity: report.count(severity) for severity in SEVERITIES}
            | {"ignored": len(report.ignored)},
            "failures": [
                {"message": each.error.message, "hint": each.error.hint, "named": each.named}
                for each in report.failures
            ],
        }
    )


def _finding(placed: LocatedFinding, report: Report) -> dict[str, Any]:
    return {
        "file": placed.place.file,
        "line": placed.place.line,
        **dataclasses.asdict(placed.finding),
        "fixable": fixable(placed, report.texts),
    }
