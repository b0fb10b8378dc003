"""Keys that no single line says: each is tried, and kept where the rendered files say more then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.importing.entries import Entry, Left
from generator.importing.render_back import not_again, written_again
from generator.importing.settle import settled, without_derived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.importing.choose import Chosen
    from generator.importing.settle import Settled
    from generator.readers.base import Context
    from generator.view import Line

TARGETS: Final = {"systemd": "systemd"}
"""Kinds of file that a target writes, too: there what was and what will be are compared."""
_FULL: Final = "service.full_unit"
_GUESSES: Final[tuple[tuple[str, Any], ...]] = (
    (_FULL, True),
    *(("{engine}.acceleration", library) for library in ("cuda", "rocm", "vulkan")),
    ("warmup.enable", True),
    ("service.resume_fix", True),
)
_WHY: Final = "so the files are written again as they are"


def guessed(
    chosen: Chosen, entries: Sequence[Entry], base: Mapping[str, Any], context: Context
) -> tuple[Settled, list[Left]]:
    """Return what a profile takes of Entries and of guesses, and what the files say beyond it."""
    source = f"{base['name']}.toml"
    entries = without_derived(entries, base, context.catalogue, source)
    best = _tried(chosen, entries, base, context)
    for one in _guesses(chosen, entries):
        if not best[1]:
            break
        found = _tried(chosen, [*entries, one], base, context)
        if one in found[0].kept and len(found[1]) < len(best[1]):
            entries, best = [*entries, one], found
    return best


def _guesses(chosen: Chosen, entries: Sequence[Entry]) -> Iterator[Entry]:
    known = {one.key for one in entries}
    if chosen.view.adds or not any(_is_hardened(line) for line in chosen.view.lines):
        known.add(_FULL)
    for pattern, value in _GUESSES:
        key = pattern.format(engine=chosen.view.engine)
        if key not in known:
            yield Entry(key=key, value=value, name=key, place=chosen.view.place, note=_WHY)


def _is_hardened(line: Line) -> bool:
    return (line.name, line.value) == ("ProtectSystem", "strict")


def _tried(
    chosen: Chosen, entries: Sequence[Entry], base: Mapping[str, Any], context: Context
) -> tuple[Settled, list[Left]]:
    result = settled(entries, base, context.catalogue, f"{base['name']}.toml")
    target = TARGETS.get(chosen.view.phrases.kind) if not chosen.view.container else None
    if target is None:
        return result, []
    again = written_again(result.plan, target, context)
    carried = {one.name for one in result.kept}
    full = any(one.key == _FULL for one in result.kept)
    return result, [*not_again(chosen, again, carried, full=full)]
