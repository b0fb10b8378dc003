"""Variables that a command line gives to the server which it starts: by `env`, or in a script."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.options import Argument
from generator.readers.syntax.shell import is_shell, tokens
from generator.view import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.yaml_tree import Scalar

_ASSIGNED: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
_BEFORE: Final = frozenset({"export", "exec", "env"})
_ENDS: Final = frozenset({";", "&&", "||", "|", "&"})


def given(command: Sequence[Argument], engine: Engine) -> Iterator[Variable]:
    """Yield the variables that a command sets for the server which it starts."""
    texts = [word.text for word in command]
    program = PurePosixPath(texts[0]).name if texts else ""
    if program == "env":
        for name, (value, at) in _of_words(texts, engine).items():
            word = command[at]
            yield Variable(name=name, value=value, place=word.place, unresolved=word.unresolved)
    at = next((n for n, text in enumerate(texts) if re.fullmatch(r"-[a-z]*c", text)), 0)
    if is_shell(program) and 0 < at < len(texts) - 1:
        for name, (value, _) in _of_words(tokens(texts[at + 1]), engine).items():
            untold, place = "$" in value or "`" in value, command[at + 1].place
            below = texts[at + 1].partition(f"{name}=")[0].count("\n")
            place = replace(place, line=place.line + below)
            yield Variable(name=name, value=value, place=place, unresolved=untold)


def given_by(words: Sequence[Scalar], engine: Engine) -> Iterator[Variable]:
    """Yield the same of a command whose words stand in YAML."""
    yield from given(
        [Argument(w.text, replace(w.place, line=w.starts), lambda _: "") for w in words], engine
    )


def with_given(
    variables: Sequence[Variable], words: Sequence[Scalar], engine: Engine
) -> tuple[Variable, ...]:
    """Return the variables of a container, with what the script that starts the server sets."""
    more = {variable.name: variable for variable in given_by(words, engine)}
    return (*(v for v in variables if v.name not in more), *more.values())


def _of_words(words: Sequence[str], engine: Engine) -> dict[str, tuple[str, int]]:
    """Return what is assigned where the server starts, and at which word; empty: it does not."""
    kept: dict[str, tuple[str, int]] = {}
    here: dict[str, tuple[str, int]] = {}
    exports, program = False, ""
    for at, word in enumerate(words):
        assigned = None if program else _ASSIGNED.fullmatch(word)
        if word in _ENDS:
            kept |= here if exports else {}
            here, exports, program = {}, False, ""
        elif assigned:
            here[assigned[1]] = (assigned[2], at)
        elif words[at : at + 2] == [word, engine.command[-1]] and (
            PurePosixPath(word).name == engine.name
        ):
            return kept | here
        elif word == "export":
            exports = True
        elif PurePosixPath(word).name not in _BEFORE and not _option(words, at):
            program = word
    return {}


def _option(words: Sequence[str], at: int) -> bool:
    """Whether a word is an option of `env`, or what that takes."""
    return words[at].startswith("-") or words[at - 1] in {"-u", "--unset", "-C", "--chdir"}
