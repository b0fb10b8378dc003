"""A Report as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.check.report import in_a_line

if TYPE_CHECKING:
    from generator.check.report import Report
    from generator.view import LocatedFinding

COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> str:
    """Return one command per Finding that nobody silences."""
    return "".join(_command(placed) for placed in report.findings)


def _command(placed: LocatedFinding) -> str:
    finding, place = placed.finding, placed.place
    line = f",line={place.line}" if place.line else ""
    where = f"file={_property(place.file)}{line},title={finding.rule}"
    return f"::{COMMANDS[finding.severity]} {where}::{_data(in_a_line(finding))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
