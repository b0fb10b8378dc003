"""Look at a server in a cluster: its pod, the processes in its container, what it says."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from generator.detect.root import TOOLS
from generator.engines import load_signs
from generator.errors import EnvironmentFailure
from generator.redact import redacted
from generator.verify import kubernetes
from generator.verify.answers import answers
from generator.verify.capture import asked_of_server, without_prompts
from generator.verify.log import KEPT
from generator.verify.machine import Machine, answer_file
from generator.verify.observed import Answers, Observed
from generator.verify.process import process, processes, servers

if TYPE_CHECKING:
    from generator.catalogue.records import SecretNames
    from generator.engines.base import AskApi, Running
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
    ask = _asking(service, machine, pod, url)
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


def is_of_cluster(machine: Machine) -> bool:
    """Return whether a machine is a pod that was captured."""
    return machine.captured and bool(machine.files.tool(kubernetes.PODS))


def kept_of_cluster(
    service: Service, machine: Machine, secrets: SecretNames, lines: str, *, url: str | None
) -> dict[str, bytes]:
    """Return what a comparison asks of a pod, by path, for another to replay; `lines` as above.

    Raises EnvironmentFailure: there is no pod, or it lets nobody in.
    """
    pod = kubernetes.found(service, machine)
    files = kubernetes.inside(pod, lines, machine.left)
    lines_of_log = kubernetes.log(pod, machine).splitlines()
    told = "\n".join(line for line in lines_of_log if re.search(KEPT, line))
    texts = {
        kubernetes.PODS: kubernetes.kept(pod, secrets),
        kubernetes.LOG: redacted(told, secrets.has),
    }
    ask = _asking(service, machine, pod, url)
    for path, body in asked_of_server(service):
        with suppress(EnvironmentFailure):
            name, answer = answer_file(path, body), json.dumps(ask(path, body))
            texts[name] = without_prompts(name, answer.encode()).decode()
    return files | {f"{TOOLS}/{name}": text.encode() for name, text in texts.items()}


def _asking(service: Service, machine: Machine, pod: Pod, url: str | None) -> AskApi:
    if url or machine.captured:
        return machine.api(url or "")
    return kubernetes.api(pod, service.container.port, machine)


def _process(service: Service, machine: Machine, pod: Pod, lines: str) -> Process | None:
    if machine.captured:
        return _server_in(service, machine)
    try:
        files = kubernetes.inside(pod, lines, machine.left)
    except EnvironmentFailure as error:
        machine.gaps["kubectl exec"] = error.message
        return None
    return _server_in(service, Machine(None, machine.left, taken=files))


def _server_in(service: Service, inner: Machine) -> Process | None:
    every = processes(inner.files)
    ours = servers(every, load_signs(service.engine).command)
    return process(inner.files, ours[0], every) if ours else None
