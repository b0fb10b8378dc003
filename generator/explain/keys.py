"""The pages of profile keys, from the JSON Schema that editors use, and of limits."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import KeyFact, current
from generator.explain.history import periods
from generator.explain.page import Grid, Page, Prose, paragraphs, sources_of
from generator.explain.rules import last_word, rule_titles, rules_about
from generator.profiles.json_schema import default_of, table_of, takes
from generator.profiles.shipped import profile_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.explain.history import Asked
    from generator.explain.page import Block


@functools.cache
def keys() -> dict[str, dict[str, Any]]:
    """Return the schema of each key by its path: `ollama.keep_alive`, `models.name`, `host.cpu`."""
    schema = profile_schema()
    return dict(_keys("", schema, schema["$defs"]))


def _keys(
    prefix: str, table: Mapping[str, Any], tables: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, field in table["properties"].items():
        path = f"{prefix}{key}"
        required = key in table.get("required", ())
        name, _ = table_of(field)
        yield path, {**field, "required": required, "table": name}
        if name:
            yield from _keys(f"{path}.", tables[name], tables)


def key_page(path: str, asked: Asked) -> Page:
    """Return the page of a profile key."""
    field = keys()[path]
    inner = [key for key in keys() if key.rpartition(".")[0] == path]
    taken = "" if field["table"] else takes(field)
    default = "" if field["table"] else default_of(field.get("default"))
    carrier = _fact(path).variable or limit_of(path)
    about = rules_about(path, *last_word(path), *([carrier] if carrier else ()))
    description = " ".join(field.get("description", "").split())
    return Page(
        kind="key",
        name=path,
        about="table of a profile" if field["table"] else "key of a profile",
        summary=description,
        blocks=(
            Prose(description),
            *paragraphs(
                ("Takes", taken),
                ("Default", "required" if field["required"] else default),
                ("Left out", "" if default or field["required"] else _left_out(path, asked)),
                ("Keys", ", ".join(f"`{key.rpartition('.')[2]}`" for key in inner)),
            ),
            *_becomes_blocks(path, asked),
            *paragraphs(("Rules", rule_titles(about))),
        ),
        facts={
            "takes": taken,
            "default": field.get("default"),
            "required": field["required"],
            "keys": inner,
            "becomes": becomes(path),
            "rules": list(about),
        },
    )


def _fact(path: str) -> KeyFact:
    return load_catalogue().keys.get(path) or KeyFact(name=path)


def _left_out(path: str, asked: Asked) -> str:
    """Say what the release does by itself where the profile says nothing."""
    name = _fact(path).variable
    if not name or path in _DERIVED:
        return ""
    span = current(asked.facts.variables[name].defaults, asked.facts.at)
    meaning = f": {span.note}" if span and span.note else ""
    return f"`{span.value}` in Ollama {asked.facts.release}{meaning}" if span else ""


# What the profile reference says of these when they are left out is about the host.
_DERIVED: Final = frozenset({"threads.count"})


def becomes(path: str) -> dict[str, str]:
    """Return what carries a key in each target; empty: nothing does."""
    fact, spellings = _fact(path), load_catalogue().spellings
    spelled: dict[str, str] = {}
    if name := limit_of(path):
        compose = next(iter(load_catalogue().limits[name].compose), "")
        spelled = {s.target: s.limit.format(name=name, compose=compose) for s in spellings}
    elif name := fact.variable:
        spelled = {s.target: s.variable.format(name=name) for s in spellings}
    carried = {**spelled, **fact.becomes}
    named = ((s.target, carried.get(s.target, "")) for s in spellings)
    return {target: "-" if text == "``" else text for target, text in named if text}


def _becomes_blocks(path: str, asked: Asked) -> Iterator[Block]:
    if carried := becomes(path):
        rows = [(target, "nothing" if name == "-" else name) for target, name in carried.items()]
        yield Grid(("target", "becomes"), tuple(rows))
    yield from _levers(path, asked)
    fact = _fact(path)
    see = f"`gen explain {fact.variable}`" if fact.variable else ""
    yield from paragraphs(("Note", fact.note), ("See", see))


def _levers(path: str, asked: Asked) -> Iterator[Block]:
    """Yield by release what does the work of a key whose obvious name no release reads."""
    entries = asked.facts.dead_names.values()
    dead = next((entry for entry in entries if entry.intent == path), None)
    if dead is None:
        return
    if asked.alone:
        yield from paragraphs((f"In Ollama {asked.facts.release}", dead.replacement))
    elif len(dead.replacements) > 1:
        spans = periods(dead.replacements)
        rows = tuple((since, before, span.use) for since, before, span in spans)
        yield Grid(("from", "before", "works by"), rows)


@functools.cache
def limit_names() -> dict[str, str]:
    """Return systemd's name of a limit by each name that it has, the longer Compose ones too."""
    limits = load_catalogue().limits
    found = {name: name for name in limits}
    for name, limit in limits.items():
        for key in limit.compose:
            found.setdefault(key, name)
    return found


def limit_of(key: str) -> str:
    """Return systemd's name of the limit that a profile key decides; empty: of none."""
    limits = load_catalogue().limits
    return next((name for name, limit in limits.items() if limit.key == key), "")


def limit_page(name: str) -> Page:
    """Return the page of a limit, by systemd's name."""
    limit = load_catalogue().limits[name]
    compose, key = limit.compose, limit.key
    about = rules_about(name, *(f"{path}:" for path in compose[:1]), *last_word(key))
    in_compose = (f"`{path}` in Compose" for path in compose[:1])
    return Page(
        kind="limit",
        name=name,
        about=", ".join(("directive of a systemd [Service]", *in_compose)),
        summary=limit.effect,
        blocks=(
            Prose(limit.effect),
            *paragraphs(
                ("Ollama", limit.ollama),
                ("Careful", limit.bad),
                ("Compose", ", ".join(f"`{path}`" for path in compose) or "has no such key"),
                ("Profile", f"`{key}`" if key else "no key"),
                ("Rules", rule_titles(about)),
            ),
        ),
        sources=sources_of(limit.source),
        facts={
            "compose": list(compose),
            "profile_key": key,
            "ollama": limit.ollama,
            "careful": limit.bad,
            "rules": list(about),
        },
    )
