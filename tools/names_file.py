"""`modules/names.json`: which release reads which variable, as the modules ask for it.

Names are grouped by what holds for them. A group without `since` is read by no release; `until` is
the first release in which its names do nothing any more; `switch` says that `LLAMA_ARG_NO_…` is a
name, too. Names of other programs are there only where the release matters.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Replaced, Variable

_OURS: Final = ("OLLAMA_", "LLAMA_ARG_")
_FIRST: Final = Release(0, 0, 1)


def files() -> dict[str, str]:
    """Return the file by its path: a group on each line, its names in alphabetical order."""
    groups: dict[str, dict[str, Any]] = {}
    for name, known in _known(load_catalogue().at("ollama")):
        groups.setdefault(repr(known), {**known, "names": []})["names"].append(name)
    ordered = sorted(groups.values(), key=lambda group: min(group["names"]))
    lines = [json.dumps(group | {"names": sorted(group["names"])}) for group in ordered]
    return {"modules/names.json": "[\n" + ",\n".join(lines) + "\n]\n"}


def _known(facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, variable in facts.variables.items():
        until = _until(variable)
        if name.startswith(_OURS) or variable.since > _FIRST or until:
            yield name, {**_span(variable.since, until), **_switch(variable), **_use(variable)}
    for entry in facts.runner_names:
        for name in entry.names:
            yield name, {**_span(entry.since, entry.until), "switch": True}
    for name, dead in facts.dead_names.items():
        yield name, {**({"intent": dead.intent} if dead.intent else {}), **_use(dead)}


def _until(variable: Variable) -> Release | None:
    ends = [end for end in (variable.removed, variable.effective_until) if end is not None]
    return min(ends, default=None)


def _span(since: Release, until: Release | None) -> dict[str, str]:
    return {"since": str(since)} | ({"until": str(until)} if until else {})


def _switch(variable: Variable) -> dict[str, bool]:
    runner = variable.name.startswith("LLAMA_ARG_")
    return {"switch": True} if runner and variable.two_ways else {}


def _use(entry: Replaced) -> dict[str, Any]:
    uses = [{"since": str(item.since), "text": item.use} for item in entry.replacements]
    return {"use": uses} if uses else {}
