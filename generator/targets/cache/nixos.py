"""The options of NixOS for a cache: `services.litellm` and `services.redis`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.cache import KEY
from generator.formats.text import Commented
from generator.targets.cache.config import ANSWERS, LOCALHOST, VARIABLES, on_host, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.cache import Store
    from generator.plan import Plan


def nixos_options(plan: Plan) -> dict[tuple[str, ...], Any]:
    """Return the options of `services.litellm` and `services.redis`, by their paths."""
    cache = plan.cache
    if cache is None:
        return {}
    litellm = {
        "enable": True,
        "host": Commented(cache.host, cache.reason),
        "port": cache.port,
        "environmentFile": Commented(cache.key_file, f"It sets {KEY}."),
        "environment": {n: Commented(v, why) for n, (v, why) in {**VARIABLES, **_QUIET}.items()},
        "settings": settings(plan, cache, on_host(plan)),
    }
    found: dict[tuple[str, ...], Any] = {("services", "litellm"): litellm}
    if cache.store:
        found["services", "redis", "servers", "hostwright"] = _nixos_redis(cache.store)
    return found


_QUIET: Final[Mapping[str, tuple[str, str]]] = {
    "SCARF_NO_ANALYTICS": ("True", "These three the module has by itself, unless others are set."),
    "DO_NOT_TRACK": ("True", ""),
    "ANONYMIZED_TELEMETRY": ("False", ""),
}


def _nixos_redis(store: Store) -> dict[str, Any]:
    limits = {
        "maxmemory": Commented(store.memory, store.memory_reason),
        "maxmemory-policy": Commented(store.policy, store.policy_reason),
    }
    return {
        "enable": True,
        "bind": Commented(LOCALHOST, "LiteLLM alone asks it; it has no password."),
        "port": store.port,
        "save": Commented([], ANSWERS),
        "settings": limits,
    }
