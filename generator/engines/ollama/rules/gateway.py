"""HW576, HW625, HW638, HW639, HW655 to HW659: how a gateway asks Ollama, and what it keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import UNPULLED, Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_NATIVE: Final = frozenset({"ollama", "ollama_chat"})
_OF_OPENAI: Final = frozenset({"openai", "openai_like", "custom_openai", "hosted_vllm", ""})


@Rule(
    id="HW655",
    title="a chat by way of /api/generate",
    why="`ollama/` asks /api/generate: LiteLLM makes one prompt of the messages, by a template of "
    "its own and not that of the model, and tools become a request for JSON. `ollama_chat/` asks "
    "/api/chat, which has the template of the model, its tools and its thoughts. For embeddings "
    "`ollama/` is right.",
    bad="model: ollama/qwen3:8b",
    good="model: ollama_chat/qwen3:8b",
    source="docs.litellm.ai/docs/providers/ollama; "
    "litellm/llms/ollama/completion/transformation.py",
)
def by_generate(view: View, _: Facts) -> Hits:
    for alias in view.gateway.aliases if view.gateway else ():
        if alias.route == "ollama" and not alias.embeds:
            old = f"ollama/{alias.model}"
            yield Hit(
                message="`ollama/` makes one prompt of a chat, without the template and the tools "
                "of the model",
                place=alias.place,
                fix=f"write `ollama_chat/{alias.model}`",
                edits=(Edit(alias.place, old, f"ollama_chat/{alias.model}"),),
                unsafe=True,
            )


@Rule(
    id="HW656",
    severity="error",
    title="an address with the wrong end for its route",
    why="LiteLLM puts `/api/chat` or `/api/generate` behind the address of `ollama…/`, and "
    "`/chat/completions` behind that of `openai/`. With `/v1` the first ends at a path that is not "
    "there, without it the second: each request is answered with 404.",
    bad="model: ollama_chat/qwen3:8b\napi_base: http://ollama:11434/v1",
    good="model: ollama_chat/qwen3:8b\napi_base: http://ollama:11434",
    source="litellm/llms/ollama/chat/transformation.py, get_complete_url; "
    "docs.litellm.ai/docs/providers/openai_compatible",
)
def wrong_end(view: View, _: Facts) -> Hits:
    told = set()
    for alias in view.gateway.aliases if view.gateway else ():
        text, place = alias.base or ("", alias.place)
        end = re.sub(r"^\w+://[^/]*", "", text).rstrip("/")
        if not text or re.search(r"os\.environ|[${]", text) or place in told:
            continue
        if alias.route in _NATIVE and end in {"/v1", "/api"}:
            message, fix = (
                f"`{end}{'/api/chat' if end == '/v1' else '/api/…'}` is not there",
                "take it off",
            )
        elif alias.route in _OF_OPENAI and not end:
            message, fix = "`/chat/completions` is not there", "put `/v1` behind the address"
        else:
            continue
        told.add(place)
        yield Hit(
            message=f"behind this address LiteLLM puts its path, and {message}: 404",
            place=place,
            fix=fix,
        )


@Rule(
    id="HW657",
    title="a cache that forgets within a minute",
    why="Without `ttl`, or with one that is no number of seconds, LiteLLM keeps an answer in Redis "
    "for 60 seconds: hardly anybody asks the same again by then. Without `namespace` its keys lie "
    "among those of others, also of another LiteLLM.",
    bad="cache_params: {type: redis}",
    good="cache_params: {type: redis, ttl: 3600, namespace: litellm}",
    source="litellm/caching/base_cache.py (default_ttl), redis_cache.py; "
    "docs.litellm.ai/docs/proxy/caching",
)
def forgets(view: View, _: Facts) -> Hits:
    cache = view.gateway.cache if view.gateway else None
    if cache is None or cache.likeness or not cache.kind.startswith("redis"):
        return
    if cache.ttl is None:
        yield Hit(
            message=f"`ttl` is {_said(cache.written)}: an answer is kept for 60 seconds",
            place=cache.place,
            fix="write `ttl: 3600`, and a `namespace`",
        )
    elif not cache.namespace:
        yield Hit(
            message="`namespace` is not set: keys lie among those of others",
            place=cache.place,
            fix="write a `namespace`",
            severity="info",
        )


def _said(written: str) -> str:
    return f"`{written}`, and no number of seconds" if written else "not set"


@Rule(
    id="HW625",
    severity="error",
    title="a kind of cache that LiteLLM has not",
    why="`type` is one word: LiteLLM has one kind of cache at a time, and so none that looks for "
    "the same question first and for a like one then. With another word, or a list, no cache is "
    "made, and nothing is kept.",
    bad="cache_params: {type: [redis, redis-semantic]}",
    good="cache_params: {type: redis, ttl: 3600, namespace: litellm}",
    source="litellm/types/caching.py, LiteLLMCacheType; litellm/caching/caching.py, Cache",
)
def no_such_cache(view: View, _: Facts) -> Hits:
    cache = view.gateway.cache if view.gateway else None
    if cache is not None and not cache.known:
        what = f"there is no cache `{cache.kind}`" if cache.kind else "`type` is one word, no list"
        yield Hit(
            message=f"{what}: nothing is kept",
            place=cache.place,
            fix="write `redis`, or another one of `local`, `disk`, `s3`, `gcs`, `azure-blob`",
        )


@Rule(
    id="HW576",
    title="a setting of LiteLLM that is spelt otherwise",
    why="LiteLLM takes any name below `litellm_settings`, and passes over most it does not know "
    "elsewhere, without a word. A name that differs from one it reads in a letter sets nothing: no "
    "model takes over, nothing is asked again.",
    bad="litellm_settings: {fallback: [{main: [spare]}]}",
    good="litellm_settings: {fallbacks: [{main: [spare]}]}",
    source="docs.litellm.ai/docs/proxy/config_settings; litellm/proxy/proxy_server.py, load_config",
)
def misspelt(view: View, _: Facts) -> Hits:
    for name, meant, place in view.gateway.misspelt if view.gateway else ():
        yield Hit(
            message=f"LiteLLM reads no `{name}`, and says nothing of it",
            place=place,
            fix=f"write `{meant}`",
        )


@Rule(
    id="HW658",
    title="answers to other people's questions",
    why="A semantic cache answers with what was said to a question that is like this one. "
    "Reversals are very alike: `enable 2FA` and `disable 2FA` are closer than many paraphrases, so "
    "that wrong answers are given with full confidence. In a chat the turns before are no part of "
    "the likeness. Without `semantic_cache_scope: end_user` all users of a key share their "
    "answers.",
    bad="cache_params: {type: redis-semantic, similarity_threshold: 0.8}",
    good="cache_params: {type: redis, ttl: 3600, namespace: litellm}",
    source="litellm#12234; litellm-docs#833; semantic-router#2691; GPTCache#694; "
    "litellm/types/caching.py, SemanticCacheScope",
)
def alike(view: View, _: Facts) -> Hits:
    cache = view.gateway.cache if view.gateway else None
    if cache is not None and cache.likeness and not cache.scope:
        yield Hit(
            message=f"`{cache.kind}` answers a question with what was said to one that is like it, "
            "also to somebody else",
            place=cache.place,
            fix="write `type: redis`, or at least `semantic_cache_scope: end_user`",
        )


@Rule(
    id="HW579",
    severity="error",
    title="a semantic cache in a Redis that cannot search",
    why="`redis-semantic` looks for questions that are alike by RediSearch: the commands `FT.…`, "
    "which Redis itself has from 8 on, Redis Stack before, and Valkey in a module of its own. "
    "Where they are unknown LiteLLM does not begin, or caches nothing.",
    bad="cache_params: {type: redis-semantic, host: redis}    # image: redis:7-alpine",
    good="cache_params: {type: redis-semantic, host: redis}    # image: redis:8",
    source="docs.litellm.ai/docs/proxy/caching: redis-semantic; redis.io: Redis 8, query engine",
)
def cannot_search(view: View, _: Facts) -> Hits:
    cache = view.gateway.cache if view.gateway else None
    if cache is not None and cache.unable:
        yield Hit(
            message=f"`{cache.unable}` has no RediSearch, which `{cache.kind}` needs",
            place=cache.place,
            fix="write `type: redis`, or take an image of Redis 8",
        )


@Rule(
    id="HW638",
    severity="info",
    title="a model that nobody pulls",
    why="A gateway, or a program, asks for a model by any name; whether the server has it shows "
    "with the first request, which is answered with 404. Where the files that are checked "
    "together pull models, and not this one, somebody has to have pulled it by hand.",
    bad="model: ollama_chat/qwen3:14b    # and compose.yaml pulls qwen3:8b",
    good="model: ollama_chat/qwen3:8b",
    source="server/routes.go@v0.32.15, ChatHandler: model not found",
)
def not_pulled(view: View, _: Facts) -> Hits:
    gateway = view.gateway
    for alias in gateway.aliases if gateway and gateway.there else ():
        name = alias.model if ":" in alias.model else f"{alias.model}:latest"
        if gateway and name not in gateway.there and not re.search(r"[*${]", name):
            others = ", ".join(sorted(gateway.there))
            yield Hit(
                message=f"nothing here pulls `{alias.model}`, but {others}",
                place=alias.place,
                fix="name a model that is pulled, or have it pulled",
            )
    for line in view.lines_in(UNPULLED):
        yield Hit(
            message=f"nothing here pulls `{line.value}`, but {line.name}",
            place=line.place,
            fix="name a model that is pulled, or have it pulled",
        )


@Rule(
    id="HW639",
    title="a cache where nobody looks for it",
    why="LiteLLM reads `cache` and `cache_params` below `litellm_settings` alone. Elsewhere they "
    "are passed over without a word: nothing is kept.",
    bad="general_settings: {cache: {type: redis}}",
    good="litellm_settings: {cache: true, cache_params: {type: redis, ttl: 3600, namespace: llm}}",
    source="docs.litellm.ai/docs/proxy/caching; litellm/proxy/proxy_server.py, load_config",
)
def misplaced(view: View, _: Facts) -> Hits:
    for name, place in view.gateway.unread if view.gateway else ():
        yield Hit(
            message=f"`{name}` is read by nobody: nothing is kept",
            place=place,
            fix="write `cache: true` and `cache_params` below `litellm_settings`",
        )


@Rule(
    id="HW659",
    title="a name that takes over, and is not there",
    why="`fallbacks` name models of `model_list`. One that is not there is asked of the provider "
    "that its name suggests, or of none: what should help when the first one fails, fails as well.",
    bad="model_list: [{model_name: main, …}]\nfallbacks: [{main: [spare]}]",
    good="model_list: [{model_name: main, …}, {model_name: spare, …}]\nfallbacks: [{main: "
    "[spare]}]",
    source="docs.litellm.ai/docs/proxy/reliability",
)
def takes_over(view: View, _: Facts) -> Hits:
    gateway = view.gateway
    if gateway is None or any("*" in name for name in gateway.names):
        return
    for name, place in gateway.fallbacks:
        if name not in gateway.names and not re.search(r"[${/]", name):
            yield Hit(
                message=f"`{name}` takes over, and `model_list` has no such name",
                place=place,
                fix="write a name of `model_list`",
            )
