"""HW687: programs that a container cannot start, or that end at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import PAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.view import View

_SHELL: Final = re.compile(r"(?:/usr)?(?:/bin/)?(?:ba|da|a|z|k)?sh")
_RUNS: Final = re.compile(r"-[a-z]*c")
_OPEN: Final = re.compile(r"[${<%]")
"""What somebody has yet to fill in, or hands on."""


@Rule(
    id="HW687",
    severity="error",
    title="a program that the container cannot start",
    why="A list names the program and each of its arguments by itself, and no shell looks at it: "
    "`ollama serve` in one word is a program of that name, which is nowhere. A shell takes the "
    "first word for the file of a script; behind `-c` it runs one word, and what follows are "
    "arguments of that. `ollama` without a command prints its help, and ends. Whoever names an "
    "entry point takes the command of the image away as well.",
    bad='entrypoint: ["/bin/sh", "-c", "ollama", "serve"]',
    good='entrypoint: ["ollama", "serve"]    # or none: it is what the image does',
    source="docs.docker.com/reference/dockerfile, ENTRYPOINT; sh(1p); Dockerfile@v0.32.15:296-320",
)
def cannot_start(view: View, _: Facts) -> Hits:
    box = view.container
    words = [word for word, _ in box.program] if box else []
    fault = _fault(words, view.engine)
    if box is not None and fault:
        message, fix = fault
        yield Hit(message=message, place=box.program[0][1], fix=fix)
    for line in view.lines_in(PAST):
        lost = _behind_the_script(("sh", "-c", line.name, line.value), view.engine)
        if lost is not None:
            yield Hit(message=lost[0], place=line.place, fix=lost[1])


def _fault(words: Sequence[str], engine: str) -> tuple[str, str] | None:
    """Return what is wrong with a program and its words, and what to write; None: nothing is."""
    lost = _behind_the_script(words, engine)
    if lost is not None or not words or any(map(_OPEN.search, words[:3])):
        return lost
    first, *more = words
    if " " in first.strip() and not first.startswith("/"):
        listed = ", ".join(f'"{word}"' for word in first.split())
        return (
            f"there is no program by the name `{first}`: each word is one by itself",
            f"write them apart: `[{listed}]`",
        )
    if re.fullmatch(rf"(?:.*/)?{engine}", first) and not more:
        return (
            f"`{engine}` without a command prints its help, and the container ends",
            "write `serve` behind it, or leave the entry point out",
        )
    return _of_shell(first, more, engine) if _SHELL.fullmatch(first) else None


def _behind_the_script(words: Sequence[str], engine: str) -> tuple[str, str] | None:
    """Return what is said of commands that stand behind the one which a shell runs."""
    if not (words[3:] and _SHELL.fullmatch(words[0]) and _RUNS.fullmatch(words[1])):
        return None
    calls = re.compile(rf"(?:^|[;&|\s/]){engine}\s+[a-z]")
    lost = [word for word in words[3:] if calls.search(word[:_LONG])]
    if not lost or _TAKES.search(words[2]) or " " not in words[2].strip():
        return None
    told = lost[0] if len(lost[0]) <= _SHOWN else f"{lost[0][:_SHOWN]}…"
    return (
        f"`{words[0]} -c` runs the one word behind it: `{told}` is an argument, and never runs",
        "write all of it as one word, with `;` or `&&` between the commands",
    )


_TAKES: Final = re.compile(r"\$\{?[@*0-9]|\bshift\b|\bgetopts\b")
"""What takes the words behind a script."""
_LONG: Final = 1000
_SHOWN: Final = 60


def _of_shell(shell: str, more: Sequence[str], engine: str) -> tuple[str, str] | None:
    """Return what is wrong with the words that a shell gets."""
    if not more:
        return None
    if more[0] == engine or (" " in more[0] and not more[0].startswith(("/", "."))):
        told = " ".join(more)
        return (
            f"without `-c` `{shell}` takes `{more[0]}` for the file of a script, and finds none",
            f'write `-c` before it, and the command as one word: "{told}"',
        )
    alone = _RUNS.fullmatch(more[0]) and more[2:] and re.fullmatch(r"[\w/.-]+", more[1])
    if alone and not more[2].startswith("-c"):
        told = " ".join(more[1:])
        return (
            f"`{shell} -c` runs `{more[1]}` alone: what follows are its `$0` and `$1`",
            f'write the command as one word: "{told}"',
        )
    return None
