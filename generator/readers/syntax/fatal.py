"""Pulls whose failure ends the script of a server, and the server with it."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.hasty import serving
from generator.readers.syntax.statements import scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.statements import Statement

_STAYS: Final = re.compile(
    r"(?:\d*>\S+\s+)?(?:wait\b|fg\b|exec\s|tail\s+-[fF]|sleep\s+inf|while\s+(?:true|:)\s*$)"
)
"""What is there for as long as the server is."""
_ERREXIT: Final = re.compile(r"set\s+(?:-\w+\s+)*(?:-\w*e\w*|-o\s+errexit)\b")
_HANDLES: Final = re.compile(r"(?m)\btrap\b|^[ \t]*set[ \t]+\+\w*e")
_HASHBANG: Final = re.compile(r"\A\s*#!.*sh\s+-\w*e")
_ENDS: Final = re.compile(r"(?:exit|return)\s+[1-9]\d*\b|(?:die|fail|fatal|error_exit)\b")
_FORK: Final = re.compile(r"(?:if|case|until|while)\b")
_MERGE: Final = re.compile(r"(?:fi|esac|done)\b")
_NEAR: Final = 4  # commands
_CHAIN: Final = 100  # commands
_INNER: Final = re.compile(r"\$\([^()]*\)|'[^']*+'|\"(?:[^\"\\]|\\.)*+\"")


_STRICT: Final = re.compile(r"-\w*e\w*")


def is_strict(words: Sequence[str]) -> bool:
    """Return whether a shell is told, as by `sh -ec`, to end at a failure."""
    return any(map(_STRICT.fullmatch, words[1:3]))


def fatal(script: str, engine: Engine, *, errexit: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the line, from 0, and the words of the first pull without which no server stays.

    `errexit`: the shell is told to end at a failure.
    """
    strict = errexit or _HASHBANG.match(script) is not None
    handled = _HANDLES.search(script) is not None
    serves = serving(engine)
    pulls = re.compile(
        rf"(?:do\s+)?(?:/[\w/.-]*/)?[\"']?{re.escape(engine.name)}[\"']?\s+pull\s+\S"
    )
    asked = re.compile(
        rf"if\s+!\s+((?:/[\w/.-]*/)?{re.escape(engine.name)}\s+pull\s+\S.*)", re.DOTALL
    )
    for scope in scopes(script):
        at = next((n for n, s in enumerate(scope) if s.end == "&" and serves.match(s.text)), None)
        if at is None or not any(_STAYS.match(one.text) for one in scope[-_NEAR:]):
            continue
        told = strict or any(_ERREXIT.match(one.text) for one in scope[:at])
        for number in _plain(scope, at + 1):
            one = scope[number]
            if (tried := asked.match(one.text)) and _gives_up(scope, number):
                yield one.line, " ".join(tried[1].split())
                return
            if pulls.match(one.text) and _is_fatal(scope, number, errexit=told and not handled):
                yield one.line, " ".join(one.text.removeprefix("do").split())
                return


def _plain(scope: Sequence[Statement], first: int) -> Iterator[int]:
    """Yield the commands from one on that no condition and no group leads to."""
    depth = groups = loops = 0
    for number, one in enumerate(scope[first:], first):
        bare = _INNER.sub("", one.text)
        opened = bare.count("(") + bare.count("{") - bare.count(")") - bare.count("}")
        if not (depth or groups or opened > 0):
            yield number  # A command that is the condition is one itself.
        groups = max(0, groups + opened)
        if _MERGE.match(bare):
            loops, depth = (loops - 1, depth) if loops and not depth else (loops, max(0, depth - 1))
        elif _FORK.match(bare):
            depth += 1
        elif bare.startswith("for "):
            loops, depth = (loops + 1, depth) if not depth else (loops, depth + 1)


def _gives_up(scope: Sequence[Statement], at: int) -> bool:
    """Whether the branch of a failure, and no other one, has the script end."""
    branch = takewhile(lambda one: not _TURNS.match(one.text), scope[at + 1 : at + 1 + _FAR])
    return any(_ENDS.match(one.text.removeprefix("then").lstrip()) for one in branch)


_TURNS: Final = re.compile(r"(?:fi|else|elif|if|for|while|until|case)\b")
_FAR: Final = 10  # commands


def _is_fatal(scope: Sequence[Statement], at: int, *, errexit: bool) -> bool:
    """Whether the script ends where a command of it fails."""
    one, behind = scope[at], scope[at + 1 :]
    if one.end == "||":
        excuse = [*takewhile(lambda other: other.end in {";", "\n", "&&"}, behind[:_NEAR])]
        excuse += behind[len(excuse) : len(excuse) + 1]
        grouped = bool(behind) and behind[0].text.startswith(("{", "("))
        said = excuse if grouped else behind[:1]
        return any(_ENDS.match(other.text.lstrip("{( ")) for other in said)
    if at and scope[at - 1].end == "||":
        return False  # It is done only where something else has failed.
    if one.end == "&&":
        chain = [one, *behind[:_CHAIN]]
        return len(behind) <= _CHAIN and all(other.end == "&&" for other in chain[:-1])
    return errexit and one.end in {"\n", ";", ""}
