"""HW693: pulls whose failure ends the server beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import begun
from generator.rules.rule import Hit, Hits, Rule
from generator.view import POD, STARTED, STARTING

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_LONGEST: Final = 20_000
_NEAR: Final = 400  # characters: an end is shorter
_SERVED: Final = re.compile(
    r"\bollama[\"']?[ \t]+serve\b(?:[^;&|\n]|(?<=>)&|&>)*+(?<!&)&(?![&>\d])"
)
"""A server that is put behind."""
_STAYS: Final = re.compile(
    r"(?:^|[;&\n])[ \t]*(?:wait\b|fg\b|exec[ \t]|tail[ \t]+-[fF]|sleep[ \t]+inf)"
    r"[^;&|\n]*[\"'\]\s;]*\Z"
)
"""An end of a script that is there for as long as the server is."""
_ERREXIT: Final = re.compile(r"(?m)^[ \t]*set[ \t]+(?:-\w*e\w*|-o[ \t]+errexit)\b|\A#!.*sh -\w*e")
_HANDLES: Final = re.compile(r"(?m)\btrap\b|^[ \t]*set[ \t]+\+\w*e")
_PULL: Final = r"ollama[\"']?[ \t]+pull[ \t]+[^;&|\n]+"
_LINE: Final = re.compile(
    rf"(?m)^(?:(?:for|while)\b[^\n;]*;[ \t]*do[ \t]*(?:\n(?:[ \t]+echo\b[^\n|&;]*\n)?[ \t]+)?)?"
    rf"(?:/[\w/.-]*/)?({_PULL})$"
)
"""A pull that no condition leads to."""
_LAST_OF_HOOK: Final = re.compile(rf"(?:^|&&|;|\n)[ \t]*(?:/[\w/.-]*/)?({_PULL})[\"'\s;]*\Z")


@Rule(
    id="HW693",
    title="a server that a failed pull ends",
    why="`ollama pull` asks the registry for the manifest at every start, also for a model that is "
    "there already. Where the network is down, or the name is wrong, it fails: a chain of `&&` "
    "stops there, and `set -e` ends the script. That is the first process of the container, and "
    "the server ends with it; a restart only tries again. The kubelet kills a container whose "
    "postStart fails.",
    bad="set -e\nollama serve &\nuntil ollama list; do sleep 1; done\nollama pull qwen3:8b\nwait",
    good="ollama pull qwen3:8b || echo 'qwen3:8b is not pulled' >&2",
    source="server/images.go@v0.32.15, PullModel; POSIX.1-2024, set -e; "
    "kubernetes.io: Container Lifecycle Hooks",
)
def ends_with_a_pull(view: View, _: Facts) -> Hits:
    for line in begun(view) if view.container is not None else ():
        text = line.value[:_LONGEST]
        served = _SERVED.search(text) if _STAYS.search(text[-_NEAR:]) else None
        found = served and (_in_chain(text, served.end()) or _by_errexit(text, served.end()))
        if found:
            below = text.count("\n", 0, found.start(1)) if line.section == STARTED else 0
            yield Hit(
                message=f"`{_short(found[1])}` asks the registry at every start: where that fails, "
                "the script ends, and the server with it, also where the model is there",
                place=replace(line.place, line=line.place.line + below),
                fix="let it fail: `ollama pull … || echo 'not pulled' >&2`, or pull only what "
                "`ollama show` does not find",
            )
    for line in view.lines_in(POD):
        last = _LAST_OF_HOOK.search(line.value[-_NEAR:]) if line.name == STARTING else None
        if last and "||" not in line.value and not re.search(r"\bif\b", line.value):
            yield Hit(
                message=f"`{_short(last[1])}` is the end of postStart, and asks the registry at "
                "every start: where that fails, the kubelet kills the container, also where the "
                "model is there",
                place=line.place,
                fix="let it fail: `ollama pull … || true`, or pull in a Job of its own",
            )


def _in_chain(text: str, served: int) -> re.Match[str] | None:
    """Return a pull of which all that comes behind depends, up to the end of the script."""
    rest = re.split(r"[;\n]", text[served:].rstrip(" \t\n;\"'])}"))[-1]
    chained = "&&" in rest and not re.search(r"\|\||\bif\b|(?<![&>])&(?![&>\d])", rest)
    pulls = re.compile(rf"({_PULL})&&").search(text, len(text.rstrip()) - len(rest) - _MARGIN)
    return pulls if chained else None


_MARGIN: Final = 9  # quotes and brackets at the end


def _by_errexit(text: str, served: int) -> re.Match[str] | None:
    """Return a pull that a shell ends at, where it ends at any failure."""
    if not _ERREXIT.search(text) or _HANDLES.search(text):
        return None
    return _LINE.search(text, served)


def _short(command: str) -> str:
    words = command.replace('"', "").replace("'", "").split()
    return " ".join(words[:3])
