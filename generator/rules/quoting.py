"""HW120: expansions that the writer of a file takes for granted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.variables import known_values
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})|(?:^|(?<=[:,]))~(?=/|$)")


@Rule(
    id="HW120",
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
        # Where the format expands variables itself, its reader may not know of what.
        if found is None or (view.phrases.expands and found[0] != "~"):
            continue
        yield Hit(
            message=f"nothing expands `{found[0]}` in {variable.name}; it is taken literally",
            place=variable.place,
            fix="write out what it stands for",
        )
