"""Look at a server in a cluster: its pod, the processes in its container, what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines import load_signs
from generator.errors import EnvironmentFailure
from generator.verify import kubernetes
from generator.verify.answers import answers
from generator.verify.machine import Machine
from generator.verify.observed import Answers, Observed
from generator.verify.process import process, processes, servers

if TYPE_CHECKING:
    from generator.engines.base import Running
    from generator.plan import Service
    from generator.verify.kubernetes import Pod
    from generator.verify.observed import Process


def look_in_cluster(
    service: Service, machine: Machine, running: Running, lines: str, *, url: str | None
) -> Observed:
    """Return what is seen of a service in a pod; `lines` are the script of a capture.

    `url`: ask the server there, None: through the cluster. Raises EnvironmentFailure: no pod.
    """
    pod = kubernetes.found(service, machine)
    port = service.container.port
    seen = _process(service, machine, pod, lines)
    held = kubernetes.held(pod, seen.variables if seen else None)
    ask = machine.api(url) if url else kubernetes.api(pod, port, machine)
    told, log = answers(service, ask, running), kubernetes.log(pod, machine)
    return Observed(
        url=url or f"pod {held.name}, port {port}",
        held=held,
        process=seen,
        config=running.config(log),
        devices=running.devices(log),
        loads=running.said(log),
        answers=told if isinstance(told, Answers) else None,
        unanswered=told.message if isinstance(told, EnvironmentFailure) else "",
        gaps=tuple(machine.gaps.items()),
    )


def _process(service: Service, machine: Machine, pod: Pod, lines: str) -> Process | None:
    try:
        files = kubernetes.inside(pod, lines, machine.left)
    except EnvironmentFailure as error:
        machine.gaps["kubectl exec"] = error.message
        return None
    inner = Machine(None, machine.left, taken=files)
    every = processes(inner.files)
    ours = servers(every, load_signs(service.engine).command)
    return process(inner.files, ours[0], every) if ours else None
