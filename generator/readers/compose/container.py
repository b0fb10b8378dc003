"""The container of a Compose service: image, GPUs, ports, volumes, health check, limits."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from generator.errors import split_message
from generator.readers.compose.variables import substitute
from generator.readers.container import acceleration, container
from generator.readers.syntax import docker
from generator.readers.syntax.options import Argument, Option
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.records import replace
from generator.units import SHARES_PER_WEIGHT
from generator.view import Bound, Container, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from generator.readers.compose.project import Loader

Path = tuple[str, ...]
Value = int | str | None
_VALUES: Final = {
    "privileged": "privileged",
    "network_mode": "network",
    "user": "user",
    "runtime": "runtime",
    "userns_mode": "userns",
}
_REFERENCE: Final = re.compile(r"\$\{?(\w+)")
_BRACED: Final = re.compile(r"\$\{[^}]*\}")
BEGINS: Final = ("entrypoint", "command")
"""Keys of what a container begins with."""
_RESTARTS: Final = {"": "always", "any": "always", "none": "no"}
_PULLED_AGAIN: Final = r"always|daily|weekly|every_\w+"
_PERIOD: Final = 100_000
_NOTHING: Final = "nothing"
_LIMITS: Final = ("deploy", "resources", "limits")
_RESERVED: Final = ("deploy", "resources", "reservations")


def container_of(
    key: str, service: Table, around: Mapping[str, str | None]
) -> tuple[Container, str]:
    """Return what a service, whose key path is `key`, says of its container, and what that
    computes on.
    """
    options, found = list(_options(key, service)), service.scalar("image")
    lines = [place.line for place in service.places.values()]
    top = Place(service.place.file, min(lines, default=service.place.line))
    place = _at(found, f"{key}.image") if found else top
    held = container(reference(service, around), place, options, "docker", _restart(service))
    pulled = re.fullmatch(_PULLED_AGAIN, service.text("pull_policy"))
    moving = held.moving or bool(pulled) or "build" in service.entries
    said = () if service.get("entrypoint") else argv(service, "command")
    words = tuple((word, _placed(key, service)) for word in said)
    begun = _program(key, service)
    check = _healthcheck(key, service)
    shared = "host" if service.text("ipc") == "host" else service.text("shm_size")
    whole = replace(held, healthcheck=check, moving=moving, arguments=words, shared=shared)
    whole = replace(whole, program=begun)
    return whole, acceleration(held, options)


def _program(key: str, service: Table) -> tuple[tuple[str, Place], ...]:
    """Return the program that is named instead of the image's own, with all that it is told."""
    named = ("entrypoint", "command") if service.get("entrypoint") else ()
    return tuple(
        (word.text, replace(word.place, key=f"{key}.{part}"))
        for part in named
        for word in words_of(service, part)
    )


def _placed(key: str, service: Table) -> Place:
    return replace(service.place_of("command"), key=f"{key}.command")


def _options(key: str, service: Table) -> Iterator[Option]:
    """Yield the options of `docker run` that say the same."""
    for path, name in _VALUES.items():
        value = service.scalar(path)
        if value is not None and value.explicit and (path != "privileged" or value.is_true):
            yield _option(name, value.text, _at(value, f"{key}.{path}"))
    yield from _files(key, service)
    for text, place in _ports(key, service):
        yield _option("publish", text, place)
    for text, place in _mounts(key, service):
        yield _option("volume", text, place)
    for name, label in service.table("labels").entries.items():
        yield _option("label", f"{name}={''.join(_explicit((label,)))}", label.place)
    for text in _explicit(service.items("cap_add")):
        yield _option("cap-add", text, service.place_of("cap_add"))
    reserved = service.items("deploy", "resources", "reservations", "devices")
    for request in (*reserved, *service.items("gpus")):
        ids = _explicit(request.items("device_ids")) if isinstance(request, Table) else []
        if isinstance(request, Table) and request.text("driver") == "cdi" and ids:
            yield from (_option("device", one, request.place) for one in ids)
        else:
            driver = request.text("driver") if isinstance(request, Table) else ""
            other = f"driver={driver}," if driver not in {"", "nvidia"} else ""
            count = request.text("count") if isinstance(request, Table) and not other else ""
            listed = f"device={','.join(ids)}" if ids else count or "all"
            yield _option("gpus", f"{other}{listed}", request.place)
    for node in service.items("devices"):
        source = node.text("source") if isinstance(node, Table) else _short(node)
        yield _option("device", source, node.place)


def _files(key: str, service: Table) -> Iterator[Option]:
    """Yield what the container's own files are: read-only, or in memory."""
    alone = service.scalar("read_only")
    if alone is not None and alone.is_true:
        yield _option("read-only", "true", _at(alone, f"{key}.read_only"))
    for text in _explicit(service.items("tmpfs")):
        yield _option("tmpfs", text, service.place_of("tmpfs"))


def _option(name: str, text: str, place: Place) -> Option:
    return Option(name, text, Argument(text, place, lambda _: ""))


