"""What the other services of a project ask of a server, and what they lack for it."""

from __future__ import annotations

import contextlib
import posixpath
import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Source, image_name
from generator.readers.compose import BASES
from generator.readers.compose.container import BEGINS, argv, ports_of, texts_of
from generator.readers.compose.project import Loader, Project, joined, load_project
from generator.readers.compose.siblings import names_of
from generator.readers.nginx.read import opened
from generator.readers.syntax.docker import on_host
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.view import NOWHERE, OPENED, UNHEARD, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context

_ADDRESS: Final = re.compile(r"(?:https?://)?([A-Za-z0-9][A-Za-z0-9_-]{0,99}):\d{1,5}(?:/\S*)?")
_COMPOSE: Final = re.compile(r"(?:docker-)?compose[\w.-]*\.ya?ml|[\w.-]*compose\.ya?ml")
_MAKES: Final = frozenset({"image", "build", "extends", "provider", "command"})
_MOST: Final = 10  # files of one folder
_BARE: Final = re.compile(
    r"(?:docker\.io/)?(?:library/)?(?:curlimages/curl|(?:badouralix|dwdraju|bitnami)/[\w-]*curl[\w-]*|alpine"
    r"|busybox|debian|ubuntu|bash|python|node|docker|appropriate/curl|alpine/curl)(?::[\w.-]+)?"
)
"""Images of others that surely have no program of an engine."""
_INSTALLS: Final = re.compile(
    r"\b(?:docker|podman)\b|install\.sh|\b(?:install|add)\b|\b\w+\s*\(\)|\balias\b|/bin/ollama"
)


def proxied(name: str, service: Table, place: str, context: Context) -> Iterator[Line]:
    """Yield the ports of an nginx that open an engine to anybody, or at which it does not listen.

    Only where its one file is at hand, and it begins as its image does.
    """
    base = image_name(service.text("image")).repository.rpartition("/")[2]
    if base not in _NGINX or {"build", "command", "entrypoint"} & service.entries.keys():
        return
    files = [
        text.split(":") for text in texts_of(service.items("volumes")) if ":/etc/nginx" in text
    ]
    if len(files) != 1 or not (target := _OF_NGINX.fullmatch(files[0][1])):
        return
    path = joined(place, files[0][0])
    text = context.read(path)
    found = opened(Source(path, text), context) if text is not None else None
    if found is None:
        return
    listens, free = found
    listens |= set() if target[1] in {"nginx", "conf.d/default"} else {"80"}
    for port, at in ports_of(name, service):
        host, inside = on_host(port), re.search(r":(\d+)$", port)
        if host is None or inside is None:
            continue
        if inside[1] in free and not host[0]:
            yield Line(section=OPENED, name=name, value=port, place=at)
        elif inside[1] not in listens and free:
            yield Line(section=UNHEARD, name=name, value=port, place=at)


_NGINX: Final = frozenset({"nginx", "nginx-unprivileged"})
_OF_NGINX: Final = re.compile(r"/etc/nginx/(nginx|conf\.d/[\w-]+)\.conf")


def is_bare(image: str) -> bool:
    """Whether an image is one of a few that surely have no program of an engine."""
    return _BARE.fullmatch(image.partition("@")[0]) is not None


def scripts_alone(service: Table, scripts: Iterable[Line], place_key: str) -> Iterator[Line]:
    """Yield the scripts that a service of a foreign image runs, which install nothing."""
    inline = (
        Line(section="", name=place_key, value=word, place=service.place_of(key))
        for key in BEGINS
        for word in argv(service, key)
        if " " in word
    )
    every = [*scripts, *inline]
    mounts = " ".join(texts_of(service.items("volumes")))
    if not any(_INSTALLS.search(line.value) for line in every) and "/bin/" not in mounts:
        yield from every


