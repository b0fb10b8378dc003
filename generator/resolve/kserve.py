"""Pods that KServe makes: what is before them, and what is otherwise than in a StatefulSet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.pod import Kserve, Probe
from generator.resolve.pods import EVERYWHERE, WITHIN, storage_of
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case, Decided, Server
    from generator.plan import Health
    from generator.pod import Router
    from generator.profiles.schema import KubernetesChoice

_ROUTERS: Final[dict[Router, str]] = {
    "none": "",
    "route": "From the gateway of KServe to the Service of the pods, which go by turns.",
    "scheduler": "From the gateway of KServe to a scheduler, which picks a pod by what waits there "
    "and by what it has in its cache.",
}
_ASKED: Final = "The gateway asks from a namespace of its own: every pod and node reaches them."
_LOADS: Final = "To load the model, which was downloaded before; by itself KServe gives 10 minutes."


def kserve_of(case: Case, server: Server, decided: Decided) -> Kserve | None:
    """Return what is decided for KServe; None: a StatefulSet makes the pods."""
    choice, local = case.profile.k8s, is_local(case.listen.host)
    if choice.serve != "kserve":
        return None
    routed, known = choice.router != "none", case.facts.kserve
    return Kserve(
        version=known.version,
        port=known.port,
        router=choice.router,
        reason=_ROUTERS[choice.router],
        disk=storage_of(choice, decided.models, case.facts, cached=bool(decided.cache), once=True),
        start=_start(server.health),
        everywhere=routed or not local,
        reach_reason=_ASKED if routed else WITHIN if local else EVERYWHERE,
    )


def _start(health: Health) -> Probe:
    return Probe(
        argv=health.step.argv,
        interval_seconds=health.startup_seconds,
        timeout_seconds=health.timeout_seconds,
        failures=health.start_seconds // health.startup_seconds,
        reason=_LOADS,
    )


def faults(choice: KubernetesChoice, server: Server) -> Iterator[Problem]:
    """Yield what KServe does not do, and what nobody does without it."""
    if choice.serve == "kserve" and not server.kserve:
        message = f"an LLMInferenceService starts vLLM, and this profile is for {server.product}"
        hint = 'write engine = "vllm", with `hf` for each model, or leave it out'
        yield Problem("k8s.serve", message, hint)
    if choice.serve != "kserve" and choice.router != "none":
        message = "only KServe has one, and a StatefulSet makes the pods here"
        yield Problem("k8s.router", message, 'write k8s.serve = "kserve", or leave it out')
