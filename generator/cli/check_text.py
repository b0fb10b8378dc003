"""A Report for people: by file, one line per Finding, what to do below it."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from generator.check.excerpt import excerpt
from generator.check.mend import fixable
from generator.cli.talk import COLOURS, counted, visible, width
from generator.errors import SEVERITIES
from generator.rules.registry import every_rule
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.check.report import Report
    from generator.view import LocatedFinding

_SHORT: Final = 40
_FEW: Final = 6
_FEW_FILES: Final = 3


def render(report: Report) -> str:
    """Return the Findings that nobody silences, by file and line, and a line of counts."""
    repeated = _repeated(report)
    told = {id(placed) for group in repeated for placed in group}
    found = (placed for placed in report.findings if id(placed) not in told)
    ordered = sorted(found, key=lambda placed: (placed.place.file, placed.place.line))
    blocks = []
    for file, group in itertools.groupby(ordered, key=lambda placed: placed.place.file):
        lines = [line for placed in group for line in _finding(placed, report)]
        blocks.append("\n".join([click.style(visible(file), bold=True), *lines]))
    blocks += ["\n".join(_together(group, report)) for group in repeated]
    blocks += ["\n".join(line) for line in [[*_gaps(report), *_links(report)]] if line]
    return "\n\n".join([*blocks, "\n".join([*_more(report), _counts(report)])]) + "\n"


def _repeated(report: Report) -> list[list[LocatedFinding]]:
    """Return the Findings that say the same of many files, which are told once."""
    groups: dict[tuple[str, ...], list[LocatedFinding]] = {}
    for placed in report.findings:
        finding = placed.finding
        same = (finding.rule, finding.severity, finding.message, finding.fix)
        groups.setdefault(same, []).append(placed)
    return [g for g in groups.values() if len({placed.place.file for placed in g}) > _FEW_FILES]


def _together(group: list[LocatedFinding], report: Report) -> Iterator[str]:
    files = len({placed.place.file for placed in group})
    yield click.style(f"the same in {files} files", bold=True)
    alone = dataclasses.replace(group[0], place=Place(group[0].place.file))
    alone = dataclasses.replace(alone, finding=dataclasses.replace(alone.finding, where=""))
    yield from _finding(alone, report)
    for place in sorted({placed.place for placed in group}, key=lambda p: (p.file, p.line)):
        yield f"        {visible(place.file)}{f':{place.line}' if place.line else ''}"


def _gaps(report: Report) -> Iterator[str]:
    """Yield what nobody has judged, each hint once."""
    told: set[str] = set()
    for each in report.gaps:
        line = f":{each.line}" if each.line else ""
        part = f"{each.part}, " if each.part else ""
        yield from _wrapped(f"{each.file}{line}: {part}not judged: {each.reason}", "")
        if each.hint not in told:
            yield from _wrapped(each.hint, "        ")
        told.add(each.hint)


def _links(report: Report) -> Iterator[str]:
    """Yield the names that are another one's file."""
    for name, file in report.links.items():
        yield from _wrapped(f"{name}: the same file as {file}", "")


def _wrapped(text: str, lead: str) -> Iterator[str]:
    import textwrap

    room = width() - len(lead)
    lines = textwrap.wrap(visible(text), room, subsequent_indent="  ", break_on_hyphens=False)
    yield from (lead + line for line in lines)


def _finding(placed: LocatedFinding, report: Report) -> Iterator[str]:
    import textwrap

    finding, place = placed.finding, placed.place
    lead = f"  {place.line or '':>4}  "
    head = f"{finding.severity} {finding.rule} "
    where = f"{finding.where}: " if finding.where and not place.line else ""
    text = visible(f"{where}{finding.message}")
    room = width()
    body = textwrap.wrap(head + text, room - len(lead), break_on_hyphens=False)
    coloured = click.style(finding.severity, fg=COLOURS[finding.severity])
    yield lead + coloured + body[0][len(finding.severity) :]
    yield from (" " * len(lead) + line for line in body[1:])
    yield from _excerpt(placed, report, " " * len(lead))
    if finding.fix:
        fix = textwrap.wrap(visible(finding.fix) + _mark(placed, report), room - len(lead) - 2)
        yield from (" " * (len(lead) + 2) + line for line in fix)