def nowhere(project: Project, place: str, context: Context, *, serves: bool) -> Iterator[Line]:
    """Yield the addresses of clients whose host is no service, for sure.

    A name without a dot may be that of another machine: only one like the engine's is told of, and
    only where its server is at hand, in the project or in the one whose network is used.
    """
    engine = context.engine
    names = {*_names(project), *_elsewhere(place, context)}
    by_vllm = any(_VLLM.search(f"{n} {one.text('image')}") for n, one in project.services.items())
    for name, service in project.services.items():
        for key, node in service.table("environment").entries.items():
            told = isinstance(node, Scalar) and node.explicit and _ADDRESS.fullmatch(node.text)
            if not isinstance(node, Scalar) or not told or told[1] in names:
                continue
            ours = re.fullmatch(f"{engine.application}|{re.escape(engine.address)}", key)
            ours = ours if engine.name in told[1].lower() else None
            # Whoever asks a vLLM of the project does so as one asks OpenAI.
            theirs = by_vllm and _VLLM.search(told[1]) and _OF_OPENAI.fullmatch(key)
            if not (ours or theirs) or service.get("network_mode"):
                continue
            known, others = _of_networks(project, service, place, context)
            at_hand = serves or theirs or engine.name in " ".join(others)
            if known and told[1] not in others and at_hand:
                yield Line(section=f"{NOWHERE}.{name}", name=key, value=node.text, place=node.place)


_VLLM: Final = re.compile(r"(?i)(?<![a-z])vllm(?![a-z])")
_OF_OPENAI: Final = re.compile(
    r"(?:\w+_)?(?:OPENAI|VLLM|LLM)_(?:API_)?(?:BASE|BASE_URL|BASE_URLS|URL|ENDPOINT|HOST)"
)


def _names(project: Project) -> Iterator[str]:
    """Yield the names by which services reach each other."""
    for name, service in project.services.items():
        yield from names_of(name, service)
        for text in texts_of(chain(service.items("extra_hosts"), service.items("links"))):
            yield from re.split(r"[:=]", text)
        yield from service.table("extra_hosts").entries


def _elsewhere(place: str, context: Context) -> Iterator[str]:
    """Yield all words of other Compose files of the folder, which may be laid over this one."""
    for source in _others(place, context):
        yield from re.findall(r"[\w-]+", source.text)


def _others(place: str, context: Context) -> Iterator[Source]:
    """Yield the other Compose files of the folder."""
    files = [path for path in context.listed(place) if _COMPOSE.fullmatch(posixpath.basename(path))]
    for path in files[:_MOST]:
        if path != place:
            yield Source(path, context.read(path) or "")


def made_beside(place: str, context: Context) -> set[str] | None:
    """Return the services that other Compose files of the folder say more of; None: who knows."""
    found = set[str]()
    for source in _others(place, context):
        loader = Loader(context.read)
        try:
            project = load_project([source], loader)
        except ProfileError:
            return None
        if loader.gaps or loader.problems:
            return None
        found |= {name for name, one in project.services.items() if _MAKES & one.entries.keys()}
    return found


def _of_networks(
    project: Project, service: Table, place: str, context: Context
) -> tuple[bool, set[str]]:
    """Return whether all networks of a service are known, and who else is in them."""
    declared, found = project.top.table("networks"), set[str]()
    node = service.get("networks")
    used = (
        [*texts_of(node.items)] if isinstance(node, Items) else [*service.table("networks").entries]
    )
    for network in used or ["default"]:
        told = declared.table(network)
        if "external" not in told.entries or told.text("external") == "false":
            continue
        name = told.text("name") or told.text("external", "name") or network
        others = _beside(name, place, context)
        if others is None:
            return False, found
        found |= others
    return True, found


def _beside(network: str, place: str, context: Context) -> set[str] | None:
    """Return the names of the project beside this one whose own network it is; None: no such."""
    folder, _, own = network.rpartition("_")
    for file in BASES if folder and own == "default" else ():
        path = joined(place, f"../{folder}/{file}")
        text = context.read(path)
        if text is not None:
            with contextlib.suppress(ProfileError):
                return set(_names(load_project([Source(path, text)], Loader(context.read))))
    return None
