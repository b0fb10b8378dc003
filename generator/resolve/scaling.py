"""How many pods there are: by what waits at the front, and never by the use of CPUs.

A server that computes on a GPU uses little of a CPU, and one that computes on CPUs uses all of them
from its first request on: neither says that a second one is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.front import front_service
from generator.pod import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.base import Engine
    from generator.front import Backend, Front
    from generator.plan import Service
    from generator.profiles.schema import Profile

# A new pod has to download or at least to load its models: it should stay for a while.
PAUSE_SECONDS: Final = 600
_QUERY: Final = (
    "Requests that run and that wait: the sessions of a backend are both. A ServiceMonitor gives "
    "what it reads a namespace and a service, so that no other front counts. Nothing told is no "
    "load, so that an empty answer adds no pod; the alert FrontMissing says that nobody tells."
)
_OWN: Final = (
    "Requests that run and that wait, of all pods together: KEDA takes a query with one answer. By "
    "those that wait alone a pod would go as soon as there are enough. Where nobody tells, KEDA "
    "says so and keeps the pods that there are."
)
_PAUSE: Final = "A new pod loads its models first, which takes minutes: none goes for a short lull."
_WHERE: Final = "scale.max_replicas"


def scaled(
    profile: Profile, engine: Engine, services: Sequence[Service], front: Front | None
) -> tuple[Service, ...]:
    """Return services with how many pods of each there are."""
    most = profile.scale.max_replicas
    if most is None or front is None:
        return tuple(services)
    by_name = {server.service: each for each in front.backends for server in each.servers}
    told = engine.SERVER.told
    own = told.load if told else ()
    return tuple(_scaled(one, by_name.get(one.name), own, profile) for one in services)


def _scaled(
    service: Service, backend: Backend | None, load: tuple[str, ...], profile: Profile
) -> Service:
    most = profile.scale.max_replicas
    if service.pod is None or backend is None or most is None:
        return service
    slots = sum(server.slots for server in backend.servers)
    own = f'namespace="{service.pod.namespace}",service="{front_service(profile.name)}"'
    told = f'haproxy_backend_current_sessions{{proxy="{backend.name}",{own}}}'
    scaling = Scaling(
        address=profile.scale.prometheus,
        query=f"sum({told}) or vector(0)",
        query_reason=_QUERY,
        threshold=slots,
        threshold_reason=f"A pod for so many requests as it computes at once, {slots}.",
        pause_seconds=PAUSE_SECONDS,
        pause_reason=_PAUSE,
        own=load,
        own_reason=_OWN if load else "",
    )
    return replace(service, pod=replace(service.pod, most=most, scaling=scaling))


def faults(profile: Profile) -> Iterator[Problem]:
    """Yield what keeps pods from being added."""
    most, front = profile.scale.max_replicas, profile.front
    if most is None:
        return
    if front is None:
        message = "nobody tells how many requests wait"
        yield Problem(_WHERE, message, "add a table `[front]`, which is HAProxy by default")
    elif front.kind != "haproxy":
        message = "Caddy does not tell how many requests wait; HAProxy does"
        yield Problem(_WHERE, message, 'write `kind = "haproxy"` under `[front]`, or leave it out')
    if most < profile.k8s.replicas:
        message = f"{most} pods at most are fewer than `k8s.replicas`, {profile.k8s.replicas}"
        yield Problem(_WHERE, message, "write more, or leave it out")
