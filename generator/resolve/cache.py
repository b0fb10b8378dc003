"""A cache before the servers: which models it has, what it keeps, and what it must not be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeGuard

from generator.cache import FRONT_KEY, KEY, Cache, Fallback, Route, Semantic, Store
from generator.catalogue.records import CacheProgram
from generator.engines import load_engine
from generator.errors import Problem
from generator.front import CERTIFICATE
from generator.meaning import parse_go_duration
from generator.rules.registry import every_rule
from generator.units import is_local, written_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.cache import Mode
    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.errors import Finding
    from generator.front import Front
    from generator.plan import Model, Service
    from generator.profiles.schema import CacheChoice, FrontChoice, Profile, SemanticChoice

_EMBEDS: Final = "embedding"
_SECOND: Final = 10**9
_ALIKE: Final = "HW623"
_PAST: Final = "HW624"
_EVIDENCE: Final = (
    "questions that differ in one word, as `enable` and `disable`, lie closer together than "
    "two wordings of one question, so that no threshold parts them"
)
_MODES: Final[Mapping[Mode, str]] = {
    "default_on": "Every request of these kinds is looked up first.",
    "default_off": 'Only requests with `"cache": {"use-cache": true}` are looked up.',
}
_POLICIES: Final = {
    "noeviction": "When it is full nothing new is kept; LiteLLM then asks the model.",
    "allkeys-lru": "When it is full, what nobody has asked for longest goes first.",
}


def cache_of(
    profile: Profile,
    services: Sequence[Service],
    front: Front | None,
    catalogue: Catalogue,
    facts: Facts,
) -> Cache | None:
    """Return the cache before the services, or None where the profile asks for none."""
    choice = profile.cache
    if choice is None:
        return None
    programs = {each.name: each for each in catalogue.all("cache_program", CacheProgram)}
    mode: Mode = choice.mode or ("default_off" if choice.semantic else "default_on")
    seconds = parse_go_duration(choice.ttl) // _SECOND
    most = choice.semantic.max_messages if choice.semantic else choice.max_messages or 0
    return Cache(
        host=choice.host,
        port=choice.port,
        reason=_reach(choice),
        program=choice.program,
        image=programs["litellm"].image,
        inside=programs["litellm"].port,
        key_file=choice.key_file,
        namespace=choice.namespace or profile.name,
        ttl_seconds=seconds,
        ttl_reason="Seconds for which an answer is kept.",
        call_types=choice.supported_call_types,
        mode=mode,
        mode_reason=_MODES[mode],
        max_messages=most,
        routes=tuple(_behind(services, front) if _passes(front) else _routes(services)),
        fallbacks=tuple(_fallbacks(services)),
        store=None if choice.semantic else _store(choice, programs["redis"]),
        semantic=_semantic(choice.semantic, profile, services, facts) if choice.semantic else None,
    )


def _reach(choice: CacheChoice) -> str:
    who = "this machine only" if is_local(choice.host) else "every machine that can reach it"
    return f"Reachable from {who}, with the key that {KEY} is."


def _models(services: Sequence[Service]) -> Iterator[tuple[Service, Model]]:
    """Yield each model of each service, under one name once."""
    for service in services:
        yield from ((service, model) for model in {m.served: m for m in service.models}.values())


def _passes(front: Front | None) -> TypeGuard[Front]:
    """Return whether LiteLLM goes through the front: it shows keys, but no name and password.

    On the loopback a certificate for the name of the host vouches for nothing.
    """
    return front is not None and front.auth != "basic" and not front.secret(CERTIFICATE)


def _behind(services: Sequence[Service], front: Front) -> Iterator[Route]:
    """Yield each model once for each queue of the front that leads to it."""
    named = {service.name: service for service in services}
    key = FRONT_KEY if front.auth else ""
    for backend in front.backends:
        for route in _routes([named[backend.servers[0].service]]):
            yield replace(route, service="", path=f"{backend.prefix}{route.path}", key=key)


def _routes(services: Sequence[Service]) -> Iterator[Route]:
    for service, model in _models(services):
        embeds = model.role == _EMBEDS
        known = load_engine(service.engine).SERVER.litellm
        yield Route(
            name=model.served,
            model=model.served,
            service=service.name,
            provider=known.embedding if embeds else known.chat,
            path=known.path,
            mode="embedding" if embeds else "chat",
        )


def _fallbacks(services: Sequence[Service]) -> Iterator[Fallback]:
    """Yield for each main model those of the role `fallback`."""
    roles = {model.served: model.role for _, model in _models(services)}
    others = tuple(name for name, role in roles.items() if role == "fallback")
    if others:
        for name in (name for name, role in roles.items() if role == "main"):
            yield Fallback(name=name, others=others)


def _store(choice: CacheChoice, redis: CacheProgram) -> Store:
    other = f"When it is full, what {choice.policy} of Redis picks goes first."
    return Store(
        port=choice.redis_port,
        memory=choice.memory,
        memory_reason=f"{written_size(choice.memory)} for answers; the process takes some more.",
        policy=choice.policy,
        policy_reason=_POLICIES.get(choice.policy, other),
        program=choice.redis_program,
        image=redis.image,
    )


def _semantic(
    choice: SemanticChoice, profile: Profile, services: Sequence[Service], facts: Facts
) -> Semantic:
    by_name = {model.name: model.served for _, model in _models(services)}
    whose = "of its key and its `user`" if choice.scope == "end_user" else "of its key"
    return Semantic(
        threshold=choice.threshold,
        model=by_name.get(choice.model, choice.model),
        size=_vector(choice, facts),
        url=choice.qdrant,
        collection=f"{(profile.cache and profile.cache.namespace) or profile.name}-answers",
        scope=choice.scope,
        reason=f"A question gets an answer {whose}; without keys in a database there is one key.",
    )


def _vector(choice: SemanticChoice, facts: Facts) -> int:
    """Return how many numbers a vector of the model has; 0: unknown."""
    known = facts.model(choice.model)
    return known.embedding if known else 0


def faults(profile: Profile, services: Sequence[Service], facts: Facts) -> Iterator[Problem]:
    """Yield what makes the cache of no use, or lets the world use it."""
    choice = profile.cache
    if choice is None:
        return
    if not any(True for _ in _models(services)):
        hint = "name some under `[[models]]`"
        yield Problem(
            "cache",
            "LiteLLM passes on only what asks for a model of its list, which is empty",
            hint,
        )
    if not _is_ip(choice.host):
        hint = "write the address itself, like `127.0.0.1` or `0.0.0.0`"
        yield Problem(
            "cache.host", f"`{choice.host}` is a name, which containers take none of", hint
        )
    if parse_go_duration(choice.ttl) < _SECOND:
        yield Problem("cache.ttl", f"`{choice.ttl}` is no whole second", "write `1s` or more")
    yield from _ports(choice, services, profile.front)
    if choice.semantic:
        yield from _semantic_faults(profile, choice.semantic, facts)


def _is_ip(host: str) -> bool:
    """Return whether it is an address of the Internet Protocol, without a zone."""
    return "%" not in host and (":" in host or host.replace(".", "").isdigit())


def _ports(
    choice: CacheChoice, services: Sequence[Service], front: FrontChoice | None
) -> Iterator[Problem]:
    taken = {service.listen.port: service.product for service in services}
    if front:
        taken |= {front.port: "the front", front.metrics_port: "the front's metrics"}
    for key, port in (("port", choice.port), ("redis_port", choice.redis_port)):
        if port in taken:
            yield Problem(f"cache.{key}", f"{port} is that of {taken[port]}", "choose another one")
        taken[port] = "LiteLLM"


def _semantic_faults(profile: Profile, choice: SemanticChoice, facts: Facts) -> Iterator[Problem]:
    roles = {model.name: model.role for model in profile.models}
    where = "cache.semantic.model"
    if roles.get(choice.model) != _EMBEDS:
        message = f"`{choice.model}` is no model of this profile with the role `embedding`"
        yield Problem(where, message, 'add it to `[[models]]`, with `role = "embedding"`')
    elif not _vector(choice, facts):
        message = f"how long a vector of `{choice.model}` is, is not known here"
        yield Problem(where, message, "choose a model that `gen models` lists")
    if _ALIKE not in {ignored.rule for ignored in profile.check.ignore}:
        hint = f"leave it out, or accept {_ALIKE} with a reason under `[[check.ignore]]`"
        yield Problem("cache.semantic", f"it gives wrong answers: {_EVIDENCE}", hint)


def remarks(profile: Profile, front: Front | None) -> Iterator[Finding]:
    """Yield what there is to say of a cache that is decided."""
    if profile.cache and front and not _passes(front):
        yield every_rule()[_PAST].finding(
            f"LiteLLM asks the servers past the front, which asks for a "
            f"{'password' if front.auth == 'basic' else 'name that is in its certificate'}",
            "cache",
            "let clients of the front in by keys, and without TLS on the loopback, or leave it be",
        )
    if profile.cache and profile.cache.semantic:
        yield every_rule()[_ALIKE].finding(
            f"it gives wrong answers: {_EVIDENCE}", "cache.semantic", "leave it out"
        )
