"""Try each mechanical fix before it is offered as one: what it changes, and what that leads to.

An Edit knows its line and not the file around it. Here the file is read again with the Edit in
place, by the same reader and the same rules: an Edit that touches more than its own setting, or
that leads to a new warning, is for a person to make.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from generator.check.mend import left_empty, mended_lines
from generator.readers.base import Source
from generator.readers.discover import Found
from generator.readers.seen import views
from generator.records import dataclass
from generator.rules.registry import judge
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.readers.base import Context
    from generator.readers.groups import Group
    from generator.view import LocatedFinding, View

MOST_LINES: Final = 20_000
"""How many lines are read again for one group at most, all readings together."""
FEWEST_READINGS: Final = 20
"""How often a group is read again in any case. Edits that no reading proves are left out."""
_PARTS: Final = ("variables", "bounds", "lines")


@dataclass(frozen=True, slots=True)
class _State:
    """What some Edits lead to; `numbers` has the line of each file as it was, by the new one.

    `emptied` is the word above a block of which nothing is left.
    """

    views: tuple[View, ...]
    faults: int
    warnings: frozenset[tuple[str, str, Place]]  # rule, message and old place of each warning
    numbers: Mapping[str, Sequence[int]]
    emptied: str = ""

    def harm_since(self, before: _State, rules: Iterable[str]) -> str:
        """Return which fault or warning is new, or that a service is; empty: nothing is.

        A warning that was there says something else once a line that it speaks of is mended; not
        one of the `rules` that are to be mended.
        """
        if self.emptied:
            return f"it would leave `{self.emptied}` empty"
        if self.faults > before.faults or len(self.views) != len(before.views):
            return "the file would be read otherwise"
        known = {(rule, message) for rule, message, _ in before.warnings}
        there = {(rule, place) for rule, _, place in before.warnings if rule not in rules}
        new = (
            rule
            for rule, message, place in self.warnings
            if (rule, message) not in known and (rule, place) not in there
        )
        return f"it would lead to {found}" if (found := min(new, default="")) else ""

    def said(self, number: int, part: str) -> Counter[tuple[object, ...]]:
        """Return what a View says, each with the file and the line where it stood at first."""
        found: Counter[tuple[object, ...]] = Counter()
        for item in getattr(self.views[number], part):
            file, line = item.place.file, _old_line(item.place, self.numbers)
            found[file, line, getattr(item, "name", ""), getattr(item, "value", "")] += 1
        return found


def proven(
    found: Sequence[LocatedFinding], files: Found, context: Context
) -> tuple[LocatedFinding, ...]:
    """Return the Findings with those Edits only that keep everything else as it is.

    The others say why theirs are left out, as are those of files that nobody named, because
    another file refers to them. One that lies in a directory that is named is tried alone.
    """
    trials: dict[str, _Trial] = {}
    for group in (*files.aside, *files.groups):
        trials |= dict.fromkeys((source.path for source in group.sources), _Trial(group, context))
    for at, placed in enumerate(found):
        trial = trials.get(placed.place.file)
        if trial and placed.edits and not placed.finding.ignored:
            trial.tried[at] = placed
    kept: set[int] = set()
    refused: dict[int, str] = {}
    for trial in dict.fromkeys(trials.values()):
        kept |= trial.accepted()
        refused |= trial.refused
    return tuple(
        placed
        if at in kept or not placed.edits or placed.finding.ignored
        else dataclasses.replace(
            placed, edits=(), withheld=refused.get(at, _untried(placed, trials))
        )
        for at, placed in enumerate(found)
    )


def _untried(placed: LocatedFinding, trials: Mapping[str, _Trial]) -> str:
    tried = placed.place.file in trials
    return "there are too many to try each" if tried else "nobody named that file"


class _Trial:
    """The files of one group, and the Edits to try, each by its number among the Findings.

    Many are tried at once, and their halves where that does harm: a reading for each would take
    minutes for a file with thousands.
    """

    def __init__(self, group: Group, context: Context) -> None:
        self.group, self.context = group, context
        self.tried: dict[int, LocatedFinding] = {}
        self.kept: set[int] = set()
        self.refused: dict[int, str] = {}
        lines = sum(source.text.count("\n") for source in group.sources)
        self.left = max(FEWEST_READINGS, MOST_LINES // (lines + 1))

    def accepted(self) -> set[int]:
        """Return those that do what they say and no more, the safe ones proven without the rest."""
        for unsafe in (False, True):
            self._all([at for at, placed in self.tried.items() if placed.unsafe is unsafe])
        return self.kept

    @functools.cached_property
    def state(self) -> _State:
        return self._with(())

    def _all(self, batch: list[int]) -> None:
        """Accept what is harmless of some Edits: all of them, those of one setting, a half."""
        waiting = deque([batch] if batch else [])
        while waiting and self.left:
            batch = waiting.popleft()
            if not self._accepts(batch) and len(batch) > 1:
                waiting += self._parted(batch)

    def _parted(self, batch: Sequence[int]) -> Iterable[list[int]]:
        alike: dict[tuple[str, str], list[int]] = {}
        for at in batch:
            alike.setdefault((self.tried[at].finding.rule, self.tried[at].setting), []).append(at)
        half = len(batch) // 2
        halves = ([*batch[:half]], [*batch[half:]])
        return alike.values() if len(alike) > 1 else halves

    def _accepts(self, batch: Sequence[int]) -> bool:
        self.left -= 1
        after = self._with(batch)
        found = [self.tried[at] for at in batch]
        harm = after.harm_since(self.state, {placed.finding.rule for placed in found})
        one = len(found) == 1
        if not harm and not (
            _is_alone(self.state, after, found[0]) if one else _in_place(self.state, after, found)
        ):
            harm = "it would change more than that"
        if harm:
            self.refused |= {batch[0]: harm} if one else {}
            return False
        self.kept.update(batch)
        self.state = after
        return True

    def _with(self, batch: Iterable[int]) -> _State:
        """Return what the files say with some more Edits in place."""
        texts = {source.path: source.text for source in self.group.sources}
        found = [self.tried[at] for at in sorted({*self.kept, *batch})]
        lines = mended_lines(found, texts, unsafe=True)
        new = {file: "\n".join(kept.values()) for file, kept in lines.items()}
        sources = tuple(Source(s.path, new.get(s.path, s.text)) for s in self.group.sources)
        group = dataclasses.replace(self.group, sources=sources)
        emptied = (left_empty(texts[file], kept) for file, kept in lines.items())
        state = _state(group, self.context, {file: [*kept] for file, kept in lines.items()})
        return dataclasses.replace(state, emptied=next(filter(None, emptied), ""))


def _state(group: Group, context: Context, numbers: Mapping[str, Sequence[int]]) -> _State:
    seen = views(Found(groups=(group,)), context)
    found = (placed for view in seen.views for placed in judge(view, context.facts(view)))
    warnings = frozenset(
        (p.finding.rule, p.finding.message, Place(p.place.file, _old_line(p.place, numbers)))
        for p in found
        if p.finding.severity != "info"
    )
    return _State(tuple(seen.views), len(seen.problems) + len(seen.not_judged), warnings, numbers)


def _old_line(place: Place, numbers: Mapping[str, Sequence[int]]) -> int:
    """Return the line on which something stood before any Edit."""
    old, line = numbers.get(place.file, ()), place.line
    return old[line - 1] if 0 < line <= len(old) else line


def _is_wide(placed: LocatedFinding) -> bool:
    """Return whether an Edit concerns all that follows it, as the header of a section does."""
    edits = placed.edits
    return any(e.behind or "\n" in e.new or e.new.startswith("[") for e in edits)


def _is_alone(before: _State, after: _State, placed: LocatedFinding) -> bool:
    """Return whether at most one variable, one limit and one other line of a service differ."""
    pairs = zip(before.views, after.views, strict=True)
    return _is_wide(placed) or all(_one_change(*pair) for pair in pairs)


def _one_change(before: View, after: View) -> bool:
    for part in _PARTS:
        old, new = (_pairs(getattr(view, part)) for view in (before, after))
        if (old - new).total() > 1 or (new - old).total() > 1:
            return False
    return _names(before) == _names(after)


def _in_place(before: _State, after: _State, found: Sequence[LocatedFinding]) -> bool:
    """Return whether only lines that are edited say something else, each as often as edited.

    A line that goes takes along what other Edits are about: those are tried one by one.
    """
    edited: Counter[tuple[object, ...]] = Counter()
    for placed in found:
        edited.update({(edit.place.file, edit.place.line) for edit in placed.edits})
    going = {(e.place.file, e.place.line) for placed in found for e in placed.edits if not e.new}
    if any(edited[line] > 1 for line in going):
        return False
    pairs = enumerate(zip(before.views, after.views, strict=True))
    return not any(map(_is_wide, found)) and all(
        _names(old) == _names(new)
        and all(_within(before.said(at, p), after.said(at, p), edited) for p in _PARTS)
        for at, (old, new) in pairs
    )


def _within(
    old: Counter[tuple[object, ...]],
    new: Counter[tuple[object, ...]],
    edited: Counter[tuple[object, ...]],
) -> bool:
    for changed in (old - new, new - old):
        lines: Counter[tuple[object, ...]] = Counter()
        for (file, line, *_), times in changed.items():
            lines[file, line] += times
        if lines - edited:
            return False
    return True


def _pairs(items: Iterable[object]) -> Counter[tuple[object, object]]:
    return Counter((getattr(i, "name", ""), getattr(i, "value", "")) for i in items)


def _names(view: View) -> tuple[object, ...]:
    box = view.container
    mounts = tuple(text for text, _ in box.mounts) if box else ()
    return (view.name, tuple(model.name for model in view.models), mounts)
