"""Try each mechanical fix before it is offered as one: what it changes, and what that leads to.

An Edit knows its line and not the file around it. Here the file is read again with the Edit in
place, by the same reader and the same rules: an Edit that touches more than its own setting, or
that leads to a new warning, is for a person to make.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from typing import TYPE_CHECKING

from generator.check.mend import mended
from generator.readers.base import Source
from generator.readers.discover import Found, Group, views
from generator.records import dataclass
from generator.rules.registry import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.readers.base import Context
    from generator.view import LocatedFinding, View


@dataclass(frozen=True, slots=True)
class _State:
    views: tuple[View, ...]
    faults: int
    warnings: frozenset[tuple[str, str]]  # rule and message of what is worth a warning


def proven(
    found: Sequence[LocatedFinding], files: Found, context: Context
) -> tuple[LocatedFinding, ...]:
    """Return the Findings with those Edits only that keep everything else as it is.

    Edits of files that nobody named, because another file refers to them, are left out, too.
    """
    trials: dict[str, _Trial] = {}
    for group in files.groups:
        trials |= dict.fromkeys((source.path for source in group.sources), _Trial(group, context))
    tried = [*found]
    # What is safe is proven without the rest.
    for at, placed in sorted(enumerate(found), key=lambda item: item[1].unsafe):
        trial = trials.get(placed.place.file)
        untouched = not placed.edits or placed.finding.ignored
        if not (untouched or (trial and trial.accepts(placed))):
            tried[at] = dataclasses.replace(placed, edits=())
    return tuple(tried)


class _Trial:
    """The files of one group, mended by every Edit that has been accepted so far."""

    def __init__(self, group: Group, context: Context) -> None:
        self.group, self.context = group, context
        self.accepted: list[LocatedFinding] = []

    @functools.cached_property
    def state(self) -> _State:
        return _state(self.group, self.context)

    def accepts(self, placed: LocatedFinding) -> bool:
        after = _state(_with(self.group, [*self.accepted, placed]), self.context)
        # A section header concerns all that follows it.
        wide = any("\n" in edit.new or edit.new.startswith("[") for edit in placed.edits)
        harmless = _harmless(self.state, after, wide=wide)
        if harmless:
            self.accepted.append(placed)
            self.state = after
        return harmless


def _with(group: Group, found: Sequence[LocatedFinding]) -> Group:
    texts = {source.path: source.text for source in group.sources}
    new = mended(found, texts, unsafe=True)
    sources = tuple(Source(s.path, new.get(s.path, s.text)) for s in group.sources)
    return dataclasses.replace(group, sources=sources)


def _state(group: Group, context: Context) -> _State:
    seen = views(Found(groups=(group,)), context)
    findings = (p.finding for view in seen.views for p in judge(view, context.facts(view)))
    warnings = frozenset((f.rule, f.message) for f in findings if f.severity != "info")
    return _State(tuple(seen.views), len(seen.problems) + len(seen.not_judged), warnings)


def _harmless(before: _State, after: _State, *, wide: bool) -> bool:
    if after.faults > before.faults or len(after.views) != len(before.views):
        return False
    pairs = zip(before.views, after.views, strict=True)
    if after.warnings - before.warnings:
        return False
    return wide or all(_one_change(*pair) for pair in pairs)


def _one_change(before: View, after: View) -> bool:
    """Return whether at most one variable, one limit and one other line differ."""
    for part in ("variables", "bounds", "lines"):
        old, new = (_pairs(getattr(view, part)) for view in (before, after))
        if (old - new).total() > 1 or (new - old).total() > 1:
            return False
    return _names(before) == _names(after)


def _pairs(items: Iterable[object]) -> Counter[tuple[object, object]]:
    return Counter((getattr(i, "name", ""), getattr(i, "value", "")) for i in items)


def _names(view: View) -> tuple[object, ...]:
    box = view.container
    mounts = tuple(text for text, _ in box.mounts) if box else ()
    return (view.name, tuple(model.name for model in view.models), mounts)
