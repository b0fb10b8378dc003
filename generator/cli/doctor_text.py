"""A Diagnosis for people: each result with what mends it and what shows it, the worst first."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from generator.cli.talk import counted, width
from generator.doctor.result import WORDS, mended_once
from generator.errors import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.doctor.doctor import Diagnosis
    from generator.doctor.result import Result

COLOURS: Final = {"fault": "red", "warning": "yellow", "unknown": "cyan", "ok": "green"}
_INDENT: Final = "  "
_EVIDENCE: Final = 160


def doctor_text(found: Diagnosis, *, every: bool = False) -> str:
    """Return who was looked at, what is wrong, and a line of counts; `every`: what is well, too."""
    shown = _together([r for r in found.results if every or r.word != "ok"])
    lines = [" · ".join(found.who)]
    for result in mended_once(shown):
        lines += _lines(result)
    words = [result.word for result in found.results]
    counts = counted(fault=words.count("fault"), warning=words.count("warning"))
    rest = (f"{words.count(word)} {word}" for word in WORDS[2:] if word in words)
    counts = ", ".join(filter(None, (counts, *rest)))
    if not every and "ok" in words:
        counts += " (--all shows those, too)"
    return "\n".join([*lines, counts])


def _together(results: list[Result]) -> list[Result]:
    """Return the Results, those that nobody can tell for the same reason as one."""
    checks: dict[tuple[str, str], list[str]] = {}
    for one in results:
        checks.setdefault((one.word, one.said), []).append(one.check)
    firsts = {key: names[0] for key, names in checks.items()}
    named = ((one, (one.word, one.said)) for one in results)
    return [replace(one, check=", ".join(dict.fromkeys(checks[key])))
            for one, key in named if one.check == firsts[key]]  # fmt: skip


def _lines(result: Result) -> Iterator[str]:
    lead = f"{result.word}: {result.check}: "
    body = textwrap.fill(
        lead + result.said, width(), subsequent_indent=_INDENT, break_on_hyphens=False
    )
    # Colour last: its codes take no columns, but textwrap would count them.
    yield click.style(result.word, fg=COLOURS[result.word]) + body.removeprefix(result.word)
    yield from (f"{_INDENT}| {shortened(line, _EVIDENCE)}" for line in result.evidence)
    if result.remedy:
        # In one piece: it is there to be copied.
        yield f"{_INDENT}$ {result.remedy}"
