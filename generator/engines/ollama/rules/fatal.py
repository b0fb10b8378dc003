"""HW693: pulls whose failure ends the server beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import FATAL, POD, STARTING

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_NEAR: Final = 400  # characters: an end is shorter
_PULL: Final = r"ollama[\"']?[ \t]+pull[ \t]+[^;&|\n]+"
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
    for line in view.lines_in(FATAL):
        yield Hit(
            message=f"`{_short(line.value)}` asks the registry at every start: where that fails, "
            "the script ends, and the server with it, also where the model is there",
            place=line.place,
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


def _short(command: str) -> str:
    words = command.replace('"', "").replace("'", "").split()
    return " ".join(words[:3])
