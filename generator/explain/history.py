"""What differs by release: status, defaults, allowed values, what to use instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.explain.page import Grid, Prose, paragraphs
from generator.explain.tables import covers, current, facts_release, periods, release_of
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.explain.page import Block
    from generator.explain.tables import Table


def status(entry: Table, release: Release | None) -> str:
    """Say whether setting it changes anything in a release, the newest known by default."""
    asked = release or release_of(None)
    known = facts_release(asked)
    since = f"read since {entry['since']}"
    if known < Release.parse(entry["since"]):
        told = f"not read by Ollama {asked}: it is {since}"
    elif (removed := entry.get("removed")) and known >= Release.parse(removed):
        told = f"not read by Ollama {asked}: it was removed in {removed} ({since})"
    elif not entry.get("effective", True):
        told = f"without effect in Ollama {asked}, as in every release"
    elif (lapsed := entry.get("effective_until")) and known >= Release.parse(lapsed):
        told = f"without effect in Ollama {asked}: it has had none since {lapsed} ({since})"
    else:
        told = f"works in Ollama {asked} ({since}{_end(entry)})"
    judged = "" if asked <= known else f"; judged by {known}, the newest known"
    return f"{told}{judged}."


def _end(entry: Table) -> str:
    if "removed" in entry:
        return f", removed in {entry['removed']}"
    if "effective_until" in entry:
        return f", without effect from {entry['effective_until']}"
    return ""


def listed(entry: Table, table: str, release: Release | None) -> list[dict[str, Any]]:
    """Return the spans of a table as data; only those that hold in `release`, if one is given."""
    spans: list[dict[str, Any]] = [dict(span) for span in entry.get(table, ())]
    if release is None:
        return spans
    known = facts_release(release)
    if table == "allowed":
        return [span for span in spans if covers(span, known)]
    span = current(spans, known)
    return [dict(span)] if span else []


def history(entry: Table, release: Release | None) -> Iterator[Block]:
    """Yield the defaults and the allowed values, as a sentence or as a table by release."""
    defaults = listed(entry, "defaults", release)
    if len(defaults) == 1:
        yield Prose(_default(defaults[0]), "Default")
    elif defaults:
        rows = _rows(defaults, entry, lambda span: (span["value"], span.get("note", "")))
        yield Grid(("from", "before", "default", "which means"), rows)
    allowed = listed(entry, "allowed", release)
    if len(allowed) == 1:
        yield Prose(_values(allowed[0]), "Allowed")
    elif allowed:
        rows = _rows(allowed, entry, lambda span: (span.get("system", "all"), _values(span)))
        yield Grid(("from", "before", "on", "allowed values"), rows)


def instead(entry: Table, release: Release | None) -> Iterator[Block]:
    """Yield what to use instead, as a sentence or as a table by release."""
    uses = listed(entry, "replacement", release)
    if release is not None or len(uses) == 1:
        label = "Use instead" if release else instead_label(*uses)
        yield from paragraphs((label, uses[0]["use"] if uses else ""))
    elif uses:
        yield Grid(("from", "before", "use instead"), _rows(uses, {}, lambda span: (span["use"],)))


def instead_label(span: Table) -> str:
    """Return what stands before a replacement: one that has ended is for older releases."""
    return f"Before {span['until']} use" if "until" in span else "Use instead"


def _default(span: Table) -> str:
    note = span.get("note")
    return f"`{span['value']}`" + (f": {note}" if note else "")


def _values(span: Table) -> str:
    note = span.get("note")
    return ", ".join(span["values"]) + (f"; {note}" if note else "")


def _rows(
    spans: list[dict[str, Any]], entry: Table, cells: Callable[[Table], tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    end = entry.get("removed", "")
    platforms = {span.get("system") for span in spans}
    if len(platforms) > 1:  # Each platform has a history of its own, told by `until`.
        return tuple((s["since"], s.get("until", end), *cells(s)) for s in spans)
    return tuple((since, before, *cells(span)) for since, before, span in periods(spans, end))
