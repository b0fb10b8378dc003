"""HW415 and HW417: what runs beside, or behind, the wrong process."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.scripts import misplaced
from generator.rules.helpers.containers import begun
from generator.rules.rule import Hit, Hits, Rule
from generator.view import IN_FRONT, STARTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.engines.ollama.rules.helpers.scripts import Misplaced
    from generator.view import Line, View

_LONGEST: Final = 100_000
_BEHIND: Final = re.compile(r"(?<![&>|\\])&(?![&>\d])")
_PULLS: Final = re.compile(r"\bollama[\"']?\s+(?:pull|create)\b")
_SHORT: Final = re.compile(
    r"[\s;&]*+(?:(?:sleep[ \t]+\d+[smh]?|exit(?:[ \t]+\d+)?|echo[^;&\n]*+|true)[\s;&]*+)*+"
    r"[\"'\]\s]*+"
)


@Rule(
    id="HW415",
    severity="error",
    title="a container that ends before its pulls",
    why="A single `&` puts the whole list before it behind, joined by `&&` or not. The shell goes "
    "on to the next command, and where that is the last one the container ends with it: what is "
    "still downloading ends as well, and the container with 0. A server that was put behind ends "
    "with the container, too, where nothing waits for it, and so does one that `systemctl` or "
    "`service` has started.",
    bad='entrypoint: /bin/sh -c "ollama serve & sleep 5 && ollama pull qwen3:8b && pkill ollama '
    '& sleep 5"',
    good='entrypoint: /bin/sh -c "ollama serve & sleep 5 && ollama pull qwen3:8b && pkill ollama"',
    source="POSIX.1-2024, Shell Command Language: Asynchronous AND-OR Lists",
)
def ends_before(view: View, _: Facts) -> Hits:
    for line in begun(view) if view.container is not None else ():
        text = line.value[:_LONGEST]
        if managed := _MANAGED.search(text.rstrip()[-_NEAR:]):
            said = " ".join(managed[1].split())
            yield Hit(
                message=f"`{said}` comes back at once, and is the last command: the container "
                "ends, and the server with it",
                place=line.place,
                fix="end with `exec ollama serve`",
            )
        parts = _BEHIND.split(text)
        *behind, last = parts
        if _ends_with_its_pulls(view, behind, last):
            yield Hit(
                message="the server is put behind by `&`, and nothing waits for it: the container "
                "ends with the last command, and the server with it",
                place=line.place,
                fix="end with `wait`",
            )
        pulls = _PULLS.search(behind[-1].rpartition("\n")[2]) if behind else None
        if pulls and last.strip(" \n\"']") and _SHORT.fullmatch(last):
            below = text[: text.rindex(last)].count("\n") if line.section == STARTED else 0
            said = last.strip(" \n\"'];")
            yield Hit(
                message=f"the pulls are put behind by `&`, and the container ends after `{said}`: "
                "what is not there by then is never there",
                place=replace(line.place, line=line.place.line + below),
                fix="leave that `&` out, or end with `wait`",
            )


_MANAGED: Final = re.compile(
    r"(?:^|[\n;&])\s{0,9}(?:sudo\s+)?((?:systemctl\s+(?:re)?start\s+ollama(?:\.service)?"
    r"|(?:service\s+|/etc/init\.d/)ollama\s+(?:re)?start))[\"'\]\s;]*\Z"
)
"""A service manager that is asked last."""
_NEAR: Final = 200
_SERVES: Final = re.compile(r"\bollama[\"']?\s+serve\b")
_STAYS: Final = re.compile(
    r"\b(?:wait|fg|exec|tail|infinity|while|until|for|serve|cat|read|supervisord?|tini|python\d?|node|"
    r"uvicorn|gunicorn|npm|java|nginx|start\w*|run\w*\.\w+)\b|\$|\(\)|\bsource\b|(?:^|[\s;])\.\s|/"
)
"""What may keep a shell, and with it the container, from its end."""


_QUIETLY: Final = re.compile(r"(?:\d|&)?>{1,2}\s*(?:/dev/null|&\d)")
_ROUND: Final = re.compile(
    r"\b(?:until|while\s+!)\s[^;&|\n]*[;\n]\s*do\s+(?:(?:sleep\s+[\d.]+|echo[^;&\n]*)\s*[;\n]\s*){1,2}done\b"
)
"""A wait that ends when the server answers."""
_EACH: Final = re.compile(
    r"\bfor\s+\w+\s+in\s+[\w .:/-]+[;\n]\s*do\s+(ollama\s+pull)\s+\"?\$\$?\{?\w+\}?\"?\s*"
    r"[;\n]\s*done\b"
)
"""A pull of each model of a list."""
_AGAIN: Final = re.compile(r"(?i)always|unless-stopped|any|on-.*|.*\$.*")
"""What starts a container anew: of an image nobody tells, and it may be there to pull, and end."""


def _ends_with_its_pulls(view: View, behind: list[str], last: str) -> bool:
    """Whether all that stands behind a server in the background is done at some time."""
    box = view.container
    again = box is not None and (box.ports or _AGAIN.fullmatch(box.restart.strip("\"'")))
    alone = len(behind) == 1 and _SERVES.search(behind[0].rpartition("&")[2])
    last = _ROUND.sub("", _EACH.sub(r"\1", _QUIETLY.sub("", last)))
    return bool(again and alone and _PULLS.search(last) and not _STAYS.search(last))


@Rule(
    id="HW417",
    title="commands behind a server in the foreground",
    why="`docker compose up` without `-d` stays until somebody stops the services, and so do "
    "`docker run` without `-d` and `ollama serve` without `&`: what the script does with the "
    "server comes when it has gone.",
    bad="docker compose up --build\nuntil curl -s localhost:11434; do sleep 1; done",
    good="docker compose up --build -d\nuntil curl -s localhost:11434; do sleep 1; done",
    source="docs.docker.com/reference/cli/docker/compose/up (--detach)",
)
def stays_in_front(view: View, _: Facts) -> Hits:
    for line in view.lines_in(IN_FRONT):
        detached = "`&`, and wait for it" if line.name.endswith("serve") else "`-d`"
        yield Hit(
            message=f"`{line.name}` stays in the foreground: line {line.value} comes when the "
            "server has gone",
            place=line.place,
            fix=f"add {detached}",
        )
    for line, found in _in_scripts(view):
        yield Hit(
            message=f"`ollama serve` stays in front: `ollama {found.verb}` behind it comes "
            "when the server has gone",
            place=line.place,
            severity="error",
            fix="write `ollama serve &`, wait for the server, and end with `wait`",
        )


def _in_scripts(view: View) -> Iterator[tuple[Line, Misplaced]]:
    """Yield what a container's own command has behind its server."""
    for line in begun(view) if view.container is not None else ():
        # A script in a file is judged where it stands.
        found = misplaced(line.value) if line.section != STARTED else None
        if found and not found.before:
            yield line, found
