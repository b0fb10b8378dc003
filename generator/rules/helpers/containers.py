"""Images of containers, and what a container is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines import load_signs
from generator.rules.helpers.same import once
from generator.units import Release
from generator.view import MADE_BY, STARTED, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View

DRIVE: Final = re.compile(r"^[A-Za-z]:[\\/]")
"""How a path of Windows begins."""
REFERENCE: Final = re.compile(r"\$(?:\{\w++(?::?-(?P<default>[^}]{0,999}+)|[^}]{0,999}+)\}|\w+)")
"""A variable in a compose file, and what it is where nobody sets it."""
_SCRIPT: Final = re.compile(r"\.(?:ba)?sh\b|\b(?:apt(?:-get)?|apk|dnf)\b.{0,80}\b(?:install|add)\b")
_COMMANDS: Final = frozenset({"cmd", "command", "entrypoint", "exec"})
_BEGINS: Final = frozenset({"command", "cmd", "args", "entrypoint"})
_BESIDE: Final = re.compile(r"(?i)probe\b|\blifecycle\b|\bhealth_?check\b")
"""Sections with commands that run beside the one of the container."""
_DIRECTORY: Final = r"(?:^|[\s/\"'])models(?=[\s/\"']|$)"


def repository(image: str) -> str:
    """Return an image reference without tag and digest."""
    path, slash, last = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def is_official(view: View, facts: Facts) -> bool:
    """Return whether it is a container of the engine's own image, also from a mirror of it."""
    return is_of_engine(repository(view.container.image) if view.container else "", facts)


def is_of_engine(name: str, facts: Facts) -> bool:
    """Return whether a reference without its tag is the engine's own image, or a mirror of it."""
    official = facts.image.repository
    return name == official or name.endswith(f"/{official}")


def is_own_image(view: View) -> bool:
    """Return whether it is a container of one of the engine's images, by the last part of it."""
    name = repository(view.container.image) if view.container else ""
    return bool(name) and load_signs(view.engine).is_image(name)


def release_said(view: View, facts: Facts) -> str:
    """Return the release to name: the tag, where it is older than all that are known here."""
    tag = view.container.tag if view.container is not None and is_official(view, facts) else ""
    try:
        told = Release.parse(tag.partition("-")[0])
    except ValueError:
        return str(facts.release)
    return str(told if told < facts.release else facts.release)


def is_for_a_script(view: View, facts: Facts, name: str) -> bool:
    """Return whether a variable may be for a script: that of an image which somebody else has
    built, or one that nobody has shown.
    """
    others = view.container is not None and not is_official(view, facts)
    return (others or begins_unseen(view)) and re.fullmatch(
        load_signs(view.engine).application, name
    ) is not None


def begins_unseen(view: View) -> bool:
    """Return whether a container begins with a script that is not at hand."""
    return any(not line.value for line in view.lines_in(STARTED))


def is_installed(view: View) -> bool:
    """Return whether an image has the program of its own installer."""
    installs = load_signs(view.engine).installs
    return any(re.search(installs, line.value) for line in view.lines_named("RUN"))


@once
def is_of_a_fork(view: View) -> bool:
    """Return whether it is made of a fork, which reads names that the engine does not."""
    image, engine = view.container.image if view.container else "", load_signs(view.engine)
    told = any(re.fullmatch(engine.of_forks, variable.name) for variable in view.variables)
    return told or re.search(engine.forks, image) is not None


def brings_the_server(view: View) -> bool:
    """Whether the image is that of an application that has the server in it, and starts it."""
    box = view.container
    return box is not None and bool(re.search(load_signs(view.engine).brings, box.image))


@once
def is_one_off(view: View) -> bool:
    """Return whether a container that goes at its end has a shell do one thing, and no server."""
    box = view.container
    words = [word for word, _ in (box.arguments or box.program)] if box else []
    if box is None or box.restart != "no" or not (words and _A_SHELL.match(" ".join(words))):
        return False
    told, engine = " ".join(words[2:]), load_signs(view.engine)
    unknown = _SCRIPT.search(told) or "$@" in told or "$*" in told
    return not unknown and engine.command[-1] not in told


_A_SHELL: Final = re.compile(r"(?:/usr)?(?:/?bin/)?(?:ba|da)?sh -\w{0,5}c ")


@once
def is_client(view: View) -> bool:
    """Return whether the container is a job: it talks to a server elsewhere, or to none."""
    if is_one_off(view):
        return True
    engine = load_signs(view.engine)
    commands = _commands(view)
    words = view.container.arguments if view.container else ()
    commands = commands or " ".join(word for word, _ in words)
    # The entry point of the image is the program: a command may be `pull …` alone.
    client = re.search(engine.client, commands) is not None
    return client and not re.search(rf"\b{engine.command[-1]}\b", commands)


