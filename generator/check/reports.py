"""A Report in the forms that programs read: JSON, SARIF, JUnit XML, and what forges take."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from generator.check.excerpt import excerpt
from generator.check.mend import fixable
from generator.errors import SEVERITIES
from generator.formats.data import to_json
from generator.formats.junit import Case, junit
from generator.rules.registry import every_rule
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.check.report import Report
    from generator.errors import Finding
    from generator.rules.rule import Rule
    from generator.view import LocatedFinding, NotJudged

HOME: Final = "https://github.com/hostwright/hostwright"
SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}
_QUALITY: Final = {"error": "critical", "warning": "major", "info": "info"}


def as_json(report: Report) -> str:
    """Return the Findings, each with its place, page and whether `--fix` mends it, and the counts.

    `column` and `end_column` are those of the mark in the text report, 0 where that has none.
    `links` are further names of files. `not_judged` are the files, or parts of files, that nobody
    has judged, and why.
    """
    return to_json(
        {
            "schema_version": 1,
            "files": list(report.judged),
            "links": [{"file": name, "same_as": file} for name, file in report.links.items()],
            "findings": [
                {
                    "file": placed.place.file,
                    "line": placed.place.line,
                    **dict(zip(("column", "end_column"), _columns(placed, report), strict=True)),
                    "setting": placed.setting,
                    "page": page_of(placed.finding.rule),
                    **dataclasses.asdict(placed.finding),
                    "fixable": fixable(placed, report.texts),
                    "unsafe_fix": placed.unsafe and fixable(placed, report.texts, unsafe=True),
                    "withheld": placed.withheld,
                }
                for placed in report.found
            ],
            "counts": {severity: report.count(severity) for severity in SEVERITIES}
            | {"ignored": len(report.ignored)},
            "not_judged": [
                {
                    "file": each.file,
                    "line": each.line,
                    "part": each.part,
                    "reason": each.reason,
                    "hint": each.hint,
                }
                for each in report.not_judged
            ],
        }
    )


def as_sarif(report: Report) -> str:
    """Return SARIF 2.1.0, which code-scanning services and editors read.

    It is one run with the rules that were hit and all results.
    """
    ids = sorted({placed.finding.rule for placed in report.found})
    driver = {
        "name": "Hostwright",
        "informationUri": HOME,
        "rules": [_rule(every_rule()[name]) for name in ids],
    }
    results = [_result(placed, ids, report) for placed in report.found]
    notes = [
        {
            "level": "warning",
            "message": {"text": _not_judged(each)},
            "locations": [{"physicalLocation": _location(Place(each.file, each.line))}],
        }
        for each in report.not_judged
    ]
    told = [{"executionSuccessful": True, "toolExecutionNotifications": notes}]
    run = {
        "tool": {"driver": driver},
        "invocations": told,
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return to_json({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def page_of(rule: str) -> str:
    """Return the address of a rule's page."""
    return f"{HOME}/blob/main/docs/rules/{rule}.md"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "helpUri": page_of(rule.id),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\nBad:\n{rule.bad}\n\nGood:\n{rule.good}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _columns(placed: LocatedFinding, report: Report) -> tuple[int, int]:
    """Return where the mark of the text report begins and what is behind it; 0: it has none."""
    found = excerpt(placed, report)
    return found.columns if found else (0, 0)


def _result(placed: LocatedFinding, ids: list[str], report: Report) -> dict[str, Any]:
    finding = placed.finding
    location = _location(placed.place, _columns(placed, report))
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": _in_a_line(finding)},
        "locations": [{"physicalLocation": location}],
    }
    if placed.setting:
        result["properties"] = {"setting": placed.setting}
    if finding.ignored:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.ignored}]
    return result


def _not_judged(each: NotJudged) -> str:
    part = f"{each.part} " if each.part else ""
    hint = f" ({each.hint})" if each.hint else ""
    return f"{part}not judged: {each.reason}{hint}"


