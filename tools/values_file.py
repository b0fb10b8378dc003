"""`modules/values.json`: how values of variables must look, as the modules ask for it.

Each kind has the rule that says the same, the names whose values are read so, the release that
does first, an extended regular expression for the whole value, whether nothing will do, too, what
becomes of other values, and what to do. What ends llama-server is what the rules say of values that
stand for all of their form.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.engines.ollama.rules.helpers.values import value_fault
from generator.engines.ollama.rules.values import DURATIONS, NO_DURATION

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts

_TERM: Final = "([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h)"
# Ollama takes quotes and blanks off.
_AROUND: Final = "[ \"']*"
_DURATION: Final = f"{_AROUND}[+-]?([0-9]+|({_TERM})+){_AROUND}"
_DIGITS: Final = f"{_AROUND}[0-9]+{_AROUND}"
_NUMBER: Final = "[ \t]*[+-]?[.]?[0-9].*"
_ANY: Final = ".*[^ \t].*"
_ENDS: Final = "which ends llama-server: no GPU is found, no model loads"
_NO_NUMBERS: Final = {"", "x", "on", "auto", "{}"}
_FIRST: Final = "0"


def files() -> dict[str, str]:
    """Return the file by its path: a kind on each line, its names in alphabetical order."""
    facts = load_catalogue().at("ollama")
    durations = _of_kinds(facts, "duration")
    numbers = _of_kinds(facts, "uint", "bytes")
    whole, filled = _read_by_runner(facts)
    since = str(min(facts.variables[name].since for name in whole if name in facts.variables))
    default = "not a whole number; Ollama warns and uses its default"
    kinds = [
        _kind("HW109", durations, _FIRST, _DURATION, NO_DURATION, DURATIONS, empty=True),
        _kind("HW111", numbers, _FIRST, _DIGITS, default, "write digits alone", empty=True),
        _kind("HW115", whole, since, _NUMBER, _ENDS, "write a number, or take it out"),
        _kind("HW115", filled, since, _ANY, _ENDS, "take it out"),
    ]
    lines = [json.dumps(kind, ensure_ascii=False) for kind in kinds]
    return {"modules/values.json": "[\n" + ",\n".join(lines) + "\n]\n"}


def _kind(
    rule: str,
    names: list[str],
    since: str,
    pattern: str,
    told: str,
    use: str,
    *,
    empty: bool = False,
) -> dict[str, Any]:
    return {
        "rule": rule,
        "since": since,
        "pattern": pattern,
        "empty": empty,
        "told": told,
        "use": use,
        "names": sorted(names),
    }


def _of_kinds(facts: Facts, *kinds: str) -> list[str]:
    """Names that Ollama itself reads, and obeys at the newest release."""
    items = facts.variables.items()
    return [n for n, fact in items if n.startswith("OLLAMA_") and fact.kind in kinds and fact.works]


def _read_by_runner(facts: Facts) -> tuple[list[str], list[str]]:
    """Names of llama-server that take numbers alone, and those that only must not be empty."""
    names = {*facts.variables, *(name for entry in facts.runner_names for name in entry.names)}
    ended = {
        name: {value for value in (*_NO_NUMBERS, "4", "-1", "1.5") if _ends(name, value, facts)}
        for name in names
    }
    whole = [name for name, values in ended.items() if values == _NO_NUMBERS]
    return whole, [name for name, values in ended.items() if "" in values and name not in whole]


def _ends(name: str, value: str, facts: Facts) -> bool:
    fault = value_fault(name, value, facts)
    return fault is not None and fault.breaks
