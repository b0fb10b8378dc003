"""Shell text, as far as a reader needs it: exported variables, and calls of an engine."""

from __future__ import annotations

import posixpath
import re
import shlex
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.options import CLIENTS
from generator.records import dataclass
from generator.view import ModelUse, Place, Reach, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Source

_EXPORT: Final = re.compile(r"^[ \t]*(?:export|declare[ \t]+-x|typeset[ \t]+-x)[ \t]+(.*)$", re.M)
_ASSIGNED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_COMMENT: Final = re.compile(r"^[ \t]*#.*", re.M)
_SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_SEPARATORS: Final = frozenset({";", "&&", "||", "|", "&", "(", ")", "{", "}", "do", "done"})
_ASKING: Final = frozenset({"curl", "wget", "systemctl"})
_NEAR: Final = 100  # words: a command or loop is shorter
_LONG: Final = 10_000  # characters: nobody edits such a line by a fix
_PARAMETER: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an engine's program on a model: `pull`, `run`, `create`."""

    verb: str
    model: str


def runs_the_server(text: str, engine: Engine) -> bool:
    """Whether a script starts the server itself, so that what it exports gets there."""
    command = r"[ \t]+".join(engine.command)
    return bool(re.search(rf"^[^#\n]*\b{command}\b", text, re.MULTILINE))


def exported(source: Source, reach: Reach) -> list[Variable]:
    """Return what `export NAME=value` lines set; `$` stands in values, nothing is run."""
    found = []
    number, counted = 1, 0
    for match in _EXPORT.finditer(source.text):
        number += source.text.count("\n", counted, match.start(1))
        counted = match.start(1)
        for word in tokens(match[1]):
            if word in _SEPARATORS or word.startswith("#"):
                break
            if assigned := _ASSIGNED.fullmatch(word):
                name, value = assigned.groups()
                found.append(
                    Variable(
                        name=name,
                        value=value,
                        place=Place(source.path, number, name),
                        reach=reach,
                        written=_written(match[1], name, value),
                        unresolved="$" in value or "`" in value,
                    )
                )
    return found


def _written(line: str, name: str, value: str) -> str:
    """Return how a line spells a value, quotes included where they stand around all of it."""
    if len(line) > _LONG:
        return ""
    forms = (f"{quote}{value}{quote}" for quote in ('"', "'", ""))
    return next((form for form in forms if f"{name}={form}" in line), "")


def is_shell(program: str) -> bool:
    """Whether a program is a shell, which may be told a script by `-c`."""
    return posixpath.basename(program) in _SHELLS


def use_of(call: Call, place: Place) -> ModelUse:
    """Return what a call does with its model."""
    return ModelUse(
        name=call.model,
        place=place,
        warmed=call.verb in _WARMING,
        pulled=call.verb == "pull",
        made=call.verb == "create",
    )


_WARMING: Final = frozenset({"run", "generate", "chat"})


def tokens(script: str) -> list[str]:
    """Split a script as a shell does, lines by `;`; nothing where a quote stays open."""
    lines = _COMMENT.sub("", script).replace("\n", " ; ")
    lexer = shlex.shlex(lines, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return []


def calls(argv: Sequence[str], engine: Engine) -> Iterator[Call]:
    """Yield the calls of an engine's program in a command, also in the script of `sh -c`.

    The command may run in a container. A model that only the running script knows is left out.
    """
    if _execs(argv):
        argv = argv[next((at for at, word in enumerate(argv) if is_shell(word)), 0) :]
    if not argv or not is_shell(argv[0]) or "-c" not in argv[:-1]:
        yield from _calls(argv, {}, engine)
        return
    at = argv.index("-c") + 1
    words = tokens(argv[at])
    yield from _calls(words, _parameters(words, argv[at + 1 :]), engine)


def _execs(argv: Sequence[str]) -> bool:
    """Whether a command runs another one in a container that is there."""
    client = bool(argv) and posixpath.basename(argv[0]) in CLIENTS
    return client and list(argv[1:2]) == ["exec"]


def only_asks(argv: Sequence[str], engine: Engine) -> bool:
    """Whether a command is for a server that another file starts: nothing in it may start one."""
    if _execs(argv):
        return True
    words = argv[:1]
    if argv and is_shell(argv[0]) and "-c" in argv[:-1]:
        at = argv.index("-c") + 1
        words = [*tokens(argv[at]), *argv[at + 1 :]]
    names = {posixpath.basename(word) for word in words}
    starts = any(
        posixpath.basename(word) in CLIENTS and not _execs(words[at:])
        for at, word in enumerate(words)
    )
    return bool(names & {*_ASKING, engine.name}) and not starts


def _calls(
    words: Sequence[str], values: Mapping[str, Sequence[str]], engine: Engine
) -> Iterator[Call]:
    for at, word in enumerate(words):
        program = posixpath.basename(_known(word, values)[0])
        if program != engine.name or len(words) < at + 3 or words[at + 1] not in engine.verbs:
            continue
        for model in _known(_first(words[at + 2 : at + _NEAR], engine), values):
            if model and "$" not in model:
                yield Call(words[at + 1], model)


def _first(words: Iterable[str], engine: Engine) -> str:
    """Return the first word that is neither an option nor the value of one."""
    before = ""
    for word in takewhile(lambda word: word not in _SEPARATORS, words):
        if not word.startswith("-") and before not in engine.valued:
            return word
        before = word
    return ""


def _known(word: str, values: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return what a word stands for: itself, or the values of the parameter that it is."""
    match = _PARAMETER.fullmatch(word)
    return (values.get(match[1] or match[2]) if match else None) or [word]


def _parameters(words: Sequence[str], given: Sequence[str]) -> dict[str, list[str]]:
    """Return the positional parameters, and the words that `for NAME in …` goes through."""
    values = {str(number): [word] for number, word in enumerate(given)}
    for at, word in enumerate(words[:-1]):
        if word == "for":
            near = words[at + 2 : at + _NEAR]
            looped = list(takewhile(lambda one: one not in _SEPARATORS, near))[1:]
            values[words[at + 1]] = looped or list(given[1:])
    return values
