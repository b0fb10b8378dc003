"""What is said of a container: its image, what it publishes, mounts and may use of GPUs."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.engines import load_engine, load_signs
from generator.importing.cluster import OF_CLUSTERS
from generator.importing.entries import Entry, Left
from generator.meaning import port_of
from generator.readers.base import image_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Container, Place, View

_OF_TEMPLATES: Final = "{{"
_HUB: Final = "docker.io/"
_LATEST: Final = "latest"
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- what a published port without an address means
_POLICIES: Final = frozenset({"no", "always", "on-failure", "unless-stopped"})
_OF_ENGINE: Final = frozenset({"compose", "script"})
"""Kinds of file whose containers the engine of containers starts again, and no systemd."""
_BY_COMMAND: Final = frozenset({"script", "systemd"})
"""Kinds of file in which a command with options runs a container."""
_ROOT: Final = frozenset({"root", "0", "0:0", "root:root"})
"""The user that the image itself has."""
_SAID: Final = frozenset(
    {
        *("env", "env-file", "publish", "volume", "mount", "gpus", "device", "runtime", "name"),
        *("restart", "detach", "interactive", "tty", "rm", "pull", "user", "privileged"),
        *("memory", "memory-swap", "cpus", "cpuset-cpus"),
        *("cpuset-mems", "pids-limit", "oom-score-adj", "replace"),
    }
)
"""Options that a View has as something else, and those that make no difference to a service."""
_NAMES: Final = frozenset({"ContainerName", "container_name"})
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_OF_GPUS: Final = frozenset(
    {
        *("nvidia.com/gpu", "amd.com/gpu", "gpus", "runtime", "runtimeClassName", "AddDevice"),
        *("devices", "device", "acceleration"),
    }
)
"""Keys and options that give a container its GPUs."""
_PLAIN: Final = re.compile(r"(?!(?:host|none|bridge|private|pasta|slirp4netns)$)[\w.-]+")
"""A network by its name, and no mode of one."""
_FILLED: Final = "a variable of the host fills in a part of it"
_WRITE: Final = "write its value into the profile"
_CDI: Final = re.compile(r"(?:[\w.-]+/gpu=)?(.+)")
_PORT: Final = re.compile(
    r"(?:(?:(?P<host>\[[0-9a-fA-F:.]+\]|\d+(?:\.\d+){3}|localhost):)?(?P<port>\d+):)?(?P<inside>\d+)"
    r"(?:/tcp)?",
    re.ASCII,
)


def container(view: View, facts: Facts) -> Iterator[Entry | Left]:
    """Yield what the container of a View becomes."""
    box = view.container
    if box is None:
        return
    yield from _image(view, box, facts)
    yield from _name(view)
    yield from _ports(view, box, facts)
    if view.phrases.kind not in OF_CLUSTERS:
        yield from _mounts(view, box, facts)
    yield from _gpus(view, box)
    yield from _network(view)
    if box.restart in _POLICIES and view.phrases.kind in _OF_ENGINE:
        yield Entry(key="container.restart", value=box.restart, name="restart", place=box.place)
    elif box.restart and view.phrases.kind in _OF_ENGINE:
        yield from _restart(box)
    if view.phrases.kind == "quadlet" and view.manager == "user":
        yield Entry(key="container.rootless", value=True, name="rootless", place=view.place)
    yield from _lost(box)
    if view.phrases.kind in _BY_COMMAND:
        yield from _options(box, view)
    elif view.phrases.kind == "compose":
        yield from _labels(box)


def _restart(box: Container) -> Iterator[Entry | Left]:
    """Yield a policy with a number of attempts, which a profile has none of."""
    policy = box.restart.partition(":")[0]
    if policy in _POLICIES:
        yield Entry(key="container.restart", value=policy, name="restart", place=box.place)
        reason = f"a profile has no number of attempts: `{policy}` is tried again without end"
    else:
        reason = "it is no policy that Docker has"
    yield Left(name="restart", value=box.restart, place=box.place, reason=reason)


def _image(view: View, box: Container, facts: Facts) -> Iterator[Entry | Left]:
    told, image = image_name(box.image), facts.image
    if not box.image or _OF_TEMPLATES in told.tag:  # A chart's own: nobody named one.
        return
    if not load_signs(view.engine).is_build(told.repository, called=False):
        reason, fix = "it is built on the host", "name the image by `container.image`"
        yield Left(name="image", value=box.image, place=box.of_image, reason=reason, fix=fix)
        return
    if told.repository.removeprefix(_HUB) != image.repository:
        yield Entry(key="container.image", value=told.repository, name="image", place=box.of_image)
    usual = {pattern.format(release=facts.release) for pattern in (image.tag, image.rocm_tag)}
    if told.tag not in usual:
        yield Entry(
            key="container.tag", value=told.tag or _LATEST, name="image", place=box.of_image
        )
    if told.digest:
        reason = "a profile names an image by its tag, and not by a digest"
        yield Left(name="image", value=box.image, place=box.of_image, reason=reason)


def _name(view: View) -> Iterator[Entry]:
    """Yield what the container is called, and in a compose file its service and project."""
    told = {line.name: line.value for line in view.lines if line.name in _NAMES}
    within = view.phrases.kind == "compose"
    called = next(iter(told.values()), "" if within else view.name.removesuffix(".container"))
    project = next((one.value for one in view.keys if one.path == ("name",)), "")
    keys = {"container.name": called}
    if within:
        keys["container.service"] = view.name if view.name != called else ""
        keys["container.project"] = project if _PROJECT.fullmatch(project) else ""
    for key, value in keys.items():
        if _WORD.fullmatch(value):
            yield Entry(key=key, value=value, name=key.partition(".")[2], place=view.place)


def inside_port(view: View, facts: Facts) -> int:
    """Return the port on which the server listens in its container."""
    said = view.variable(load_signs(view.engine).address)
    return port_of(said.value, facts.image.port) if said else facts.image.port


def _ports(view: View, box: Container, facts: Facts) -> Iterator[Entry | Left]:
    inside, found = inside_port(view, facts), False
    for text, place in box.ports:
        if "$" in text:
            yield Left(name="ports", value=text, place=place, reason=_FILLED)
            continue
        match = _PORT.fullmatch(text)
        if match is None or not match["port"] or int(match["inside"]) != inside or found:
            reason = "a profile publishes the port of the API, once, as a port of the host"
            yield Left(name="ports", value=text, place=place, reason=reason)
            continue
        found = True
        yield from _listen(view, match, place)
    if box.host_network is not None:
        yield from _on_the_host(view, box.host_network, facts)


def _listen(view: View, match: re.Match[str], place: Place) -> Iterator[Entry]:
    host = (match["host"] or _EVERYWHERE).strip("[]")
    for key, value in (("host", host), ("port", int(match["port"]))):
        yield Entry(key=f"{view.engine}.{key}", value=value, name="ports", place=place)


def _on_the_host(view: View, place: Place, facts: Facts) -> Iterator[Entry | Left]:
    """Yield where a server listens that has the network of the host: where its variable says."""
    reason = "a profile has no network of the host: the port is published instead"
    yield Left(name="network_mode", value="host", place=place, reason=reason)
    said = view.variable(load_signs(view.engine).address)
    usual = {"host": _EVERYWHERE, "port": facts.image.port}
    listen: dict[str, object] = {f"{view.engine}.{key}": value for key, value in usual.items()}
    if said is not None:
        listen |= load_engine(view.engine).meant(said.name, said.value, facts).keys
    for key, value in listen.items():
        yield Entry(key=key, value=value, name="network_mode", place=said.place if said else place)


def _mounts(view: View, box: Container, facts: Facts) -> Iterator[Entry | Left]:
    image, models = facts.image, _models_inside(view, facts)
    for text, place in box.mounts:
        if "$" in text:
            yield Left(name="volumes", value=text, place=place, reason=_FILLED)
            continue
        source, _, rest = text.partition(":")
        target = posixpath.normpath(rest.partition(":")[0] or source)
        path = _path(source, place)
        key = f"{view.engine}.models_dir"
        if target == image.home_path and path is None and rest:
            value = _volume(view, source)
            yield Entry(key="container.volume", value=value, name="volumes", place=place)
        elif target == image.home_path and path:
            yield Entry(key="container.home_dir", value=path, name="volumes", place=place)
        elif target == models and path and not _read_only(rest):
            yield Entry(key=key, value=path, name="volumes", place=place)
        else:
            reason = "a profile mounts the volume of the server and its models"
            yield Left(name="volumes", value=text, place=place, reason=reason)
    yield from _scratch(view)


def _scratch(view: View) -> Iterator[Left]:
    """Yield what is in memory by the long form of a volume, which is no mount of the host."""
    kind = ""
    for line in view.lines:
        if line.section != f"services.{view.name}.volumes":
            continue
        kind = line.value if line.name == "type" else kind
        if kind == "tmpfs" and line.name == "target":
            reason = "what a container has in memory is decided, and no key of a profile says it"
            yield Left(name="volumes", value=f"tmpfs:{line.value}", place=line.place, reason=reason)


def _models_inside(view: View, facts: Facts) -> str:
    """Return where the server in the container looks for models."""
    engine, key = load_engine(view.engine), f"{view.engine}.models_dir"
    said = (
        one.value for one in view.served if key in engine.meant(one.name, one.value, facts).keys
    )
    return posixpath.normpath(next(filter(None, said), facts.image.models_path))


def _read_only(rest: str) -> bool:
    return "ro" in rest.partition(":")[2].split(",")


def _path(source: str, place: Place) -> str | None:
    """Return the directory of the host that is mounted; None: it is a volume."""
    if source.startswith("/"):
        return posixpath.normpath(source)
    if source.startswith((".", "~")) or "/" in source:
        path = posixpath.join(posixpath.dirname(place.file), source)
        return path if source.startswith("~") else posixpath.abspath(path)
    return None


def _volume(view: View, source: str) -> str:
    """Return what the engine of containers calls a volume that the file calls `source`."""
    told = {one.path: one.value for one in view.keys}
    if view.phrases.kind == "quadlet":
        return _named(view, source, "Volume")
    if named := told.get(("volumes", source, "name")):
        return named
    if view.phrases.kind != "compose" or ("volumes", source, "external") in told:
        return source
    folder = posixpath.basename(posixpath.dirname(posixpath.abspath(view.place.file)))
    project = re.sub(r"[^a-z0-9_-]", "", told.get(("name",), folder).lower()).lstrip("_-")
    return f"{project}_{source}" if project else source


def _named(view: View, source: str, kind: str) -> str:
    """Return what Podman calls a volume or network of which a quadlet names the file."""
    suffix = f".{kind.lower()}"
    if not source.endswith(suffix):
        return source
    own = (one for one in view.keys if posixpath.basename(one.place.file) == source)
    told = {one.path: one.value for one in own}
    return told.get((kind, f"{kind}Name"), f"systemd-{source.removesuffix(suffix)}")


def _gpus(view: View, box: Container) -> Iterator[Entry]:
    place = _place_of_gpus(view, box)
    if view.acceleration and (box.gpu_access or view.acceleration != "cpu"):
        key = f"{view.engine}.acceleration"
        yield Entry(key=key, value=view.acceleration, name="gpus", place=place)
    ids = [match[1] for one in box.gpus if (match := _CDI.fullmatch(one))]
    if ids and "all" not in ids:
        yield Entry(key="gpu.visible_devices", value=ids, name="gpus", place=place)


def _place_of_gpus(view: View, box: Container) -> Place:
    """Return where a container is given its GPUs; of none, and where nobody tells, the image."""
    keys = ((one.path[-1], one.path[-2:], one.place) for one in view.keys if one.path)
    for name, end, place in keys:
        if name in _OF_GPUS or end == ("gpu", "enabled"):
            return place
    told = ((one.name, one.place) for one in (*view.lines, *box.options))
    return next((place for name, place in told if name in _OF_GPUS), box.place)


def _network(view: View) -> Iterator[Entry]:
    """Yield the network that the container joins, where it is one that is there already."""
    there = {one.path[1] for one in view.keys if one.path[::2] == ("networks", "external")}
    sections = {f"services.{view.name}": "networks", "Container": "Network"}
    joined = [line for line in view.lines if sections.get(line.section) == line.name]
    for line in joined if len(joined) == 1 else ():
        name = line.value if line.name == "networks" else _named(view, line.value, "Network")
        if line.value in there or (line.name == "Network" and _PLAIN.fullmatch(name)):
            yield Entry(key="container.network", value=name, name=line.name, place=line.place)


def _options(box: Container, view: View) -> Iterator[Entry | Left]:
    """Yield what else the command says that runs it."""
    for one in box.options:
        told = one.name == "ulimit" and one.value.startswith("memlock")
        if one.name == "env" and "=" not in one.value and view.variable(one.value) is None:
            yield Left(name=one.value, value="", place=one.place, reason=_FILLED, fix=_WRITE)
            continue
        if one.name in _SAID or told or (one.name, one.value) == ("network", "host"):
            continue
        if one.name == "network" and _PLAIN.fullmatch(one.value):
            yield Entry(key="container.network", value=one.value, name=one.name, place=one.place)
            continue
        reason = "no key of a profile says it"
        yield Left(name=f"--{one.name}", value=one.value, place=one.place, reason=reason)


def _labels(box: Container) -> Iterator[Left]:
    """Yield the labels of a service, by which others find it, as proxies do."""
    for one in box.options:
        if one.name == "label":
            reason, fix = "no key of a profile says it", "add it to what is rendered, if it matters"
            yield Left(name="labels", value=one.value, place=one.place, reason=reason, fix=fix)


def _lost(box: Container) -> Iterator[Left]:
    """Yield what a profile has no word for."""
    if box.user and box.user not in _ROOT:
        reason = "whom the server may be depends on what is mounted for its keys and models"
        fix = "set `container.user`, with a `container.home_dir` that is theirs"
        yield Left(name="user", value=box.user, place=box.place, reason=reason, fix=fix)
    if box.privileged is not None:
        reason = "a profile gives a container its GPUs alone"
        yield Left(name="privileged", value="true", place=box.privileged, reason=reason)
    if words := [word for word, _ in box.arguments if word != "serve"]:
        reason = "a profile runs the image's own command"
        place = box.arguments[0][1]
        yield Left(name="command", value=" ".join(words), place=place, reason=reason)
