"""The use case of `gen bench`: a running server and a Workload → a Measurement."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from generator.bench.load import closed_loop, open_loop
from generator.bench.measurement import Environment, Measurement
from generator.bench.prompts import arrivals, fitting_words, prompt
from generator.bench.request import timed
from generator.bench.summary import failures
from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import Server, asked, host_and_port
from generator.records import dataclass
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.bench.load import Prepare
    from generator.bench.measurement import Level, Sample, Workload

    Told = Callable[[str, int], None]
    """What is told of progress: of which load, and how many of its requests are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The loads to try: so many at once each, or in their place requests per second."""

    at_once: tuple[int, ...] = ()
    per_second: float = 0.0


def measure(
    server: Server,
    model: str,
    workload: Workload,
    load: Load,
    *,
    profile: str = "",
    given: Sequence[str] = (),
    told: Told = lambda _, __: None,
) -> Measurement:
    """Return what the server does under each load, after one request that is not counted.

    `given` are prompts, for want of which they are made. Raises HostwrightError for a model that
    is not there, EnvironmentFailure where nothing could be measured.
    """
    environment = _environment(server, model, workload)
    told("warm-up", 0)
    warm, workload = _warmed(server, model, workload, given)

    def of_load(name: str) -> Prepare:
        return lambda index: partial(
            timed, server, model, workload, prompt(workload, given, name, index)
        )

    levels = tuple(_levels(server, workload, load, of_load, told))
    every = [sample for level in levels for sample in level.samples]
    if all(sample.error for sample in every):
        raise EnvironmentFailure(failures(every)[0].error, hint="nothing could be measured")
    return Measurement(
        profile=profile,
        url=server.url,
        model=model,
        workload=workload,
        environment=_loaded(environment, server, model),
        warmup=warm,
        levels=levels,
    )


def _levels(
    server: Server, workload: Workload, load: Load, of_load: Callable[[str], Prepare], told: Told
) -> list[Level]:
    number = workload.requests
    if load.per_second:
        name = f"{load.per_second:g}/s"
        dues = [*arrivals(load.per_second, number, workload.seed)]
        return [open_loop(of_load(name), dues, load.per_second, server, partial(told, name))]
    return [
        closed_loop(of_load(str(n)), number, n, server, partial(told, f"{n} at once"))
        for n in load.at_once
    ]


def _warmed(
    server: Server, model: str, workload: Workload, given: Sequence[str]
) -> tuple[Sample, Workload]:
    """Return the first request, and the Workload with as many words as its tokens ask for."""
    first = replace(workload, words=workload.prompt_tokens)
    ask = partial(timed, server, model, first, prompt(first, given, "warm-up", 0))
    (sample,) = closed_loop(lambda _: ask, 1, 1, server, lambda _: None).samples
    if sample.error:
        raise EnvironmentFailure(sample.error, hint="nothing could be measured")
    words = fitting_words(first.words, workload.prompt_tokens, sample.prompt_tokens)
    return sample, replace(first, words=0 if given else words)


def _environment(server: Server, model: str, workload: Workload) -> Environment:
    """Return what the server says of itself and of the model on its disk."""
    if workload.api != "ollama":
        # Others have no such questions, and where nothing answers the first request says so.
        release = ""
        with suppress(HostwrightError):
            release = _text(asked(server, "/api/version"), "version")
        return Environment(release=release, **_machine(server.url))
    release = _text(asked(server, "/api/version"), "version")
    found = _entry(asked(server, "/api/tags"), model)
    if found is None:
        raise HostwrightError(
            f"{server.url} has no model `{model}`", hint="`ollama list` shows those it has"
        )
    details = found.get("details")
    return Environment(
        release=release,
        digest=_text(found, "digest"),
        quantisation=_text(details if isinstance(details, dict) else {}, "quantization_level"),
        **_machine(server.url),
    )


def _loaded(environment: Environment, server: Server, model: str) -> Environment:
    """Return the Environment with what the server says of the model in its memory."""
    found = None
    with suppress(HostwrightError):
        found = _entry(asked(server, "/api/ps"), model)
    if found is None:
        return environment
    size, on_gpus, context = (_number(found, k) for k in ("size", "size_vram", "context_length"))
    return replace(environment, size=size, on_gpus=on_gpus, context=context)


def _machine(url: str) -> dict[str, Any]:
    """Return what this machine is, if the server is on it."""
    from generator.detect.cpu import read_cpu
    from generator.detect.machine import read_memory
    from generator.detect.root import open_root

    if not is_local(host_and_port(url)[0]):
        return {}
    root = open_root(None)
    cpu, _, _ = read_cpu(root)
    return {
        "architecture": cpu.architecture,
        "cpu": cpu.model,
        "cores": cpu.cores,
        "memory": read_memory(root).total,
    }


def _entry(answer: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """Return what a list of models says of one."""
    listed = answer.get("models")
    if not isinstance(listed, list):
        raise EnvironmentFailure("no answer of an Ollama server: it lists no models")
    names = {model, f"{model}:latest"}
    for each in listed:
        if isinstance(each, dict) and each.get("name") in names:
            return each
    return None


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    return value if type(value) is int and 0 <= value < 2**62 else 0
