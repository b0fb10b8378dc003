"""HW636: whether anything asks a server in a cluster if it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules.helpers.probes import ALL, never_asked
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW636",
    severity="info",
    title="a pod that nobody asks whether it answers",
    why="Without a probe a pod counts as ready and alive as long as its process runs: a Service "
    "sends requests to a server that does not listen yet, or that hangs, and nothing starts it "
    "anew.",
    bad="containers: [{image: ollama/ollama:0.32.15}]    # and a Service",
    good="readinessProbe: {httpGet: {path: /, port: 11434}}\n"
    "livenessProbe: {httpGet: {path: /, port: 11434}}",
    source="kubernetes.io: Configure Liveness, Readiness and Startup Probes",
)
def nobody_asks(view: View, _: Facts) -> Hits:
    place = never_asked(view, ALL)
    if place is not None:
        yield Hit(
            message="there is no probe: a Service sends requests to the pod while the server does "
            "not answer yet, or not any more",
            place=place,
            fix="give it a `readinessProbe` and a `livenessProbe` that ask `/`",
        )