@once
def runs_own_script(view: View) -> bool:
    """Return whether the container begins with somebody's script, which may install programs."""
    return _SCRIPT.search(_commands(view)) is not None


@once
def begun(view: View) -> tuple[Line, ...]:
    """Return the scripts and commands with which a container begins, each once."""
    return tuple(_begun(view))


def _begun(view: View) -> Iterator[Line]:
    program = view.container.program if view.container else ()
    scripts = [(word, place) for word, place in program if " " in word.strip()]
    for word, place in scripts:
        yield Line(section="", name="command", value=word, place=place)
    for line in view.lines:
        own = line.name.lower() in _BEGINS and not _BESIDE.search(line.section)
        if line.section == STARTED or (own and not any(word in line.value for word, _ in scripts)):
            yield line


def stands_in(view: View) -> bool:
    """Return whether a container only waits, in the place of a server that is not wanted."""
    text = _commands(view).strip("[]\"' \t\n")
    return _WAITS.fullmatch(text) is not None


_WAITS: Final = re.compile(
    r"(?:(?:/bin/)?(?:ba)?sh[\"',\s]+-c[\"',\s]+)?(?:exec\s+)?"
    r"(?:sleep[\"',\s]+inf(?:inity)?|tail[\"',\s]+-f[\"',\s]+/dev/null)"
)


def installs(view: View, tool: str) -> bool:
    """Return whether a command that makes the image installs a program, or copies it there."""
    pattern = rf"\b(?:install|add)\b[^;&|]*(?<![\w.-]){re.escape(tool)}(?![\w.-])"
    made = (line.value for line in view.lines_named("RUN"))
    return any(re.search(pattern, text) for text in made)


def holds_models(view: View) -> bool:
    """Return whether models are in the image itself: it is made with a pull, or gets their files.

    A layer keeps them; who removes the container loses none.
    """
    copied = re.compile(rf"\.{re.escape(view.engine)}\b|{_DIRECTORY}|\.gguf\b")
    return pulls_into_image(view) or any(copied.search(text) for text in _copies(view))


def pulls_into_image(view: View) -> bool:
    """Return whether the build of an image pulls or makes models."""
    asks = re.compile(rf"\b{re.escape(view.engine)}\b[\"',\s]+(?:pull|create|run)\b")
    runs = view.lines_named("RUN", MADE_BY)
    # What a build writes into a script is asked when the container runs.
    return any(asks.search(_WRITTEN.sub("", line.value)) for line in runs)


_WRITTEN: Final = re.compile(
    r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)?(?:'[^']*'|\"(?:[^\"\\]|\\.)*\")"
)
_NO_MODELS: Final = re.compile(
    r"(?:^|/)(?:id_ed25519|Modelfile|history)[^/]*$|[^/]\.(?:sh|bash|py|txt|md|json|ya?ml|toml|env)$"
)
"""Files beside models: keys, recipes of models, scripts."""
_NAMED: Final = re.compile(r"(?:^|/)(?:\.\w+|models)/?$")


def copies_into(view: View, path: str) -> bool:
    """Return whether the build of an image copies models to a directory, below or above it."""
    for text in _copies(view):
        *sources, to = [word.strip("\"',") for word in text.strip(" \t[]").split()] or [""]
        end = to.rstrip("/")
        if any(_has_models(source, end, path) for source in sources):
            return True
    return False


def _has_models(source: str, to: str, path: str) -> bool:
    """Whether what is copied holds the models of a directory; above it by its name alone."""
    if _NO_MODELS.search(source):
        return False
    if f"{to}/".startswith(f"{path}/") or to == path.removesuffix("/models"):
        return True
    named = source.rstrip("/") == to or _NAMED.search(source)
    return bool(named) and f"{path}/".startswith(f"{to}/")


def _copies(view: View) -> Iterator[str]:
    return (line.value for line in view.lines_named("COPY"))


@once
def _commands(view: View) -> str:
    """Return what a container runs, without its probes and hooks."""
    own = (line for line in view.lines if line.name.lower() in _COMMANDS)
    told = " ".join(line.value for line in own if not _BESIDE.search(line.section))
    program = view.container.program if view.container else ()
    return told or " ".join(word for word, _ in program)


def target(mount: str) -> str:
    """Return the path inside of `[SOURCE:]TARGET[:OPTIONS]`; a variable that nobody sets is `$`."""
    text = REFERENCE.sub(lambda match: match["default"] or "$", mount)
    parts = DRIVE.sub("/", text).split(":")
    # A volume of a pod may have a name of one letter, as a drive has.
    named = DRIVE.match(text) and parts[1:] in (["ro"], ["rw"])
    return parts[0 if named else min(1, len(parts) - 1)]
