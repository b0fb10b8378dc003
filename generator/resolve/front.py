"""The front: what stands before the servers of a host, and what it needs to know of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.front import (
    CERTIFICATE,
    CERTIFICATE_KEY,
    FREE_PORT,
    KEYS,
    Backend,
    Confinement,
    Front,
    FrontServer,
    SecretFile,
)
from generator.meaning import parse_go_duration
from generator.rules.registry import every_rule
from generator.units import is_local, tagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.engines.base import Engine, Offer
    from generator.errors import Finding
    from generator.plan import Service
    from generator.profiles.schema import FrontChoice, Profile

UNIT: Final = "hostwright-front.service"
RETRY_SECONDS: Final = 10
PRODUCTS: Final = {"haproxy": "HAProxy", "caddy": "Caddy"}
_CONFINED: Final = (
    ("LockPersonality", "yes"),
    ("NoNewPrivileges", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHome", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("UMask", "0077"),
)
_SLUG: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def front_of(
    profile: Profile, engine: Engine, facts: Facts, services: Sequence[Service]
) -> Front | None:
    """Return what stands before the services; None: nothing does."""
    choice = profile.front
    if choice is None or choice.kind == "none":
        return None
    offers = {one.name: engine.offer(one, facts) for one in services}
    first, fact = offers[services[0].name], facts.fronts[choice.kind]
    return Front(
        kind=choice.kind,
        product=PRODUCTS[choice.kind],
        unit=UNIT,
        program=choice.program or fact.program,
        image=choice.image or fact.image,
        config=fact.config,
        host=choice.host,
        port=choice.port,
        metrics_host=choice.metrics_host,
        metrics_port=choice.metrics_port,
        auth=choice.auth or "",
        secrets=tuple(_secrets(choice)),
        queue_seconds=_seconds(choice.queue_timeout),
        retry_seconds=RETRY_SECONDS,
        answer_seconds=_seconds(choice.answer_timeout),
        drain_seconds=_seconds(choice.drain_timeout),
        paths=tuple(dict.fromkeys(_paths(choice, offers))),
        asides=first.asides,
        health=first.health,
        present=first.present,
        header=first.header,
        by_body=choice.route_by_body,
        backends=_backends(choice, services, offers),
        confined=tuple(_confined(choice)),
        reason=_reason(choice, services),
    )


def _reason(choice: FrontChoice, services: Sequence[Service]) -> str:
    product, many = PRODUCTS[choice.kind], len(services) > 1
    whom = f"{len(services)} servers" if many else f"{services[0].product}"
    waits = {
        "haproxy": "one queue that can be seen",
        "caddy": "who waits asks again until a server is free",
    }
    return f"{product} before {whom}: one address, and {waits[choice.kind]}."


def _confined(choice: FrontChoice) -> Iterator[Confinement]:
    """Yield what its unit may not do; only root, or who may, listens below port 1024."""
    low = min(choice.port, choice.metrics_port) < FREE_PORT
    may = "CAP_NET_BIND_SERVICE" if low else ""
    reason = "It listens on a port that is root's otherwise." if low else "None of root's rights."
    yield Confinement(name="CapabilityBoundingSet", value=may, reason=reason)
    if low:
        yield Confinement(name="AmbientCapabilities", value=may)
    for name, value in _CONFINED:
        yield Confinement(name=name, value=value)


def _secrets(choice: FrontChoice) -> Iterator[SecretFile]:
    told = {
        KEYS: (choice.auth_file, "Who is let in.", "front.auth_file"),
        CERTIFICATE: (choice.certificate, "What the front shows of itself.", "front.certificate"),
        CERTIFICATE_KEY: (choice.certificate_key, "Its own proof.", "front.certificate_key"),
    }
    for name, (path, reason, key) in told.items():
        if path:
            yield SecretFile(name=name, path=path, reason=reason, key=key)


def _seconds(text: str) -> int:
    return max(-(-parse_go_duration(text) // 10**9), 1)


# ── backends ──────────────────────────────────────────────────────────────────────────────────


def _backends(
    choice: FrontChoice, services: Sequence[Service], offers: Mapping[str, Offer]
) -> tuple[Backend, ...]:
    """Return one backend for all servers that have the same models, in the order of these."""
    groups: dict[tuple[str, ...], list[Service]] = {}
    for service in services:
        groups.setdefault(_models(service), []).append(service)
    alone = len(groups) == 1
    # Caddy compares paths without their case.
    taken = {path.split("/")[1].lower() for path in _paths(choice, offers)}
    backends = []
    for models, group in groups.items():
        name = group[0].engine if alone else _free(_slug(models, group[0]), taken)
        backends.append(_backend(choice, group, offers, "" if alone else name))
    return tuple(backends)


def _models(service: Service) -> tuple[str, ...]:
    return tuple(model.served for model in service.models)


def _paths(choice: FrontChoice, offers: Mapping[str, Offer]) -> tuple[str, ...]:
    return (*next(iter(offers.values())).paths, *choice.allow)


def _slug(models: Sequence[str], service: Service) -> str:
    """Return a name of its first model that a path can hold: `qwen3-14b`."""
    name = models[0].removesuffix(":latest") if models else service.name
    return _SLUG.sub("-", name).strip("-.") or service.name


def _free(slug: str, taken: set[str]) -> str:
    """Return a name that no other backend has, nor a path of the API begins with, and take it."""
    number, name = 1, slug
    while name.lower() in taken:
        number += 1
        name = f"{slug}-{number}"
    taken.add(name.lower())
    return name


def _backend(
    choice: FrontChoice, group: Sequence[Service], offers: Mapping[str, Offer], slug: str
) -> Backend:
    engine, first = group[0].engine, group[0]
    names = [name for model in first.models for name in (model.served, model.name)]
    short = [name.removesuffix(":latest") for name in names]
    pinned = [job for job in first.jobs if job.kind == "warmup"]
    loaded = [name for job in pinned for name in job.models] if choice.health == "loaded" else []
    where = f"under /{slug}, or with the header {offers[first.name].header}"
    return Backend(
        name=f"{engine}_{slug}" if slug else engine,
        models=tuple(dict.fromkeys((*names, *short))) if slug else (),
        prefix=f"/{slug}" if slug else "",
        loaded=tuple(map(tagged, loaded)),
        servers=tuple(
            FrontServer(
                service=one.name, slots=offers[one.name].slots, reason=offers[one.name].reason
            )
            for one in group
        ),
        reason=f"{', '.join(short[::2]) or slug}: {where}."
        if slug
        else "The server with the fewest requests is given the next one.",
    )


# ── what cannot be, and what there is to say ──────────────────────────────────────────────────


def faults(
    profile: Profile, engine: Engine, facts: Facts, services: Sequence[Service]
) -> Iterator[Problem]:
    """Yield what a front cannot be."""
    choice = profile.front
    if choice is None or choice.kind == "none":
        return
    yield from _ports(choice, services)
    yield from _files(choice)
    if choice.route_by_body and choice.kind == "caddy":
        message = "Caddy does not look into a request"
        yield Problem("front.route_by_body", message, 'leave it out, or write `kind = "haproxy"`')
    if choice.health == "loaded":
        yield from _loadable(choice, engine, facts, services)


def _ports(choice: FrontChoice, services: Sequence[Service]) -> Iterator[Problem]:
    taken = {one.listen.port: f"the server `{one.name}`" for one in services}
    if choice.port in taken:
        message = f"port {choice.port} is that of {taken[choice.port]}"
        yield Problem("front.port", message, "choose another port")
    taken.setdefault(choice.port, "the front")
    if choice.metrics_port in taken:
        message = f"port {choice.metrics_port} is that of {taken[choice.metrics_port]}"
        yield Problem("front.metrics_port", message, "choose another port")


def _files(choice: FrontChoice) -> Iterator[Problem]:
    if choice.auth and not choice.auth_file:
        hint = 'write `auth_file = "/etc/hostwright/front.keys"`'
        yield Problem("front.auth", "there is no file with what clients show", hint)
    if choice.auth_file and not choice.auth:
        yield Problem("front.auth_file", "nobody asks for what is in it", 'write `auth = "bearer"`')
    if choice.certificate and not choice.certificate_key:
        hint = "write `certificate_key`; it may be the same file where that has both"
        yield Problem("front.certificate", "its key is missing", hint)
    if choice.certificate_key and not choice.certificate:
        message = "there is no certificate that it is of"
        yield Problem("front.certificate_key", message, "write `certificate`")


def _loadable(
    choice: FrontChoice, engine: Engine, facts: Facts, services: Sequence[Service]
) -> Iterator[Problem]:
    """A server whose models may go is never given the request that would load them again."""
    if choice.kind == "caddy":
        message = "Caddy asks one path only, and looks for one text in the answer"
        yield Problem("front.health", message, 'leave it out, or write `kind = "haproxy"`')
    if len({_models(one) for one in services}) > 1 and not choice.route_by_body:
        message = "who names no way asks the first server, which then lets its own model go"
        yield Problem("front.health", message, "write `route_by_body = true`, or leave it out")
    for service in services:
        if not any(job.kind == "warmup" for job in service.jobs):
            message = f"`{service.name}` loads no model at its start, and would never be asked"
            hint = "write `preload = true` at a model, or leave it out"
            yield Problem("front.health", message, hint)
        elif not engine.offer(service, facts).pinned:
            message = f"`{service.name}` lets its models go, and nobody would ask for them again"
            hint = "keep them for ever, with a negative `keep_alive`, or leave it out"
            yield Problem("front.health", message, hint)


def remarks(front: Front | None, services: Sequence[Service]) -> Iterator[Finding]:
    """Yield what there is to say of a front."""
    if front is None:
        return
    rules, is_open = every_rule(), not is_local(front.host)
    if is_open and not front.auth:
        message = f"the front listens on {front.host} and asks nobody for a key"
        hint = 'write `auth = "bearer"` and `auth_file`'
        yield rules["HW220"].finding(message, "front.auth", hint)
    if is_open and front.auth and not front.secret(CERTIFICATE):
        message = "keys go over the network in the clear"
        yield rules["HW222"].finding(message, "front.certificate", "write `certificate`")
    for service in services:
        if not is_local(service.listen.host):
            message = f"`{service.name}` listens on {service.listen.host}, past the front"
            hint = f'write `{service.engine}.host = "127.0.0.1"`, or leave it out'
            yield rules["HW221"].finding(message, f"{service.engine}.host", hint)
