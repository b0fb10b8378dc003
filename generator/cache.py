"""What a Plan says of a cache: a LiteLLM before the servers, and the Redis with its answers.

Every value carries its reason, as those of `plan` do.
"""

from __future__ import annotations

from typing import Final, Literal

from generator.records import dataclass

Policy = Literal[
    "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl", "noeviction"
]
CallType = Literal["acompletion", "atext_completion", "aembedding", "aresponses"]
Mode = Literal["default_on", "default_off"]
Scope = Literal["key", "end_user"]
KEY: Final = "LITELLM_MASTER_KEY"
"""The variable from which LiteLLM knows the key that clients send; it stands in no output."""
FRONT_KEY: Final = "HOSTWRIGHT_FRONT_KEY"
"""The variable with the key that LiteLLM shows a front that asks for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A `name` that clients ask for, and the `model` of a service behind it (empty: of the front).

    `provider` is what LiteLLM calls a server of its kind, which it asks below `path`. `key` is the
    variable with what it shows there (empty: nothing).
    """

    name: str
    model: str
    service: str
    provider: str
    path: str
    key: str = ""
    mode: Literal["chat", "embedding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The models that are asked, in order, where the model `name` gives no answer."""

    name: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The Redis that keeps answers: `memory` bytes of them, and which go first (`policy`).

    It listens on `port` of the loopback; `program` is on the host, `image` in a container.
    """

    port: int
    memory: int
    memory_reason: str
    policy: Policy
    policy_reason: str
    program: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Semantic:
    """A cache that answers by likeness: of two questions, not of their texts.

    `model` makes vectors of `size` numbers, which the Qdrant at `url` keeps in `collection`.
    """

    threshold: float
    model: str
    size: int
    url: str
    collection: str
    scope: Scope
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A LiteLLM that listens on `host` and `port`, and what it answers by itself.

    `program` is on the host, `image` in a container, where it listens on `inside`. `key_file` sets
    the variable KEY, without which it does not start. One of `store` and `semantic` is None:
    LiteLLM has one cache. `max_messages` are those that a request may have at most to be looked up
    (0: as LiteLLM has it).
    """

    host: str
    port: int
    reason: str
    program: str
    image: str
    inside: int
    key_file: str
    namespace: str
    ttl_seconds: int
    ttl_reason: str
    call_types: tuple[CallType, ...]
    mode: Mode
    mode_reason: str
    max_messages: int
    routes: tuple[Route, ...]
    fallbacks: tuple[Fallback, ...]
    store: Store | None = None
    semantic: Semantic | None = None