def reference(service: Table, around: Mapping[str, str | None]) -> str:
    """Return the image as the file names it: a variable that no `.env` tells stays one in the tag.

    Whose image it is, the default of such a variable tells.
    """
    image = service.scalar("image")
    if image is None:
        return ""
    if image.explicit and image.written and substitute(image.written, around.get) != image.text:
        return image.text  # Told by a file of variables that an `include` names.
    names = _REFERENCE.findall(image.written)
    open_ended = any(around.get(name) is None for name in names)
    if not image.written or not (open_ended or not image.explicit):
        return image.text
    # A colon of a variable begins no tag.
    masked = _BRACED.sub(lambda match: "x" * len(match[0]), image.written)
    colon = masked.rfind(":")
    end = colon if colon > masked.rfind("/") else len(masked)
    name = image.written[:end]
    return (substitute(name, around.get) or name) + image.written[end:]


def all_words(service: Table) -> list[Scalar]:
    """Return all words that a container begins with: those of its entry point, then the command."""
    return [word for key in BEGINS if key in service.entries for word in words_of(service, key)]


def argv(service: Table, key: str) -> list[str]:
    """Return the words of `command` or `entrypoint`, which is a list or a line."""
    return [word.text for word in words_of(service, key)]


def words_of(service: Table, key: str) -> list[Scalar]:
    """Return the same, each at its place; variables that nobody sets stand there: `${NAME}`."""
    node = service.get(key)
    if isinstance(node, Items):
        return [_open(item) for item in node.items if isinstance(item, Scalar)]
    return _split(_open(node) if isinstance(node, Scalar) else node)


def _open(node: Scalar) -> Scalar:
    if node.explicit:
        return node
    return replace(node, text=node.written.strip("\"'").replace("$$", "$"))


def _split(node: Node | None) -> list[Scalar]:
    if not isinstance(node, Scalar):
        return []
    try:
        found = shlex.split(node.text)
    except ValueError:
        found = node.text.split()
    return [replace(node, text=word) for word in found]


def _at(node: Node, key: str) -> Place:
    return Place(node.place.file, node.place.line, key)


def _explicit(nodes: tuple[Node, ...]) -> list[str]:
    return [node.text for node in nodes if isinstance(node, Scalar) and node.explicit]


def _shown(node: Scalar) -> str:
    """Return a value, as it is written where it depends on a variable without a value."""
    return node.text if node.explicit else node.written


def texts_of(nodes: Iterable[object]) -> Iterator[str]:
    """Yield the entries of a list in short form; of a volume in long form, where it lies."""
    for node in nodes:
        if isinstance(node, Scalar):
            yield node.text
        elif isinstance(node, Table):
            yield node.text("target")


def ports_of(name: str, service: Table) -> tuple[tuple[str, Place], ...]:
    """Return the ports that a service publishes, in short form."""
    return _ports(f"services.{name}", service) if "ports" in service.entries else ()


def _ports(key: str, service: Table) -> tuple[tuple[str, Place], ...]:
    found: dict[str, Place] = {}
    for number, node in enumerate(service.items("ports")):
        if text := _port(node) if isinstance(node, Table) else _short(node):
            mapped = f".{number}" if isinstance(node, Table) else ""
            found.setdefault(text, _at(node, f"{key}.ports{mapped}"))
    return tuple(found.items())


def _short(node: Node) -> str:
    return _shown(node) if isinstance(node, Scalar) else ""


def _port(port: Table) -> str:
    """Return the short form of a port that is written as a mapping."""
    words = {
        name: _shown(node)
        for name in ("host_ip", "published", "target", "protocol")
        if (node := port.scalar(name)) is not None
    }
    host = words.get("host_ip", "")
    host = f"[{host}]" if ":" in host else host
    parts = [host, words.get("published", ""), words.get("target", "")]
    while len(parts) > 1 and not parts[0]:
        parts.pop(0)
    protocol = words.get("protocol", "tcp")
    return ":".join(parts) + (f"/{protocol}" if protocol != "tcp" else "")


def _mounts(key: str, service: Table) -> tuple[tuple[str, Place], ...]:
    """Return the volumes in short form; a later one for the same path takes its place."""
    found: dict[str, tuple[str, Place]] = {}
    for node in service.items("volumes"):
        if text := _mount(node) if isinstance(node, Table) else _short(node):
            parts = text.split(":")
            found[parts[min(1, len(parts) - 1)]] = (text, _at(node, f"{key}.volumes"))
    return tuple(found.values())


def _mount(mount: Table) -> str:
    """Return the short form of a volume that is written as a mapping; a tmpfs keeps nothing."""
    source, target = mount.scalar("source"), mount.scalar("target")
    if target is None or mount.text("type") == "tmpfs":
        return ""
    reads = mount.scalar("read_only")
    parts = [_shown(source)] if source else []
    if parts and mount.text("type") == "bind" and parts[0][:1] not in {"", ".", "/", "~", "$"}:
        parts = [f"./{parts[0]}"]  # Without a slash it would be a volume by that name.
    return ":".join([*parts, _shown(target), *(["ro"] if reads and reads.is_true else [])])


