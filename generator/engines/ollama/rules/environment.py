"""HW101 to HW104, HW118 and HW558: names that nothing reads, and variables out of reach."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.names import OFF, NameFault, bare_fault, name_fault
from generator.rules.helpers.containers import (
    begins_unseen,
    is_for_a_script,
    is_installed,
    is_of_a_fork,
    is_official,
    release_said,
    runs_own_script,
    target,
)
from generator.rules.helpers.variables import (
    asked_by_commands,
    known_variables,
    needs_judgement,
    removed,
    renamed,
)
from generator.rules.rule import Hit, Hits, Rule
from generator.units import EVERYWHERE
from generator.view import UNPASSED, UNREAD, Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.view import Container, Line, Variable, View


_IGNORED: Final = "`{0}` {1}; Ollama {2} ignores it"
_NOTHING: Final = frozenset({"", "nothing", "nothing:"})


def _misnamed(rule_id: str, message: str, view: View, facts: Facts) -> Hits:
    """Yield what `rule_id` says of names; those that a client reads are none of Ollama's."""
    used = asked_by_commands(view)
    # Asked once: the text of all commands may be as long as the list of variables.
    official = is_official(view, facts)
    bare = official and not runs_own_script(view)
    of_a_fork = is_of_a_fork(view)
    for variable in view.variables:
        fault = name_fault(variable.name, facts)
        if fault is None and bare:
            fault = bare_fault(variable.name, facts)
        if fault is None or fault.rule != rule_id or variable.reach == "client":
            continue
        others = variable.shared or view.phrases.guide or view.phrases.several
        if others and not (fault.use or fault.near) and fault.rule == "HW104":
            continue  # Another program of the script, or what a guide is about, may read it.
        if variable.name in used or is_for_a_script(view, facts, variable.name):
            continue
        if fault.rule == "HW104" and not fault.rename and begins_unseen(view):
            continue  # The script with which the container begins may read it.
        # A profile has a key for what is meant.
        typed = fault.intent if view.phrases.keyed else ""
        dead = facts.dead_names.get(variable.name)
        read = dead is not None and dead.forks and not official
        forked = read and view.container is not None and not is_installed(view)
        if of_a_fork and (read or fault.rule == "HW102"):
            continue  # It is made of a fork, which reads the name, or of a release long ago.
        if not official and _is_read_by_its_build(variable.name, view, facts):
            continue
        yield Hit(
            message=message.format(variable.name, fault.what, release_said(view, facts)),
            place=variable.named or variable.place,
            fix=f"write `{typed}` instead" if typed else fault.fix(variable.value),
            link=fault.link,
            severity="info" if forked else None,
            edits=() if forked else _mended(view, variable, fault),
        )


def _is_read_by_its_build(name: str, view: View, facts: Facts) -> bool:
    """Whether the image is a build of somebody's, mostly of a release that reads the variable."""
    known, box = facts.variable(name), view.container
    builds = known.builds if known is not None else ""
    return bool(builds) and box is not None and re.search(builds, box.image) is not None


def _mended(view: View, variable: Variable, fault: NameFault) -> tuple[Edit, ...]:
    if fault.rename:
        return renamed(view, variable, fault.rename)
    # What might be meant, might work in another release, or has to be said in another way is not
    # for a machine to take out.
    certain = fault.rule in {"HW101", "HW102"} and fault.use.partition(" ")[0] in _NOTHING
    certain = certain and variable.value.lower() not in {"0", *OFF}
    return removed(view, variable) if certain else ()


