"""Models in memory: how they should be loaded, what their programs were told, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.verify.rows import NOTHING, Row
from generator.verify.served import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.engines.base import Running
    from generator.plan import Model, Service
    from generator.verify.observed import Observed, Process


def loads(service: Service, seen: Observed, running: Running) -> Iterator[Row]:
    """Yield a row for each word that is known of a model of the Plan which is in memory."""
    if seen.answers is None:
        return
    programs = [running.told(one.command, one.variables) for one in _every(seen.process)]
    programs = [one for one in programs if one]
    for model in service.models:
        if found(model.served, seen.answers.loaded):
            yield from _rows(model, service, seen, running, programs)


def _every(process: Process | None) -> Iterator[Process]:
    for child in process.children if process else ():
        yield child
        yield from _every(child)


def _rows(
    model: Model,
    service: Service,
    seen: Observed,
    running: Running,
    programs: Sequence[Mapping[str, str]],
) -> Iterator[Row]:
    answers = seen.answers
    weights = answers.weights.get(model.served, "") if answers else ""
    alone = answers is not None and len(answers.loaded) == 1
    has, says = _one(programs, weights, alone=alone), _one(seen.loads, weights, alone=alone)
    given = {setting.name: setting.value for setting in service.environment}
    made = {parameter.name: parameter.value for parameter in model.parameters}
    want = running.wanted(given, made, model.name)
    for word, got, why in running.faults(want, has, says):
        yield Row(
            setting=f"{model.served}: {word}",
            intended=want[word],
            held=has.get(word, NOTHING),
            effective=got,
            verdict="drift" if why else "ok",
            why=why,
        )
    if "layers" not in want and (row := _layers(model, says)):
        yield row


def _one(every: Sequence[Mapping[str, str]], weights: str, *, alone: bool) -> Mapping[str, str]:
    """Return what is told of the file of weights; of an unknown one, where only one is loaded."""
    named = [one for one in every if weights and one.get("weights") == weights]
    if named:
        return named[-1]
    return every[-1] if alone and every and not weights else {}


def _layers(model: Model, says: Mapping[str, str]) -> Row | None:
    """Return the row of layers that nobody bounds; None: all are on the GPU, or none should be."""
    there, _, of = says.get("layers", "").partition("/")
    if not of or there in {of, "0"}:
        return None
    return Row(
        setting=f"{model.served}: layers",
        intended="all",
        effective=f"{there}/{of}",
        verdict="unknown",
        why=f"the GPUs have {there} of {of} layers: more does not fit, or others hold memory",
    )
