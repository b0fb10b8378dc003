"""Configurations of LiteLLM's proxy: the names under which it offers models of an engine.

Source: docs.litellm.ai/docs/proxy/configs and config_settings; litellm/caching/caching.py;
litellm/types/caching.py, LiteLLMCacheType.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.around import Alias, Cache, Gateway, Hop, Said
from generator.errors import Problem
from generator.readers.base import Context, NeedsMore, Source, each, refused
from generator.readers.compose import BASES
from generator.readers.litellm import LITELLM, WORDS
from generator.readers.proxies import is_api
from generator.readers.syntax.literally import taken_as_it_stands
from generator.readers.syntax.yaml_tree import Scalar, Table, parse
from generator.view import ModelUse, Overruled, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_EMBEDS: Final = re.compile(r"(?i)embed|minilm|\bbge\b|bge-|\be5\b|\bgte\b|snowflake-arctic")
_REDIS: Final = re.compile(r"(?:^|/)(?:redis(?:-stack[\w-]*)?|valkey|keydb|dragonfly)(?=[:@]|$)")
_SEARCHES: Final = re.compile(r"redis-stack|(?:^|/)redis(?:$|@|:(?:[89]|\d\d|latest|alpine|\D))")
"""Images whose Redis looks for vectors: the stack, and Redis itself from 8 on."""
_KEPT_AT: Final = ("litellm_settings", "cache_params")
_CACHES: Final = frozenset({
    "local", "redis", "redis-semantic", "valkey-semantic", "s3", "disk", "qdrant-semantic",
    "azure-blob", "gcs",
})  # fmt: skip
_SETTINGS: Final = {
    ("litellm_settings",): (
        "allowed_fails cache cache_params callbacks content_policy_fallbacks "
        "context_window_fallbacks default_fallbacks drop_params failure_callback fallbacks "
        "json_logs modify_params num_retries redact_user_api_key_info request_timeout "
        "service_callback set_verbose success_callback turn_off_message_logging"
    ),
    _KEPT_AT: (
        "host namespace password port redis_url similarity_threshold supported_call_types ttl type"
    ),
    ("router_settings",): (
        "allowed_fails allowed_fails_policy content_policy_fallbacks context_window_fallbacks "
        "cooldown_time default_fallbacks enable_pre_call_checks fallbacks model_group_alias "
        "num_retries redis_host redis_password redis_port retry_policy routing_strategy "
        "stream_timeout timeout"
    ),
    ("general_settings",): (
        "alerting alerting_threshold background_health_checks database_url "
        "health_check_interval master_key max_parallel_requests"
    ),
}
"""Settings that people write, by where they stand; there are more, which no other name is like."""
_SECRETS: Final = (
    ("general_settings", "master_key"),
    ("general_settings", "database_url"),
    (*_KEPT_AT, "password"),
    ("router_settings", "redis_password"),
)


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what is no configuration."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    again: list[tuple[str, Place, Place]] = []
    top = parse(source, again=again)
    if not isinstance(top, Table):
        raise refused(source.path, "", "is no configuration of LiteLLM", "write `model_list`")
    every = list(_aliases(top))
    aliases = tuple(alias for alias in every if _is_ours(alias, context))
    if not aliases:
        reason = f"nothing in it leads to {context.engine.name.capitalize()}"
        hint = "name the file that does, or leave this one out"
        raise NeedsMore(source.path, (Problem("", reason, hint, source.path),))
    names = frozenset(text for one in top.items("model_list") if isinstance(one, Table)
                      for text in (one.text("model_name"),) if text)  # fmt: skip
    return context.view(
        LITELLM,
        context.release_for(),
        name=posixpath.basename(source.path),
        place=Place(source.path),
        adds=True,
        variables=tuple(_secrets(top)),
        lines=tuple(taken_as_it_stands(top, source, context)),
        overruled=tuple(_overruled(again)),
        models=tuple(ModelUse(name=a.model, place=a.place) for a in aliases if _is_named(a)),
        hops=tuple(_hops(top, aliases)),
        gateway=Gateway(aliases=aliases, cache=_cache(top, source.path, context), names=names,
                        fallbacks=tuple(_fallbacks(top)), unread=tuple(_unread(top)),
                        misspelt=tuple(_misspelt(top))),
    )  # fmt: skip


def _overruled(again: Iterable[tuple[str, Place, Place]]) -> Iterator[Overruled]:
    """Yield the keys that stand there twice: LiteLLM takes the last one, and says nothing."""
    for name, first, last in again:
        place = Place(first.file, first.line, name)
        yield Overruled(name=name, value="", place=place, winner="", by=last)


def _is_named(alias: Alias) -> bool:
    return not re.search(r"[*${]", alias.model) and bool(alias.model)


def _is_ours(alias: Alias, context: Context) -> bool:
    """Return whether a name leads to the engine, by its route or its address."""
    if alias.route.partition("_")[0] == context.engine.name:
        return True
    return alias.base is not None and is_api(alias.base[0], context)


def _aliases(top: Table) -> Iterator[Alias]:
    for item in top.items("model_list"):
        params = item.table("litellm_params") if isinstance(item, Table) else Table({}, top.place)
        model = params.scalar("model")
        if model is None or not isinstance(item, Table):
            continue
        route, slash, name = model.text.partition("/")
        base = params.scalar("api_base") or params.scalar("base_url")
        mode = item.text("model_info", "mode")
        yield Alias(
            name=item.text("model_name"),
            route=route if slash else "",
            model=name if slash else model.text,
            place=_at(model, "model"),
            base=(base.text, _at(base, "api_base")) if base else None,
            embeds=mode not in {"", "chat"} or _EMBEDS.search(name) is not None,
        )


def _at(scalar: Scalar, key: str) -> Place:
    return Place(scalar.place.file, scalar.place.line, key)


def _hops(top: Table, aliases: Sequence[Alias]) -> Iterator[Hop]:
    """Yield how long LiteLLM waits, where the file says so: hours, where it does not."""
    told = [
        ("request_timeout", top.scalar("litellm_settings", "request_timeout")),
        ("timeout", top.scalar("router_settings", "timeout")),
    ]
    lines = {alias.place.line for alias in aliases}
    for item in (i for i in top.items("model_list") if isinstance(i, Table)):
        model = item.scalar("litellm_params", "model")
        if model is not None and model.place.line in lines:
            told.append(("timeout", item.scalar("litellm_params", "timeout")))
            told.append(("stream_timeout", item.scalar("litellm_params", "stream_timeout")))
    for name, scalar in told:
        if scalar is not None and re.fullmatch(r"\d{1,9}(?:\.\d+)?", scalar.text):
            said = Said(name=name, value=float(scalar.text), place=_at(scalar, name))
            yield Hop(words=WORDS, place=said.place, answer=said)
    yield from _in_turn(top, aliases)


def _in_turn(top: Table, aliases: Sequence[Alias]) -> Iterator[Hop]:
    """Yield that servers which offer one name are chosen at random."""
    strategy = top.scalar("router_settings", "routing_strategy")
    bases = {(alias.name, alias.base[0]) for alias in aliases if alias.base}
    several = len(bases) > len({name for name, _ in bases})
    if several and (strategy is None or strategy.text == "simple-shuffle"):
        how = "is not set, and shuffles" if strategy is None else "is `simple-shuffle`"
        place = _at(strategy, "routing_strategy") if strategy else aliases[0].place
        yield Hop(words=WORDS, place=place, turns=(f"`routing_strategy` {how}", place))


def _cache(top: Table, path: str, context: Context) -> Cache | None:
    on = top.scalar("litellm_settings", "cache")
    if on is None or not on.is_true:
        return None
    params = top.table(*_KEPT_AT)
    several = "type" in params.entries and params.scalar("type") is None
    kind = params.text("type") or ("" if several else "redis")
    ttl = params.text("ttl")
    scope = params.text("semantic_cache_scope") or params.text("scope")
    place = params.scalar("type") or (_mark(params, "type") if several else on)
    return Cache(
        kind=kind,
        place=_at(place, "cache_params.type" if place is not on else "cache"),
        ttl=_time(ttl),
        namespace=params.text("namespace"),
        scope=scope,
        likeness=kind.endswith("-semantic"),
        written=ttl,
        known=kind in _CACHES or _filled_in(kind),
        unable=_unable(params, path, context) if kind == "redis-semantic" else "",
    )


def _mark(table: Table, key: str) -> Scalar:
    return Scalar("", table.place_of(key))


def _time(text: str) -> float | None:
    """Return for how long an answer is kept; None: nobody says, or what is no number."""
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", text):
        return float(text)
    return 0.0 if _filled_in(text) else None


def _filled_in(text: str) -> bool:
    """Return whether somebody else says what stands there."""
    return re.search(r"os\.environ|[${<]", text) is not None


def _secrets(top: Table) -> Iterator[Variable]:
    """Yield settings that are secrets, as variables that nobody but LiteLLM reads."""
    for path in _SECRETS:
        scalar = top.scalar(*path)
        if scalar is not None and scalar.text:
            yield Variable(
                name=path[-1],
                value=scalar.text,
                place=_at(scalar, ".".join(path)),
                reach="client",
                unresolved=_filled_in(scalar.text),
            )


_SECTIONS: Final = {"litellmparam": "litellm_settings", "litellmsetting": "litellm_settings"}
"""What people call a part of the file; `litellm_params` is one of a model."""


def _misspelt(top: Table) -> Iterator[tuple[str, str, Place]]:
    """Yield settings that differ from a known one in case, in their hyphens or in the number."""
    sections = {_bare(path[0]): path[0] for path in _SETTINGS} | _SECTIONS
    for key in top.entries:
        meant = sections.get(_bare(key), key)
        if meant != key:
            place = top.place_of(key)
            yield key, meant, Place(place.file, place.line, key)
    for path, words in _SETTINGS.items():
        known = {_bare(word): word for word in words.split()}
        table = top.table(*path)
        for key in table.entries:
            meant = known.get(_bare(key), key)
            if meant != key:
                place = table.place_of(key)
                yield key, meant, Place(place.file, place.line, ".".join((*path, key)))


def _bare(name: str) -> str:
    """Return a name as it is spelt by everybody: small, in one, and of one thing."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"ie$", "y", letters.removesuffix("s"))


