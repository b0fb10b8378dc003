"""HW518, HW542, HW603, HW613, HW631 and HW660: volumes, addresses and commands of containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import (
    is_address,
    is_nobodys,
    listens_on,
)
from generator.engines.ollama.rules.helpers.homes import home_in_image, models_path, strangers_home
from generator.engines.ollama.rules.helpers.scripts import is_unknown
from generator.rules.helpers.containers import (
    begun,
    copies_into,
    holds_models,
    is_client,
    is_of_engine,
    is_official,
    pulls_into_image,
    repository,
    runs_own_script,
    target,
)
from generator.rules.helpers.ports import ALL_ADDRESSES
from generator.rules.rule import Hit, Hits, Rule
from generator.units import is_local
from generator.view import HANDED, POD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.view import Container, Line, Place, View


@Rule(
    id="HW518",
    title="models that go with the container",
    why="Without a named volume, or a directory of the host, the models in /root/.ollama go with "
    "the container, at the next change or upgrade, and gigabytes are pulled again. It is a remark "
    "where the container itself begins with that.",
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
            unsafe=True,
        )
    named = view.lines_named("volumes_from", "extends")
    elsewhere = named or view.adds
    if container is None or elsewhere or is_client(view) or _asks_another(view):
        return
    stranger = strangers_home(view) and view.variable("OLLAMA_MODELS") is None
    if stranger or holds_models(view):
        return  # HW541 reports it, or a layer of the image keeps them.
    path = models_path(view, facts)
    # Which home such a user has, the image may say too: a volume at any is one for models.
    homes = ("/root", "/home/ubuntu") if container.home else ()
    paths = (path, *(f"{home}/.ollama/models" for home in homes))
    mounts = [(target(text), text, place) for text, place in container.mounts]
    untold = not path.startswith("/") or "$" in path  # The running host fills it in, or HW120.
    held = [m[1:] for m in mounts if any(_holds(m[0], each) for each in paths)]
    # Where another image keeps its models is told by what is mounted there.
    known = is_official(view, facts) or (held and view.phrases.unnamed)
    if untold or any("$" in target for target, *_ in mounts) or not known:
        return
    moved = None if held else _moved_out(view, container)
    if moved is None and not view.phrases.volumes_told and (not held or not view.phrases.unnamed):
        return  # Whoever runs an image may name one.
    if all(":" not in text or text.startswith(":") for text, _ in held):
        astray = next((m[1:] for m in mounts if not held and _is_meant_for_models(*m[:2])), None)
        yield Hit(
            message=f"`{held[0][0]}` {view.phrases.unnamed}"
            if held
            else f"`{astray[0]}` is not where the models are, `{path}`: they go with the container"
            if astray
            else f"no volume holds `{path}`: the models go with the container",
            place=held[0][1] if held else astray[1] if astray else moved or container.place,
            severity="info" if _fetches(view) and not astray else None,
            fix=f"mount the volume at `{path}`, or leave OLLAMA_MODELS out"
            if moved
            else view.phrases.keep_volume
            or f"mount a volume, like `ollama:{facts.image.home_path}`",
        )
    elif (container.home or home_in_image(view)) == "/root" and view.lacks("HOME"):
        for path, text, place in mounts:
            if path == _OF_NO_HOME:
                yield Hit(
                    message=f"`{text}` is not the home of the server, /root/.ollama: its key goes "
                    "with the container",
                    place=place,
                    severity="info",
                    fix="mount it at /root/.ollama",
                )


def _asks_another(view: View) -> bool:
    """Whether a script of somebody's is told of a server by the name of another machine."""
    told = view.variable("OLLAMA_HOST")
    host = listens_on(told.value) if told and not told.unresolved and "://" in told.value else ""
    return bool(host) and not is_address(host) and not is_local(host) and runs_own_script(view)


def _moved_out(view: View, box: Container) -> Place | None:
    """Return where models are told to lie elsewhere than in the volume for the server's things."""
    told, home = view.variable("OLLAMA_MODELS"), home_in_image(view) or "/root"
    kept = any(
        target(text).rstrip("/") in {home, f"{home}/.ollama"}
        for text, _ in box.mounts
        if ":" in text and not text.startswith(":")
    )
    return told.place if told is not None and kept and not told.unresolved else None


_FETCHED: Final = re.compile(r"\bollama[\"']?\s+(?:pull|run)\b")


def _fetches(view: View) -> bool:
    """Whether the container pulls its models whenever it starts, so that none is missed."""
    return any(_FETCHED.search(line.value) for line in begun(view))


