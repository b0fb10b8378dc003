"""What options of a container runtime say, as a Container, Variables and Bounds."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Final, Literal

from generator.meaning import GO_FALSE
from generator.readers.base import Context, Source, image_name
from generator.readers.beside import installed, missing
from generator.readers.environment.read import container_file
from generator.readers.syntax import docker
from generator.readers.syntax.script import lines as script_lines
from generator.readers.syntax.shell import calls, use_of
from generator.records import replace
from generator.units import whole
from generator.view import STARTED, Bound, Container, Line, ModelUse, NotJudged, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.options import Argument, Option

    Word = tuple[str, Place]

Access = Literal["reservation", "cdi", "runtime", "devices"]
_NAME: Final = re.compile(r"(?:(?:export|ENV|env|set)[ \t]+)?[A-Za-z_][A-Za-z0-9_]*")
"""The name of a variable, also with a word before it that Docker makes a part of it."""
_NODES: Final = ("/dev/nvidia", "/dev/kfd", "/dev/dri", "/dev/dxg")
_CDI: Final = re.compile(r"[\w.-]+/gpu=.+")
_FOLLOWS: Final = re.compile(
    r"\bio\.containers\.autoupdate=[\"']?registry"
    r"|\bcom\.centurylinklabs\.watchtower\.(?:enable=[\"']?true|scope=[\"']?(?!none\b))"
)
_PULLED_AGAIN: Final = frozenset({"always", "newer"})
_LOCKS: Final = frozenset({"ALL", "IPC_LOCK", "CAP_IPC_LOCK"})


def arguments(options: Iterable[Option], words: Iterable[Argument]) -> tuple[Word, ...]:
    """Return the words behind the image that its own program gets: none, where another is named."""
    named = any(option.name == "entrypoint" for option in options)
    return () if named else tuple((word.text, word.place) for word in words)


def program(options: Iterable[Option], words: Iterable[Argument]) -> tuple[Word, ...]:
    """Return the program that is named instead of the image's own, with all that it is told."""
    named = [option for option in options if option.name == "entrypoint"]
    told = [(text, o.argument.place) for o in named if o.value for text in _listed(o.value)]
    return (*told, *((word.text, word.place) for word in words)) if named else ()


def _listed(text: str) -> list[str]:
    """Return the words of a list in JSON, as Podman and quadlets take one; else the text."""
    words = None
    if text.startswith("["):
        with contextlib.suppress(ValueError, RecursionError):
            words = json.loads(text)
    listed = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return words if listed and words else [text]


def container(
    image: str, place: Place, options: Sequence[Option], client: str, restart: str
) -> Container:
    """Return the container that `client` runs; `restart` is the policy of the unit around it."""
    name = image_name(image)
    ways, gpus = _gpus(options, client)
    privileged, networks = _last(options, "privileged"), _of(options, "network")
    return Container(
        image=image,
        place=place,
        tag=name.tag,
        digest=name.digest,
        gpu_access=ways[0] if ways else "",
        gpu_also=tuple(ways[1:]),
        gpus=tuple(gpus),
        gpu_number=next((n for o in _of(options, "gpus") if (n := whole(o.value))), 0),
        shared="host" if _value(options, "ipc") == "host" else _value(options, "shm-size"),
        nodes=tuple(one for one in _placed(options, "device") if one[0].startswith(("/", "$"))),
        privileged=privileged.argument.place if privileged and privileged.on else None,
        host_network=next((o.argument.place for o in networks if o.value == "host"), None),
        user=_value(options, "user"),
        home=_home(options),
        ports=_placed(options, "publish"),
        mounts=(*_placed(options, "volume"), *_mounts(options)),
        healthcheck=_healthcheck(options),
        restart=_value(options, "restart") or restart,
        memlock=any(o.value.upper() in _LOCKS for o in _of(options, "cap-add")),
        read_only=next((o.argument.place for o in _of(options, "read-only") if o.on), None),
        scratch=tuple(o.value.partition(":")[0] for o in _of(options, "tmpfs")),
        moving=_value(options, "pull") in _PULLED_AGAIN
        or any(_FOLLOWS.search(o.value) for o in _of(options, "label")),
        options=tuple(
            Line(section="", name=o.name, value=o.value, place=o.argument.place) for o in options
        ),
    )


