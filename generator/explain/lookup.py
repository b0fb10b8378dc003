"""From a name to its Pages: what is there by that name, and what was meant otherwise."""

from __future__ import annotations

import dataclasses
import functools
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from generator.errors import HostwrightError
from generator.explain.asked import asked
from generator.explain.keys import key_page, keys
from generator.explain.limits import limit_names, limit_page, limits
from generator.explain.options import option_page
from generator.explain.page import KINDS, Page, Prose
from generator.explain.rules import every_rule, rule_page
from generator.explain.variables import (
    dead_of,
    dead_page,
    runner_names,
    runner_page,
    variable_of,
    variable_page,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from generator.explain.asked import Asked

_NO = "LLAMA_ARG_NO_"


class Entry(NamedTuple):
    """A name that can be explained, with its line in a list."""

    kind: str
    name: str
    summary: str


def listed(kind: str | None = None) -> tuple[Entry, ...]:
    """Return everything that has a Page, or everything of a kind, grouped by kind."""
    kinds = tuple(KINDS) if kind is None else (kind,)
    return tuple(entry for one in kinds for entry in _of_kind(one))


def _of_kind(kind: str) -> Iterator[Entry]:
    named: dict[str, str]
    facts = asked().facts
    match kind:
        case "rule":
            named = {name: f"{rule.severity}: {rule.title}" for name, rule in every_rule().items()}
        case "variable":
            named = {name: variable_of(facts, name).effect for name in facts.names}
            named |= dict.fromkeys(runner_names(facts), "Read by llama-server, for every model.")
        case "dead":
            named = {name: f"for {dead_of(facts, name).belief}" for name in facts.dead_names}
        case "key":
            named = {path: " ".join(key["description"].split()) for path, key in keys().items()}
        case "limit":
            named = {name: limit.effect for name, limit in limits().items()}
        case _:
            options = ((name, facts.option(name)) for name in facts.options)
            named = {name: option.effect for name, option in options if option}
    yield from (Entry(kind, name, summary) for name, summary in named.items())


def _names(kind: str) -> Iterable[str]:
    """Return the names of a kind, without making their entries."""
    facts = asked().facts
    named: dict[str, Callable[[], Iterable[str]]] = {
        "rule": every_rule,
        "variable": lambda: (*facts.names, *runner_names(facts)),
        "dead": lambda: facts.dead_names,
        "key": keys,
        "limit": limits,
        "option": lambda: facts.options,
    }
    return named[kind]()


def explain(names: Sequence[str], version: str | None = None) -> tuple[Page, ...]:
    """Return the Pages of all names, in order, for one release or for all.

    Raises HostwrightError that names every unknown one, and what was meant.
    """
    wanted = asked(version)
    found = {name: find(name) for name in names}
    unknown = [name for name, entries in found.items() if not entries]
    if unknown:
        told = "`, `".join(unknown)
        hints = [hint for hint in map(_meant, unknown) if hint]
        raise HostwrightError(
            f"there is nothing to explain by the name `{told}`",
            hint=" ".join([*hints, "`gen explain --list` has every name"]),
        )
    entries = dict.fromkeys(entry for name in found for entry in found[name])
    return tuple(_page(kind, name, wanted) for kind, name in entries)


def find(name: str) -> tuple[tuple[str, str], ...]:
    """Return kind and name of what is called so; what differs in case only if nothing else is.

    A name may be pasted as it stands in a file: `CPUQuota=`, `PARAMETER num_ctx`, `ollama.env.X`.
    """
    word = name.strip().partition("=")[0].rstrip(" :")
    word = word.removeprefix("PARAMETER ").removeprefix("ollama.env.").strip()
    if found := _index().get(word):
        return found
    if word.startswith(_NO) and (found := _index().get(word.replace(_NO, "LLAMA_ARG_", 1))):
        return (("negative", word),)
    return _folded().get(word.casefold(), ())


@functools.cache
def _index() -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for kind in KINDS:
        for name in _names(kind):
            found.setdefault(name, []).append((kind, name))
    for spelled, name in limit_names().items():
        found.setdefault(spelled, []).append(("limit", name))
    for path in keys():
        found.setdefault(path.rpartition(".")[2], []).append(("key", path))
    return {name: tuple(dict.fromkeys(entries)) for name, entries in found.items()}


@functools.cache
def _folded() -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, entries in _index().items():
        found[name.casefold()] = (*found.get(name.casefold(), ()), *entries)
    return found


def _meant(name: str) -> str:
    spelled = {known.casefold(): known for known in _index()}
    close = get_close_matches(name.strip().casefold(), spelled, n=3, cutoff=0.7)
    dead = asked().facts.dead_names
    living = sorted((spelled[match] for match in close), key=lambda found: found in dead)
    names = " or ".join(f"`{found}`" for found in living)
    return f"did you mean {names}?" if names else ""


def _page(kind: str, name: str, wanted: Asked) -> Page:
    if kind == "rule":
        return rule_page(every_rule()[name])
    if kind == "limit":
        return limit_page(name)
    if kind == "variable" and name in runner_names(wanted.facts):
        return runner_page(name, wanted)
    pages: dict[str, Callable[[str, Asked], Page]] = {
        "variable": variable_page,
        "negative": _negative,
        "dead": dead_page,
        "key": key_page,
        "option": option_page,
    }
    return pages[kind](name, wanted)


def _negative(name: str, wanted: Asked) -> Page:
    """Return the page of a switch under its negative name, which llama-server reads, too."""
    switch = name.replace(_NO, "LLAMA_ARG_", 1)
    page = _page("variable", switch, wanted)
    told = Prose(f"The negative form of `{switch}`: any value counts, `0` too. Of that one:")
    return dataclasses.replace(page, name=name, blocks=(told, *page.blocks))
