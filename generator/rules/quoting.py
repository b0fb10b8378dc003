"""HW119, HW120: quotes and expansions that the writer of a file takes for granted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.edits import rewritten
from generator.rules.rule import Hit, Rule, rule
from generator.rules.values import known_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View

_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)


@rule(
    "HW119",
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


_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})|(?:^|(?<=[:,]))~(?=/|$)")


@rule(
    "HW120",
    severity="warning",
    title="an expansion that nobody does",
    why="No shell reads these files: systemd takes `$HOME` and `~` in Environment= as they stand, "
    "and so does the server. It makes a directory of that name, or finds nothing in it.",
    bad="Environment=OLLAMA_MODELS=$HOME/models",
    good="Environment=OLLAMA_MODELS=/home/ollama/models",
    source="systemd.exec(5), Environment=; envconfig/config.go@v0.32.15:112-124",
)
def unexpanded(view: View, facts: Facts) -> Iterator[Hit]:
    """`$NAME` and `~` stay as they are."""
    for variable, _ in known_values(view, facts):
        found = _EXPANSION.search(variable.value)
        # Compose expands variables itself, and its reader may not know of what.
        if found is None or (view.origin == "compose" and found[0] != "~"):
            continue
        yield Hit(
            message=f"nothing expands `{found[0]}` in {variable.name}; it is taken literally",
            place=variable.place,
            fix="write out what it stands for",
        )


RULES: Final[tuple[Rule, ...]] = (quoted_twice, unexpanded)
