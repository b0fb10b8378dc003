"""Keys that no single line says: each is tried, and kept where the rendered files say more then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.importing.entries import Added, Entry, Left
from generator.importing.render_back import (
    besides,
    confines,
    not_again,
    with_program,
    written_again,
)
from generator.importing.settle import Settled, settled, without_derived
from generator.importing.taken_back import taken_back, unit_alone
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.importing.choose import Chosen
    from generator.readers.base import Context
    from generator.view import Line, View

TARGETS: Final = {name: name for name in ("systemd", "compose", "quadlet", "nixos")}
"""Kinds of file that a target writes, too: there what was and what will be are compared."""
_OF_CLUSTERS: Final = {"kubernetes": "k8s", "helm": "helm"}
_FULL: Final = "service.full_unit"
_GUESSES: Final[tuple[tuple[str, Any], ...]] = (
    (_FULL, True),
    *(("{engine}.acceleration", library) for library in ("cuda", "rocm", "vulkan")),
    ("warmup.enable", True),
    ("service.resume_fix", True),
)
_WHY: Final = "so the files are written again as they are"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a profile takes, what the files say beyond it, and the mounts of what is rendered."""

    settled: Settled
    unsaid: tuple[Left, ...] = ()
    added: tuple[Added, ...] = ()
    mounts: frozenset[str] = frozenset()


def target_of(view: View) -> str:
    """Return the target that a user of such a file renders."""
    kind = view.phrases.kind
    return {**TARGETS, **_OF_CLUSTERS}.get(kind) or ("compose" if view.container else "systemd")


def guessed(
    chosen: Chosen, entries: Sequence[Entry], base: Mapping[str, Any], context: Context
) -> Tried:
    """Return what becomes of Entries, and of guesses that make the rendered files say more."""
    source = f"{base['name']}.toml"
    entries = without_derived(entries, base, context.catalogue, source)
    best = _tried(chosen, entries, base, context)
    for one in _guesses(chosen, entries):
        if not best.unsaid:
            break
        found = _tried(chosen, [*entries, one], base, context)
        if one in found.settled.kept and len(found.unsaid) < len(best.unsaid):
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
) -> Tried:
    result = settled(entries, base, context.catalogue, f"{base['name']}.toml")
    kind = chosen.view.phrases.kind
    target = TARGETS.get(kind)
    # A unit or a module may run a container: no target writes one like it.
    if target is None or (kind in {"systemd", "nixos"} and chosen.view.container):
        return Tried(result)
    again = written_again(result.plan, target, context)
    if kind == "systemd":
        again = with_program(again, unit_alone(chosen, context))
    carried = {one.name for one in result.kept}
    full = any(one.key == _FULL for one in result.kept)
    added: list[Added] = []
    unsaid = [*not_again(chosen, again, carried, full=full)]
    if kind == "compose":
        added += confines(chosen, again)
    if kind == "systemd" and not full:
        facts = context.catalogue.at(chosen.view.engine, chosen.view.release)
        added += besides(chosen, again, carried)
        unsaid += taken_back(chosen, result.plan, again, facts, context)
    return Tried(result, tuple(unsaid), tuple(added), again.mounts)
