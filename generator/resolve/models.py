"""Models: what to pull, and what to create with parameters of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.plan import Model, Parameter

if TYPE_CHECKING:
    from generator.profile import Model as ModelChoice
    from generator.resolve.draft import Draft


def decide(draft: Draft) -> tuple[Model, ...]:
    """Return the models in the profile's order; faults are reported to the draft."""
    models = tuple(
        _model(draft, index, choice) for index, choice in enumerate(draft.profile.models)
    )
    names = [model.served for model in models]
    for index, name in enumerate(names):
        if name in names[:index]:
            draft.problem(
                f"models.{index}.name",
                f"`{name}` is there twice",
                "give one `serve_as`, or remove it",
            )
    return models


def _model(draft: Draft, index: int, choice: ModelChoice) -> Model:
    own = tuple(
        Parameter(name=name, value=text, reason="")
        for name, value in choice.parameters.items()
        if (text := _parameter(draft, index, name, value)) is not None
    )
    chosen = {parameter.name for parameter in own}
    shared = tuple(p for p in draft.parameters if p.name not in chosen)
    parameters = shared + own
    serve_as = choice.serve_as or (_tuned(choice.name) if parameters else "")
    if choice.serve_as and not parameters:
        draft.problem(
            f"models.{index}.serve_as",
            "there is nothing to create without parameters",
            "add `parameters`, or remove it",
        )
    if serve_as == choice.name:
        draft.problem(
            f"models.{index}.serve_as", "would overwrite the pulled model", "write another name"
        )
    return Model(name=choice.name, role=choice.role, serve_as=serve_as, parameters=parameters)


def _tuned(name: str) -> str:
    """Name a model beside its base: `qwen2.5-coder:7b` becomes `qwen2.5-coder:7b-tuned`."""
    tagged = ":" in name.rpartition("/")[2]
    return f"{name}-tuned" if tagged else f"{name}:tuned"


def _parameter(draft: Draft, index: int, name: str, value: object) -> str | None:
    where = f"models.{index}.parameters.{name}"
    option = draft.catalogue.option(name)
    if option is None or not option.modelfile:
        draft.problem(where, "is no parameter of a Modelfile", draft.catalogue.closest_option(name))
        return None
    if option.removed is not None and draft.known >= option.removed:
        draft.note(
            "HW102",
            "warning",
            f"`{name}` was removed in {option.removed}; left out",
            where,
            link=option.source,
        )
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
