"""Whether the host can run it at all, and one server the models of the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Problem
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.catalogue.records import Gate
    from generator.engines.base import Case

STAY = "or stay with Ollama, which runs there"


def faults(case: Case) -> Iterator[Problem]:
    """Yield what this host, or one server, cannot do."""
    library = case.acceleration
    gates = [gate for gate in case.facts.gates if gate.acceleration == library]
    if not gates:
        message = f"Hostwright knows vLLM on NVIDIA cards and processors, not by {library}"
        yield Problem("engine", message, STAY.removeprefix("or "))
    for gate in gates:
        if gate.system in {None, case.host.system}:
            yield from _cards(case, gate) if gate.capability else _processor(case, gate)
    if case.profile.container.user:
        message = "the image of vLLM runs as root, or as the user that it has itself"
        yield Problem("container.user", message, "leave it out")
    if case.profile.service.credentials:
        message = "vLLM reads no credential of systemd"
        hint = "put HF_TOKEN and VLLM_API_KEY into a file, and name it in container.env_files"
        yield Problem("service.credentials", message, hint)


def _cards(case: Case, gate: Gate) -> Iterator[Problem]:
    if not case.gpus:
        yield Problem("host.gpus", "no card is told", f"name it under [[host.gpus]], {STAY}")
    unknown = [gpu.name for gpu in case.gpus if not gpu.compute_capability]
    if unknown:
        message = f"the compute capability of `{unknown[0]}` is not known, and vLLM asks for one"
        yield Problem("host.gpus", message, 'add `compute_capability = "…"`')
    old = [gpu for gpu in case.gpus if gpu.compute_capability]
    old = [gpu for gpu in old if float(gpu.compute_capability) < float(gate.capability)]
    if old:
        names = " and ".join(f"{gpu.name} ({gpu.compute_capability})" for gpu in old)
        message = f"vLLM {case.facts.release} cannot compute on {names}: {gate.why}"
        yield Problem("engine", message, f"put in a card like {_better(case)}, {STAY}")


def _better(case: Case) -> str:
    """Return the smallest advised card that holds as much as the largest that is there."""
    most = max((gpu.memory for gpu in case.gpus), default=0)
    known = case.facts.advised_cards
    fit = (one for one in known if one.memory >= most and _new(one.compute_capability))
    return next((f"{one.name} with {gib(one.memory, 0)}" for one in fit), "an RTX 4090")


def _new(capability: str) -> bool:
    return bool(capability) and float(capability) >= 8  # noqa: PLR2004 -- bfloat16


def _processor(case: Case, gate: Gate) -> Iterator[Problem]:
    features = case.profile.host.cpu.features if case.profile.host.cpu else ()
    if not has(gate.feature, features):
        told = f"this processor has {', '.join(features)}" if features else "none are told"
        asks = f"vLLM {case.facts.release} needs {gate.feature} to compute on a processor"
        hint = (
            f"it takes an NVIDIA card from compute capability {_least(case)} on, or a processor "
            f"with AVX-512 (then say so in host.cpu.features), {STAY}"
        )
        yield Problem("engine", f"{asks}, and {told}; {gate.why}", hint)


def _least(case: Case) -> str:
    return next((gate.capability for gate in case.facts.gates if gate.capability), "")


def has(feature: str, features: Iterable[str]) -> bool:
    """Return whether a processor has a feature, or one that is only there with it."""
    return any(one == feature or one.startswith(feature.rstrip("f")) for one in features)
