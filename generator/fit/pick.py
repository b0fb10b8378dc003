"""Which models a command is about: names of the Catalogue, with a quantisation or without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.catalogue.models import split
from generator.errors import Problem
from generator.fit.shape import shape_of

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape


def pick(name: str, facts: Facts) -> Shape | Problem:
    """Return the Shape of `M[:QUANT]`, or what is wrong with the name."""
    tag, quantisation = split(name)
    model = facts.model(tag)
    if model is None:
        return _unknown(name, tag, facts)
    if quantisation:
        model = replace(model, quantisation=quantisation)
    if not model.weight_bytes:
        return Problem(
            "--model",
            f"`{name}`: no size of {model.quantisation} is known",
            f"known are {', '.join(model.weights)}; for others point --gguf at the file",
        )
    return shape_of(model, facts)


def loads(name: str, architecture: str, facts: Facts) -> bool:
    """Return whether the release loads the model of that name, as far as is known."""
    model = facts.model(split(name)[0])
    since = model.since if model is not None else None
    return facts.loads(architecture) and (since is None or since <= facts.at)


def _unknown(name: str, tag: str, facts: Facts) -> Problem:
    if why := facts.missing_model(tag):
        reason, _, use = why.rpartition("; ")
        return Problem("--model", f"there is no `{name}`: {reason}", use)
    close = facts.closest_model(tag)
    hint = f"did you mean `{close}`? " if close else ""
    return Problem(
        "--model",
        f"`{name}` is not among the models that Hostwright knows",
        f"{hint}for any other model use --gguf FILE or --server URL",
    )