def _excerpt(placed: LocatedFinding, report: Report, lead: str) -> Iterator[str]:
    """Yield the line that it is about, with a mark under the part that is meant."""
    if found := excerpt(placed, report):
        shown = found.cut(width() - len(lead) - 2)
        yield f"{lead}{click.style('|', dim=True)} {visible(shown.line)}"
        before, marked, _ = (len(visible(part)) for part in shown.parts)
        mark = click.style("^" * max(marked, 1), fg=COLOURS[placed.finding.severity])
        yield f"{lead}{click.style('|', dim=True)} {' ' * before}{mark}"


def statistics(report: Report) -> str:
    """Return how often each rule was hit, the most frequent first; `*`: `--fix` mends some."""
    hits = Counter(placed.finding.rule for placed in report.findings)
    mended = {p.finding.rule for p in report.findings if fixable(p, report.texts)}
    rules = every_rule()
    most = len(str(max(hits.values(), default=0)))
    rows = sorted(hits.items(), key=lambda row: (-row[1], row[0]))
    lines = (
        f"{times:>{most}}  {rule} {'*' if rule in mended else ' '} {rules[rule].title}\n"
        for rule, times in rows
    )
    return "".join(lines) + _counts(report) + "\n"


def _more(report: Report) -> list[str]:
    """Return how to read up the rules that were hit."""
    ids = sorted({placed.finding.rule for placed in report.findings})
    several = f"{' '.join(ids[:_FEW])}{' …' if len(ids) > _FEW else ''}"
    return [f"why, with examples: gen explain {several}"] if ids else []


def _mark(placed: LocatedFinding, report: Report) -> str:
    """Say what `--fix` does about a Finding, which may be less than a person would do."""
    if placed.withheld:
        return f" (not by --fix: {placed.withheld})"
    if not fixable(placed, report.texts, unsafe=True):
        return ""
    option = "--unsafe-fixes" if placed.unsafe else "--fix"
    new = [edit.new for edit in placed.edits]
    if not any(new):
        return f" ({option} removes it)"
    quoted = placed.finding.fix.split("`")[1::2]
    plain = len(new) == 1 and len(new[0]) <= _SHORT and "\n" not in new[0]
    if not plain or new[0] in placed.finding.fix or any(value in new[0] for value in quoted):
        return f" ({option})"
    return f" ({option} writes `{visible(new[0])}`)"


def _counts(report: Report) -> str:
    error, warning, info = (report.count(severity) for severity in SEVERITIES)
    counts = counted(error=error, warning=warning, remark=info) or "nothing to remark"
    mendable = sum(fixable(placed, report.texts) for placed in report.findings)
    summary = f"{_files(report)}: {counts}"
    if mendable:
        summary += f"; --fix mends {mendable}"
    if unsafe := sum(fixable(p, report.texts, unsafe=True) for p in report.findings) - mendable:
        summary += f"; --unsafe-fixes {'' if mendable else 'mends '}{unsafe}"
    if report.ignored:
        summary += f"; {len(report.ignored)} ignored"
    return summary


def _files(report: Report) -> str:
    """Return how many files were judged, how many of them but for a part, and how many not."""
    part, unread = len(report.in_part), len(report.unjudged)
    files = counted(file=len(report.judged)) or "no file"
    told = f" ({part} in part)" if 0 < part < len(report.judged) else " in part" if part else ""
    judged = f" judged{told}" if told or unread else ""
    return f"{files}{judged}, {unread} not" if unread else f"{files}{judged}"
