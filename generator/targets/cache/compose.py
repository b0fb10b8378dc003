"""The containers of a cache for Compose, and what they mount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.cache import KEY
from generator.formats.text import Commented
from generator.formats.yaml import compose_string
from generator.targets.cache.config import (
    ANSWERS,
    CONFIG,
    REDIS_CONF,
    REDIS_USER,
    VARIABLES,
    At,
    config_file,
    published,
    redis_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.cache import Store
    from generator.plan import Plan, Service
    from generator.targets.base import File

REDIS_PORT: Final = 6379
"""Where Redis listens in a network of containers, which has no other one."""
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- in a network of containers, or behind what is published
ALIVE: Final = (
    "import urllib.request as u; u.urlopen('http://127.0.0.1:{}/health/liveliness', timeout=5)"
)


def compose_files(plan: Plan, reach: Callable[[Service], str], front: str) -> tuple[File, ...]:
    """Return what the containers of Compose mount, from `./cache`; `front` is where that is."""
    cache = plan.cache
    if cache is None:
        return ()
    at = At(reach=reach, front=front, redis=(redis_name(plan), REDIS_PORT))
    made = [config_file(plan, cache, "cache/litellm.yaml", at)]
    if cache.store:
        made.append(redis_file(plan, cache.store, "cache/redis.conf", EVERYWHERE, REDIS_PORT))
    return tuple(made)


def redis_name(plan: Plan) -> str:
    """Return the name of Redis among the services of Compose."""
    return f"{plan.services[0].container.service}-redis"


def compose_services(plan: Plan, base: Mapping[str, Any], before: Sequence[str]) -> dict[str, Any]:
    """Return the services of the cache; `base` is what each has, `before` are the servers."""
    cache = plan.cache
    if cache is None:
        return {}
    name = f"{plan.services[0].container.service}-litellm"
    healthy = {"condition": "service_healthy"}
    first = [redis_name(plan)] if cache.store else []
    litellm = {
        **base,
        "image": cache.image,
        "restart": "unless-stopped",
        "command": ["--config", CONFIG, "--port", str(cache.inside)],
        "ports": Commented([published(cache)], cache.reason),
        "environment": {n: Commented(v, why) for n, (v, why) in VARIABLES.items()},
        "env_file": Commented([compose_string(cache.key_file)], f"It sets {KEY}."),
        "volumes": [f"./cache/litellm.yaml:{CONFIG}:ro"],
        "security_opt": ["no-new-privileges:true"],
        "depends_on": dict.fromkeys([*first, *before], healthy),
        "healthcheck": {
            "test": ["CMD", "python3", "-c", ALIVE.format(cache.inside)],
            "interval": "30s",
            "timeout": "10s",
            "retries": 3,
            "start_period": "120s",
        },
    }
    what = "Answers what was asked before, and passes on all else."
    found: dict[str, Any] = {name: Commented(litellm, what, gap=True)}
    if cache.store:
        redis = _compose_redis(cache.store)
        found[redis_name(plan)] = Commented({**base, **redis}, ANSWERS, gap=True)
    return found


def _compose_redis(store: Store) -> dict[str, Any]:
    return {
        "image": store.image,
        "restart": "unless-stopped",
        "command": ["redis-server", REDIS_CONF],
        "volumes": [f"./cache/redis.conf:{REDIS_CONF}:ro"],
        "user": REDIS_USER,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "healthcheck": {
            "test": ["CMD", "redis-cli", "ping"],
            "interval": "30s",
            "timeout": "5s",
            "retries": 3,
        },
    }
