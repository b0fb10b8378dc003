"""HW690: what a command is told that only asks a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import ASKING

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_OF_BOTH: Final = frozenset(
    {"OLLAMA_HOST", "OLLAMA_DEBUG", "OLLAMA_API_KEY", "OLLAMA_AUTH", "HOME", "PATH"}
)
_OF_DOWNLOADS: Final = frozenset({"HTTPS_PROXY", "https_proxy"})
_OF_SERVERS: Final = frozenset({"server", "runner", "gpu-selection"})


@Rule(
    id="HW690",
    title="a variable of the server, for a command that only asks it",
    why="`ollama pull` and `ollama run` hand a request to the server, which does the work with the "
    "environment that it was started with: where models are, how long they stay, how many requests "
    "run at once, and by which proxy they are fetched. What the command itself is given of that, "
    "nobody reads.",
    bad="OLLAMA_MODELS=/data/models ollama pull qwen3:8b",
    good="OLLAMA_MODELS=/data/models ollama serve &",
    source="cmd/cmd.go@v0.32.15 (PullHandler, RunHandler: api.ClientFromEnvironment); "
    "docs/faq.mdx@v0.32.15",
)
def given_to_a_client(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(ASKING):
        fact = facts.variable(line.name)
        served = fact is not None and fact.works and fact.scope in _OF_SERVERS
        downloads = line.name in _OF_DOWNLOADS and line.value == "pull"
        if line.name in _OF_BOTH or not (served or downloads):
            continue
        yield Hit(
            message=f"`{facts.engine} {line.value}` only asks the server, which has its own "
            f"environment: nobody reads this `{line.name}`",
            place=line.place,
            fix="set it where the server is started: in its unit, its container, or before "
            "`ollama serve`",
        )
