"""From a name to its Pages: what is there by that name, and what was meant otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from generator.catalogue.catalogue import load_catalogue
from generator.errors import HostwrightError
from generator.explain.around import (
    setting_names,
    setting_page,
    setting_summary,
    topic_names,
    topic_page,
)
from generator.explain.history import asked
from generator.explain.keys import key_page, keys, limit_names, limit_page
from generator.explain.models import model_page, shown_name, summary
from generator.explain.page import KINDS, Page
from generator.explain.rules import every_rule, rule_page
from generator.explain.variables import (
    dead_page,
    option_page,
    runner_names,
    variable_page,
    variable_summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.explain.history import Asked


class Entry(NamedTuple):
    """A name that can be explained, with its line in a list."""

    kind: str
    name: str
    summary: str


class _Kind(NamedTuple):
    """How the names of a kind are found, listed and explained."""

    names: Callable[[Facts], Iterable[str]]
    summary: Callable[[Facts, str], str]
    page: Callable[[str, Asked], Page]


def _of_model(facts: Facts, name: str) -> str:
    model = facts.named_model(name)
    return summary(model) if model else ""


_KINDS: Final[Mapping[str, _Kind]] = {
    "rule": _Kind(
        lambda _: every_rule(),
        lambda _, name: f"{every_rule()[name].severity}: {every_rule()[name].title}",
        lambda name, _: rule_page(every_rule()[name]),
    ),
    "variable": _Kind(
        lambda facts: (*facts.variables, *runner_names(facts)), variable_summary, variable_page
    ),
    "dead": _Kind(
        lambda facts: facts.dead_names,
        lambda facts, name: f"for {facts.dead_names[name].belief}",
        dead_page,
    ),
    "key": _Kind(
        lambda _: keys(), lambda _, path: " ".join(keys()[path]["description"].split()), key_page
    ),
    "limit": _Kind(
        lambda _: load_catalogue().limits,
        lambda _, name: load_catalogue().limits[name].effect,
        lambda name, _: limit_page(name),
    ),
    "option": _Kind(
        lambda facts: facts.options, lambda facts, name: facts.options[name].effect, option_page
    ),
    "setting": _Kind(
        lambda _: dict.fromkeys(setting_names().values()),
        lambda _, name: setting_summary(name),
        lambda name, _: setting_page(name),
    ),
    "topic": _Kind(
        lambda _: load_catalogue().topics,
        lambda _, name: load_catalogue().topics[name].title,
        lambda name, _: topic_page(name),
    ),
    "model": _Kind(
        lambda facts: [shown_name(model) for model in facts.models], _of_model, model_page
    ),
}
# Models have a JSON of their own, which is read where no other kind has the name.
_QUICK: Final = tuple(kind for kind in KINDS if kind != "model")


def listed(kind: str | None = None) -> tuple[Entry, ...]:
    """Return everything that has a Page, or everything of a kind, grouped by kind."""
    facts = asked().facts
    return tuple(
        Entry(one, name, _KINDS[one].summary(facts, name))
        for one in (KINDS if kind is None else (kind,))
        for name in _KINDS[one].names(facts)
    )


def explain(names: Sequence[str], version: str | None = None) -> tuple[Page, ...]:
    """Return the Pages of all names, in order, for one release or for all.

    Raises HostwrightError that names every unknown one, and what was meant.
    """
    wanted = asked(version)
    found = {name: find(name) for name in names}
    unknown = [name for name, entries in found.items() if not entries]
    if unknown:
        unknown_names = "`, `".join(unknown)
        hints = [hint for hint in map(_meant, unknown) if hint]
        raise HostwrightError(
            f"there is nothing to explain by the name `{unknown_names}`",
            hint=" ".join([*hints, "`gen explain --list` has every name"]),
        )
    entries = dict.fromkeys(entry for name in found for entry in found[name])
    return tuple(_KINDS[kind].page(name, wanted) for kind, name in entries)


def find(name: str) -> tuple[tuple[str, str], ...]:
    """Return kind and name of what is called so; what differs in case only if nothing else is.

    A name may be pasted as it stands in a file: `CPUQuota=`, `PARAMETER num_ctx`, `ollama.env.X`.
    """
    word = name.strip().partition("=")[0].rstrip(" :")
    word = word.removeprefix("PARAMETER ").removeprefix("ollama.env.").strip()
    if found := _called(word):
        return found
    if asked().facts.negated(word):
        return (("variable", word),)
    alike = (name for name in _names() if name.casefold() == word.casefold())
    if found := tuple(entry for name in alike for entry in _called(name)):
        return found
    model = asked().facts.named_model(name)
    return (("model", shown_name(model)),) if model else ()


def _called(word: str) -> tuple[tuple[str, str], ...]:
    facts = asked().facts
    found = [(kind, word) for kind in _QUICK if word in _KINDS[kind].names(facts)]
    if limit := limit_names().get(word):
        found.append(("limit", limit))
    if setting := setting_names().get(word):
        found.append(("setting", setting))
    if topic := topic_names().get(word.lower()):
        found.append(("topic", topic))
    found += [("key", path) for path in keys() if path.rpartition(".")[2] == word]
    return tuple(dict.fromkeys(found))


def _names() -> dict[str, None]:
    """Return every name that leads to a page."""
    facts = asked().facts
    names = (name for kind in _QUICK for name in _KINDS[kind].names(facts))
    around = (*setting_names(), *topic_names())
    return dict.fromkeys(
        (*names, *limit_names(), *around, *(key.rpartition(".")[2] for key in keys()))
    )


_ALIKE: Final = str.maketrans("oil", "011")


def _as_read(name: str) -> str:
    """Return a name without what a reader mistakes: case, and letters that look like digits."""
    return name.casefold().translate(_ALIKE)


def _meant(name: str) -> str:
    from difflib import get_close_matches

    spelled = {_as_read(known): known for known in _names()}
    close = get_close_matches(_as_read(name.strip()), spelled, n=3, cutoff=0.7)
    dead = asked().facts.dead_names
    living = sorted((spelled[match] for match in close), key=lambda found: found in dead)
    if not living and ":" in name and (model := asked().facts.closest_model(name)):
        living = [model]
    names = " or ".join(f"`{found}`" for found in living)
    return f"did you mean {names}?" if names else ""