NEVER_READ: Final = Rule(
    id="HW101",
    deviates=True,
    title="a variable that no release of Ollama reads",
    why="Guides and forums pass on names that never existed, and the server ignores them without a "
    "word. For many of them there is a variable or a model parameter that does it.",
    bad="Environment=OLLAMA_NUM_THREADS=16",
    good="Environment=LLAMA_ARG_THREADS=16    # from 0.30; before, PARAMETER num_thread 16",
    source="scan of all release tags of ollama/ollama; ollama#10476, ollama#11699",
    check=partial(_misnamed, "HW101", "no release of Ollama reads `{0}`"),
)
REMOVED: Final = Rule(
    id="HW102",
    deviates=True,
    title="a variable that the release does not read any more",
    why="The server ignores it without a word, and no longer does what it did before an update.",
    bad="OLLAMA_INTEL_GPU=1    # removed in 0.12.11",
    good="OLLAMA_VULKAN=1",
    source="envconfig/config.go by tag",
    check=partial(_misnamed, "HW102", _IGNORED),
)
NOT_READ_YET: Final = Rule(
    id="HW103",
    deviates=True,
    title="a variable that the release does not read yet",
    why="The server ignores variables of later releases. From 0.30 on it runs llama-server, which "
    "reads some 130 names under LLAMA_ARG_; no earlier release reads any of them.",
    bad="LLAMA_ARG_THREADS=16    # for Ollama 0.24",
    good="PARAMETER num_thread 16    # in a Modelfile",
    source="envconfig/config.go by tag; llm/llama_server.go@v0.30.0",
    check=partial(_misnamed, "HW103", _IGNORED),
)
MISSPELT: Final = Rule(
    id="HW104",
    deviates=True,
    title="a name that looks misspelt",
    why="The server ignores what it does not know. A name under OLLAMA_ or LLAMA_ARG_ that no "
    "release knows, or one that differs in a letter from a name that it reads, sets nothing.",
    bad="OLAMA_HOST=0.0.0.0",
    good="OLLAMA_HOST=0.0.0.0",
    source="envconfig/config.go by tag",
    check=partial(_misnamed, "HW104", "`{0}` {1}"),
)


# Believed to protect the API, so that they are reported also where a client may use them.
_CREDENTIALS: Final = frozenset({"OLLAMA_API_KEY", "OLLAMA_AUTH"})
_EXPORT: Final = re.compile(r"export[ \t]+([A-Za-z_]\w*)=(.*)", re.ASCII)


@Rule(
    id="HW118",
    severity="info",
    title="a variable where its reader cannot see it",
    why="The service reads the environment that systemd or the container runtime gives it. What a "
    "login shell exports never reaches it, and what only the client reads does nothing there.",
    bad="export OLLAMA_KEEP_ALIVE=30m    # in ~/.bashrc",
    good="[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=30m    # systemctl edit ollama",
    source="docs/faq.mdx@v0.32.15:93-110; ollama#7128, ollama#4771",
)
def out_of_reach(view: View, facts: Facts) -> Hits:
    for variable in view.variables:
        if variable.reach == "shell":
            yield from _exported(view, variable, facts)
    for line in view.lines:
        if exported := _EXPORT.fullmatch(f"{line.name}={line.value}"):
            yield _exported_in_a_unit(line, exported)
    for variable, fact in known_variables(view, facts):
        yield from _not_for_the_server(view, variable, fact)
    if view.container is not None and view.phrases.unit_file:
        yield from _of_the_client_alone(view, facts)
    if view.container is not None and is_official(view, facts) and not runs_own_script(view):
        yield from _of_other_images(view, view.container)


_USERS: Final = frozenset(
    {
        "PUID",
        "PGID",
        "UID",
        "GID",
        "UMASK",
        "UMASK_SET",
        "USER_ID",
        "GROUP_ID",
        "USER_UID",
        "USER_GID",
    }
)
"""By which images of linuxserver.io and their like choose a user."""
_OF_WEBUI: Final = re.compile(
    r"WEBUI_\w+|AUDIO_(?:STT|TTS)_\w+|RAG_(?:EMBEDDING|RERANKING)_\w+|(?:COMFYUI|AUTOMATIC1111)_BASE_URL"
    r"|IMAGE_GENERATION_(?:ENGINE|MODEL)|WEB_SEARCH_ENGINE|SEARXNG_QUERY_URL|DEFAULT_USER_ROLE"
    r"|ENABLE_(?:SIGNUP|LOGIN_FORM|OAUTH_SIGNUP|OLLAMA_API|OPENAI_API|IMAGE_GENERATION"
    r"|(?:RAG_)?WEB_SEARCH|COMMUNITY_SHARING|ADMIN_EXPORT|CODE_(?:EXECUTION|INTERPRETER))",
    re.ASCII,
)
_ZONES: Final = ("/etc/localtime", "/usr/share/zoneinfo")


