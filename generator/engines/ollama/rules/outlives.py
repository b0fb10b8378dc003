"""HW414: containers that go on without their server."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import begun
from generator.rules.rule import Hit, Hits, Rule
from generator.view import STARTED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Line, Place, View

_BEHIND: Final = re.compile(
    r"(?m)^(?![ \t]*#)[^\n]*\bollama[\"']?\s+serve\b"
    r"(?:(?!\bollama[\"']?\s+serve\b)[^\n|;&]|(?<=>)&|&>)*+(?<![&>])&(?![&>\d])"
)
_STAYS: Final = re.compile(
    r"(?:^|[;&\n]|\bexec)[ \t]*(?:exec[ \t]+)?(tail[ \t]+-[fF]\b[^\n;&|]*|sleep[ \t]+inf(?:inity)?"
    r"|while[ \t]+(?:true|:)[ \t]*[;\n]\s*do\s+sleep[ \t]+\w+\s*;?\s*done)[\"'\]\s]*\Z"
)
_SERVES: Final = re.compile(
    r"(?:^|[;&\n])[ \t]*(?:exec[ \t]+)?((?:uvicorn|gunicorn|hypercorn|daphne|waitress-serve"
    r"|(?:streamlit|chainlit|flask|fastapi)[ \t]+run|npm[ \t]+(?:run[ \t]+)?start|yarn[ \t]+start"
    r"|node[ \t]+[\w./-]*(?:app|server|index)\.[cm]?js|nginx[ \t]+-g|jupyter[ \t-](?:lab|notebook)"
    r"|python[\d.]*[ \t]+(?:-u[ \t]+)?(?:[\w./-]*(?:app|server|api)\.py"
    r"|-m[ \t]+(?:uvicorn|gunicorn|streamlit|flask|chainlit|http\.server)))"
    r"(?![\w./-])(?:[^\n;&|\\]|\\\r?\n?)*+)\Z"
)
"""A server of an application as the last command of a script."""
_WATCHES: Final = re.compile(r"\bwait[ \t]+-n\b|\bkill[ \t]+-0\b|\bpgrep\b|\btrap\b[^\n]*CHLD")
_LONGEST: Final = 100_000


@Rule(
    id="HW414",
    title="a container that outlives its server",
    why="A container lives as long as its first process. Where that is `tail -f` or a sleep, and "
    "the server runs behind it, a server that ends is not brought back: the restart policy sees a "
    "container that is well. It is a remark where an application is what stays.",
    bad="ollama serve &\nsleep 5\nollama pull qwen3:8b\ntail -f /dev/null",
    good="ollama serve & pid=$!\nuntil ollama list; do sleep 1; done\nollama pull qwen3:8b\n"
    'wait "$pid"',
    source="docs.docker.com/engine/containers/start-containers-automatically",
)
def goes_on(view: View, _: Facts) -> Hits:
    box = view.container
    if box is None or box.checks or box.probes:
        return  # Who asks the server again and again ends the container as well.
    for line in begun(view):
        text = line.value[:_LONGEST].rstrip()
        if not _BEHIND.search(text):
            continue
        stays = _STAYS.search(text[-_LONG:])
        serves = None if stays or _WATCHES.search(text) else _SERVES.search(text[-_LONG:])
        if found := stays or serves:
            command = " ".join(found[1].replace("\\", "").split())
            yield Hit(
                message=f"`{command if stays else _short(command)}` keeps the container up when "
                "the server behind it has ended, and nothing brings that back",
                place=_place(line, text, found[1]),
                severity=None if stays else "info",
                fix="end with `wait` for the server's process"
                if stays
                else "run the server in a container of its own, or put both behind and "
                "end with `wait -n`",
            )


_LONG: Final = 400  # characters: an end is shorter


def _place(line: Line, text: str, stays: str) -> Place:
    below = text.count("\n", 0, text.rindex(stays)) if line.section == STARTED else 0
    return replace(line.place, line=line.place.line + below)


def _short(command: str) -> str:
    words = command.split()
    return " ".join(words[:3]) + (" …" if len(words) > _FEW else "")


_FEW: Final = 3
