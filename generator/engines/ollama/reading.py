"""How Ollama reads each of its variables, in the words of `meaning`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.values import PREFIX
from generator.records import replace

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.plan import Setting

_BY_KIND: Final = {"bool": "bool", "duration": "duration"}
_BY_NAME: Final = {
    "OLLAMA_HOST": "address",
    "OLLAMA_DEBUG": "level",
    "OLLAMA_LOAD_TIMEOUT": "timeout",
    "OLLAMA_KV_CACHE_TYPE": "lower",
}


def form_of(name: str, facts: Facts) -> tuple[str, str]:
    """Return the form in which a value is read, and the default; both empty: as it is written."""
    fact = facts.variable(name)
    if fact is None or name.startswith(PREFIX):
        return "", ""
    return _BY_NAME.get(name) or _BY_KIND.get(fact.kind, "text"), fact.default or ""


def read_as(setting: Setting, facts: Facts) -> Setting:
    """Return a variable with how its value is read."""
    form, default = form_of(setting.name, facts)
    return replace(setting, form=form, default=default)
