"""A Report as JUnit XML: one test case per file and rule that was hit, or one that passed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from generator.check.report import Report
    from generator.view import LocatedFinding

# XML 1.0 has no way to write these, not even as references.
_NO_XML: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Return the XML; Findings of severity info are output, not failures."""
    root = ET.Element("testsuites", name="hostwright")
    by_file: dict[str, list[LocatedFinding]] = {file: [] for file in sorted(report.texts)}
    for placed in report.found:
        by_file.setdefault(placed.place.file, []).append(placed)
    for file, found in by_file.items():
        _suite(root, file, found)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, file: str, found: list[LocatedFinding]) -> None:
    failures = sum(_fails(placed) for placed in found)
    skipped = sum(bool(placed.finding.ignored) for placed in found)
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_text(file),
        tests=str(max(len(found), 1)),
        failures=str(failures),
        skipped=str(skipped),
    )
    if not found:
        ET.SubElement(suite, "testcase", name="no findings", classname=_text(file))
    for placed in found:
        _case(suite, placed)


def _fails(placed: LocatedFinding) -> bool:
    return placed.finding.severity != "info" and not placed.finding.ignored


def _case(suite: ET.Element, placed: LocatedFinding) -> None:
    finding, place = placed.finding, placed.place
    name = f"{finding.rule} {finding.where}" + (f" line {place.line}" if place.line else "")
    case = ET.SubElement(suite, "testcase", name=_text(name), classname=_text(place.file))
    message = f"{finding.message}" + (f"\n{finding.fix}" if finding.fix else "")
    if finding.ignored:
        ET.SubElement(case, "skipped", message=_text(finding.ignored))
    elif _fails(placed):
        failure = ET.SubElement(case, "failure", message=_text(finding.message))
        failure.set("type", finding.severity)
        failure.text = _text(message)
    else:
        ET.SubElement(case, "system-out").text = _text(message)


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
