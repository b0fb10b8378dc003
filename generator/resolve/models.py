"""Models: what to pull, and what to create with parameters of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.plan import Model, Parameter

if TYPE_CHECKING:
    from generator.profiles.schema import Model as ModelChoice
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
        parameter
        for name, value in choice.parameters.items()
        for parameter in _parameter(draft, f"models.{index}.parameters.{name}", name, value)
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


def _parameter(draft: Draft, where: str, name: str, value: object) -> list[Parameter]:
    """Return the lines for one parameter: none, one, or one for each element of a list."""
    option = draft.facts.option(name)
    if option is None or not option.modelfile:
        hint = draft.facts.closest_option(name) or "see `ollama show --parameters`"
        draft.problem(where, "is no parameter of a Modelfile", hint)
        return []
    if option.gone:
        told = f"`{name}` was removed in {option.removed}; left out"
        draft.note("HW102", told, where, link=option.source)
        return []
    values = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(item, _TYPES[option.type]) for item in values):
        draft.problem(
            where, f"`{value}` is not {_WORDS[option.type]}", f"write {_WORDS[option.type]}"
        )
        return []
    return [Parameter(name=name, value=_text(item), reason="") for item in values]


_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text in quotes",
}
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "string": str,
}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