_MODELS_BY_NAME: Final = re.compile(r"(?i)(?:^|[/_.-])(?:ollama[\w-]*|models?)(?:[/_-]|$)")
_ONE_FILE: Final = re.compile(r"\.\w{1,5}$")


_OF_NO_HOME: Final = "/.ollama"
"""Where a server keeps its things whose user has no home."""


def _is_meant_for_models(path: str, text: str) -> bool:
    """Whether a volume says by its names that models are to be in it, and nothing else is."""
    source = text.partition(":")[0]
    named = _MODELS_BY_NAME.search(source) and _MODELS_BY_NAME.search(path)
    # A directory is read as what somebody made; a volume is only what the container puts there.
    if path == _OF_NO_HOME and ":" in text:
        return True
    return (
        bool(named) and not source.startswith((".", "/", "~", "$")) and not _ONE_FILE.search(path)
    )


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
def not_of_the_container(view: View, facts: Facts) -> Hits:
    address, box = view.variable("OLLAMA_HOST"), view.container
    own = view.lines_named("ipv4_address", "ipv6_address", "network_mode")
    if own or box is None or box.host_network is not None or is_client(view):
        return
    if address is None:
        yield from _by_default(view, box, facts)
        return
    empty = not (address.unresolved or address.value.strip("\"' "))
    host = _LOOPBACK if empty else listens_on(address.value)
    if (host in ALL_ADDRESSES and not empty) or is_nobodys(host):
        return
    if not (is_address(host) or is_local(host)):
        return  # A name may be the container's own.
    if not is_local(host):
        message = f"the container does not have the address {host}: it cannot be bound there, and "
        message += "the server does not start"
    elif box.ports:
        message = f"inside the container {host} is the container alone: the published port "
        message += f"`{box.ports[0][0]}` reaches nobody"
    elif client := _asking(view, facts):
        message = f"inside the container {host} is the container alone: `{client}` reaches nobody"
    else:
        return
    if empty:
        message = f"empty it is none, and the server takes its own: {message}"
    fix = "write `0.0.0.0`, and publish the port on the address that you mean"
    yield Hit(message=message, place=address.place, fix=fix)


_LOOPBACK: Final = "127.0.0.1"


def _asking(view: View, facts: Facts) -> str:
    """Return who asks the server by its name in the network of both; empty: nobody says so."""
    asked = re.compile(rf"//{re.escape(view.name)}:{facts.image.port}\b")
    others = ((line.section.partition(".")[2], line.value) for line in view.lines)
    return next((name for name, value in others if name and asked.search(value)), "")


_PLAIN: Final = re.compile(
    r"(?:.*/)?(?:alpine|almalinux|archlinux|debian|fedora|rockylinux|ubuntu|ubi\d*(?:-\w+)?"
    r"|python|node|golang|cuda|rocm-terminal|pytorch)"
)
"""Images in which nobody has set a variable of the server."""


def _by_default(view: View, box: Container, facts: Facts) -> Hits:
    """Yield the port that leads to a server of an image that does not say where it listens."""
    port = str(facts.image.port)
    published = [p for p in box.ports if p[0].rpartition(":")[2].partition("/")[0] == port]
    told = "\n".join(line.value for line in view.lines if "OLLAMA_HOST" in line.value)
    alone = re.compile(_ALONE.format(port))
    own = alone.search(told) if told.count("OLLAMA_HOST") == 1 else None
    if own and published:
        yield Hit(
            message=f"inside the container {own[1]} is the container alone: the published port "
            f"`{published[0][0]}` reaches nobody",
            place=published[0][1],
            fix="start the server with OLLAMA_HOST=0.0.0.0",
        )
    known = _PLAIN.fullmatch(repository(box.image)) and not view.more_variables
    if known and published and not told:
        yield Hit(
            message="nobody sets OLLAMA_HOST in this image: the server listens on 127.0.0.1 of the "
            f"container alone, and the published port `{published[0][0]}` reaches nobody",
            place=published[0][1],
            fix="set OLLAMA_HOST=0.0.0.0, as the image of Ollama does itself",
        )


_ALONE: Final = (
    r"(?m)^[ \t]*(?:env[ \t]+)?OLLAMA_HOST=[\"']?(?:http://)?(127\.0\.0\.1|localhost)(?::{})?[\"']?"
    r"[ \t]+(?:\S+[ \t]+)*?(?:\S*/)?ollama[ \t]+serve\b"
)
"""A server that a script, or what else a container begins with, tells to listen for itself."""


