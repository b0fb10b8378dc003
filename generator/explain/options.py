"""The pages of model options: what a request or a Modelfile's PARAMETER may set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.explain.history import history, listed, status
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rules_about, told_rules
from generator.explain.tables import by_name

if TYPE_CHECKING:
    from generator.units import Release

TYPES: Final = {
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "string": "text",
}


def option_page(name: str, release: Release | None = None) -> Page:
    """Return the page of a model option; `release` narrows it to one."""
    option = by_name("ollama.toml", "option")[name]
    told, modelfile = status(option, release), option.get("modelfile", False)
    reload = "Requests that differ in it load the model again." if option.get("reload") else ""
    about = rules_about(name if "_" in name else f"PARAMETER {name}")
    return Page(
        kind="option",
        name=name,
        about="model option" + (", `PARAMETER` of a Modelfile" if modelfile else ""),
        summary=option["effect"],
        blocks=(
            Prose(option["effect"]),
            *paragraphs(("Status", told), ("Takes", TYPES[option["type"]]), ("Careful", reload)),
            *history(option, release),
            *paragraphs(
                ("Profile", f"`models.parameters`, like `{name} = …`" if modelfile else ""),
                ("Rules", told_rules(about)),
            ),
        ),
        sources=sources_of(option["source"]),
        facts={
            "type": option["type"],
            "since": option["since"],
            "removed": option.get("removed"),
            "defaults": listed(option, "defaults", release),
            "modelfile": modelfile,
            "reload": option.get("reload", False),
            "status": told,
            "rules": list(about),
        },
    )
