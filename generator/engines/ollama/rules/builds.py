"""HW640: commands of a build that need a server beside them, or never end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import MADE_BY

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Line, View

_BEFORE: Final = (
    r"(?:^|&&|\|\||;|\b(?:then|do|else))\s*(?:sudo\s+)?(?:[A-Za-z_]\w*=\S*\s+){0,9}(?:/[\w/.-]*/)?"
)
_ASKS: Final = re.compile(rf"{_BEFORE}ollama\s+(pull|run|create|list|ls|show|cp|rm|ps|push)\b")
_SERVES: Final = re.compile(rf"{_BEFORE}ollama\s+(?:serve|start)\s*(?:&&|;|$)")
_NOT_ALONE: Final = re.compile(
    r"ollama\s+(?:serve|start)\b|OLLAMA_HOST|(?<!&)&(?!&|\d)|(?<!install)\.sh\b"
)
_BESIDE: Final = re.compile(r"ollama\s+(?:serve|start)\b|OLLAMA_HOST|(?<!&)&(?!&|\d)")
"""What may have a server up beside a script, in the command that runs it."""
_BEHIND: Final = (
    r"ollama\s+(?:serve|start)\b(?:(?!ollama\s+(?:serve|start)\b)[^;&|]|(?<=>)&\d?|&>)*+"
    r"(?<!&)&(?![&\d>])"
)
_LEFT: Final = re.compile(_BEHIND)
_WAITS: Final = re.compile(r"(?:^|[;&|{(])\s*wait(?:\s+\"?\$\{?(\w+)\}?\"?)?\s*(?=$|[;&|})])")
_ENDS: Final = re.compile(r"\b(?:kill|pkill|killall)\b")
_SPOKEN: Final = re.compile(r"\b(?:cat|tee|crontab)\b")
_SAID: Final = re.compile(
    r"""\b(?:echo|printf)\b(?:"(?:[^"\\]|\\.)*+"|'[^']*+'|(?<=[>])&|[^;&|"'])*+""", re.DOTALL
)
"""What a command only says, and nobody runs."""
_ANYWAY: Final = re.compile(r"[^;&|]*\|\|\s*(?:true|:|exit\s+0|echo|printf)\b")


_FORGIVES: Final = re.compile(r"\|\|\s*(?:true|:|exit[ \t]+0)\s*$")
_PARTS: Final = re.compile(r"[;|]|(?<![>&])&(?!&)")
_FETCHES: Final = re.compile(r"\bollama[ \t]+(pull|create)\b")
_VALUE: Final = re.compile(r"\$\{[^{}]*\}")
_GROUP: Final = re.compile(r"(?<!\$)(?:\{\s[^{}]*;\s*\}|\([^()]*\))")
_FORGIVEN: Final = re.compile(r"\|\|\s*(?:true\b|[:;)])")
"""What lets a pull fail; what is echoed is taken out before."""