@Rule(
    id="HW660",
    title="a variable for podman, and not for the container",
    why="`Environment=` in `[Service]` of a quadlet is the environment of `podman run`. The "
    "container gets what `[Container]` says, and nothing else: the server does not see it.",
    bad="[Service]\nEnvironment=OLLAMA_CONTEXT_LENGTH=64000",
    good="[Container]\nEnvironment=OLLAMA_CONTEXT_LENGTH=64000",
    source="podman-systemd.unit(5): Environment=, EnvironmentHost=",
)
def for_podman_alone(view: View, _: Facts) -> Hits:
    if view.container is None or not view.lines_in("Container"):
        return
    inside = " ".join(f"{x.name}={x.value}" for x in view.lines_in("Container"))
    commands = any(x.name.startswith("Exec") for x in view.lines_in("Service"))
    if commands or "env-host" in inside or "EnvironmentHost" in inside:
        return
    for line in view.lines:
        named = _OWN.match(line.value) if _is_of_service(line) else None
        # Without a value, or as `$NAME`, podman hands its own on.
        if named and not re.search(rf"\b{named[1]}\b(?!=)", inside):
            yield Hit(
                message=f"{named[1]} in `[Service]` reaches podman, and not the container",
                place=line.place,
                severity="info" if f"{named[1]}=" in inside else None,
                fix="take it out: `[Container]` sets it"
                if f"{named[1]}=" in inside
                else "move it to `[Container]`",
            )


_OWN: Final = re.compile(r"[\"']?(OLLAMA_[A-Z0-9_]+)=")


def _is_of_service(line: Line) -> bool:
    return (line.section, line.name) == ("Service", "Environment")


@Rule(
    id="HW613",
    severity="error",
    title="an image of root's where root is barred",
    why="The image runs as root, and `runAsNonRoot` has the kubelet refuse such a container: it "
    "stays in `CreateContainerConfigError`. Another user needs a home that it may write.",
    bad="securityContext: {runAsNonRoot: true}",
    good="securityContext: {runAsNonRoot: true, runAsUser: 1000}\n"
    "env: [{name: HOME, value: /data}]    # a volume of that user",
    source="kubernetes.io: SecurityContext v1 core, runAsNonRoot; Dockerfile@v0.32.15:296-320",
)
def root_is_barred(view: View, facts: Facts) -> Hits:
    user = view.container.user if view.container else ""
    for line in view.lines if user in {"", "0"} and is_official(view, facts) else ():
        if (line.section, line.name) == (POD, "runAsNonRoot"):
            yield Hit(
                message="the image runs as root, which `runAsNonRoot` bars: the container is never "
                "created",
                place=line.place,
                fix="add `runAsUser: 1000`, with HOME on a volume of that user",
            )


@Rule(
    id="HW631",
    title="models of the image that the server does not see",
    why="The build has pulled models into the image. A directory of the host that is mounted at "
    "the same place lies over them, empty at first: the container answers 404 for each of them, "
    "and pulls them again where it can. A named volume gets them once, when it is new, and keeps "
    "them when the image changes. What the build pulls goes where its user then keeps models: an "
    "OLLAMA_MODELS or a USER that is set behind it leads elsewhere.",
    bad="RUN ollama serve & sleep 5 && ollama pull qwen3:8b    # and\nvolumes: "
    '["./models:/root/.ollama"]',
    good='volumes: ["ollama:/root/.ollama"]    # and the pull beside the server',
    source="docs.docker.com/engine/storage: Mounting over existing data",
)
def hides_models_of_the_image(view: View, facts: Facts) -> Hits:
    box = view.container
    path = models_path(view, facts)
    if box is None or not (pulls_into_image(view) or copies_into(view, path)):
        return
    yield from _left_elsewhere(view, facts)
    for text, place in box.mounts:
        source, colon, _ = text.partition(":")
        if not colon or not _holds(target(text), path):
            continue
        bound = source[:1] in {".", "/", "~", "$"}
        yield Hit(
            message=f"`{text}` lies over the models that the image holds: "
            + ("the server has none of them" if bound else "it keeps those of the first start"),
            place=place,
            severity=None if bound else "info",
            fix="pull them when the container runs, or leave the mount out",
        )


_PULLS: Final = re.compile(r"\bollama\s+(?:pull|create)\b")
_MOVES: Final = re.compile(
    r"OLLAMA_MODELS|\bHOME=|\b(?:mv|cp|ln|rsync)\s[^;&]*\.ollama\b|\bsu\b|gosu"
)
"""What may put the models of a build where its server looks."""


