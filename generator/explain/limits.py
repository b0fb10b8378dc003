"""The pages of limits and sandboxing directives, under the names of systemd and of Compose."""

from __future__ import annotations

import functools

from generator.catalogue.catalogue import load_catalogue
from generator.explain.page import Page, Prose, paragraphs, sources_of
from generator.explain.rules import last_word, rule_titles, rules_about


@functools.cache
def limit_names() -> dict[str, str]:
    """Return systemd's name of a limit by each name that it has, the longer Compose ones too."""
    limits = load_catalogue().limits
    found = {name: name for name in limits}
    for name, limit in limits.items():
        for key in limit.compose:
            found.setdefault(key, name)
    return found


def limit_of(key: str) -> str:
    """Return systemd's name of the limit that a profile key decides; empty: of none."""
    limits = load_catalogue().limits
    return next((name for name, limit in limits.items() if limit.key == key), "")


def limit_page(name: str) -> Page:
    """Return the page of a limit, by systemd's name."""
    limit = load_catalogue().limits[name]
    compose, key = limit.compose, limit.key
    about = rules_about(name, *(f"{path}:" for path in compose[:1]), *last_word(key))
    in_compose = (f"`{path}` in Compose" for path in compose[:1])
    return Page(
        kind="limit",
        name=name,
        about=", ".join(("directive of a systemd [Service]", *in_compose)),
        summary=limit.effect,
        blocks=(
            Prose(limit.effect),
            *paragraphs(
                ("Ollama", limit.ollama),
                ("Careful", limit.bad),
                ("Compose", ", ".join(f"`{path}`" for path in compose) or "has no such key"),
                ("Profile", f"`{key}`" if key else "no key"),
                ("Rules", rule_titles(about)),
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