@Rule(
    id="HW640",
    severity="error",
    title="a build that asks a server, never ends, or hides that it got no model",
    why="Each RUN has its own processes: a server that an earlier one has started is gone. "
    "`ollama pull` finds none, and the build fails; `ollama serve` stays in front, and the build "
    "never ends, as it does with a `wait` for a server that nobody stops. `|| true` at the end of "
    "a chain of `&&` is for all of it: a pull that fails leaves an image without its model.",
    bad="RUN ollama pull qwen3:8b",
    good="RUN ollama serve & until ollama list; do sleep 1; done; ollama pull qwen3:8b",
    source="cmd/cmd.go@v0.32.15, checkServerHeartbeat; docs.docker.com/reference/dockerfile: RUN",
)
def needs_a_server(view: View, _: Facts) -> Hits:
    every = view.lines_named("RUN", MADE_BY)
    beside = {line.place: line.value for line in every if line.name == "RUN"}
    for line in every:
        text = _as_run(line.value)
        by_script = line.name == MADE_BY
        if _SPOKEN.search(text) or (by_script and _BESIDE.search(beside.get(line.place, ""))):
            continue
        text = _SAID.sub("", text) if "echo" in text or "printf" in text else text
        if _SERVES.search(text) and not by_script:
            message = "`ollama serve` stays in front: this RUN, and the build, never end"
            fix = "put it into the background with `&`, and end the RUN with the last pull"
        elif _waits_for_ever(text):
            message = "`wait` waits for the server, which nobody stops: the build never ends"
            fix = "take the `wait` out: the RUN ends with the last pull, and the server with it"
        elif (asked := _ASKS.search(text)) and not _NOT_ALONE.search(text):
            message = f"`ollama {asked[1]}` asks a server, and while the image is built there is "
            anyway = _ANYWAY.match(line.value, line.value.find(asked[0]) + len(asked[0]))
            message += "none: it does nothing" if anyway else "none: the build fails"
            fix = "start one in the same RUN: `ollama serve & until ollama list; do sleep 1; done`"
        else:
            yield from _hidden(line, text)
            continue
        yield Hit(message=message, place=line.place, fix=fix)


def _as_run(text: str) -> str:
    """Return the script of a RUN on one line, whatever hands it to the shell."""
    if text.startswith("["):
        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        shell = len(words) > 2 and all(isinstance(word, str) for word in words)  # noqa: PLR2004
        text = words[2] if shell and words[1] in _HANDED else ""
    elif found := _IN_QUOTES.fullmatch(text):
        text = _ESCAPED.sub(r"\1", found[2]) if found[1] is None else found[1]
    elif found := _OF_DOCUMENT.match(text):
        text = text[found.end() :]
    lines = (line.strip() for line in text.replace("\\\n", " ").split("\n"))
    return " ; ".join(line for line in lines if line and not line.startswith("#"))


_HANDED: Final = frozenset({"-c", "-ec", "-lc", "-xc", "-exc"})
_IN_QUOTES: Final = re.compile(
    r"(?:/bin/)?(?:ba|da)?sh\s+-\w{0,4}c\s+(?:'([^']*)'|\"((?:[^\"\\]|\\.)*+)\")\s*",
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\([\\\"$`])")
_OF_DOCUMENT: Final = re.compile(
    r"(?:(?:/\S{0,40})?(?:ba|da)?sh(?:\s+-\w+){0,3}\s*)?<<-?\s*['\"]?\w+['\"]?[ \t]*\n"
)


def _hidden(line: Line, text: str) -> Hits:
    """Yield what makes a success of a chain of `&&` with a pull in it that fails."""
    end = _FORGIVES.search(text)
    chain = _GROUP.sub(_of_group, _VALUE.sub("$_", text[: end.start()])) if end else ""
    hidden = _FETCHES.search(_PARTS.split(chain)[-1])
    if end is not None and hidden is not None:
        yield Hit(
            message=f"`{end[0].rstrip()}` at the end is for a failed `ollama {hidden[1]}` as well: "
            "the image is built, and has no model",
            place=line.place,
            fix="leave it out, or put it in brackets with what may fail: `(kill $PID || true)`",
            severity="warning",
        )


def _of_group(group: re.Match[str]) -> str:
    """Return what of a group counts for the chain that it is in: a pull by which it may fail."""
    found = None if _FORGIVEN.search(group[0]) else _FETCHES.search(group[0])
    return found[0] if found else ":"


def _waits_for_ever(text: str) -> bool:
    """Return whether a command waits for a server that it has put into the background."""
    left = _LEFT.search(text)
    waits = _WAITS.search(text, left.end() - 1) if left else None
    if left is None or waits is None or _ENDS.search(text, left.end(), waits.start()):
        return False
    # Of one that is named, it has to be the server.
    name = waits[1]
    return name is None or bool(re.match(rf"\s*(?:export\s+)?{name}=\$!", text[left.end() :]))