def _of_other_images(view: View, box: Container) -> Hits:
    """Yield what only another image reads; of a file for several services nobody knows for whom."""
    zones = any(target(text).startswith(_ZONES) for text, _ in box.mounts)
    for variable in view.variables:
        name = variable.name
        if variable.reach != "server" or variable.place.file != box.place.file:
            continue
        if name in _USERS:
            yield Hit(
                message=f"only images like those of linuxserver.io read `{name}`: the server runs "
                f"as {box.user or 'root'} all the same, and its files are that user's",
                place=variable.place,
                severity="warning",
                fix="take it out; `user: 1000:1000` with a HOME on a volume changes the user",
            )
        elif _OF_WEBUI.fullmatch(name) or (name == "TZ" and not zones):
            reader = "the image has no time zones, so that its log stays in UTC whatever `TZ` says"
            yield Hit(
                message=reader if name == "TZ" else f"only Open WebUI reads `{name}`",
                place=variable.place,
                fix="leave it out" if name == "TZ" else "move it to the service of Open WebUI",
            )


def _of_the_client_alone(view: View, facts: Facts) -> Hits:
    """Yield the variables of a unit that its `docker run` does not hand over."""
    asked = asked_by_commands(view)
    for variable in view.variables:
        fact = facts.variable(variable.name) if variable.reach == "client" else None
        ours = fact is not None and fact.known and fact.scope != "client"
        if not ours or variable.name in asked or view.variable(variable.name) is not None:
            continue
        yield Hit(
            message=f"the unit gives `{variable.name}` to the command that runs the container; the "
            "server in it gets only what an option hands over",
            place=variable.place,
            severity="warning",
            fix=f"add `-e {variable.name}` to the options of `run`",
        )


def _exported_in_a_unit(line: Line, exported: re.Match[str]) -> Hit:
    name, value = exported.groups()
    plain = re.fullmatch(r"[\w./:,*@+-]*", value, re.ASCII)
    right = f"Environment={name}={value}"
    certain = plain and not needs_judgement(name)
    return Hit(
        message=f"systemd is no shell and knows no `export`: it ignores `{name}` here",
        place=line.place,
        severity="error",
        fix=f"write `{right}`" if plain else f'write `Environment="{name}=…"`',
        edits=(Edit(line.place, exported[0], right),) if certain else (),
    )


def _exported(view: View, variable: Variable, facts: Facts) -> Hits:
    fact = facts.variable(variable.name)
    name = variable.name
    if fact is None or not name.startswith(("OLLAMA_", "LLAMA_ARG_")) or fact.scope == "client":
        return
    # The client of that shell reads OLLAMA_HOST, too; only a server listens on all addresses.
    if name == "OLLAMA_HOST" and not variable.value.startswith(EVERYWHERE):
        return
    value = "…" if re.search(r"[$`]|^~", variable.value) else variable.value
    if view.phrases.unit_file:
        yield _exported_in_a_file(variable, value)
        return
    yield Hit(
        message=f"a login shell exports `{name}`; a service of systemd never sees that",
        place=variable.place,
        # Where nothing tells of a service, somebody may start the server in that shell.
        severity=None if view.phrases.guide and not view.manager else "warning",
        # A shell expands it, systemd does not.
        fix=f"write `Environment={name}={value}` under `[Service]`: `systemctl edit ollama`"
        " (macOS: `launchctl setenv`)"
        + (", with what the shell makes of it" if value == "…" else ""),
    )


def _exported_in_a_file(variable: Variable, value: str) -> Hit:
    """Return what is said of a file that systemd reads itself."""
    name = variable.name
    certain = value != "…" and not needs_judgement(name)
    edit = Edit(variable.place, f"export {name}=", f"{name}=")
    return Hit(
        message=f"systemd is no shell and knows no `export`: it ignores `{name}` here",
        place=variable.place,
        severity="error",
        fix=f"write `{name}={value}`",
        edits=(edit,) if certain else (),
    )


_OF_INSTALLER: Final = "OLLAMA_VERSION"


