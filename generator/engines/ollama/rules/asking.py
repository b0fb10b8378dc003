"""HW690, HW691 and HW694: what is asked of a server in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import ASKING, NAMESAKE

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


_WHOLE: Final = "modelfile"  # a field of the API


@Rule(
    id="HW691",
    severity="error",
    title="a model that is asked for by a Modelfile",
    why="Since 0.5.5 `POST /api/create` takes what a Modelfile says as fields of its own: `from`, "
    "`system`, `template`, `parameters`. It reads no `modelfile`, and without `from` or `files` it "
    "answers with an error, and there is no model. `ollama create -f` still takes the file.",
    bad='{"model": "mario", "modelfile": "FROM llama3.2\\nSYSTEM You are Mario."}',
    good='{"model": "mario", "from": "llama3.2", "system": "You are Mario."}',
    releases="0.5.5 and later",
    source="api/types.go@v0.32.15, CreateRequest; server/create.go@v0.32.15",
)
def made_of_a_modelfile(view: View, facts: Facts) -> Hits:
    if not facts.behaves("create-by-fields"):
        return
    for request in view.requests:
        told = {line.name: line for line in request.fields if not line.section}
        if not request.path.endswith("/create") or _WHOLE not in told:
            continue
        based = "from" in told or "files" in told
        yield Hit(
            message="`/api/create` reads no `modelfile`"
            + (": what it says is lost" if based else ", and makes no model without `from`"),
            place=told[_WHOLE].place,
            severity="warning" if based else None,
            fix="write its lines as fields, `from`, `system`, `template` and `parameters`, or run "
            "`ollama create -f`",
        )


@Rule(
    id="HW694",
    title="a model that counts as there by another's tag",
    why="`ollama list` has a line for each tag. A script that looks for the name alone finds any "
    "of them, and of models whose name begins so as well: once `qwen3:8b` is there, `qwen3:14b` is "
    "never pulled, and each request for it is answered with 404.",
    bad='ollama list | grep -q "${MODEL%%:*}" || ollama pull "$MODEL"',
    good='ollama show "$MODEL" >/dev/null 2>&1 || ollama pull "$MODEL"',
    source="cmd/cmd.go@v0.32.15, ListHandler; server/routes.go@v0.32.15, ShowHandler",
)
def found_by_name_alone(view: View, _: Facts) -> Hits:
    for line in view.lines_in(NAMESAKE):
        yield Hit(
            message=f"the tag is left out of `${line.value}`: where another one of that model is "
            "there, the one that is asked for is never pulled",
            place=line.place,
            fix=f'ask for the whole name: `ollama show "${line.value}" >/dev/null 2>&1 || ollama '
            f'pull "${line.value}"`',
        )
