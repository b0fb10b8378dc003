"""What a Rule is: an id, prose for people, and a pure function from a View to Hits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from generator.errors import Finding, Severity
from generator.records import dataclass
from generator.view import Edit, LocatedFinding, Place, View

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One fault that a Rule has found; `severity` only where it differs from the Rule's.

    `unsafe`: the edits make the file say what nobody has written there, and change what runs.
    """

    message: str
    place: Place
    fix: str = ""
    severity: Severity | None = None
    link: str = ""
    edits: tuple[Edit, ...] = ()
    unsafe: bool = False


Hits: TypeAlias = Iterator[Hit]
Check = Callable[[View, "Facts"], Hits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A Rule with its page: why it is one, what it catches and what it leaves alone.

    `bad` and `good` are short excerpts of a configuration; `releases` says for which releases it
    holds; `source` is where to read it up. Most rules warn. Without a `check` its findings are
    made by `finding`, where things are decided. `deviates`: the output is then not what the
    profile says, which `--strict` refuses. `silence` says how to silence it, where it differs
    from the others.
    `secret`: the line that it is about is one that no report may show.
    """

    id: str
    title: str
    why: str
    bad: str
    good: str
    source: str
    severity: Severity = "warning"
    check: Check | None = None
    releases: str = "all"
    deviates: bool = False
    silence: str = ""
    secret: bool = False

    def __call__(self, check: Check) -> Rule:
        """Return the Rule with the function that it decorates as its check."""
        return replace(self, check=check)

    def judge(self, view: View, facts: Facts) -> list[LocatedFinding]:
        """Return what this Rule has to say about the view."""
        hits = list(self.check(view, facts)) if self.check else []
        # Most have nothing to say, of any View.
        return list(self.located(hits, view)) if hits else []

    def located(self, hits: list[Hit], view: View) -> Iterator[LocatedFinding]:
        """Yield a Finding for each Hit of its check, with what else the report needs of it."""
        unsure = {hit.place for hit in hits if _is_shared(view, hit.place)}
        valued = _names_by_value(view) if unsure else {}
        for hit in hits:
            where = hit.place.key or view.name
            link = hit.link or self.source
            finding = self.finding(hit.message, where, hit.fix, link, hit.severity)
            values = valued if hit.place in unsure else None
            setting = _setting(view.names_at(hit.place), hit, values)
            edits = hit.edits if view.phrases.mendable else ()
            yield LocatedFinding(finding, hit.place, edits, setting, hit.unsafe)

    def finding(
        self,
        message: str,
        where: str = "",
        fix: str = "",
        link: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """Return a Finding of this Rule."""
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            message=message,
            where=where,
            fix=fix,
            link=link,
        )


_MANY: Final = 64
_WORD: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"`([^`]*)`")


def _is_shared(view: View, place: Place) -> bool:
    """Return whether a lone variable of a place need not be what a Hit there is about.

    That is so on the line of a whole container, and beside a limit.
    """
    variables, bounds, *_ = view.names_at(place) or (frozenset(), frozenset())
    of_container = view.container is not None and view.container.place == place
    return of_container or bool(variables and bounds)


def _names_by_value(view: View) -> dict[str, set[str]]:
    last = {variable.name: variable.value for variable in view.variables}
    found: dict[str, set[str]] = {}
    for name, value in last.items():
        found.setdefault(value, set()).add(name)
    return found


def _setting(
    names: Iterable[frozenset[str]], hit: Hit, values: Mapping[str, set[str]] | None
) -> str:
    """Return the name of what stands at a place; of several the one that the Hit speaks of.

    So it has to be of a single one where `values` has variables by their values: by either.
    """
    text = f"{hit.message} {hit.fix}"
    quoted = _QUOTED.findall(hit.message) if values else []
    for several in names:
        spoken = _spoken(several, text)
        for value in filter(None, quoted):
            spoken |= several & (values or {}).get(value, set())
        alone = len(several) == 1 and values is None
        if len(one := several if alone else spoken) == 1:
            return next(iter(one))
    return hit.place.key


def _spoken(names: frozenset[str], text: str) -> frozenset[str]:
    """Return the names that a text speaks of; of many, only those that are words of it.

    A line may assign thousands, and have a Hit for each.
    """
    if len(names) > _MANY:
        return names.intersection(_WORD.findall(text))
    return frozenset(name for name in names if name in text)
