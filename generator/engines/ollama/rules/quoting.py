"""HW119: quotes that the writer of a file takes for granted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.edits import rewritten
from generator.rules.helpers.variables import known_values
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)


@Rule(
    id="HW119",
    severity="info",
    title="a value in quotes that belong to it",
    why="The file's own quoting is gone when the server gets the value; a second pair stays in it. "
    "Ollama strips that from its own variables. The GPU driver and llama-server do not: to them "
    '`"0"` is no number.',
    bad="Environment=\"CUDA_VISIBLE_DEVICES='0'\"",
    good="Environment=CUDA_VISIBLE_DEVICES=0",
    source="envconfig/config.go@v0.32.15:374; systemd.exec(5)",
)
def quoted_twice(view: View, facts: Facts) -> Iterator[Hit]:
    """Quotes inside a value are for the reader of the value."""
    for variable, fact in known_values(view, facts):
        quoted = _QUOTED.fullmatch(variable.value)
        if quoted is None:
            continue
        stripped = fact.name.startswith("OLLAMA_")
        effect = "Ollama strips them" if stripped else "its reader takes them as part of the value"
        yield Hit(
            message=f"the quotes are part of the value of {variable.name}; {effect}",
            place=variable.place,
            severity=None if stripped else "error",
            fix=f"write `{quoted[2]}` without them",
            edits=rewritten(view, variable, quoted[2]),
        )