def _unable(params: Table, path: str, context: Context) -> str:
    """Return the image of the Redis that a compose file beside has, where it has no search."""
    host = params.text("host") or re.sub(r"^\w+://(?:[^@/]*@)?", "", params.text("redis_url"))
    wanted = re.split(r"[:/]", host)[0]
    folder = posixpath.dirname(path)
    for near in ("", ".."):
        for name in BASES:
            text = context.read(posixpath.normpath(posixpath.join(folder, near, name)))
            found = _image(text, wanted) if text else ""
            if found:
                return "" if _SEARCHES.search(found) else found
    return ""


def _image(text: str, service: str) -> str:
    """Return the image of Redis that a service has; of any, where its name is not told."""
    name = re.escape(service) if re.fullmatch(r"[\w.-]+", service) else r"[\w.-]+"
    block = rf"(?m)^  {name}:[ \t]*\n(?:    [^\n]*\n|\n)*?    image:[ \t]*[\"']?([^\s\"']+)"
    every = [found for found in re.findall(block, text) if _REDIS.search(found)]
    return every[0] if len(set(every)) == 1 else ""


def _fallbacks(top: Table) -> Iterator[tuple[str, Place]]:
    """Yield the names that take over from others."""
    for above in ("litellm_settings", "router_settings"):
        for item in top.items(above, "fallbacks"):
            if not isinstance(item, Table):
                continue
            named = (one for key in item.entries for one in item.items(key))
            yield from ((one.text, one.place) for one in named if isinstance(one, Scalar))


def _unread(top: Table) -> Iterator[tuple[str, Place]]:
    """Yield settings of a cache that stand where LiteLLM looks for none."""
    for above in ("general_settings", "router_settings"):
        table = top.table(above)
        for key in ("cache", "cache_params"):
            if key in table.entries:
                place = table.place_of(key)
                yield f"{above}.{key}", Place(place.file, place.line, f"{above}.{key}")
    if "cache_params" in top.entries:
        place = top.place_of("cache_params")
        yield "cache_params", Place(place.file, place.line, "cache_params")
