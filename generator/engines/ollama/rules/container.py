"""HW509, HW510 and HW518: health checks and volumes of containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import REFERENCE, is_client, is_official
from generator.rules.rule import Hit, Hits, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Place, View


_NO_ENDPOINT: Final = re.compile(r"(?<![\w.-])(?:https?://[^\s/]+)?(/(?:api/)?healthz?)(?![\w/-])")
_LOADS: Final = re.compile(
    r"\bollama\s+run\b|/api/(?:generate|chat|embed(?:dings)?)\b|/v1/(?:chat/)?completions\b"
)


@Rule(
    id="HW509",
    title="a health check that cannot work",
    why="The image has neither curl nor wget, and the server no /api/health: the container never "
    "turns healthy, and what depends on it never starts. `ollama list` asks and loads nothing.",
    bad='test: ["CMD", "curl", "-f", "http://localhost:11434/api/health"]',
    good='test: ["CMD", "ollama", "list"]',
    source="Dockerfile@v0.32.15:296-320; ollama#9781, ollama#1378",
)
def health_check_fails(view: View, facts: Facts) -> Hits:
    for text, words, place in _checks(view):
        lacking = facts.image.missing_tools
        missing = [t for t in lacking if re.search(rf"(?<![\w/.-]){t}(?![\w.-])", text)]
        endpoint = _NO_ENDPOINT.search(text)
        if is_official(view, facts) and words and missing:
            message = f"there is no {missing[0]} in the image: the check says nothing of the server"
            yield _lists_instead(message, words, place)
        elif endpoint:
            message = f"the server has no `{endpoint[1]}`: it answers 404"
            yield _lists_instead(message, words, place)


@Rule(
    id="HW510",
    title="a health check that loads a model",
    why="Each probe loads the model, or keeps one loaded that should have gone, and takes a "
    "request slot. Under load it waits behind the users' requests, and a busy server counts as "
    "broken.",
    bad='test: ["CMD", "ollama", "run", "llama3.1:8b", "hi"]',
    good='test: ["CMD", "ollama", "list"]',
    source="server/routes.go@v0.32.15:483,2651",
)
def health_check_loads(view: View, _: Facts) -> Hits:
    for text, words, place in _checks(view):
        if asks := _LOADS.search(text):
            message = (
                f"the health check asks for a model (`{asks[0]}`): each probe loads it, and waits "
                f"behind the users' requests"
            )
            yield _lists_instead(message, words, place)


def _checks(view: View) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """Yield each health check as text, as words (none: an HTTP probe), and where it stands."""
    container = view.container
    if container is not None and container.healthcheck is not None:
        words, place = container.healthcheck
        yield " ".join(words), words, place
    for path, place in container.probes if container else ():
        yield path, (), place


def _lists_instead(message: str, words: tuple[str, ...], place: Place) -> Hit:
    """Return the Hit, with an Edit for a shell command and for a list in double quotes."""
    if not words:
        return Hit(message=message, place=place, fix="ask for `/`")
    if words[0] == "CMD-SHELL":
        fix, written, right = "write `ollama list`", words[-1], "ollama list"
        usual = len(words) == 2  # noqa: PLR2004 -- the command is one word
    else:
        fix, right = 'write `["CMD", "ollama", "list"]`', '"ollama", "list"'
        written, usual = ", ".join(f'"{word}"' for word in words[1:]), words[0] == "CMD"
    edits = (Edit(place, written, right),) if usual else ()
    return Hit(message=message, place=place, fix=fix, edits=edits)


@Rule(
    id="HW518",
    title="models that go with the container",
    why="Without a named volume, or a directory of the host, the models in /root/.ollama go with "
    "the container, at the next change or upgrade, and gigabytes are pulled again.",
    bad='volumes: ["/root/.ollama"]    # or none at all',
    good='volumes: ["ollama:/root/.ollama"]',
    source="Dockerfile@v0.32.15:296-320; docs/docker.mdx@v0.32.15",
)
def no_volume(view: View, facts: Facts) -> Hits:
    container = view.container
    if container is not None and container.unkept is not None:
        yield Hit(
            message="without a persistent volume the models go with the pod",
            place=container.unkept.place,
            fix=view.phrases.keep_volume,
            edits=(container.unkept,),
        )
    named = any(line.name in {"volumes_from", "extends"} for line in view.lines)
    elsewhere = named or view.adds
    if container is None or elsewhere or not view.phrases.volumes_told or is_client(view):
        return
    path = _models_path(view, facts)
    mounts = [(_target(text), text, place) for text, place in container.mounts]
    untold = not path.startswith("/") or "$" in path  # The running host fills it in, or HW120.
    if untold or any("$" in target for target, *_ in mounts) or not is_official(view, facts):
        return
    held = [m[1:] for m in mounts if f"{path}/".startswith(f"{m[0].rstrip('/')}/")]
    if all(":" not in text or text.startswith(":") for text, _ in held):
        yield Hit(
            message=f"`{held[0][0]}` has no name: the next container gets an empty one"
            if held
            else f"no volume holds `{path}`: the models go with the container",
            place=held[0][1] if held else container.place,
            fix=view.phrases.keep_volume
            or f"mount a volume, like `ollama:{facts.image.home_path}`",
        )


def _models_path(view: View, facts: Facts) -> str:
    models, home = view.variable("OLLAMA_MODELS"), view.variable("HOME")
    if models is not None:
        return models.value
    return f"{home.value}/.ollama/models" if home else facts.image.models_path


def _target(text: str) -> str:
    """Return the path inside of `[SOURCE:]TARGET[:OPTIONS]`."""
    parts = REFERENCE.sub(lambda match: match["default"] or "$", text).split(":")
    return parts[min(1, len(parts) - 1)]
