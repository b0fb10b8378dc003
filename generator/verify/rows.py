"""What is said of a setting: from a file to what is in effect, stage by stage, the first that is
wrong explains the others.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass
from generator.redact import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.verify.observed import Held
    from generator.view import Place

Verdict = Literal["ok", "drift", "shadowed", "not read", "unknown"]
Who = Literal["file", "manager", "process", "server"]
IN_EFFECT: Final[frozenset[Who]] = frozenset({"process", "server"})
NOTHING: Final = "-"
UNSEEN: Final = "nobody here tells what the process got"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting: what the Plan wants, what the manager holds, what is in effect, and why.

    `by` is where the line stands that wins over the Plan's, as `file:line`. `stray`: the Plan does
    not have the setting at all.
    """

    setting: str
    intended: str
    held: str = NOTHING
    effective: str = NOTHING
    verdict: Verdict = "ok"
    why: str = ""
    by: str = ""
    stray: bool = False

    @property
    def fails(self) -> bool:
        """Whether something else is in effect, or a name is set in vain."""
        return self.verdict in {"drift", "shadowed"} or (self.verdict == "not read" and self.stray)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one of those says of a setting who are known to have a say: `shown` for people.

    `right`: it is what the Plan wants; `why` is what to say where it is not, and the first. Of a
    file: `place`, and whether another line has what the Plan wants, which has `lost`.
    """

    who: Who
    shown: str
    right: bool
    why: str
    place: str = ""
    lost: bool = False


def judged(row: Row, stages: Sequence[Stage], unseen: str = UNSEEN) -> Row:
    """Return the row of a setting with what its stages say: values, verdict, and why.

    `unseen` is what to say where nobody tells what is in effect. It is `ok` only where it was seen
    in effect, and nobody before says otherwise: that would be in effect after the next start.
    """
    told = {stage.who: stage.shown for stage in stages}
    held, got = told.get("manager", NOTHING), told.get("process", NOTHING)
    row = replace(row, held=held, effective=told.get("server", got))
    wrong = next((stage for stage in stages if not stage.right), None)
    if wrong is not None:
        verdict: Verdict = "shadowed" if wrong.lost else "drift"
        return replace(row, verdict=verdict, why=wrong.why, by=wrong.place)
    seen = bool(stages) and stages[-1].who in IN_EFFECT
    return row if seen else replace(row, verdict="unknown", why=unseen)


def by_file(shown: str, place: Place, *, right: bool, lost: bool) -> Stage:
    """Return the stage of the line that wins among all files."""
    at = written_at(place)
    return Stage(
        who="file", shown=shown, right=right, why=f"{at} says `{shown}`", place=at, lost=lost
    )


def by_manager(held: Held, shown: str, *, right: bool) -> Stage:
    """Return the stage of the manager, which may not have read the files that are there."""
    has = "does not have it" if shown == NOTHING else f"holds `{shown}`"
    hint = ": files have changed; `systemctl daemon-reload`, then restart it" if held.stale else ""
    return Stage(who="manager", shown=shown, right=right, why=f"{held.by} {has}{hint}")


def hidden(row: Row) -> Row:
    """Return the row of a secret: whether it is as it should be, and none of its values."""
    shown = (row.intended, row.held, row.effective)
    intended, held, effective = (text if text == NOTHING else HIDDEN for text in shown)
    why = re.sub(r"`.*`", HIDDEN, row.why, flags=re.DOTALL)
    return replace(row, intended=intended, held=held, effective=effective, why=why)


def written_at(place: Place) -> str:
    """Return a place as people and editors write it."""
    return f"{place.file}:{place.line}" if place.line else place.file
