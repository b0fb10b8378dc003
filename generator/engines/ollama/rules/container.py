"""HW509, HW510, HW518, HW527 and HW542: health checks, volumes and addresses of containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import (
    ALL_ADDRESSES,
    is_address,
    is_nobodys,
    listens_on,
)
from generator.engines.ollama.rules.helpers.homes import home_in_image, strangers_home
from generator.engines.ollama.rules.helpers.need import known_models
from generator.fit.host import size_of
from generator.rules.helpers.containers import is_client, is_official, target
from generator.rules.rule import Hit, Hits, Rule
from generator.units import gib, is_local
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
    if strangers_home(view):
        return  # HW541 reports it.
    path = _models_path(view, facts)
    # Which home such a user has, the image may say too: a volume at any is one for models.
    homes = ("/root", "/home/ubuntu") if container.home else ()
    paths = (path, *(f"{home}/.ollama/models" for home in homes))
    mounts = [(target(text), text, place) for text, place in container.mounts]
    untold = not path.startswith("/") or "$" in path  # The running host fills it in, or HW120.
    if untold or any("$" in target for target, *_ in mounts) or not is_official(view, facts):
        return
    held = [m[1:] for m in mounts if any(_holds(m[0], each) for each in paths)]
    if all(":" not in text or text.startswith(":") for text, _ in held):
        yield Hit(
            message=f"`{held[0][0]}` has no name: the next container gets an empty one"
            if held
            else f"no volume holds `{path}`: the models go with the container",
            place=held[0][1] if held else container.place,
            fix=view.phrases.keep_volume
            or f"mount a volume, like `ollama:{facts.image.home_path}`",
        )


@Rule(
    id="HW527",
    title="a volume that is smaller than its models",
    why="The pull ends with `no space left on device`, and the pod of a chart starts over, to pull "
    "again. Updates of a model need its size once more, until the old layers are removed.",
    bad="ollama:\n  models:\n    pull: [llama3.3:70b]\npersistentVolume:\n  enabled: true\n"
    "  size: 30Gi",
    good="ollama:\n  models:\n    pull: [llama3.3:70b]\npersistentVolume:\n  enabled: true\n"
    "  size: 100Gi",
    source="otwld/ollama-helm: templates/pvc.yaml; ollama.com/library",
)
def volume_too_small(view: View, facts: Facts) -> Hits:
    room = view.container.room if view.container else None
    size, models = size_of(room), known_models(view, facts)
    weights = sum(model.weight_bytes for model in models)
    if room is None or size is None or weights < size:
        return
    names = ", ".join(f"`{model.names[0]}`" for model in models)
    yield Hit(
        message=f"the weights of {names} take {gib(weights)}, the volume has {gib(size)}",
        place=room.place,
        fix=f"give it at least {gib(2 * weights)}, so that an update has room beside the old one",
    )


def _models_path(view: View, facts: Facts) -> str:
    models, home = view.variable("OLLAMA_MODELS"), view.variable("HOME")
    if models is not None:
        return models.value
    if home is not None:
        return f"{home.value}/.ollama/models"
    box = view.container
    own = (box.home or home_in_image(box)).rstrip("/") if box else "/root"
    return facts.image.models_path.replace("/root", own, 1)


def _holds(mount: str, path: str) -> bool:
    return f"{path}/".startswith(f"{mount.rstrip('/')}/")


@Rule(
    id="HW542",
    title="an address that the container does not have",
    why="A container has addresses of its own. One of the host cannot be bound in it, so that the "
    "server ends at once; on 127.0.0.1 it answers nobody but itself, and a published port leads "
    "nowhere. What is published decides who reaches it.",
    bad='environment: {OLLAMA_HOST: 127.0.0.1}\nports: ["127.0.0.1:11434:11434"]',
    good='environment: {OLLAMA_HOST: 0.0.0.0}\nports: ["127.0.0.1:11434:11434"]',
    source="docs/docker.mdx@v0.32.15; Dockerfile@v0.32.15:296-320",
)
def not_of_the_container(view: View, _: Facts) -> Hits:
    address, box = view.variable("OLLAMA_HOST"), view.container
    if address is None or box is None or box.host_network is not None or is_client(view):
        return
    host = listens_on(address.value)
    own = any(line.name in {"ipv4_address", "ipv6_address", "network_mode"} for line in view.lines)
    if own or not is_address(host) or host in ALL_ADDRESSES or is_nobodys(host):
        return
    if not is_local(host):
        message = f"the container does not have the address {host}: it cannot be bound there, and "
        message += "the server does not start"
    elif box.ports:
        message = f"inside the container {host} is the container alone: the published port "
        message += f"`{box.ports[0][0]}` reaches nobody"
    else:
        return
    fix = "write `0.0.0.0`, and publish the port on the address that you mean"
    yield Hit(message=message, place=address.place, fix=fix)
