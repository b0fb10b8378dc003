"""Models: what to pull, and what to create with parameters of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.threads import WHERE as THREADS
from generator.errors import RenderError
from generator.formats.modelfile import head, parameter_line
from generator.plan import Model, Modelfile, Parameter

if TYPE_CHECKING:
    from generator.engines.ollama.draft import Draft
    from generator.profiles.schema import Model as ModelChoice


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
    return Model(
        name=choice.name,
        role=choice.role,
        serve_as=serve_as,
        parameters=parameters,
        modelfile=_modelfile(draft, choice.name, serve_as, parameters) if serve_as else None,
        key=f"models.{index}",
    )


def _modelfile(
    draft: Draft,
    base: str,
    served: str,
    parameters: tuple[Parameter, ...],
) -> Modelfile | None:
    """Return the file, parted at the number of threads where that is the host's for all models."""
    if not served:
        return None
    try:
        above = head(base, draft.case.header)
        lines = {parameter: parameter_line(*_written(parameter)) for parameter in parameters}
    except RenderError as error:
        draft.problem(parameters[0].key if parameters else "models", error.message, error.hint)
        return None
    lever = next((p for p in parameters if p.key == THREADS), None)
    place = parameters.index(lever) if lever else len(parameters)
    before, behind = (
        "".join(lines[p] for p in part) for part in (parameters[:place], parameters[place + 1 :])
    )
    return Modelfile(
        file="Modelfile." + served.replace("/", "+").replace(":", "="),
        head=above + before,
        lever=lines[lever].removesuffix(f"{lever.value}\n") if lever else "",
        threads=lever.value if lever else "",
        tail=f"\n{behind}" if lever else behind,
    )


def _written(parameter: Parameter) -> tuple[str, str, str]:
    return parameter.name, parameter.value, parameter.reason


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
    return [Parameter(name=name, value=_text(item), reason="", key=where) for item in values]


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
