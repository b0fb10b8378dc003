"""The pages of rules, and which rules speak of a name.

Their prose is read from `rules.json`, which `tools/generate.py` makes of the rules: importing all
of them takes longer than everything else that a page needs.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.errors import CatalogueError
from generator.explain.page import Page, Prose, Sample, paragraphs, sources_of
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.explain.page import Block

FILE: Final = Path(__file__).with_name("rules.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProse:
    """What a rule says of itself; `silence` says how, where it differs from the others."""

    id: str
    severity: str
    title: str
    why: str
    bad: str
    good: str
    source: str
    releases: str
    silence: str = ""


@functools.cache
def every_rule() -> dict[str, RuleProse]:
    """Return all rules by id, in the order of their ids. Raises CatalogueError."""
    try:
        rules = [RuleProse(**table) for table in json.loads(FILE.read_bytes())]
    except (OSError, ValueError, TypeError) as error:
        raise CatalogueError(f"{FILE.name}: {error}", hint="install Hostwright again") from error
    return {rule.id: rule for rule in rules}


def silence_of(rule: RuleProse) -> tuple[str, ...]:
    """Return how to silence a rule: its own sentence, or what to write in profile and file."""
    if rule.silence:
        return (rule.silence,)
    return (
        f'[check]\nignore = [{{ rule = "{rule.id}", reason = "…" }}]',
        f"# hostwright: ignore {rule.id} because …",
    )


def rule_page(rule: RuleProse) -> Page:
    """Return the page of a rule."""
    return Page(
        kind="rule",
        name=rule.id,
        about=f"{rule.severity}: {rule.title}",
        summary=rule.title,
        blocks=(
            Prose(rule.why),
            Sample("Bad", rule.bad),
            Sample("Good", rule.good),
            *paragraphs(("Releases", rule.releases)),
            *_silence_blocks(rule),
        ),
        sources=sources_of(rule.source),
        facts={
            "severity": rule.severity,
            "why": rule.why,
            "bad": rule.bad,
            "good": rule.good,
            "releases": rule.releases,
            "silence": list(silence_of(rule)),
        },
    )


def _silence_blocks(rule: RuleProse) -> tuple[Block, ...]:
    lines = silence_of(rule)
    if len(lines) == 1:
        return paragraphs(("Silence", lines[0]))
    profile, comment = lines
    return (
        Sample("Silence it in a profile", profile),
        Sample("Silence it beside the line, or above it, in any other file", comment),
    )


def rules_about(*names: str) -> tuple[str, ...]:
    """Return the ids of the rules that speak of one of the names, as a cure excepted."""
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w)")
    return tuple(
        rule.id
        for rule in every_rule().values()
        if pattern.search("\n".join((rule.title, rule.why, rule.bad)))
    )


def last_word(key: str) -> tuple[str, ...]:
    """Return the last part of a profile key, for `rules_about`, unless it is a common word."""
    word = key.rpartition(".")[2]
    return (word,) if "_" in word else ()


def rule_titles(ids: Iterable[str]) -> str:
    """Return rules as one sentence: `HW109 title; HW501 title`."""
    return "; ".join(f"{name} {every_rule()[name].title}" for name in ids)
