"""The pages of environment variables, dead names among them, and of model options."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Readable
from generator.explain.history import as_data, held, held_values, history, instead, status
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rule_titles, rules_about

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import RunnerNames, Variable
    from generator.explain.history import Asked
    from generator.explain.page import Block
    from generator.units import Release

_BY_RUNNER: Final = "Read by llama-server, for every model."
# The words of the data files in plain English.
KIND: Final = {
    "bool": "Boolean: `1`, `t`, `true`, `0`, `f`, `false`",
    "uint": "whole number, not negative",
    "int": "whole number",
    "duration": "Go duration like `90s`, `30m` or `24h`, or whole seconds",
    "enum": "one of a few words",
    "string": "text",
    "list": "list, separated by commas",
    "path": "path",
    "bytes": "number of bytes",
}
SCOPE: Final = {
    "server": "read by the server",
    "runner": "read by the process that runs a model",
    "gpu-selection": "read while GPUs are looked for",
    "client": "read by the client only; on a server it does nothing",
    "informational": "read by libraries or tools, if by anything",
}
ON_INVALID: Final = {
    "warn-default": "The server logs a warning and uses the default.",
    "silent-default": "The server uses the default and says nothing.",
    "true": "Any text that is not a Boolean counts as true: `off` and `no` turn it on.",
    "presence": "Any value counts, `0` too: remove it instead.",
    "ignored": "They are ignored, and nothing says so.",
    "crash": "The server ends at its start.",
    "per-version": "That depends on the release: see the allowed values.",
    "driver": "The driver decides what they mean; Ollama does not look.",
    "runtime": "The container runtime decides what they mean; Ollama does not look.",
}
DANGER: Final = "The server stops answering, or answers wrong: do not set it."
UNSAFE: Final = "Models differ in it, so it is not for a whole server."
_TYPES: Final = {
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "string": "text",
}


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
    danger = DANGER if variable.dangerous else ""
    care = "" if danger or variable.safe else UNSAFE
    key, about = profile_key(variable), _rules(variable)
    blocks: tuple[Block, ...] = (
        Prose(variable.effect),
        *paragraphs(
            ("Danger", danger),
            ("Careful", care),
            ("Status", state),
            ("Takes", _takes(variable)),
            ("Bad values", bad_values(variable)),
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
        about=SCOPE[variable.scope],
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


def _takes(variable: Variable) -> str:
    """Say what a variable takes; Go, llama.cpp and ggml each have Booleans of their own."""
    if variable.kind == "bool" and variable.name.startswith("LLAMA_ARG_"):
        return "Boolean: `1`, `on`, `true`, `enabled`, `0`, `off`, `false`, `disabled`"
    if variable.kind == "bool" and variable.name.startswith("GGML_"):
        return "switch: set, or not set"
    return KIND[variable.kind]


def bad_values(variable: Variable) -> str:
    """Say how a bad value behaves."""
    word = variable.on_invalid
    if word == "load-fail":
        runner = variable.scope == "runner"
        return "llama-server ends, and no model loads." if runner else "Models cannot be loaded."
    return ON_INVALID[word]


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
            Prose("No release of Ollama reads this name; setting it changes nothing."),
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
        about=SCOPE["runner"],
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


def option_page(name: str, asked: Asked) -> Page:
    """Return the page of a model option."""
    option = asked.facts.options[name]
    state, modelfile = status(option, asked), option.modelfile
    reload = "Requests that differ in it load the model again." if option.reload else ""
    about = rules_about(name if "_" in name else f"PARAMETER {name}")
    return Page(
        kind="option",
        name=name,
        about="model option" + (", `PARAMETER` of a Modelfile" if modelfile else ""),
        summary=option.effect,
        blocks=(
            Prose(option.effect),
            *paragraphs(("Status", state), ("Takes", _TYPES[option.type]), ("Careful", reload)),
            *history(option, asked),
            *paragraphs(
                ("Profile", f"`models.parameters`, like `{name} = …`" if modelfile else ""),
                ("Rules", rule_titles(about)),
            ),
        ),
        sources=sources_of(option.source),
        facts={
            "type": option.type,
            "since": str(option.since),
            "removed": str(option.removed) if option.removed else None,
            "defaults": as_data(held(option.defaults, asked)),
            "modelfile": modelfile,
            "reload": option.reload,
            "status": state,
            "rules": list(about),
        },
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
        carried = re.search(r"Environment=([A-Z_]+)", fact.becomes.get("systemd", ""))
        spelled = f"OLLAMA_{key.partition('.')[2].upper()}" if key.startswith("ollama.") else ""
        for name in (fact.variable, carried[1] if carried else "", spelled):
            found.setdefault(name, key)
    return found