def _not_for_the_server(view: View, variable: Variable, fact: Fact) -> Hits:
    if variable.name == _OF_INSTALLER and is_installed(view):
        return  # The build of the image is where it is read.
    if reader := _reader(view, fact):
        trusted = variable.name in _CREDENTIALS
        yield Hit(
            message=f"{reader} `{variable.name}`: {fact.effect[0].lower()}{fact.effect[1:-1]}",
            place=variable.place,
            severity="warning" if trusted and not _is_of_several(view) else None,
            fix="put a proxy that authenticates before the API" if trusted else "remove it here",
            link=fact.source,
            # Whoever trusts in it shall hear of it, not lose the line.
            edits=() if trusted else removed(view, variable),
        )


def _is_of_several(view: View) -> bool:
    """Return whether a file of variables is for other programs as well: one may ask with a key.

    What such a file has under no prefix of the engine the server has no use for.
    """
    if view.container is not None or view.phrases.unit_file:
        return False
    names = [variable.name for variable in view.variables]
    return sum(not name.startswith(("OLLAMA_", "LLAMA_ARG_")) for name in names) * 2 >= len(names)


def _reader(view: View, fact: Fact) -> str:
    """Return who reads a variable, where that is not the server of this View."""
    if fact.on_invalid == "runtime":
        on_host = view.phrases.unit_file and view.container is None
        return "only a container runtime reads" if on_host else ""
    # `docker exec` gives a client the environment of the container.
    client = fact.scope == "client" and (view.container is None or fact.name in _CREDENTIALS)
    install = fact.name.startswith("OLLAMA_") and not fact.effective
    return "the server does not read" if client or install else ""


_SERVER_ALONE: Final = frozenset(
    {
        *("OLLAMA_ORIGINS", "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_MAX_QUEUE", "OLLAMA_LOAD_TIMEOUT"),
        *("OLLAMA_FLASH_ATTENTION", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_SCHED_SPREAD"),
        *("OLLAMA_GPU_OVERHEAD", "OLLAMA_LLM_LIBRARY", "OLLAMA_VULKAN", "OLLAMA_NOPRUNE"),
    }
)
"""Variables that no application has a use for."""


def _is_of_server(line: Line, facts: Facts) -> bool:
    """Whether a variable is the server's, and none that others take for an address or a path."""
    fact = facts.variable(line.name)
    told = fact is not None and fact.works and fact.scope in {"server", "runner"}
    return told and line.name.startswith(_OWN) and line.name not in _OF_OTHERS


_OWN: Final = "OLLAMA_"
_OF_OTHERS: Final = frozenset({"OLLAMA_HOST", "OLLAMA_MODELS", "OLLAMA_DEBUG"})


@Rule(
    id="HW558",
    title="a variable of `.env` that reaches no container",
    why="Compose takes `.env` for the `${…}` of its files. A container gets a variable of it only "
    "by `environment:` or `env_file:`, so that the server keeps its default.",
    bad="OLLAMA_MAX_QUEUE=64    # .env; compose.yaml does not take it",
    good="environment:\n  OLLAMA_MAX_QUEUE: ${OLLAMA_MAX_QUEUE}    # compose.yaml",
    source="docs.docker.com: compose/how-tos/environment-variables/envvars-precedence",
)
def passed_to_nobody(view: View, facts: Facts) -> Hits:
    for line in (*view.lines_in(UNPASSED), *view.lines_in(UNREAD)):
        dead = facts.dead_names.get(line.name)
        if dead is not None and dead.category != "application":
            # A program that is built here may read the file all the same.
            yield Hit(
                message=f"no release of Ollama reads `{line.name}`, and no container gets it from "
                "here",
                place=line.place,
                severity="info",
                fix="leave it out, unless a program of your own reads this file",
            )
        elif line.name in _SERVER_ALONE or (line.section == UNREAD and _is_of_server(line, facts)):
            yield Hit(
                message=f"`{line.name}` reaches no container: nothing in the Compose file beside "
                "this one takes it from here",
                place=line.place,
                fix=f"name it below `environment:` of the server: `{line.name}: ${{{line.name}}}`",
            )