def _location(place: Place, columns: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    from urllib.parse import quote

    location: dict[str, Any] = {"artifactLocation": {"uri": quote(place.file)}}
    if place.line:
        marked = dict(zip(("startColumn", "endColumn"), columns, strict=True))
        location["region"] = {"startLine": place.line, **(marked if any(columns) else {})}
    return location


def as_junit(report: Report) -> str:
    """Return JUnit XML: one test case per file and rule that was hit, or one that passed.

    Findings of severity info are output, not failures; what was not judged is skipped.
    """
    cases: dict[str, list[Case]] = {file: [] for file in report.judged}
    for each in report.not_judged:
        gap = Case(name="not judged", outcome="skipped", message=_not_judged(each))
        cases.setdefault(each.file, []).append(gap)
    for placed in report.found:
        cases.setdefault(placed.place.file, []).append(_case(placed))
    clean = [Case(name="no findings")]
    return junit((file, cases[file] or clean) for file in sorted(cases))


def _fails(finding: Finding) -> bool:
    return finding.severity != "info" and not finding.ignored


def _case(placed: LocatedFinding) -> Case:
    finding, place = placed.finding, placed.place
    name = f"{finding.rule} {finding.where}" + (f" line {place.line}" if place.line else "")
    if finding.ignored:
        return Case(name=name, outcome="skipped", message=finding.ignored)
    text = finding.message + (f"\n{finding.fix}" if finding.fix else "")
    return Case(
        name=name,
        outcome="failure" if _fails(finding) else "remarked",
        message=finding.message,
        text=text,
        kind=finding.severity,
    )


def as_github(report: Report) -> str:
    """Return workflow commands, which GitHub shows beside the lines of a pull request.

    It is one command per Finding that nobody silences, and a notice for what was not judged.
    """
    found = (_command(placed, report) for placed in report.findings)
    return "".join((*found, *map(_notice, report.gaps)))


def _notice(each: NotJudged) -> str:
    line = f",line={each.line}" if each.line else ""
    where = f"file={_property(each.file)}{line},title=not judged"
    return f"::notice {where}::{_data(_not_judged(each))}\n"


def _command(placed: LocatedFinding, report: Report) -> str:
    finding, place = placed.finding, placed.place
    line = f",line={place.line}" if place.line else ""
    first, behind = _columns(placed, report)
    line += f",col={first},endColumn={behind}" if first else ""
    where = f"file={_property(place.file)}{line},title={finding.rule}"
    return f"::{_COMMANDS[finding.severity]} {where}::{_data(_in_a_line(finding))}\n"


def as_gitlab(report: Report) -> str:
    """Return a Code Quality report, which GitLab shows in a merge request."""
    found = [_quality(placed) for placed in report.findings]
    return to_json([*found, *map(_unjudged, report.gaps)])


def _unjudged(each: NotJudged) -> dict[str, Any]:
    told = _not_judged(each)
    return _entry("not-judged", told, Place(each.file, each.line), "info")


def _quality(placed: LocatedFinding) -> dict[str, Any]:
    finding = placed.finding
    severity = _QUALITY[finding.severity]
    return _entry(finding.rule, _in_a_line(finding), placed.place, severity, finding.message)


def _entry(name: str, text: str, place: Place, severity: str, message: str = "") -> dict[str, Any]:
    """Return an issue of a Code Quality report; its `message` is what makes it the same one."""
    import hashlib

    told = "\0".join((name, place.file, str(place.line), message or text))
    return {
        "description": text,
        "check_name": name,
        "fingerprint": hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest(),
        "severity": severity,
        "location": {"path": place.file, "lines": {"begin": max(place.line, 1)}},
    }


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _in_a_line(finding: Finding) -> str:
    """Return what a Finding is about, what it says, and what to do, where there is no layout."""
    fix = f" ({finding.fix})" if finding.fix else ""
    about = f"{finding.where}: " if finding.where else ""
    return f"{about}{finding.message}{fix}"


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "github": as_github,
    "gitlab": as_gitlab,
}
