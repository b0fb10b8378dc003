"""What the programs of a cache read: config.yaml of LiteLLM, and redis.conf.

A target says where things are, as LiteLLM there reaches them: `At`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.cache import KEY
from generator.formats.redis import to_redis
from generator.formats.text import Commented, comment
from generator.formats.yaml import to_yaml
from generator.records import dataclass
from generator.targets.base import File
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.cache import Cache, Route, Semantic, Store
    from generator.plan import Plan, Service


LITELLM: Final = "hostwright-litellm.service"
REDIS: Final = "hostwright-redis.service"
PRODUCTS: Final = {LITELLM: "LiteLLM", REDIS: "Redis"}
LOCALHOST: Final = "127.0.0.1"
CONFIG: Final = "/app/config.yaml"
REDIS_CONF: Final = "/usr/local/etc/redis/redis.conf"
REDIS_USER: Final = "999:1000"
"""Whom Redis runs as in its image: by name, its first process would be root to become it."""
VARIABLES: Final[Mapping[str, tuple[str, str]]] = {
    "LITELLM_LOCAL_MODEL_COST_MAP": ("True", "Prices are those it came with; none are fetched."),
    "LITELLM_TELEMETRY_DISABLED": ("True", "It tells its makers nothing of itself."),
}
"""What LiteLLM reads from its environment and from no file."""
ANSWERS: Final = "Answers are kept here, and none of them on a disk."


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where LiteLLM reaches a service, the front and Redis: `host:port`, and of Redis its parts."""

    reach: Callable[[Service], str]
    front: str
    redis: tuple[str, int]


def on_host(plan: Plan) -> At:
    """Return where programs of the host reach each other."""
    front, store = plan.front, plan.cache.store if plan.cache else None
    return At(
        reach=lambda service: service.listen.address,
        front=address(front.host, front.port) if front else "",
        redis=(LOCALHOST, store.port if store else 0),
    )


def settings(plan: Plan, cache: Cache, at: At) -> dict[str, Any]:
    """Return what config.yaml says."""
    places = {service.name: at.reach(service) for service in plan.services} | {"": at.front}
    models = [_entry(route, places[route.service]) for route in cache.routes]
    lists = [{one.name: list(one.others)} for one in cache.fallbacks]
    fallbacks = {"fallbacks": Commented(lists, "Who is asked where the first gives no answer.")}
    return {
        "model_list": Commented(models, "A name that is there twice is served by both in turn."),
        "litellm_settings": Commented(
            {
                "telemetry": False,
                **(fallbacks if lists else {}),
                "cache": True,
                "cache_params": _params(cache, at.redis),
            },
            gap=True,
        ),
        "general_settings": Commented(
            {"master_key": Commented(f"os.environ/{KEY}", f"It is in {cache.key_file}.")}, gap=True
        ),
    }


def config_file(plan: Plan, cache: Cache, path: str, at: At) -> File:
    """Return config.yaml of LiteLLM."""
    above = "\n".join(line for text in plan.header for line in comment(text))
    return File(path, f"{above}\n{to_yaml(settings(plan, cache, at))}")


def _entry(route: Route, where: str) -> dict[str, Any]:
    params = {"model": f"{route.provider}/{route.model}", "api_base": f"http://{where}{route.path}"}
    params |= {"api_key": f"os.environ/{route.key}"} if route.key else {}
    return {
        "model_name": route.name,
        "litellm_params": params,
        "model_info": {"mode": route.mode},
    }


def _params(cache: Cache, redis: tuple[str, int]) -> dict[str, Any]:
    host, port = redis
    most = {"max_messages": cache.max_messages} if cache.max_messages else {}
    kind: dict[str, Any] = {"type": "redis", "host": host, "port": port}
    return {
        **(_alike(cache.semantic) if cache.semantic else kind),
        "mode": Commented(cache.mode, cache.mode_reason),
        "namespace": cache.namespace,
        "ttl": Commented(cache.ttl_seconds, cache.ttl_reason),
        "supported_call_types": list(cache.call_types),
        **most,
    }


def _alike(semantic: Semantic) -> dict[str, Any]:
    return {
        "type": "qdrant-semantic",
        "qdrant_api_base": semantic.url,
        "qdrant_collection_name": semantic.collection,
        "qdrant_semantic_cache_embedding_model": semantic.model,
        "qdrant_semantic_cache_vector_size": semantic.size,
        "similarity_threshold": semantic.threshold,
        "semantic_cache_scope": Commented(semantic.scope, semantic.reason),
    }


def redis_lines(store: Store, host: str, port: int) -> dict[str, Commented]:
    """Return what redis.conf says, for a Redis that listens there."""
    return {
        "bind": Commented([host], "LiteLLM alone asks it; it has no password."),
        "port": Commented([port]),
        "maxmemory": Commented([store.memory], store.memory_reason),
        "maxmemory-policy": Commented([store.policy], store.policy_reason),
        "save": Commented([""], ANSWERS),
        "appendonly": Commented(["no"]),
        "daemonize": Commented(["no"]),
    }


def redis_file(plan: Plan, store: Store, path: str, host: str, port: int) -> File:
    """Return redis.conf; where all addresses are bound, a network of containers is around it."""
    lines = redis_lines(store, host, port)
    if host != LOCALHOST:
        why = "Nothing but the containers of this project reaches it."
        lines["protected-mode"] = Commented(["no"], why)
    return File(path, to_redis(plan.header, lines.items()))


def files_on_host(plan: Plan, folder: str) -> tuple[File, ...]:
    """Return config.yaml and redis.conf for programs that share the loopback of the host."""
    cache = plan.cache
    if cache is None:
        return ()
    made = [config_file(plan, cache, f"{folder}/litellm.yaml", on_host(plan))]
    if cache.store:
        port = cache.store.port
        made.append(redis_file(plan, cache.store, f"{folder}/redis.conf", LOCALHOST, port))
    return tuple(made)


def published(cache: Cache) -> str:
    """Return `address:port:port`, where a container engine publishes LiteLLM."""
    return f"{address(cache.host, cache.port)}:{cache.inside}"
