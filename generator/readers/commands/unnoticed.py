"""Scripts that end, are there to pull a model, and tell nobody where that fails."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.view import UNNOTICED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine

BESIDE: Final = "||"
"""What a pull is followed by that lets it fail."""
LATER: Final = ";"
"""A later command, whose status is that of the script."""
STREAM: Final = "stream"
"""A request that is answered with 200 before it is done."""
_LONGEST: Final = 20_000
_UNREAD: Final = re.compile(r"<<|\btrap\b|\w\s*\(\)\s*\{")
"""What this module does not follow: texts within, traps, functions."""
_ENDS: Final = frozenset({";", "&", ";;"})
_OPENS: Final = frozenset({"do", "then", "else", "{", "(", "time", "exec", "sudo"})
_CLOSES: Final = frozenset({"done", "fi", "}", ")", "esac"})
_CONDITIONS: Final = frozenset({"if", "elif", "until", "while", "!"})
_QUIET: Final = frozenset({"true", ":", "echo", "printf", "sleep", "log", "warn"})
_LOOKS: Final = re.compile(
    r"\$\?|\[|(?<![\w-])(?:exit(?!\s+0\b)|grep|jq|test|false|return|until|while|wget|break)\b"
)
"""What may look whether the model is there, or at how the pull ended."""
_ASSIGNS: Final = re.compile(r"\w+=.*", re.DOTALL)
_FAILS: Final = re.compile(r"--fail\S*|-[a-zA-Z]*f[a-zA-Z]*")
_AT_ONCE: Final = re.compile(r"stream\\?[\"']?\s*:\s*false")


@dataclass(frozen=True, slots=True)
class _Command:
    """A simple command: its words, and the separator behind it."""

    words: tuple[str, ...]
    end: str

    @property
    def text(self) -> str:
        return " ".join(self.words)


def unnoticed(
    script: str, place: Place, engine: Engine, *, errexit: bool = False
) -> Iterator[Line]:
    """Yield the first pull of a script whose failure leaves the status of the script at 0.

    `place` is where the script begins, `errexit`: its shell is told to end at a failure.
    """
    if engine.by_arguments or len(script) > _LONGEST or _UNREAD.search(script):
        return
    commands = list(_commands(script))
    errexit = errexit or any(_sets_errexit(one.words) for one in commands)
    for at, command in enumerate(commands):
        by_program = _pulls(command.words, engine)
        if not by_program and not _asks(command.words):
            continue
        why = (
            _hidden(commands, at, engine, errexit=errexit)
            if by_program
            else _streamed(commands, at)
        )
        if why is not None:
            line = place.line + _line_of(script, commands[: at + 1], engine)
            yield Line(section=UNNOTICED, name=why[0], value=why[1], place=Place(place.file, line))
            return


def _commands(script: str) -> Iterator[_Command]:
    """Yield the simple commands of a script; none where a quote stays open."""
    plain = re.sub(r"(?m)^[ \t]*#.*", "", re.sub(r"\\\r?\n", " ", script)).replace("\n", " ; ")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        for word in lexer:
            if word in _ENDS or word in {"&&", "||", "|"}:
                if words:
                    yield _Command(tuple(words), word)
                words = []
            else:
                words.append(word)
    except ValueError:
        return
    if words:
        yield _Command(tuple(words), "")


def _bare(words: Sequence[str]) -> list[str]:
    """Return a command without what opens a block, and without the variables before it."""
    found = list(words)
    while found and (found[0] in _OPENS or _ASSIGNS.fullmatch(found[0])):
        del found[0]
    return found


def _pulls(words: Sequence[str], engine: Engine) -> bool:
    bare = _bare(words)
    return len(bare) > 2 and PurePosixPath(bare[0]).name == engine.name and bare[1] == "pull"  # noqa: PLR2004


def _asks(words: Sequence[str]) -> bool:
    bare = _bare(words)
    return bool(bare) and bare[0] == "curl" and any("/api/pull" in word for word in bare)


def _sets_errexit(words: Sequence[str]) -> bool:
    named = words[0] == "set" and "errexit" in words
    return named or (words[0] == "set" and any(re.fullmatch(r"-\w*e\w*", w) for w in words[1:]))


def _chain(commands: Sequence[_Command], at: int) -> tuple[list[_Command], list[_Command]]:
    """Return what is joined to a command behind it, and what comes after that."""
    end = at
    while end < len(commands) and commands[end].end in {"&&", "||", "|"}:
        end += 1
    return list(commands[at + 1 : end + 1]), list(commands[end + 1 :])


def _hidden(
    commands: Sequence[_Command], at: int, engine: Engine, *, errexit: bool
) -> tuple[str, str] | None:
    """Return what keeps the failure of a pull from the status of its script; None: nothing."""
    command = commands[at]
    joined, rest = _chain(commands, at)
    ends = [command.end, *(one.end for one in joined)]
    if command.end in {"|", "&"} or "|" in ends or _conditional(commands, at):
        return None
    if "||" in ends:
        last = _bare(joined[-1].words) if joined else []
        quiet = bool(last) and last[0] in _QUIET and ends[-2:-1] == ["||"]
        looked = _looks([*joined, *rest])
        return (BESIDE, joined[-1].text) if quiet and not looked else None
    meant = [one for one in rest if set(one.words) - _CLOSES]
    if errexit or not meant or _looks(rest) or _wants_a_model(meant[-1], engine):
        return None
    return LATER, meant[-1].text


def _wants_a_model(command: _Command, engine: Engine) -> bool:
    """Whether a command asks for a model, and so fails without it."""
    bare = _bare(command.words)
    verbs = {*engine.verbs, "show", "cp"}
    return len(bare) > 1 and PurePosixPath(bare[0]).name == engine.name and bare[1] in verbs


def _conditional(commands: Sequence[_Command], at: int) -> bool:
    """Whether a command, or what it is joined to, is what an `if` or a loop asks."""
    first = at
    while first and commands[first - 1].end in {"&&", "||", "|"}:
        first -= 1
    return any(set(one.words[:2]) & _CONDITIONS for one in commands[first : at + 1])


def _looks(rest: Sequence[_Command]) -> bool:
    return any(_LOOKS.search(one.text) for one in rest)


def _streamed(commands: Sequence[_Command], at: int) -> tuple[str, str] | None:
    """Return that a request to the API ends with 0 whatever becomes of it; None: it may not."""
    command = commands[at]
    joined, rest = _chain(commands, at)
    told = any(_FAILS.fullmatch(word) for word in command.words[1:])
    whole = told and _AT_ONCE.search(command.text) is not None
    captured = any(
        word.startswith((">", "$(", "`")) or word in {"-o", "-w"} for word in command.words
    )
    if whole or captured or command.end in {"|", "&"} or _conditional(commands, at):
        return None
    return None if _looks([*joined, *rest]) else (STREAM, "curl")


def _line_of(script: str, before: Sequence[_Command], engine: Engine) -> int:
    """Return the line from 0 on which the last of some commands stands."""
    wanted = sum(1 for one in before if _pulls(one.words, engine) or _asks(one.words))
    pattern = rf"^(?![ \t]*#).*?(?:\b{engine.name}[\"']?\s+pull\b|/api/pull)"
    found = itertools.islice(re.finditer(pattern, script, re.MULTILINE), wanted - 1, None)
    match = next(found, None)
    return script.count("\n", 0, match.end()) if match else 0
