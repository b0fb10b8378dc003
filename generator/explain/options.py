"""The pages of model options: what a request or a Modelfile's PARAMETER may set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.explain.history import as_data, held, history, status
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rule_titles, rules_about

if TYPE_CHECKING:
    from generator.explain.asked import Asked

TYPES: Final = {
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "string": "text",
}


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
            *paragraphs(("Status", state), ("Takes", TYPES[option.type]), ("Careful", reload)),
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
