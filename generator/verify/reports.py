"""A Comparison for programs that watch or test: JUnit, and a line as plugins of Nagios print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import shortened
from generator.formats.junit import Case, junit
from generator.formats.text import INVISIBLE, escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.verify.compare import Comparison
    from generator.verify.fleet import Asked
    from generator.verify.observed import Observed
    from generator.verify.rows import Row

_ROOM: Final = 400
_STATES: Final = {0: "OK", 1: "WARNING", 3: "UNKNOWN"}
"""Of Nagios, by our exit codes, which are its own."""


def as_junit(found: Comparison, seen: Observed) -> str:
    """Return JUnit XML: a test case for each setting; what nobody tells is skipped."""
    return junit([(seen.url, [_case(row) for row in found.rows])])


def _case(row: Row) -> Case:
    said = f"intended {row.intended}, held {row.held}, effective {row.effective}"
    if row.fails:
        text = f"{row.why}\n{said}"
        return Case(
            name=row.setting, outcome="failure", message=row.why, text=text, kind=row.verdict
        )
    if row.verdict == "unknown":
        return Case(name=row.setting, outcome="skipped", message=row.why)
    return Case(name=row.setting)


def as_nagios(found: Comparison, seen: Observed, code: int) -> str:
    """Return the line: the state, which settings it is about, and counts for graphs."""
    wrong = [row.setting for row in found.rows if row.fails]
    unknown = sum(row.verdict == "unknown" for row in found.rows)
    counts = f"settings={len(found.rows)} drift={len(wrong)};0 unknown={unknown}"
    some = f", {unknown} unknown" if unknown else ""
    told = found.silence(seen) or f"{len(found.rows)} settings, none at odds with the profile{some}"
    if wrong:
        told = f"{len(wrong)} of {len(found.rows)} settings at odds with it: {', '.join(wrong)}"
    return f"{nagios_line(told, code)} | {counts}\n"


def fleet_as_junit(asked: Sequence[Asked]) -> str:
    """Return JUnit XML: a suite for each host, of which the silent ones have failed."""
    return junit([(one.name, [*_cases(one)]) for one in asked])


def _cases(one: Asked) -> Iterator[Case]:
    if one.found is not None:
        yield from (_case(row) for row in one.found.rows)
    silent = one.found.silence(one.seen) if one.found and one.seen else one.failure
    if silent:
        yield Case(name="answers", outcome="failure", message=silent, text=silent, kind="silent")


def fleet_as_nagios(asked: Sequence[Asked], code: int) -> str:
    """Return the line: which hosts differ, which are silent, and counts for graphs."""
    drift = [one.name for one in asked if one.code == 1]
    silent = [one.name for one in asked if one.code == 3]  # noqa: PLR2004 -- an exit code
    told = [
        f"{len(names)} {what}: {', '.join(names)}"
        for names, what in ((drift, "at odds"), (silent, "cannot be asked"))
        if names
    ]
    counts = f"hosts={len(asked)} drift={len(drift)};0 silent={len(silent)}"
    line = nagios_line("; ".join(told) or f"{len(asked)} hosts as the fleet says", code)
    return f"{line} | {counts}\n"


def nagios_line(text: str, code: int) -> str:
    """Return what a plugin of Nagios says of a state; a bar would begin the numbers."""
    plain = INVISIBLE.sub(lambda match: escape(match[0]), text.replace("|", "/"))
    return f"HOSTWRIGHT {_STATES[code]} - {shortened(plain, _ROOM)}"
