"""The pages of environment variables: those that something reads, and those that nothing does."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Readable
from generator.explain import words
from generator.explain.history import as_data, held, held_values, history, instead, status
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rule_titles, rules_about

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import RunnerNames, Variable
    from generator.explain.asked import Asked
    from generator.explain.page import Block
    from generator.units import Release

_CARRIED: Final = re.compile(r"Environment=([A-Z_]+)")
_BY_RUNNER: Final = "Read by llama-server, for every model."


def variable_summary(facts: Facts, name: str) -> str:
    """Return what a variable does, in a line."""
    variable = facts.variable(name)
    return variable.effect if variable else _BY_RUNNER


def variable_page(name: str, asked: Asked) -> Page:
    """Return the page of a name that something reads."""
    if variable := asked.facts.variable(name):
        return _page(variable, asked)
    if entry := runner_names(asked.facts).get(name):
        return _runner_page(name, entry, asked)
    page = variable_page(asked.facts.negated(name), asked)
    negative = Prose(f"The negative form of `{page.name}`: any value counts, `0` too. Of that one:")
    return replace(page, name=name, blocks=(negative, *page.blocks))


def _page(variable: Variable, asked: Asked) -> Page:
    state = status(variable, asked)
    danger = words.DANGER if variable.dangerous else ""
    care = "" if danger or variable.safe else words.UNSAFE
    key, about = profile_key(variable), _rules(variable)
    blocks: tuple[Block, ...] = (
        Prose(variable.effect),
        *paragraphs(
            ("Danger", danger),
            ("Careful", care),
            ("Status", state),
            ("Takes", words.kind(variable)),
            ("Bad values", words.on_invalid(variable)),
        ),
        *history(variable, asked),
        *instead(variable.replacements, asked),
        *paragraphs(
            ("Note", variable.note),
            ("Profile", f"`{key}`" if key else ""),
            ("Rules", rule_titles(about)),
        ),
    )
    facts = _variable_facts(variable, asked) | {
        "status": state,
        "profile_key": key,
        "rules": list(about),
    }
    return Page(
        kind="variable",
        name=variable.name,
        about=words.SCOPE[variable.scope],
        summary=variable.effect,
        blocks=blocks,
        sources=sources_of(variable.source),
        facts=facts,
    )


def _variable_facts(variable: Variable, asked: Asked) -> dict[str, Any]:
    return {
        "type": variable.kind,
        "scope": variable.scope,
        "since": str(variable.since),
        "removed": _text(variable.removed),
        "effective": variable.effective,
        "effective_until": _text(variable.effective_until),
        "defaults": as_data(held(variable.defaults, asked)),
        "allowed": as_data(held_values(variable, asked)),
        "on_invalid": variable.on_invalid,
        "dangerous": variable.dangerous,
        "safe": variable.safe,
        "replacement": as_data(held(variable.replacements, asked)),
        "note": variable.note,
    }


def _text(release: Release | None) -> str | None:
    return str(release) if release else None


def _rules(variable: Variable) -> tuple[str, ...]:
    """Return the rules about a variable: by its name, and by what is said of it."""
    general = {
        "HW102": variable.removed is not None,
        "HW108": variable.on_invalid == "true",
        "HW109": variable.kind == "duration",
        "HW111": variable.kind in {"uint", "int", "bytes"},
        "HW117": variable.dangerous,
        "HW118": variable.scope == "client",
    }
    held = (rule for rule, holds in general.items() if holds)
    return tuple(sorted({*held, *rules_about(variable.name)}))


def dead_page(name: str, asked: Asked) -> Page:
    """Return the page of a name that no release reads."""
    dead = asked.facts.dead_names[name]
    others = [f"`{other}`" for other in dead.names if other != name]
    key = dead.intent
    return Page(
        kind="dead",
        name=name,
        about="read by no release of Ollama",
        summary=f"believed to be: {dead.belief}",
        blocks=(
            Prose(words.ABSENT),
            *paragraphs(("Believed to be", dead.belief)),
            *instead(dead.replacements, asked),
            *paragraphs(
                ("Profile", f"`{key}`" if key else ""),
                ("Note", dead.note),
                ("The same holds for", ", ".join(others)),
                ("Rules", rule_titles(["HW101"])),
            ),
        ),
        sources=sources_of(dead.source),
        facts={
            "category": dead.category,
            "belief": dead.belief,
            "replacement": as_data(held(dead.replacements, asked)),
            "profile_key": key,
            "names": list(dead.names),
            "note": dead.note,
        },
    )


def runner_names(facts: Facts) -> dict[str, RunnerNames]:
    """Return the entry of each name that llama-server reads without an entry of its own."""
    return {name: entry for entry in facts.runner_names for name in entry.names}


def _runner_page(name: str, entry: RunnerNames, asked: Asked) -> Page:
    read = Readable(
        at=asked.facts.at,
        name=name,
        since=entry.since,
        removed=entry.until,
        effect=_BY_RUNNER,
        source=entry.source,
    )
    state = status(read, asked)
    return Page(
        kind="variable",
        name=name,
        about=words.SCOPE["runner"],
        summary=read.effect,
        blocks=(
            Prose("llama-server reads it for every model. Ollama does not know it."),
            *paragraphs(
                ("Status", state),
                ("Bad values", "llama-server ends, and no model loads."),
                ("Profile", f"`ollama.env.{name}`"),
            ),
        ),
        sources=sources_of(entry.source),
        facts={"type": "string", "scope": "runner", "since": str(entry.since), "status": state},
    )


def profile_key(variable: Variable) -> str:
    """Return the profile key that decides a variable; empty where none should."""
    if found := _keys_by_variable().get(variable.name):
        return found
    settable = variable.scope != "client" and not variable.dangerous
    return f"ollama.env.{variable.name}" if settable else ""


@functools.cache
def _keys_by_variable() -> dict[str, str]:
    found: dict[str, str] = {}
    for key, fact in load_catalogue().keys.items():
        carried = _CARRIED.search(fact.becomes.get("systemd", ""))
        spelled = f"OLLAMA_{key.partition('.')[2].upper()}" if key.startswith("ollama.") else ""
        for name in (fact.variable, carried[1] if carried else "", spelled):
            found.setdefault(name, key)
    return found
