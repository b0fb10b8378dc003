"""HW546: what is logged that nobody wants to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.values import NO
from generator.meaning import GO_FALSE, GO_TRUE, cleaned
from generator.rules.helpers.variables import known_values
from generator.rules.rule import Hit, Hits, Rule
from generator.units import whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_LOUD: Final = {
    "OLLAMA_DEBUG": "each request writes many lines, with parts of prompts among them",
    "OLLAMA_DEBUG_LOG_REQUESTS": "each request is kept in a file, prompts and all",
}


@Rule(
    id="HW546",
    severity="info",
    title="debugging left on",
    why="OLLAMA_DEBUG writes many lines for each request, prompts among them, into a journal that "
    "others read and that pushes out what matters. It is for the hour in which a fault is sought.",
    bad="Environment=OLLAMA_DEBUG=1",
    good="# left out",
    source="envconfig/config.go@v0.32.15; docs/troubleshooting.mdx@v0.32.15",
)
def debugging(view: View, facts: Facts) -> Hits:
    for variable, _ in known_values(view, facts):
        word = cleaned(variable.value)
        off = word in {"", *GO_FALSE} or word.lower() in NO or word.startswith("-")
        # Since the log has levels, other text leaves it as it is (HW108).
        by_level = variable.name == "OLLAMA_DEBUG" and facts.behaves("debug-by-level")
        off = off or (by_level and word not in GO_TRUE and whole(word) is None)
        if variable.name in _LOUD and not off:
            yield Hit(
                message=f"{variable.name} is on: {_LOUD[variable.name]}",
                place=variable.place,
                fix="take it out once the fault is found",
            )
