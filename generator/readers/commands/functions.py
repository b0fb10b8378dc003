"""Functions of a script that ask the engine for what they are called with: `fetch qwen3:8b`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.script import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.readers.syntax.options import Argument
    from generator.readers.syntax.script import CommandLine

Functions = dict[str, list[list["Argument"]]]
"""Commands by the names of the functions that have them; what they get is `$1` there, or `$@`."""
_DEFINED: Final = re.compile(
    r"(?m)^([ \t]*)(?:function[ \t]+([\w-]+)[ \t]*(?:\(\))?|([\w-]+)[ \t]*\(\))\s*\{"
)
_ARGUMENT: Final = re.compile(r"\$([1-9@*])")
_DEFAULT: Final = re.compile(r"\$\{([1-9@*])(?::?[-?][^{}]*)?\}")
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_ALL: Final = frozenset("@*")
_MOST: Final = 50
"""How many functions of a script are looked into, commands of each, and arguments of a call."""


def functions(text: str, program: str) -> Functions:
    """Return the functions of a script in which a program is given an argument of theirs."""
    found: Functions = {}
    for match in list(_DEFINED.finditer(text))[:_MOST]:
        end = re.compile(rf"(?m)^{match[1]}\}}").search(text, match.end())
        body = text[match.end() : end.start() if end else match.end()]
        if program in body and "$" in body:
            handed = list(islice(_handed(lines(_DEFAULT.sub(r"$\1", body), ""), program), _MOST))
            found |= {match[2] or match[3]: handed} if handed else {}
    return found


def _handed(body: Iterator[CommandLine], program: str) -> Iterator[list[Argument]]:
    """Yield the commands of a function with the arguments of the function in them."""
    known: dict[str, str] = {}
    for line in body:
        for name, value in line.assigned:
            given = _ARGUMENT.fullmatch(value.text)
            known |= {name: given[0]} if given else {}
        words = [replace(word, text=_with(word.text, known)) for word in line.words]
        asks = any(program in word.text.lower() for word in words)
        if asks and any(_ARGUMENT.search(word.text) for word in words):
            yield words


def _with(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), text)


def called(words: Sequence[Argument], known: Functions) -> Iterator[list[Argument]]:
    """Yield the commands that a call of a function becomes, each word where its value stands."""
    given = words[1:][:_MOST]
    for command in known.get(words[0].text, ()):
        several = any(found[1] in _ALL for found in _of(command))
        for one in given if several else given[:1]:
            filled = [_filled(word, [one] if several else given) for word in command]
            if not any(_ARGUMENT.search(word.text) for word in filled):
                yield filled


def _of(command: Sequence[Argument]) -> Iterator[re.Match[str]]:
    for word in command:
        yield from _ARGUMENT.finditer(word.text)


def _filled(word: Argument, given: Sequence[Argument]) -> Argument:
    """Return a word with what a function is called with; what is left out stays as it is."""
    found = _ARGUMENT.search(word.text)
    if found is None:
        return replace(word, place=given[0].place)
    number = found[1]
    at = 0 if number in _ALL else int(number) - 1
    if at >= len(given):
        return word
    text = word.text[: found.start()] + given[at].text + word.text[found.end() :]
    return replace(given[at], text=text, written=lambda _: "")
