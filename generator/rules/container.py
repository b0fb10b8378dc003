"""HW508 to HW510 and HW518: images, health checks and volumes of containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Rule, rule
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Boxed, Place, View

OFFICIAL: Final = "ollama/ollama"
# Tags that move on with each release, and the shape of one that does not.
MOVING: Final = ("", "latest", "rocm")
_REFERENCE: Final = re.compile(r"\$(?:\{\w+(?::?-(?P<default>[^}]*))?[^}]*\}|\w+)")
_NO_ENDPOINT: Final = re.compile(r"(?<![\w.-])(?:https?://[^\s/]+)?(/(?:api/)?healthz?)(?![\w/-])")
_LOADS: Final = re.compile(
    r"\bollama\s+run\b|/api/(?:generate|chat|embed(?:dings)?)\b|/v1/(?:chat/)?completions\b"
)
_COMMANDS: Final = frozenset({"cmd", "command", "entrypoint", "exec"})
_CLIENT: Final = re.compile(
    r"(?:^|\bollama[\"',\s]+)(?:pull|run|create|list|ls|show|cp|rm|ps|push)(?![\w.-])"
)


def repository(image: str) -> str:
    """Return an image reference without tag and digest."""
    path, slash, last = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def is_official(container: Boxed) -> bool:
    """Return whether it runs Ollama's own image, also from a mirror of the registry."""
    name = repository(container.image)
    return name == OFFICIAL or name.endswith(f"/{OFFICIAL}")


def is_client(view: View) -> bool:
    """Return whether the container is a job that talks to a server elsewhere (`ollama pull`)."""
    commands = " ".join(line.value for line in view.lines if line.name.lower() in _COMMANDS)
    # The entry point of the image is `ollama`: a command may be `pull …` alone.
    return bool(_CLIENT.search(commands)) and not re.search(r"\bserve\b", commands)


@rule(
    "HW508",
    severity="warning",
    title="an image without a fixed release",
    why="`latest` is whatever release was the newest when the image was last pulled. Releases "
    "change defaults, the engine and the variables that are read, so that the same file is "
    "another service on the next host.",
    bad="image: ollama/ollama:latest",
    good="image: ollama/ollama:0.32.15",
    source="scripts/build_docker.sh@v0.32.15:24-33",
)
def unpinned_image(view: View, facts: Facts) -> Iterator[Hit]:
    """What a moving tag names differs from host to host and from day to day."""
    container = view.container
    if container is None or container.digest:
        return
    reference = _REFERENCE.fullmatch(container.tag)
    tag = container.tag if reference is None else (reference["default"] or "")
    if tag not in MOVING or (tag == "rocm" and not is_official(container)):
        return
    wanted = _pinned(view, container, tag, facts)
    yield Hit(
        message=_what_runs(container, tag, reference),
        place=container.place,
        fix=_pin_fix(wanted, reference),
        edits=_pin_edits(view, container, wanted) if reference is None else (),
    )


def _what_runs(container: Boxed, tag: str, reference: re.Match[str] | None) -> str:
    day = "which release runs depends on the day of the last pull"
    if reference is not None and tag:
        return f"`{container.tag}` is `{tag}` where nobody sets it; {day}"
    if reference is not None:
        return f"`{container.tag}` has no default: where nobody sets it, the image is refused"
    told = f"the tag is `{tag}`" if tag else "there is no tag, which means `latest`"
    return f"{told}; {day}"


def _pinned(view: View, container: Boxed, tag: str, facts: Facts) -> str:
    """Return the reference to write; empty for images whose tags are not Ollama's."""
    if not is_official(container):
        return ""
    pattern = facts.image.rocm_tag if tag == "rocm" else facts.image.tag
    return f"{repository(container.image)}:{pattern.format(release=view.release)}"


def _pin_fix(wanted: str, reference: re.Match[str] | None) -> str:
    if not wanted:
        return "name a tag that does not move, or a digest"
    if reference is not None:
        return f"give it a release as its default: `{wanted.rpartition(':')[2]}`"
    return f"write the release that you want, like `{wanted}`"


def _pin_edits(view: View, container: Boxed, wanted: str) -> tuple[Edit, ...]:
    """Which release runs must be known: a fix must not change it."""
    if not (wanted and view.release_told):
        return ()
    bare = repository(container.image)
    return (Edit(container.place, f"{bare}:{container.tag}" if container.tag else bare, wanted),)


@rule(
    "HW509",
    severity="warning",
    title="a health check that cannot work",
    why="The image has neither curl nor wget, so that a check that calls them fails for ever and "
    "the container never turns healthy; what depends on it never starts. The server has no "
    "/api/health either. `ollama list` asks the server and loads nothing.",
    bad='test: ["CMD", "curl", "-f", "http://localhost:11434/api/health"]',
    good='test: ["CMD", "ollama", "list"]',
    source="Dockerfile@v0.32.15:296-320; ollama#9781, ollama#1378",
)
def health_check_fails(view: View, facts: Facts) -> Iterator[Hit]:
    """The image has no curl, and the server no address for health."""
    for text, words, place in _checks(view):
        missing = [
            tool
            for tool in facts.image.missing_tools
            if re.search(rf"(?<![\w/.-]){tool}(?![\w.-])", text)
        ]
        endpoint = _NO_ENDPOINT.search(text)
        official = view.container is not None and is_official(view.container)
        if official and words and missing:
            told = f"there is no {missing[0]} in the image: the check tells nothing of the server"
        elif endpoint:
            told = f"the server has no `{endpoint[1]}`: it answers 404"
        else:
            continue
        yield Hit(
            message=told,
            place=place,
            fix=_instead(words),
            edits=_lists_instead(words, place),
        )