def _left_elsewhere(view: View, facts: Facts) -> Hits:
    """Yield what is set behind the pull of a build, and has the server look elsewhere."""
    runs = view.lines_named("RUN")
    pulls = [line for line in runs if _PULLS.search(line.value)]
    if not pulls or any(_MOVES.search(line.value) for line in runs):
        return
    last, told = pulls[-1].place, view.variable("OLLAMA_MODELS")
    users = [line for line in view.lines_named("USER") if line.place.file == last.file]
    later = [line for line in users if line.place.line > last.line]
    as_root = all(line.value.partition(":")[0] in _ROOT for line in users if line not in later)
    if not as_root or view.variable("HOME") is not None:
        return
    behind = told is not None and told.place.file == last.file and told.place.line > last.line
    usual = told is not None and told.value.rstrip("/") == facts.image.models_path
    if told is not None and behind and not (usual or told.unresolved):
        yield Hit(
            message=f"line {last.line} has pulled models before {told.name} is set: they are where "
            "it was before, and the server has none of them",
            place=told.place,
            fix="set it before that line",
        )
    now = later[-1].value.partition(":")[0] if later else ""
    if told is None and now not in _ROOT and "$" not in now:
        yield Hit(
            message=f"line {last.line} has pulled models as root, into /root/.ollama: the server "
            f"runs as `{now}`, and has none of them",
            place=later[-1].place,
            fix="set OLLAMA_MODELS to a directory of this user before the pull, or set USER first",
        )


_ROOT: Final = frozenset({"", "root", "0"})
_PROGRAMS: Final = frozenset(
    {"sh", "bash", "ash", "dash", "zsh", "python", "python3", "supervisord"}
)
_FILE: Final = re.compile(r"\.{0,2}/.*|[\w-]+\.(?:sh|bash|py)")
"""A path, or a script: no command of the program is called so."""


@Rule(
    id="HW603",
    severity="error",
    title="a command that the image hands to `ollama`",
    why="The image starts `ollama`, and what a file gives as the command follows it: `ollama "
    "ollama serve`, or `ollama sh -c …`, ends at once with `unknown command`, at every restart. "
    "Another program goes in as the entry point.",
    bad="image: ollama/ollama:0.32.15\ncommand: ollama serve",
    good="image: ollama/ollama:0.32.15\ncommand: serve    # or none: it is the default",
    source="Dockerfile@v0.32.15:296-320, ENTRYPOINT",
)
def handed_to_the_program(view: View, facts: Facts) -> Hits:
    words = view.container.arguments if view.container else ()
    if words and is_official(view, facts):
        hits = list(_handed(view, words[0][0], [word for word, _ in words[1:]], words[0][1]))
        yield from hits or _no_command(view, words[0][0], words[0][1], facts)
    for line in view.lines_in(HANDED):
        if line.value.strip() and is_of_engine(line.name, facts):
            word, *more = line.value.split()
            yield from _handed(view, word, more, line.place)


def _handed(view: View, text: str, more: Sequence[str], place: Place) -> Hits:
    """Yield a word that the program of the image gets, and does not know."""
    name, rest = text.rpartition("/")[2], " ".join(more)
    if name == view.engine:
        fix = f"write `{rest}` alone" if rest else "leave the command out"
    elif _FILE.fullmatch(text) or (name in _PROGRAMS and more):
        fix = _as_entry_point(view, text)
    else:
        return
    yield Hit(
        message=f"the image starts `{view.engine}`, which gets `{text}` as its first word and ends "
        "with `unknown command`",
        place=place,
        fix=fix,
    )


_WORD: Final = re.compile(r"[a-z][a-z-]*", re.ASCII)


def _no_command(view: View, word: str, place: Place, facts: Facts) -> Hits:
    """Yield a word in the place of a command that no release has."""
    if _WORD.fullmatch(word) and is_unknown(word, facts) and word not in facts.no_commands:
        yield Hit(
            message=f"`{view.engine}` has no command `{word}`: the container ends with `unknown "
            "command`",
            place=place,
            fix="write `serve`, or leave the command out",
        )


def _as_entry_point(view: View, program: str) -> str:
    taken = view.phrases.taken_away
    if taken:
        return f"take the entry point of the image away: `{taken}`"
    return f"name it as the entry point: `{view.phrases.entrypoint.format(program)}`"