def variables(
    options: Iterable[Option], context: Context, client: Mapping[str, str] | None
) -> list[tuple[Variable, str]]:
    """Return what the server in the container gets, each beside the file that brings it.

    `client` is the environment of the command, from which `--env NAME` takes a value; None:
    nobody knows what is in it.
    """
    files: list[tuple[Variable, str]] = []
    own: list[tuple[Variable, str]] = []
    for option in options:
        by = option.argument.place.file
        if option.name == "env-file":
            source = _env_file(option, context)
            files += ((variable, by) for variable in (container_file(source) if source else ()))
        elif option.name == "env":
            own += ((variable, by) for variable in _variable(option, client))
        elif option.name == "secret":
            own += ((variable, by) for variable in _of_secret(option))
    return [*files, *own]


def _env_file(option: Option, context: Context) -> Source | None:
    path, by = option.value, option.argument.place.file
    if path.startswith("/"):
        return installed(path, by, context)
    text = context.read(path)
    return None if text is None else Source(path, text)


def gaps(options: Iterable[Option], context: Context) -> tuple[NotJudged, ...]:
    """Return the files of variables that are not at hand."""
    files = (option for option in options if option.name == "env-file")
    lost = (option for option in files if _env_file(option, context) is None)
    gaps = (missing(option.value, option.argument.place) for option in lost)
    return tuple(replace(gap, variables=True) for gap in gaps)


def _variable(option: Option, client: Mapping[str, str] | None) -> Iterator[Variable]:
    name, equals, value = option.value.partition("=")
    unknown = not equals and client is None
    if not _NAME.fullmatch(name) or not (equals or unknown or name in (client or ())):
        return
    yield Variable(
        name=name,
        value=value if equals else (client or {}).get(name, ""),
        place=option.argument.place,
        written=option.written(f"{name}=") if equals else "",
        unresolved=unknown or option.argument.unresolved or "$" in value,
    )


def _of_secret(option: Option) -> Iterator[Variable]:
    """Yield the variable that Podman makes of a secret: `NAME,type=env,target=VARIABLE`."""
    name, *fields = option.value.split(",")
    told = dict(field.partition("=")[::2] for field in fields)
    if told.get("type") == "env":
        place = option.argument.place
        yield Variable(name=told.get("target", name), value="", place=place, unresolved=True)


def bounds(options: Sequence[Option]) -> tuple[Bound, ...]:
    """Return the limits of the container, under their profile names and in the Plan's units."""
    found: dict[str, Bound] = {}
    for option in options:
        key, text = option.name, option.value
        if key == "ulimit":
            kind, _, text = text.partition("=")
            key = f"ulimit-{kind}"
        if key not in _LIMITS:
            continue
        name, read = _LIMITS[key]
        with contextlib.suppress(ValueError):
            place, written = option.argument.place, option.written()
            found[name] = Bound(name=name, value=read(text), place=place, written=written)
    return tuple(_swap(found, options))


def _swap(found: dict[str, Bound], options: Sequence[Option]) -> Iterator[Bound]:
    """Yield the limits, and the swap alone: `--memory-swap` is memory and swap together."""
    yield from found.values()
    total, memory = _last(options, "memory-swap"), found.get("memory_max")
    if total is None:
        return
    bound = Bound(name="memory_swap_max", value=None, place=total.argument.place)
    if total.value == "-1":
        yield bound
        return
    with contextlib.suppress(ValueError):
        if both := docker.size(total.value):
            yield replace(bound, name="memory_and_swap", value=both)
    if memory is not None and isinstance(memory.value, int):
        with contextlib.suppress(ValueError):
            both = docker.size(total.value)
            if both >= memory.value:
                yield replace(bound, value=both - memory.value)


def _gpus(options: Sequence[Option], client: str) -> tuple[list[Access], list[str]]:
    """Return the ways in which GPUs get in, and which; no ids are all of them.

    Podman makes CDI devices of `--gpus`.
    """
    ways: list[Access] = []
    ids: list[str] = []
    for asked in _of(options, "gpus"):
        ways.append("cdi" if client == "podman" else "reservation")
        listed = re.search(r"device=([^\"']+)", asked.value)
        ids += listed[1].split(",") if listed else []
    if _value(options, "runtime") == "nvidia":
        ways.append("runtime")
    for device in _of(options, "device"):
        if _CDI.fullmatch(device.value):
            ways.append("cdi")
            ids.append(device.value)
        elif device.value.startswith(_NODES):
            ways.append("devices")
    if _each_in_a_branch(options):
        ways = ways[:1]
    if _one_each([*ids, *(["nvidia.com/"] if "cdi" in ways and not ids else [])], options):
        ways = [way for way in ways if way != "devices"]
    return list(dict.fromkeys(ways)), list(dict.fromkeys(ids))