def _healthcheck(key: str, service: Table) -> tuple[tuple[str, ...], Place] | None:
    check = service.get("healthcheck")
    if not isinstance(check, Table):
        return None
    disabled, test = check.scalar("disable"), check.get("test")
    if disabled is not None and disabled.is_true:
        return ("NONE",), _at(disabled, f"{key}.healthcheck.disable")
    place = _at(test or check, f"{key}.healthcheck.test")
    if isinstance(test, Items):
        return tuple(_shown(item) for item in test.items if isinstance(item, Scalar)), place
    if isinstance(test, Scalar) and test.kind != "null":
        return ("CMD-SHELL", _shown(test)), place
    return None


_OF_SWARM: Final = frozenset({"mode", "placement", "update_config", "endpoint_mode"})


def _restart(service: Table) -> str:
    """Return the restart policy; Compose asks `deploy` only where `restart` is not there."""
    plain = service.scalar("restart")
    if plain is not None and (plain.text or plain.written.startswith("${")):
        return plain.text or plain.written
    policy = service.get("deploy", "restart_policy")
    if not isinstance(policy, Table):
        # A swarm starts it again unless told otherwise, and Compose knows no such keys.
        return "any" if _OF_SWARM & set(service.table("deploy").entries) else ""
    condition = policy.text("condition")
    return _RESTARTS.get(condition, condition)


def bounds(key: str, service: Table, loader: Loader) -> tuple[Bound, ...]:
    """Return the limits of one service, whose key path is `key`; faults go to `loader`."""
    found: dict[str, Bound] = {}
    for name, path, read in _KEYS:
        value = service.scalar(*path)
        if value is None:
            continue
        place = Place(value.place.file, value.place.line, ".".join((key, *path)))
        try:
            # A limit from a variable without a value: there is one, of unknown size.
            limit = read(value.text, service) if value.explicit else None
        except ValueError as error:
            message, hint = split_message(error)
            loader.fail_at(value.place, f"`{'.'.join(path)}`: {message}", hint)
            continue
        if limit == _NOTHING:
            continue
        bound = Bound(name=name, value=limit, place=place, written=value.replaceable)
        found.setdefault(name, bound)
    return tuple(found.values())


def _alone(read: Callable[[str], Value]) -> Callable[[str, Table], Value]:
    return lambda text, _: read(text)


def _quota(text: str, service: Table) -> Value:
    """Read microseconds in a period; nothing where the shorter `cpus` says it, or -1."""
    period = service.scalar("cpu_period")
    length = docker.number(period.text) if period is not None and period.explicit else 0
    micros = docker.number(text)
    return round(micros * 100 / (length or _PERIOD)) if micros > 0 else None


def _shares(text: str, _: Table) -> Value:
    shares = docker.number(text)
    return max(1, round(shares / SHARES_PER_WEIGHT)) if shares > 0 else _NOTHING


def _swap(text: str, service: Table) -> Value:
    """Docker counts memory and swap together, and both only where memory is limited."""
    limit = service.scalar("mem_limit") or service.scalar(*_LIMITS, "memory")
    if text == "-1":
        return None
    both = docker.size(text)
    if limit is None or both == 0:
        return _NOTHING
    return max(0, both - docker.size(limit.text)) if limit.explicit else None


def _both(text: str, _: Table) -> Value:
    return docker.size(text) or _NOTHING if text != "-1" else _NOTHING


# The first that is there wins: Compose lets the long form stand beside the short one only where
# they agree.
_KEYS: Final[tuple[tuple[str, Path, Callable[[str, Table], Value]], ...]] = (
    ("cpu_quota", ("cpus",), _alone(docker.cpus)),
    ("cpu_quota", (*_LIMITS, "cpus"), _alone(docker.cpus)),
    ("cpu_quota", ("cpu_quota",), _quota),
    ("cpu_weight", ("cpu_shares",), _shares),
    ("allowed_cpus", ("cpuset",), _alone(docker.cpu_list)),
    ("memory_max", ("mem_limit",), _alone(docker.memory)),
    ("memory_max", (*_LIMITS, "memory"), _alone(docker.memory)),
    ("memory_high", ("mem_reservation",), _alone(docker.memory)),
    ("memory_high", (*_RESERVED, "memory"), _alone(docker.memory)),
    ("memory_swap_max", ("memswap_limit",), _swap),
    ("memory_and_swap", ("memswap_limit",), _both),
    ("tasks_max", ("pids_limit",), _alone(docker.count)),
    ("tasks_max", (*_LIMITS, "pids"), _alone(docker.count)),
    ("limit_memlock", ("ulimits", "memlock"), _alone(docker.locked)),
    ("limit_memlock", ("ulimits", "memlock", "soft"), _alone(docker.locked)),
    ("oom_score_adjust", ("oom_score_adj",), _alone(docker.whole)),
)
PATHS: Final = frozenset(path for _, path, _ in _KEYS)
"""The key paths that are limits."""
