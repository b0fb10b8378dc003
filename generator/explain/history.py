"""What differs by release: which Facts are asked for, status, defaults, what to use instead."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Replacement, Span, Variable, current
from generator.errors import HostwrightError, split_message
from generator.explain.page import Grid, Prose, paragraphs
from generator.records import dataclass
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Allowed, Readable
    from generator.explain.page import Block

_S = TypeVar("_S", bound=Span)


@dataclass(frozen=True, slots=True)
class Asked:
    """The Facts of a release; `alone`: without what holds for other releases."""

    facts: Facts
    alone: bool = False


def asked(version: str | None = None) -> Asked:
    """Return the Facts of a release alone; None: of the newest, with the history.

    Raises HostwrightError for what is no release.
    """
    catalogue = load_catalogue()
    try:
        release = catalogue.release(version)
    except ValueError as error:
        message, hint = split_message(error)
        raise HostwrightError(message, hint=hint) from None
    return Asked(catalogue.at(catalogue.engine, release), version is not None)


def status(entry: Readable, asked: Asked) -> str:
    """Say whether setting it changes anything in the release."""
    release, known = asked.facts.release, asked.facts.at
    since = f"read since {entry.since}"
    variable = entry if isinstance(entry, Variable) else None
    if entry.gone:
        state = f"not read by Ollama {release}: it was removed in {entry.removed} ({since})"
    elif not entry.known:
        state = f"not read by Ollama {release}: it is {since}"
    elif variable and not variable.effective:
        state = f"without effect in Ollama {release}, as in every release"
    elif variable and variable.lapsed:
        until, still = variable.effective_until, variable.remains
        state = f"without effect in Ollama {release}: it has had none since {until} ({since})"
        if still:
            state = f"without its effect in Ollama {release}, since {until} ({since}); it {still}"
    else:
        state = f"works in Ollama {release} ({since}{_end(entry)})"
    judged = "" if release <= known else f"; judged by {known}, the newest known"
    return f"{state}{judged}."


def _end(entry: Readable) -> str:
    if entry.removed:
        return f", removed in {entry.removed}"
    if isinstance(entry, Variable) and entry.effective_until:
        return f", without effect from {entry.effective_until}"
    return ""


def held(spans: Sequence[_S], asked: Asked) -> list[_S]:
    """Return the spans to show: all, or the one that holds in the release."""
    if not asked.alone:
        return list(spans)
    span = current(spans, asked.facts.at)
    return [span] if span else []


def held_values(variable: Readable, asked: Asked) -> list[Allowed]:
    """Return the allowed values to show, those of every platform."""
    spans = variable.allowed_values if isinstance(variable, Variable) else ()
    return [span for span in spans if not asked.alone or span.covers(asked.facts.at)]


def as_data(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Return spans as data: what is said of each."""
    return [dict(_said(span)) for span in spans]


def _said(span: Span) -> Iterator[tuple[str, Any]]:
    for field in fields(span):
        value = getattr(span, field.name)
        if value != field.default:
            yield field.name, str(value) if isinstance(value, Release) else value


def history(entry: Readable, asked: Asked) -> Iterator[Block]:
    """Yield the defaults and the allowed values, as a sentence or as a table by release."""
    defaults = held(entry.defaults, asked)
    if len(defaults) == 1:
        value, note = defaults[0].value, defaults[0].note
        yield Prose(f"`{value}`: {note}" if note else f"`{value}`", "Default")
    elif defaults:
        rows = _rows(defaults, entry.removed, lambda span: (span.value, span.note))
        yield Grid(("from", "before", "default", "which means"), rows)
    allowed = held_values(entry, asked)
    if len(allowed) == 1:
        yield Prose(_values(allowed[0]), "Allowed")
    elif allowed:
        rows = _allowed_rows(allowed, entry.removed)
        yield Grid(("from", "before", "on", "allowed values"), rows)


def instead(replacements: Sequence[Replacement], asked: Asked) -> Iterator[Block]:
    """Yield what to use instead, as a sentence or as a table by release."""
    uses = held(replacements, asked)
    if asked.alone or len(uses) == 1:
        label = "Use instead" if asked.alone else instead_label(*uses)
        yield from paragraphs((label, uses[0].use if uses else ""))
    elif uses:
        rows = _rows(uses, None, lambda span: (span.use,))
        yield Grid(("from", "before", "use instead"), rows)


def instead_label(span: Replacement) -> str:
    """Return what stands before a replacement: one that has ended is for older releases."""
    return f"Before {span.until} use" if span.until else "Use instead"


def periods(spans: Sequence[_S], end: Release | None = None) -> Iterator[tuple[str, str, _S]]:
    """Yield each span with its first release and the first one after it (empty: it lasts).

    A span without `until` ends where the next one begins, the last at `end`.
    """
    starts = [span.since for span in spans[1:]]
    for span, following in zip(spans, [*starts, end], strict=True):
        yield str(span.since), str(span.until or following or ""), span


def _values(span: Allowed) -> str:
    return ", ".join(span.values) + (f"; {span.note}" if span.note else "")


def _allowed_rows(spans: list[Allowed], end: Release | None) -> tuple[tuple[str, ...], ...]:
    if len({span.system for span in spans}) > 1:  # Each platform has its own, with its own end.
        last = end or ""
        return tuple((str(s.since), str(s.until or last), *_on(s)) for s in spans)
    return _rows(spans, end, _on)


def _on(span: Allowed) -> tuple[str, ...]:
    return (span.system or "all", _values(span))


def _rows(
    spans: list[_S], end: Release | None, cells: Callable[[_S], tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    return tuple((since, before, *cells(span)) for since, before, span in periods(spans, end))