def _each_in_a_branch(options: Sequence[Option]) -> bool:
    """Whether a script lists the ways of GPUs on lines of their own, of which each may be for one.

    Of an array nobody tells which branches add to it.
    """
    told = [o.argument for name in ("gpus", "runtime", "device") for o in _of(options, name)]
    lines = {argument.place.line for argument in told}
    return len(lines) > 1 and all(argument.listed for argument in told)


def _one_each(ids: Iterable[str], options: Sequence[Option]) -> bool:
    """Whether CDI names NVIDIA's devices alone, and nodes are given of others alone."""
    nodes = (device.value for device in _of(options, "device") if device.value.startswith("/"))
    by_cdi = [one for one in ids if "/" in one]
    theirs = bool(by_cdi) and all(one.startswith("nvidia.com/") for one in by_cdi)
    return theirs and not any(node.startswith("/dev/nvidia") for node in nodes)


def acceleration(box: Container, options: Sequence[Option]) -> str:
    """Return what the container computes on, as far as image and devices tell."""
    devices = " ".join(o.value for o in _of(options, "device"))
    by_amd = any(o.value.startswith("driver=amd") for o in _of(options, "gpus"))
    if by_amd or "rocm" in box.tag or "/dev/kfd" in devices or "amd.com/gpu" in devices:
        return "rocm"
    asked = _of(options, "gpus") or _value(options, "runtime") == "nvidia"
    if asked or "nvidia" in devices:
        return "cuda"
    return ""


def _mounts(options: Sequence[Option]) -> Iterator[tuple[str, Place]]:
    for option in _of(options, "mount"):
        fields = dict(field.partition("=")[::2] for field in option.value.split(","))
        source = fields.get("source") or fields.get("src") or ""
        target = fields.get("target") or fields.get("destination") or fields.get("dst") or ""
        if target and fields.get("type") != "tmpfs":
            told = f"{source}:{target}" if source else target
            yield told + (":ro" if source and _is_read_only(fields) else ""), option.argument.place


def _is_read_only(fields: Mapping[str, str]) -> bool:
    """Return whether a mount says so: by the word alone, or by one with a value that is true."""
    return any(fields[key] not in GO_FALSE for key in ("readonly", "ro") if key in fields)


def _home(options: Sequence[Option]) -> str:
    """Return the home of the user inside: with `keep-id`, the host's user, it is `/`."""
    mode, _, ids = _value(options, "userns").partition(":")
    root = _value(options, "user").partition(":")[0] in {"root", "0"} or "uid=0" in ids.split(",")
    return "/" if mode == "keep-id" and not root else ""


def _healthcheck(options: Sequence[Option]) -> tuple[tuple[str, ...], Place] | None:
    """Return the test as compose files spell it: `CMD` and words, or `CMD-SHELL` and a script."""
    option = _last(options, "health-cmd") or _last(options, "no-healthcheck")
    if option is None or not option.value:
        return None
    place = option.argument.place
    if option.name == "no-healthcheck" or option.value == "none":
        return ("NONE",), place
    if option.value.startswith("["):
        try:
            words = json.loads(option.value)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            test = words if words[0] in {"CMD", "CMD-SHELL", "NONE"} else ["CMD", *words]
            return tuple(test), place
    return ("CMD-SHELL", option.value), place


def _placed(options: Iterable[Option], name: str) -> tuple[tuple[str, Place], ...]:
    return tuple((o.value, o.argument.place) for o in _of(options, name))


def _of(options: Iterable[Option], name: str) -> list[Option]:
    return [option for option in options if option.name == name]


def _last(options: Iterable[Option], name: str) -> Option | None:
    return next(reversed(_of(options, name)), None)


def _value(options: Iterable[Option], name: str) -> str:
    option = _last(options, name)
    return option.value if option else ""


_LIMITS: Final[dict[str, tuple[str, Callable[[str], int | str | None]]]] = {
    "cpus": ("cpu_quota", docker.cpus),
    "cpu-shares": ("cpu_weight", docker.weight),
    "cpuset-cpus": ("allowed_cpus", docker.cpu_list),
    "cpuset-mems": ("numa_mask", docker.cpu_list),
    "memory": ("memory_max", docker.memory),
    "pids-limit": ("tasks_max", docker.count),
    "oom-score-adj": ("oom_score_adjust", docker.whole),
    "ulimit-memlock": ("limit_memlock", docker.locked),
}


def models_started(lines: Iterable[Line], engine: Engine) -> Iterator[ModelUse]:
    """Yield the models that the scripts which a container begins with pull, create or run."""
    for script in (line for line in lines if line.section == STARTED):
        place = script.place
        for line in script_lines(script.value, place.file, place.line):
            for call in calls([word.text for word in line.words], engine):
                yield use_of(call, line.words[0].place)
