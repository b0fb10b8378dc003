"""Commands in the words of a container: a server that is told everything there, and calls of the
program, which may stand in a script that a shell is handed: `sh -c "vllm serve …"`.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.commands.words import SPOKEN, asked, programs
from generator.readers.syntax.options import Argument
from generator.readers.syntax.script import lines
from generator.readers.syntax.shell import is_shell
from generator.view import Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import Place

_MODULE: Final = "-m"
_HANDS: Final = re.compile(r"-[a-z]*c")
_RUNNERS: Final = frozenset(
    {
        *("env", "numactl", "taskset", "chrt", "nice", "ionice", "prlimit", "setpriv", "setsid"),
        *("nohup", "stdbuf", "timeout", "sudo", "runuser", "gosu", "su-exec", "chpst"),
        *("tini", "dumb-init", "systemd-inhibit", "optirun", "primusrun"),
    }
)
"""Programs that run the command behind their options, and change no word of it."""


def server(words: Sequence[Argument], engine: Engine) -> Command | None:
    """Return the server that a command line starts, with the words behind its name."""
    names = programs(words, engine)
    if not names or names[0] in SPOKEN:
        return None
    behind = engine.starts(names) or _by_module([word.text for word in words], engine)
    if not behind:
        return None
    verb = engine.command[-1], words[behind - 1].place
    return Command((verb, *((word.text, word.place) for word in words[behind:])))


def _by_module(texts: Sequence[str], engine: Engine) -> int:
    """Return how many words start the server by its module, whatever Python is called; 0: none."""
    pairs = enumerate(itertools.pairwise(texts))
    found = (at for at, pair in pairs if at and pair == (_MODULE, engine.module))
    return next((at + 2 for at in found), 0)


def servers_in(words: Sequence[tuple[str, Place]], engine: Engine) -> Iterator[Command]:
    """Yield the servers that a command starts, itself or by the scripts that a shell is handed."""
    own = server(_plain(words), engine)
    if own is not None:
        yield own
    elif any(is_shell(text) for text, _ in words):
        for text, place in words:
            yield from _in_script(text, place, engine) if " " in text else ()


def asked_in(words: Sequence[tuple[str, Place]], engine: Engine) -> Iterator[Command]:
    """Yield the calls of the program behind what runs it, or in scripts that a shell is handed."""
    if any(is_shell(text) for text, _ in words):
        for (option, _), (text, place) in itertools.pairwise(words):
            for line in lines(text, place.file, place.line) if _HANDS.fullmatch(option) else ():
                called = asked(line.words, engine) if line.words else None
                if called is not None:
                    yield replace(called, fed=line.fed)
    elif words and words[0][0].rpartition("/")[2] in _RUNNERS:
        called = asked(_plain(words), engine)
        if called is not None:
            yield called


def _plain(words: Sequence[tuple[str, Place]]) -> list[Argument]:
    return [Argument(text, place, _nothing, unresolved="$" in text) for text, place in words]


def _in_script(text: str, place: Place, engine: Engine) -> Iterator[Command]:
    for line in lines(text, place.file, place.line):
        found = server(line.words, engine) if line.words else None
        if found is not None:
            yield found


def _nothing(_: str) -> str:
    return ""
