"""HW408: what the server asks of others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

# What shuts a service off from other machines, and the values with which it does.
_SHUT_OFF: Final = {
    "IPAddressDeny": re.compile(r"any"),
    "PrivateNetwork": re.compile(r"(?i:1|yes|true|on)"),
    "network_mode": re.compile(r"none"),
    "Network": re.compile(r"none"),
}


@Rule(
    id="HW408",
    severity="info",
    title="a server without a network that asks ollama.com",
    why="Each start asks ollama.com for recommended and cloud models, and again while that fails, "
    "with a warning in the log each time. OLLAMA_NO_CLOUD=1 turns that off, with cloud models and "
    "web search; in a profile it is `ollama.no_cloud = true`. It is said only where the file shuts "
    "the server off from other machines.",
    bad="[Service]\nIPAddressDeny=any",
    good="[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost\nEnvironment=OLLAMA_NO_CLOUD=1",
    releases="0.22.1 and later",
    source="server/model_recommendations.go@v0.22.1, @v0.32.15:189",
)
def asks_in_vain(view: View, facts: Facts) -> Hits:
    if (
        sandbox.is_job(view)
        or not view.lacks("OLLAMA_NO_CLOUD")
        or not facts.behaves("outbound-call-at-start")
    ):
        return
    for line in view.lines_named(*_SHUT_OFF):
        if _SHUT_OFF[line.name].fullmatch(line.value.strip()):
            yield Hit(
                message=f"`{line.name}` shuts the server off, and each of its starts asks "
                "ollama.com for models, in vain",
                place=line.place,
                fix="add OLLAMA_NO_CLOUD=1",
            )
            return
