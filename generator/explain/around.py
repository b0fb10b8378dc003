"""The pages of settings of programs around a server, and of topics."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.models import Quantisation
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rule_titles, rules_about

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.catalogue.records import LitellmKey


@functools.cache
def litellm_keys() -> Mapping[str, LitellmKey]:
    """Return the keys of LiteLLM's configuration that are known by their path."""
    return load_catalogue().litellm_keys


@functools.cache
def setting_names() -> dict[str, str]:
    """Return the name or path of a setting by each name that it has: its last word, too.

    An option is found without its dashes, which the command line would take for one of `gen`.
    """
    found = {name: name for name in load_catalogue().settings}
    for name in load_catalogue().settings:
        plain = name.removeprefix("--")
        for other in (name.rpartition(".")[2], plain, plain.replace("-", "_")):
            found.setdefault(other, name)
    for path in litellm_keys():
        found.setdefault(path, path)
        found.setdefault(path.rpartition(".")[2], path)
    return found


def setting_summary(name: str) -> str:
    """Return whose a setting is, and what it does."""
    if name in litellm_keys():
        return f"LiteLLM: {litellm_keys()[name].effect}"
    fact = load_catalogue().settings[name]
    return f"{fact.program}: {fact.effect}"


def setting_page(name: str) -> Page:
    """Return the page of a setting."""
    if name in litellm_keys():
        return _litellm_page(name)
    fact = load_catalogue().settings[name]
    about = rules_about(name)
    return Page(
        kind="setting",
        name=name,
        about=f"setting of {fact.program}",
        summary=fact.effect,
        blocks=(
            Prose(fact.effect),
            *paragraphs(
                ("Default", fact.default or "none"),
                ("Ollama", fact.ollama),
                ("Rules", rule_titles(about)),
            ),
        ),
        sources=sources_of(fact.source),
        facts={
            "program": fact.program,
            "default": fact.default,
            "ollama": fact.ollama,
            "rules": list(about),
        },
    )


def _litellm_page(path: str) -> Page:
    fact = litellm_keys()[path]
    word = path.rpartition(".")[2]
    # `port` and `host` are words of many rules.
    about = rules_about(word) if "_" in word else ()
    since = f"LiteLLM {fact.since}" if fact.since else ""
    return Page(
        kind="setting",
        name=path,
        about="key of LiteLLM's config.yaml",
        summary=fact.effect,
        blocks=(
            Prose(fact.effect),
            *paragraphs(("Since", since), ("Rules", rule_titles(about))),
        ),
        sources=sources_of(fact.source),
        facts={"program": "LiteLLM", "since": fact.since, "rules": list(about)},
    )


@functools.cache
def topic_names() -> dict[str, str]:
    """Return the name of a topic by each word that leads to it."""
    topics = load_catalogue().topics
    found = {name: name for name in topics}
    found |= {one.name.lower(): _QUANTISATION for one in _quantisations()}
    return found | {word: name for name, topic in topics.items() for word in topic.also}


_QUANTISATION: Final = "quantisation"


def _quantisations() -> tuple[Quantisation, ...]:
    return load_catalogue().all("quantisation", Quantisation)


def _quantised() -> Iterator[Prose]:
    """Yield a paragraph for each quantisation, with what it costs where that was told."""
    for one in _quantisations():
        lost = f" Perplexity of Llama 3 8B: +{one.loss}." if one.loss else ""
        yield Prose(f"{one.advice}{lost}", one.name)


def topic_page(name: str) -> Page:
    """Return the page of a topic."""
    fact = load_catalogue().topics[name]
    see = ", ".join(f"`gen explain {quoted(word)}`" for word in fact.see)
    return Page(
        kind="topic",
        name=name,
        about=fact.title,
        summary=fact.title,
        blocks=(
            *(Prose(text) for text in fact.text),
            *(_quantised() if name == _QUANTISATION else ()),
            *paragraphs(("See", see)),
        ),
        sources=sources_of(fact.source),
        facts={"text": list(fact.text), "see": list(fact.see)},
    )


def quoted(name: str) -> str:
    """Return a name as a shell takes it for one word."""
    return f"'{name}'" if " " in name else name
