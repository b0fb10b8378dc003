"""The pages of limits and sandboxing directives, under the names of systemd and of Compose."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from generator.catalogue.catalogue import load_catalogue
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import rules_about, told_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.catalogue.surroundings import LimitFact


def limits() -> Mapping[str, LimitFact]:
    """Return the entries by systemd's name."""
    return load_catalogue().limits


@functools.cache
def limit_names() -> dict[str, str]:
    """Return systemd's name of a limit by each name that it has, the longer Compose ones too."""
    found = {name: name for name in limits()}
    for name, limit in limits().items():
        for key in limit.compose:
            found.setdefault(key, name)
    return found


def limit_of(key: str) -> str:
    """Return systemd's name of the limit that a profile key decides; empty: of none."""
    return next((name for name, limit in limits().items() if limit.key == key), "")


def limit_page(name: str) -> Page:
    """Return the page of a limit, by any of its names."""
    name = limit_names()[name]
    limit = limits()[name]
    compose, key = limit.compose, limit.key
    about = rules_about(name, *(f"{path}:" for path in compose[:1]), *_spelled(key))
    return Page(
        kind="limit",
        name=name,
        about=", ".join(("directive of a systemd [Service]", *_in_compose(compose))),
        summary=limit.effect,
        blocks=(
            Prose(limit.effect),
            *paragraphs(
                ("Ollama", limit.ollama),
                ("Careful", limit.bad),
                ("Compose", ", ".join(f"`{path}`" for path in compose) or "has no such key"),
                ("Profile", f"`{key}`" if key else "no key"),
                ("Rules", told_rules(about)),
            ),
        ),
        sources=sources_of(limit.source),
        facts={
            "compose": list(compose),
            "profile_key": key,
            "ollama": limit.ollama,
            "careful": limit.bad,
            "rules": list(about),
        },
    )


def _in_compose(compose: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"`{path}` in Compose" for path in compose[:1])


def _spelled(key: str) -> tuple[str, ...]:
    """Return the last part of a key, unless it is a common word."""
    word = key.rpartition(".")[2]
    return (word,) if "_" in word else ()
