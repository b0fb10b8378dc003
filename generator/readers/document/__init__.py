"""Markdown and plain text: how they are recognised."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines import READ, load_signs
from generator.readers.document.fences import fences, unfenced
from generator.readers.script import SCRIPT
from generator.readers.signs import Signs, names_an_engine, serves

if TYPE_CHECKING:
    from generator.readers.base import Source


_ENGINES: Final = tuple(load_signs(name) for name in READ)
_PREFIXES: Final = "|".join(prefix for engine in _ENGINES for prefix in engine.prefixes)
_NAMED: Final = re.compile(rf"(?<![\w$])(?:{_PREFIXES})[A-Z][A-Z0-9_]*", re.ASCII)
_TYPED: Final = re.compile(rf"`(?:export )?(?:{_PREFIXES})[A-Z0-9_]+=[^`\n]+`", re.ASCII)
_OTHERS: Final = re.compile("|".join(f"(?:{engine.application})" for engine in _ENGINES))
_MOST: Final = 2000  # characters of a line that are looked at


def told_in_prose(text: str) -> int:
    """Return the first line of a table, or of prose, that sets variables of an engine; 0: none.

    Variables of applications that ask an engine are none of its own.
    """
    for number, line in enumerate(text.split("\n"), 1):
        plain = line[:_MOST].replace("\\_", "_")
        row = plain.lstrip().startswith("|") or _TYPED.search(plain)
        names = _NAMED.findall(plain) if row else ()
        if any(not _OTHERS.fullmatch(name) for name in names):
            return number
    return 0


_SETS: Final = re.compile(rf"\b((?:{_PREFIXES})\w{{1,80}})[\"']?\s{{0,9}}[=: <]", re.ASCII)
_NAMES: Final = "|".join(engine.name for engine in _ENGINES)
_BARE: Final = re.compile(
    r"(?:\$ )?(?:export |env |set |sudo )?(?:[A-Z][A-Z0-9_]*+=\S++(?:[ \t]++|$))++"
    rf"(?:(?:{_NAMES})\b.*|[#&;\\].*)?|Environment=.*|[A-Z][A-Z0-9_]*+:[ \t]++\S++"
    r"|(?:\$ )?(?:sudo )?(?:docker|podman) (?:run|create)\b.*|(?:-e|--env)[ =].*|\$env:.*"
)
"""A line that is code by itself, and no sentence."""


def sets_its_own(text: str) -> bool:
    """Return whether code sets a variable of an engine, and not of a program that asks one."""
    return any(not _OTHERS.fullmatch(name) for name in _SETS.findall(text))


def told_unfenced(text: str) -> int:
    """Return the first line of code without a fence that sets variables of an engine; 0: none."""
    if not _NAMED.search(text):
        return 0
    listed = False
    for number, line in unfenced(text):
        listed = line == "environment:" or (listed and line.startswith("-"))
        if sets_its_own(line) and (listed or _BARE.fullmatch(line)):
            return number
    return 0


def _shows(source: Source) -> bool:
    """Whether a fence is about an engine, or a table of its variables, which nobody judges."""
    shown = [fence.text for fence in fences(source.text) if not fence.mistake]
    fenced = any(names_an_engine(text) or serves("document", text) for text in shown)
    return fenced or (told_in_prose(source.text) or told_unfenced(source.text)) > 0


SIGNS: Final = Signs(
    named=frozenset({".md", ".markdown", ".mdx", ".rst", ".adoc", ".org"}),
    # A fence, or a sentence: it begins with a capital letter and has three words and no `=`.
    content=r"(?m)^ {0,3}(?:```|~~~)|^[A-Z][\w'’,-]* [^\s=:]+ [^=\n]*$",
    never=r"\A#!",
    ours=_shows,
)
DOCUMENT: Final = replace(SCRIPT, kind="document", several=True)
