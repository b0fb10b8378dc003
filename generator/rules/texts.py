"""HW412: what Nix does not put into a text by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_KINDS: Final = {"port": ("an integer", "toString"), "bool": ("a Boolean", "lib.boolToString")}
"""What a value is called, and what makes a text of it: of `true`, `toString` would make `1`."""


@Rule(
    id="HW412",
    severity="error",
    title="a number in a text of Nix",
    why="Nix puts texts, paths and packages into a text, and no numbers: `cannot coerce an integer "
    "to a string`. It says so only once somebody asks for the value, so the fault may lie behind "
    "an option that is off, until it is turned on.",
    bad='"http://127.0.0.1:${config.services.ollama.port}"',
    good='"http://127.0.0.1:${toString config.services.ollama.port}"',
    source="Nix Reference Manual: String interpolation",
)
def number_in_text(view: View, facts: Facts) -> Hits:
    for line in view.lines_in("config"):
        option = facts.module_options.get(line.name)
        told = _KINDS.get(option.type) if option and line.value else None
        if told:
            kind, function = told
            yield Hit(
                message=f"`{line.value}` is {kind}, which Nix does not put into a text: nothing "
                "can be built that asks for it",
                place=line.place,
                fix=f"write `{function} {line.value}`",
            )
