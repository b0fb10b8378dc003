"""Models: what to pull, and what to create with parameters of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.compute import THREADS
from generator.engines.ollama.decision import note, only
from generator.errors import Problem, RenderError
from generator.formats.modelfile import head, parameter_line
from generator.plan import Model, Modelfile, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.profiles.schema import Model as ModelChoice


def decide(case: Case, shared: Sequence[Parameter]) -> Decisions:
    """Yield the models in the profile's order, each with the parameters that all of them share."""
    for index, choice in enumerate(case.profile.models):
        yield from _model(case, f"models.{index}", choice, shared)


def faults(models: Iterable[Model]) -> Iterator[Problem]:
    """Yield a Problem for each model under a name that another has."""
    seen: set[str] = set()
    for model in models:
        if model.served in seen:
            message = f"`{model.served}` is there twice"
            yield Problem(f"{model.key}.name", message, "give one `serve_as`, or remove it")
        seen.add(model.served)


def _model(case: Case, key: str, choice: ModelChoice, shared: Sequence[Parameter]) -> Decisions:
    found = [
        decision
        for name, value in choice.parameters.items()
        for decision in _parameter(case, f"{key}.parameters.{name}", name, value)
    ]
    yield from (decision for decision in found if not isinstance(decision, Parameter))
    own = only(Parameter, found)
    chosen = {parameter.name for parameter in own}
    parameters = (*(p for p in shared if p.name not in chosen), *own)
    serve_as = choice.serve_as or (_tuned(choice.name) if parameters else "")
    yield from _misnamed(f"{key}.serve_as", choice, serve_as, parameters)
    file = None
    try:
        file = _modelfile(case, choice.name, serve_as, parameters) if serve_as else None
    except RenderError as error:
        yield Problem(parameters[0].key if parameters else key, error.message, error.hint)
    yield Model(
        name=choice.name,
        role=choice.role,
        serve_as=serve_as,
        parameters=parameters,
        modelfile=file,
        key=key,
        digest=choice.digest,
    )


def _misnamed(
    where: str, choice: ModelChoice, serve_as: str, parameters: Sequence[Parameter]
) -> Decisions:
    if choice.serve_as and not parameters:
        message = "there is nothing to create without parameters"
        yield Problem(where, message, "add `parameters`, or remove it")
    if serve_as == choice.name:
        yield Problem(where, "would overwrite the pulled model", "write another name")


def _modelfile(case: Case, base: str, served: str, parameters: tuple[Parameter, ...]) -> Modelfile:
    """Return the file, parted at the number of threads where that is the host's for all models.

    Raises RenderError for a value that no Modelfile can carry.
    """
    above = head(base, case.header)
    lines = {p: parameter_line(p.name, p.value, p.reason) for p in parameters}
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


def _tuned(name: str) -> str:
    """Name a model beside its base: `qwen2.5-coder:7b` becomes `qwen2.5-coder:7b-tuned`."""
    tagged = ":" in name.rpartition("/")[2]
    return f"{name}-tuned" if tagged else f"{name}:tuned"


def _parameter(case: Case, where: str, name: str, value: object) -> Decisions:
    """Yield the lines for one parameter: none, one, or one for each element of a list."""
    option = case.facts.options.get(name)
    if option is None or not option.modelfile:
        hint = case.facts.closest_option(name) or "see `ollama show --parameters`"
        yield Problem(where, "is no parameter of a Modelfile", hint)
        return
    if option.gone:
        message = f"`{name}` was removed in {option.removed}; left out"
        yield note("HW102", message, where, link=option.source)
        return
    values = value if isinstance(value, tuple) else (value,)
    kinds, named = _KINDS[option.type]
    if not all(isinstance(item, kinds) for item in values):
        yield Problem(where, f"`{value}` is not {named}", f"write {named}")
        return
    for item in values:
        text = str(item).lower() if isinstance(item, bool) else str(item)
        yield Parameter(name=name, value=text, reason="", key=where)


_KINDS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "string": ((str,), "text in quotes"),
}
