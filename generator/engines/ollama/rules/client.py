"""HW550 to HW552, HW564, HW567, HW568, HW641: command lines, requests, and Modelfiles."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from generator.meaning import is_go_duration
from generator.rules.helpers.containers import is_official
from generator.rules.rule import Hit, Hits, Rule
from generator.units import closest
from generator.view import INSTALLED, Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import CommandFact, Flag
    from generator.view import Line, Place, View

_HELP: Final = frozenset({"help", "h"})
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
# What other servers and clients call it.
_MEANT: Final = {
    "context_length": "num_ctx",
    "context_size": "num_ctx",
    "ctx_size": "num_ctx",
    "n_ctx": "num_ctx",
    "max_tokens": "num_predict",
    "max_new_tokens": "num_predict",
    "n_predict": "num_predict",
    "gpu_layers": "num_gpu",
    "n_gpu_layers": "num_gpu",
    "num_gpu_layers": "num_gpu",
    "num_gpus": "num_gpu",
    "ngl": "num_gpu",
    "threads": "num_thread",
    "n_threads": "num_thread",
    "num_threads": "num_thread",
    "batch_size": "num_batch",
    "n_batch": "num_batch",
    "repetition_penalty": "repeat_penalty",
}
_OF_BODY: Final = frozenset({"keep_alive", "format", "stream", "think", "raw", "model", "system"})
_OPEN: Final = re.compile(r"[${<]")
"""What a template, or a person, has yet to fill in."""
_GENERATES: Final = frozenset({"/api/generate", "/api/chat", "/api/embed", "/api/embeddings"})


@Rule(
    id="HW550",
    severity="error",
    title="a flag that the command does not have",
    why="The program refuses an unknown flag and does nothing. What a model computes with is no "
    "flag: it is a parameter of the model or an option of a request, and what the server does is "
    "in its environment. Nor do `pull` and `push` take more than one name.",
    bad="ollama run llama3.1:8b --num-gpu 20",
    good="# in a Modelfile, or as `options` of a request\nPARAMETER num_gpu 20",
    source="cmd/cmd.go by tag",
)
def unknown_flag(view: View, facts: Facts) -> Hits:
    for command in _every(view, facts):
        name = command.words[0][0] if command.words else ""
        # In a script `ollama` may be what another program is told: `docker stats ollama --all`.
        # Of a container HW556 says it.
        if name.startswith("-") and view.phrases.unit_file and view.container is None:
            yield from _of_the_program(name, command.words[0][1], facts)
        if fact := facts.commands.get(name):
            unknown = list(_flags(command, fact, facts))
            for flag, place in unknown:
                yield _unknown(name, flag, place, fact, facts)
            # What follows a flag that nobody knows may be its value.
            if name in _OF_ONE and not unknown and not view.phrases.guide:
                yield from _too_many(name, command)


def _every(view: View, facts: Facts) -> Iterator[Command]:
    """Yield the calls of the program, and what the image of a container hands to it."""
    yield from view.commands
    words = view.container.arguments if view.container else ()
    told = [[word for word, _ in command.words] for command in view.commands]
    if words and is_official(view, facts) and [word for word, _ in words] not in told:
        yield Command(words)


def _of_the_program(flag: str, place: Place, facts: Facts) -> Hits:
    """Yield a flag in the place of the command, which the program does not have."""
    bare = flag.partition("=")[0]
    if bare.lstrip("-") not in _OF_PROGRAM and re.fullmatch(r"--[a-z][a-z-]*", bare, re.ASCII):
        yield Hit(
            message=f"`{facts.engine}` has no `{bare}`: it ends with `unknown flag`, and no server "
            "starts",
            place=place,
            fix=_instead("serve", bare.lstrip("-"), facts.commands["serve"], facts),
        )


_OF_PROGRAM: Final = frozenset({"help", "version", "verbose", "nowordwrap"})
_OF_ONE: Final = frozenset({"pull", "push"})
_ASKING: Final = frozenset(
    {"pull", "push", "run", "list", "ls", "ps", "show", "rm", "cp", "create"}
)
"""Commands that ask the server at OLLAMA_HOST."""
_NAMES_A_MODEL: Final = re.compile(r"[A-Za-z0-9][\w./:-]*", re.ASCII)


def _too_many(name: str, command: Command) -> Hits:
    """Yield that a command gets several names, where it takes one."""
    words = [one for one in command.words[1:] if not one[0].startswith("-")]
    if len(words) > 1 and all(_NAMES_A_MODEL.fullmatch(word) for word, _ in words):
        yield Hit(
            message=f"`ollama {name}` takes one model, and gets {len(words)}: it ends with "
            f"`accepts 1 arg(s), received {len(words)}` and does nothing",
            place=words[1][1],
            fix=f"write an `ollama {name}` for each",
        )


def _flags(command: Command, fact: CommandFact, facts: Facts) -> Iterator[tuple[str, Place]]:
    """Yield the flags that the release does not have."""
    known = {name: f for f in fact.flags if f.covers(facts.at) for name in f.names}
    taken = False
    for word, place in command.words[1:]:
        if taken or not word.startswith("-") or word == "-" or word[1:2].isdigit():
            taken = False
            continue
        if word == "--":
            return
        name, equals, _ = word.lstrip("-").partition("=")
        name = name if word.startswith("--") else name[:1]
        if not re.fullmatch(r"[A-Za-z][\w-]*", name, re.ASCII):
            continue
        flag = known.get(name)
        if flag is None and name not in _HELP:
            yield word.partition("=")[0], place
            return  # What follows may be its value, or anything.
        taken = flag is not None and flag.value and not equals


def _unknown(name: str, flag: str, place: Place, fact: CommandFact, facts: Facts) -> Hit:
    bare = flag.lstrip("-")
    elsewhen = next((f for f in fact.flags if bare in f.names), None)
    return Hit(
        message=f"`{facts.engine} {name}` has no `{flag}`"
        + (f" in {facts.release}, {_when(elsewhen, facts)}" if elsewhen else "")
        + ": it ends with `unknown flag` and does nothing",
        place=place,
        fix=_instead(name, bare, fact, facts),
    )


def _when(flag: Flag, facts: Facts) -> str:
    return f"only since {flag.since}" if flag.since > facts.at else f"only until {flag.until}"


def _instead(name: str, flag: str, fact: CommandFact, facts: Facts) -> str:
    """Return what to write for a flag: an option, a variable, another flag, or nothing."""
    plain = flag.replace("-", "_").lower()
    option = _option(plain, facts)
    if option and option != "seed":
        return (
            f"write `PARAMETER {option} …` in a Modelfile, or `{option}` in `options` of a request"
        )
    for variable in (f"OLLAMA_{plain.upper()}", "OLLAMA_HOST" if plain in {"port", "bind"} else ""):
        known = facts.variable(variable)
        if known is not None and known.known:
            client = known.scope == "client" or (plain == "host" and name in _ASKING)
            where = "of the command" if client else "of the server"
            return f"set `{variable}` in the environment {where}"
    current = [n for f in fact.flags if f.covers(facts.at) for n in f.names]
    near = closest(flag, current, 0.75)
    listed = ", ".join(f"`--{n}`" for n in current if len(n) > 1)
    known_ones = f"it has {listed}" if listed else f"`{facts.engine} {name}` takes none"
    return f"did you mean `--{near}`?" if near else f"leave it out; {known_ones}"


def _nearest(name: str, facts: Facts) -> str:
    """Return a hint at what was meant; of an option of another release, that one was."""
    return "" if name in facts.options else facts.closest_option(name)


def _option(name: str, facts: Facts) -> str:
    meant = _MEANT.get(name, name)
    option = facts.options.get(meant)
    return meant if option is not None and option.known else ""


@Rule(
    id="HW567",
    severity="error",
    title="a command that the program does not have",
    why="The program ends with `unknown command` and does nothing.",
    bad="ollama update",
    good="ollama pull qwen3:8b",
    source="cmd/cmd.go by tag",
)
def unknown_command(view: View, facts: Facts) -> Hits:
    for command in _every(view, facts):
        word, place = command.words[0] if command.words else ("", view.place)
        if word in facts.no_commands:
            yield Hit(
                message=f"`{facts.engine}` has no command `{word}`",
                place=place,
                fix=f"use {facts.no_commands[word].instead}",
            )


@Rule(
    id="HW568",
    title="a release that the installer is not told",
    why="The installer reads OLLAMA_VERSION from its environment. What stands before `curl` is "
    "curl's alone, and a variable that is not exported nobody's: the newest release is installed.",
    bad="OLLAMA_VERSION=0.32.15 curl -fsSL https://ollama.com/install.sh | sh",
    good="curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION=0.32.15 sh",
    source="docs/linux.mdx@v0.32.15: Installing specific versions; scripts/install.sh@v0.32.15",
)
def release_in_vain(view: View, _: Facts) -> Hits:
    for line in view.lines_in(INSTALLED):
        yield Hit(
            message=f"the installer does not get `{line.name}`: it installs the newest release",
            place=line.place,
            fix=f"write it before the shell: `… | {line.name}={line.value} sh`",
        )


@Rule(
    id="HW551",
    title="an option that the API does not have",
    why="The server drops an option that it does not know, with a line in its log at most, and an "
    "option outside of `options` without one: the answer comes, computed with the defaults. One "
    "of the wrong type is an error.",
    bad='{"model": "llama3.1:8b", "prompt": "hi", "options": {"max_tokens": 100}}',
    good='{"model": "llama3.1:8b", "prompt": "hi", "options": {"num_predict": 100}}',
    source="api/types.go@v0.32.15:991-1080; docs/api.md",
)
def unknown_option(view: View, facts: Facts) -> Hits:
    for request in view.requests:
        for line in request.fields:
            if line.section == "options":
                yield from _in_options(line, facts)
            elif not line.section and request.path in _GENERATES:
                yield from _beside_options(line, facts)


_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)


@Rule(
    id="HW564",
    severity="error",
    title="a time that a request may not have",
    why="In a request `keep_alive` is a number of seconds, or text with a unit. Text without one "
    'is refused with 400, `"-1"` as well: nothing is loaded, and nothing is answered. The variable '
    "OLLAMA_KEEP_ALIVE takes both.",
    bad='{"model": "llama3.1:8b", "keep_alive": "-1"}',
    good='{"model": "llama3.1:8b", "keep_alive": -1}',
    source="api/types.go@v0.32.15, Duration.UnmarshalJSON; time.ParseDuration of Go",
)
def refused_time(view: View, _: Facts) -> Hits:
    for request in view.requests:
        for line in request.fields:
            quoted = line.value[:1] in {'"', "'"}
            inner = line.value.strip("\"'")
            if line.section or line.name != "keep_alive" or not quoted or _OPEN.search(inner):
                continue
            number = _WHOLE.fullmatch(inner) is not None and inner.strip("+-0") != ""
            if number or not is_go_duration(inner):
                yield Hit(
                    message=f'`"{inner}"` is no duration: the request is refused with 400',
                    place=line.place,
                    fix=f"write `{inner}` without quotes, or `{inner.lstrip('-+')}s`"
                    if number and not inner.startswith("-")
                    else f"write `{inner}` without quotes"
                    if number
                    else "write it like `30m` or `24h`: there is no unit above the hour",
                )


def _in_options(line: Line, facts: Facts) -> Hits:
    option = facts.options.get(line.name)
    if line.name in _OF_BODY:
        message = f"`{line.name}` is no option: in `options` the server drops it"
        yield Hit(message=message, place=line.place, fix="write it beside `options`")
    elif option is None or not option.known:
        gone = f" any more since {option.removed}" if option and option.gone else ""
        meant = _option(line.name, facts)
        yield Hit(
            message=f"the API has no option `{line.name}`{gone}: the server drops it",
            place=line.place,
            fix=f"write `{meant}`" if meant else _nearest(line.name, facts) or "leave it out",
        )
    elif option.type in {"int", "float"} and line.value[:1] in {'"', "'"}:
        inner = line.value.strip("\"'")
        number = _NUMBER.fullmatch(inner) is not None
        yield Hit(
            message=f"`{line.name}` is text here, and has to be a number: the request is an error",
            place=line.place,
            severity="error",
            fix=f"write `{inner}` without quotes" if number else "write a number",
        )


def _beside_options(line: Line, facts: Facts) -> Hits:
    meant = _option(line.name, facts)
    if meant and line.name not in _OF_BODY:
        yield Hit(
            message=f"`{line.name}` beside `options` is no field of a request: the server drops it",
            place=line.place,
            fix=f'write `"options": {{"{meant}": …}}`',
        )


@Rule(
    id="HW552",
    title="requests that make the model load anew",
    why="A model is loaded with its context, batch, layers and threads. A request that asks for "
    "others unloads it and loads it again, which takes seconds to minutes; two clients with "
    "different options do so at every turn.",
    bad='{"model": "llama3.1:8b", "options": {"num_ctx": 4096}}\n'
    '{"model": "llama3.1:8b", "options": {"num_ctx": 8192}}',
    good="PARAMETER num_ctx 8192    # in a Modelfile, and nothing in the requests",
    source="server/sched.go@v0.32.15:1381-1430",
)
def reloaded_by_options(view: View, facts: Facts) -> Hits:
    asked: dict[str, list[tuple[str, Line]]] = {}
    for request in view.requests:
        model = next((f.value.strip("\"'") for f in request.fields if _is_model(f)), "")
        for line in request.fields if model else ():
            option = facts.options.get(line.name)
            if line.section == "options" and option and option.reload and _literal(line.value):
                asked.setdefault(f"{model}\0{line.name}", []).append((model, line))
    for several in asked.values():
        for (_, before), (model, line) in pairwise(several):
            if before.value != line.value:
                yield _reloads(model, before, line)


def _is_model(line: Line) -> bool:
    return not line.section and line.name == "model" and line.value[:1] in {'"', "'"}


def _literal(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None or value.lower() in {"true", "false"}


def _reloads(model: str, before: Line, line: Line) -> Hit:
    where = f"line {before.place.line}"
    if before.place.file != line.place.file:
        where = f"{before.place.file}:{before.place.line}"
    return Hit(
        message=f"`{line.name}` of `{model}` is {line.value} here and {before.value} in {where}: "
        f"the model is loaded anew whenever the other one asks",
        place=line.place,
        fix=f"use one value everywhere, best as `PARAMETER {line.name}` of a Modelfile",
    )


_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_FORMS: Final = {
    "int": (_INTEGER, "a whole number"),
    "float": (re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII), "a number"),
    "bool": (re.compile(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False"), "`true` or `false`"),
}
_WARNED: Final = frozenset(
    {
        *("penalize_newline", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock"),
        *("mirostat", "mirostat_tau", "mirostat_eta"),
    }
)
"""Parameters that `create` passes over with a warning. Source: parser/parser.go@v0.32.15."""


@Rule(
    id="HW641",
    severity="error",
    title="a parameter that no Modelfile has",
    why="`ollama create` ends at a parameter that it does not know, or at a value of the wrong "
    "type, and makes no model. A comment behind a value is part of the value.",
    bad="FROM qwen3:8b\nPARAMETER max_tokens 100",
    good="FROM qwen3:8b\nPARAMETER num_predict 100",
    source="api/types.go@v0.32.15, FormatParams; parser/parser.go@v0.32.15",
)
def unknown_parameter(view: View, facts: Facts) -> Hits:
    for line in view.lines:
        if line.section == "PARAMETER" and not _OPEN.search(line.name):
            yield from _of_modelfile(line, facts)


def _of_modelfile(line: Line, facts: Facts) -> Hits:
    option = facts.options.get(line.name)
    form, wanted = _FORMS.get(option.type if option else "", (None, ""))
    if option is not None and option.gone and line.name in _WARNED:
        yield Hit(
            message=f"`{line.name}` is no parameter any more since {option.removed}: it does "
            "nothing",
            place=line.place,
            severity="warning",
            fix="leave it out",
        )
    elif option is None or not option.modelfile or not option.known:
        later = f" in {facts.release}" if option else ""
        meant = _option(line.name, facts)
        yield Hit(
            message=f"there is no parameter `{line.name}`{later}: `{facts.engine} create` ends "
            "with an error",
            place=line.place,
            fix=f"write `{meant}`" if meant else _nearest(line.name, facts) or "leave it out",
        )
    elif form is not None and not form.fullmatch(line.value) and not _OPEN.search(line.value):
        yield Hit(
            message=f"`{line.value}` is not {wanted}: `{facts.engine} create` ends with an error",
            place=line.place,
            fix="write a comment on a line of its own" if "#" in line.value else f"write {wanted}",
        )