@rule(
    "HW510",
    severity="warning",
    title="a health check that loads a model",
    why="Each probe loads the model, or keeps one loaded that should have gone, and takes a "
    "request slot. Under load it waits behind the users' requests, and a busy server counts as "
    "broken.",
    bad='test: ["CMD", "ollama", "run", "llama3.1:8b", "hi"]',
    good='test: ["CMD", "ollama", "list"]',
    source="server/routes.go@v0.32.15:483,2651",
)
def health_check_loads(view: View, _: Facts) -> Iterator[Hit]:
    """A probe that needs a model loads it, and waits behind the users' requests."""
    for text, words, place in _checks(view):
        if asks := _LOADS.search(text):
            yield Hit(
                message=f"the health check asks for a model (`{asks[0]}`): each probe loads it, "
                f"and waits behind the users' requests",
                place=place,
                fix=_instead(words),
                edits=_lists_instead(words, place),
            )


def _checks(view: View) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """Yield each health check as text, as words (none: an HTTP probe), and where it stands."""
    container = view.container
    if container is not None and container.healthcheck is not None:
        words, place = container.healthcheck
        yield " ".join(words), words, place
    for line in view.lines if view.origin == "helm" else ():
        if line.name == "path" and "probe" in line.section.lower():
            yield line.value, (), line.place


def _instead(words: tuple[str, ...]) -> str:
    if not words:
        return "ask for `/`"
    return "write `ollama list`" if words[0] == "CMD-SHELL" else 'write `["CMD", "ollama", "list"]`'


def _lists_instead(words: tuple[str, ...], place: Place) -> tuple[Edit, ...]:
    """Return the Edit for the usual spellings: a shell command, or a list in double quotes."""
    if words[:1] == ("CMD",):
        written = ", ".join(f'"{word}"' for word in words[1:])
        return (Edit(place, written, '"ollama", "list"'),)
    if words[:1] == ("CMD-SHELL",) and len(words) == 2:  # noqa: PLR2004 -- the command is one word
        return (Edit(place, words[1], "ollama list"),)
    return ()


@rule(
    "HW518",
    severity="warning",
    title="models that go with the container",
    why="The models lie in /root/.ollama of the container. Without a volume of a name, or a "
    "directory of the host, they are gone when the container is made anew, at the next change or "
    "upgrade, and gigabytes are pulled again.",
    bad='volumes: ["/root/.ollama"]    # or none at all',
    good='volumes: ["ollama:/root/.ollama"]',
    source="Dockerfile@v0.32.15:296-320; docs/docker.mdx@v0.32.15",
)
def no_volume(view: View, facts: Facts) -> Iterator[Hit]:
    """What no volume holds is gone with the container."""
    yield from _helm_without_volume(view)
    container = view.container
    if view.origin == "helm" or container is None or is_client(view) or not is_official(container):
        return
    if any(line.name in {"volumes_from", "extends"} for line in view.lines):
        return
    path = _models_path(view, facts)
    if not path.startswith("/"):
        return  # The running host fills it in, or HW120 tells of it.
    mounts = [(text, place, _target(text)) for text, place in container.mounts]
    held = [(text, place) for text, place, target in mounts if _holds(target, path)]
    if "$" in path or any("$" in target for *_, target in mounts):
        return
    if all(_anonymous(text) for text, _ in held):
        yield Hit(
            message=f"`{held[0][0]}` has no name: the next container gets an empty one"
            if held
            else f"no volume holds `{path}`: the models go with the container",
            place=held[0][1] if held else container.place,
            fix=f"mount a volume, like `ollama:{facts.image.home_path}`",
        )


def _models_path(view: View, facts: Facts) -> str:
    models, home = view.variable("OLLAMA_MODELS"), view.variable("HOME")
    if models is not None:
        return models.value
    return f"{home.value}/.ollama/models" if home else facts.image.models_path


def _target(text: str) -> str:
    """Return the path inside of `[SOURCE:]TARGET[:OPTIONS]`."""
    parts = _REFERENCE.sub(lambda match: match["default"] or "$", text).split(":")
    return parts[min(1, len(parts) - 1)]


def _holds(target: str, path: str) -> bool:
    inside = target.rstrip("/")
    return path == inside or path.startswith(f"{inside}/")


def _anonymous(text: str) -> bool:
    return ":" not in text or text.startswith(":")


def _helm_without_volume(view: View) -> Iterator[Hit]:
    for line in view.lines if view.origin == "helm" else ():
        volume = line.section.rpartition(".")[2] == "persistentVolume"
        if volume and line.name == "enabled" and line.value.lower() == "false":
            yield Hit(
                message="without a persistent volume the models go with the pod",
                place=line.place,
                fix="write `enabled: true`",
                edits=(Edit(line.place, "false", "true"),),
            )


RULES: Final[tuple[Rule, ...]] = (
    unpinned_image,
    health_check_fails,
    health_check_loads,
    no_volume,
)
