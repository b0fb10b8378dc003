"""The pages of environment variables: those that something reads, and those that nothing does."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from generator.explain import words
from generator.explain.history import history, instead, listed, status
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import known, rules_about, told_rules
from generator.explain.tables import by_name, dead_names, runner_names

if TYPE_CHECKING:
    from generator.explain.page import Block
    from generator.explain.tables import Table
    from generator.units import Release

_CARRIED: Final = re.compile(r"Environment=([A-Z_]+)")


def variable_page(name: str, release: Release | None = None) -> Page:
    """Return the page of a variable with an entry; `release` narrows it to one."""
    variable = by_name("ollama.toml", "variable")[name]
    told = status(variable, release)
    danger = words.DANGER if variable.get("dangerous") else ""
    care = "" if danger or variable.get("safe", True) else words.UNSAFE
    key, about = profile_key(name), _rules(variable)
    blocks: tuple[Block, ...] = (
        Prose(variable["effect"]),
        *paragraphs(
            ("Danger", danger),
            ("Careful", care),
            ("Status", told),
            ("Takes", words.kind(variable)),
            ("Bad values", words.on_invalid(variable)),
        ),
        *history(variable, release),
        *instead(variable, release),
        *paragraphs(
            ("Note", variable.get("note", "")),
            ("Profile", f"`{key}`" if key else ""),
            ("Rules", told_rules(about)),
        ),
    )
    facts = _variable_facts(variable, release) | {
        "status": told,
        "profile_key": key,
        "rules": list(about),
    }
    return Page(
        kind="variable",
        name=name,
        about=words.SCOPE[variable["scope"]],
        summary=variable["effect"],
        blocks=blocks,
        sources=sources_of(variable["source"]),
        facts=facts,
    )


def _variable_facts(variable: Table, release: Release | None) -> dict[str, Any]:
    return {
        "type": variable["kind"],
        "scope": variable["scope"],
        "since": variable["since"],
        "removed": variable.get("removed"),
        "effective": variable.get("effective", True),
        "effective_until": variable.get("effective_until"),
        "defaults": listed(variable, "defaults", release),
        "allowed": listed(variable, "allowed", release),
        "on_invalid": variable["on_invalid"],
        "dangerous": variable.get("dangerous", False),
        "safe": variable.get("safe", True),
        "replacement": listed(variable, "replacement", release),
        "note": variable.get("note", ""),
    }


def _rules(variable: Table) -> tuple[str, ...]:
    """Return the rules about a variable: by its name, and by what is said of it."""
    general = {
        "HW102": "removed" in variable,
        "HW108": variable["on_invalid"] == "true",
        "HW109": variable["kind"] == "duration",
        "HW111": variable["kind"] in {"uint", "int", "bytes"},
        "HW117": variable.get("dangerous", False),
        "HW118": variable["scope"] == "client",
    }
    held = known(*(rule for rule, holds in general.items() if holds))
    return tuple(sorted({*held, *rules_about(variable["name"])}))


def dead_page(name: str, release: Release | None = None) -> Page:
    """Return the page of a name that no release reads."""
    dead = dead_names()[name]
    others = [f"`{other}`" for other in dead["names"] if other != name]
    key = dead.get("intent", "")
    return Page(
        kind="dead",
        name=name,
        about="read by no release of Ollama",
        summary=f"believed to be: {dead['belief']}",
        blocks=(
            Prose(words.ABSENT),
            *paragraphs(("Believed to be", dead["belief"])),
            *instead(dead, release),
            *paragraphs(
                ("Profile", f"`{key}`" if key else ""),
                ("Note", dead.get("note", "")),
                ("The same holds for", ", ".join(others)),
                ("Rules", told_rules(known("HW101"))),
            ),
        ),
        sources=sources_of(dead["source"]),
        facts={
            "category": dead["category"],
            "belief": dead["belief"],
            "replacement": listed(dead, "replacement", release),
            "profile_key": key,
            "names": list(dead["names"]),
            "note": dead.get("note", ""),
        },
    )


def runner_page(name: str, release: Release | None = None) -> Page:
    """Return the page of a name that llama-server reads without an entry of its own."""
    entry = runner_names()[name]
    span = {"name": name, "since": entry["since"], "removed": entry.get("until")}
    told = status({key: value for key, value in span.items() if value}, release)
    return Page(
        kind="variable",
        name=name,
        about=words.SCOPE["runner"],
        summary="Read by llama-server, for every model.",
        blocks=(
            Prose("llama-server reads it for every model. Ollama does not know it."),
            *paragraphs(
                ("Status", told),
                ("Bad values", "llama-server ends, and no model loads."),
                ("Profile", f"`ollama.env.{name}`"),
            ),
        ),
        sources=sources_of(entry["source"]),
        facts={"type": "string", "scope": "runner", "since": entry["since"], "status": told},
    )


def profile_key(name: str) -> str:
    """Return the profile key that decides a variable; empty where none should."""
    variable = by_name("ollama.toml", "variable")[name]
    if found := _keys_by_variable().get(name):
        return found
    settable = variable["scope"] != "client" and not variable.get("dangerous")
    return f"ollama.env.{name}" if settable else ""


@functools.cache
def _keys_by_variable() -> dict[str, str]:
    found: dict[str, str] = {}
    for key, entry in by_name("keys.toml", "key").items():
        carried = _CARRIED.search(entry.get("systemd", ""))
        spelled = f"OLLAMA_{key.partition('.')[2].upper()}" if key.startswith("ollama.") else ""
        for name in (entry.get("variable", ""), carried[1] if carried else "", spelled):
            found.setdefault(name, key)
    return found
