"""HW635: pulls that fail without anybody seeing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import UNNOTICED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_LONG: Final = 40


@Rule(
    id="HW635",
    title="a pull that may fail, and nobody sees it",
    why="A container that is there to pull a model tells by its status whether it is there. A "
    "shell ends with the status of its last command, and goes on behind one that fails, unless "
    "`set -e` is said; `|| echo …` makes a success of it. Through the API a pull is answered with "
    "200 as soon as it begins, and tells of an error in its stream alone. The job counts as done, "
    "and every request for the model is answered with 404.",
    bad="command: [sh, -c, 'ollama serve & sleep 5; ollama pull qwen3:8b; kill $!']",
    good="command: [sh, -ec, 'ollama serve & sleep 5; ollama pull qwen3:8b; kill $!']",
    source="POSIX.1-2024, Shell Command Language: Exit Status for Commands; "
    "server/routes.go@v0.32.15, PullHandler, streamResponse",
)
def fails_unnoticed(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNNOTICED):
        told = line.value if len(line.value) <= _LONG else f"{line.value[:_LONG]}…"
        if line.name == "stream":
            by_curl = line.value == "curl"
            yield Hit(
                message="the API answers 200 before it has pulled anything, and "
                + (f"{line.value} ends with 0" if by_curl else f"`{line.value}` is content")
                + " whatever becomes of it",
                place=line.place,
                fix='ask with `curl --fail` and `"stream": false`, or run `ollama pull`'
                if by_curl
                else "add `stream: false` to the body: then a failure is answered with 500",
            )
        elif line.name == "||":
            yield Hit(
                message=f"`|| {told}` makes a success of a pull that fails: the model is missing, "
                "and nobody is told",
                place=line.place,
                severity="info",
                fix="leave it out, so that the container fails and is run once more",
            )
        else:
            yield Hit(
                message=f"where the pull fails, the script goes on and ends as `{told}` does: the "
                "container counts as done, without the model",
                place=line.place,
                fix="begin with `set -e`, or end with the pull",
            )
