"""The waves in which a fleet is deployed: the canary, those that are named, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Problem
from generator.units import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from generator.fleet.schema import Rollout

    Tags: TypeAlias = Mapping[str, Collection[str]]


def waves_of(rollout: Rollout, tags: Tags) -> tuple[tuple[str, ...], ...]:
    """Return the hosts of each wave in order, given the tags of each host; none is in two waves."""
    known = _index(tags)
    left = set(tags)
    waves = []
    for named in (rollout.canary, *rollout.waves, tuple(tags)):
        wave = sorted(left & set().union(*(known.get(name, ()) for name in named)))
        left.difference_update(wave)
        size = rollout.size or max(len(wave), 1)
        waves += [tuple(wave[at : at + size]) for at in range(0, len(wave), size)]
    return tuple(waves)


def faults(said: object, tags: Tags) -> Iterator[Problem]:
    """Yield a Problem for each name in a wave that is no host's, and no tag of any.

    `said` is the table as it stands in the file: what has no form hides nothing beside it.
    """
    known = _index(tags)
    for place, name in _named(said, "rollout"):
        if name not in known:
            yield no_such(place, name, known)


def _named(said: object, place: str) -> Iterator[tuple[str, str]]:
    """Yield the names in the waves of a table, each with its place."""
    if isinstance(said, dict):
        for key in ("canary", "waves"):
            yield from _named(said.get(key), f"{place}.{key}")
    elif isinstance(said, list):
        for at, item in enumerate(said):
            yield from _named(item, f"{place}.{at}")
    elif isinstance(said, str):
        yield place, said


def no_such(place: str, name: str, known: Iterable[str]) -> Problem:
    """Return what is wrong with a name that no host and no tag has."""
    what = "no host has the tag" if name.startswith("@") else "there is no host"
    hint = "a tag has `@` before it, as in `@gpu`"
    bare = name.removeprefix("@")
    if f"@{name}" in set(known):
        return Problem(place, f"{what} `{bare}`", f"did you mean the tag, `@{name}`?")
    if close := closest(name, known):
        hint = f"did you mean `{close}`?"
    return Problem(place, f"{what} `{bare}`", hint)


def chosen(names: Iterable[str], tags: Tags) -> frozenset[str]:
    """Return the hosts that these names and tags mean; a tag may stand without its `@`."""
    known = _index(tags)
    return frozenset().union(*({*known.get(n, ()), *known.get(f"@{n}", ())} for n in names))


def _index(tags: Tags) -> dict[str, set[str]]:
    """Return the hosts that each name means: that of a host, or `@` and a tag."""
    found = {host: {host} for host in tags}
    for host, of_host in tags.items():
        for tag in of_host:
            found.setdefault(f"@{tag}", set()).add(host)
    return found
