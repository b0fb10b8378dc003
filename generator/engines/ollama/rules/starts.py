"""HW600 and HW604: whether the start of a unit comes to its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.rule import Hit, Hits, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


_ENDLESS: Final = {
    "forking": "waits until the command has put itself into the background and ended, which "
    "`ollama serve` never does: systemd kills it when the start times out",
    "oneshot": "waits until the command has ended, which `ollama serve` never does: the unit stays "
    "in `activating` for ever, and what is ordered after it never starts",
}
_COMMAND: Final = re.compile(r"(?:^|[\s/\"'])ollama[\"']?\s+(serve|start)[\"']?\s*$")


def _in_front(view: View) -> bool:
    """Return whether the command of the unit is the server itself, which stays in front."""
    starts = [line.value for line in sandbox.said(view, "ExecStart")]
    return view.container is None and any(_COMMAND.search(text) for text in starts)


@Rule(
    id="HW600",
    severity="error",
    title="a unit whose start never ends",
    why="`ollama serve` stays in the foreground and runs until it is stopped. With Type=forking "
    "systemd waits for it to fork, and kills it after 90 seconds; with Type=oneshot it waits for "
    "its end without limit, and refuses Restart=always.",
    bad="[Service]\nType=forking\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nType=simple\nExecStart=/usr/local/bin/ollama serve",
    source="systemd.service(5), Type=; cmd/cmd.go@v0.32.15, RunServer",
)
def start_never_ends(view: View, _: Facts) -> Hits:
    for line in sandbox.said(view, "Type")[-1:] if _in_front(view) else ():
        if line.value in _ENDLESS:
            yield Hit(
                message=f"`Type={line.value}` {_ENDLESS[line.value]}",
                place=line.place,
                fix="write `Type=simple`",
                edits=(Edit(line.place, line.value, "simple"),) if view.phrases.headers else (),
            )


_ASKS: Final = re.compile(r"(?:^|[\s/\"'])ollama[\"']?\s+(pull|run|create|list|ls|show|ps)\b")


@Rule(
    id="HW604",
    severity="error",
    title="a command that asks the server before it runs",
    why="ExecStartPre= runs before ExecStart=, and `ollama pull` talks to a server: none answers, "
    "the command fails, and with it the start. ExecStartPost= runs beside the server, which may "
    "still need a moment.",
    bad="[Service]\nExecStartPre=/usr/local/bin/ollama pull qwen3:8b\n"
    "ExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\n"
    "ExecStartPost=/bin/sh -c 'until ollama list; do sleep 1; done; ollama pull qwen3:8b'",
    source="systemd.service(5), ExecStartPre=; cmd/cmd.go@v0.32.15, checkServerHeartbeat",
)
def asked_too_early(view: View, _: Facts) -> Hits:
    for line in sandbox.said(view, "ExecStartPre") if _in_front(view) else ():
        command = line.value.lstrip("@:+!|")
        asked = _ASKS.search(command)
        # What starts a server of its own for it, or is for another one, may work.
        own = re.search(r"\bollama[\"']?\s+serve\b|&|OLLAMA_HOST|\|\||until|while", command)
        if asked is None or own or command.startswith("-"):
            continue
        yield Hit(
            message=f"`ollama {asked[1]}` asks a server, and before ExecStart= there is none: it "
            "fails, and the service with it",
            place=line.place,
            fix="move it to ExecStartPost=, behind a wait for the server, or to a unit of its own "
            "with `After=` and `Requires=`",
        )
