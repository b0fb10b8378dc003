"""HW549, HW611, HW612, HW617, HW621, HW663, HW664: what reaches a server, and what it writes."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import listens_on
from generator.engines.ollama.rules.helpers.homes import home_in_image, models_path
from generator.meaning import port_of
from generator.rules.helpers.containers import (
    REFERENCE,
    brings_the_server,
    is_client,
    is_official,
    runs_own_script,
    target,
)
from generator.rules.helpers.sandbox import below
from generator.rules.rule import Hit, Hits, Rule
from generator.units import is_local, whole
from generator.view import (
    AMISS,
    ASTRAY,
    DESKTOP,
    MAYBE,
    NOT_OURS,
    NOWHERE,
    SELF,
    SOCKET,
    STRAY,
    UNHEARD,
    UNMATCHED,
    UNPORTED,
    UNPUBLISHED,
    UNSERVED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Container, Place, View


@Rule(
    id="HW611",
    severity="error",
    title="a port at which nobody listens",
    why="The server listens on one port, 11434 unless OLLAMA_HOST says another one. What is "
    "published, asked by a probe, or named by a Service is the port inside the container: at "
    "another one nobody answers, and a probe that fails keeps the pod from its work.",
    bad='ports: ["127.0.0.1:11434:8080"]',
    good='ports: ["127.0.0.1:8080:11434"]',
    source="Dockerfile@v0.32.15:296-320, EXPOSE; docs.docker.com: Port publishing; "
    "kubernetes.io: Service, targetPort",
)
def nobody_listens(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(UNHEARD):
        yield Hit(
            message=f"`{line.name}` does not listen at the port that `{line.value}` leads to",
            place=line.place,
            severity="warning",
            fix="add a `server` with that `listen`, or publish no such port",
        )
    box, address = view.container, view.variable("OLLAMA_HOST")
    if box is None or not _serves_alone(view, facts) or (address and address.unresolved):
        return
    if address is None and not view.lacks("OLLAMA_HOST"):
        return  # What nobody has read may say another port.
    port = port_of(address.value, facts.image.port) if address else facts.image.port
    published = [(text, _inside(text), place) for text, place in box.ports]
    # Of several ports one may be for what runs in its network, as a proxy or an exporter.
    if published and box.host_network is None and not any(_is(p, port) for _, p, _ in published):
        text, inside, place = published[0]
        yield Hit(
            message=f"`{text}` leads to port {inside} of the container, and the server listens on "
            f"{port}",
            place=place,
            fix=f"write `{port}` as the last port",
        )
    for one in box.asked:
        if not _is(one.port, port) and one.port.isdecimal():
            yield Hit(
                message=f"{one.by} asks at port {one.port}, and the server listens on {port}",
                place=one.place,
                fix=f"write `{port}`",
            )


def _serves_alone(view: View, facts: Facts) -> bool:
    """Return whether nothing but the server can be what runs in the container."""
    return is_official(view, facts) and not is_client(view) and not runs_own_script(view)


def _inside(text: str) -> str:
    plain = REFERENCE.sub(lambda match: match["default"] or "?", text.strip("\"' ")).split("/")[0]
    return plain.rpartition(":")[2]


def _is(text: str, port: int) -> bool:
    """Return whether a port, or a range of them, is the one; what is not told may be."""
    first, _, last = text.partition("-")
    low, high = whole(first), whole(last or first)
    return low is None or high is None or low <= port <= high


@Rule(
    id="HW612",
    title="files that the server may not write",
    why="At its first start the server makes a key in `.ollama` of its home, and ends where it "
    "cannot; models that are pulled go below it, unless OLLAMA_MODELS says where. A volume with "
    "`:ro`, or a container whose own files are read-only, keeps it from both; so does one that is "
    "root's where the container runs as somebody else, unless `fsGroup` gives it away.",
    bad='volumes: ["/srv/ollama:/root/.ollama:ro"]',
    good='volumes: ["/srv/ollama:/root/.ollama", "/srv/models:/root/.ollama/models:ro"]',
    source="cmd/cmd.go@v0.32.15, initializeKeypair; docs.docker.com: Volumes, read_only",
)
def may_not_write(view: View, facts: Facts) -> Hits:
    box = view.container
    brought = brings_the_server(view)
    if box is None or is_client(view) or not (brought or is_official(view, facts)):
        return
    keys = _keys(view, box)
    mounts = [(target(text), text, place) for text, place in box.mounts]
    if any("$" in one for one, _, _ in mounts) or not keys.startswith("/"):
        return
    over = sorted((m for m in mounts if below(keys, m[0])), key=lambda m: len(m[0]))
    kept = bool(over) or any(below(keys, one) for one in box.scratch)
    if over and _is_read_only(over[-1][1]):
        yield Hit(
            message=f"`{over[-1][1]}` is read-only, and the server has to make its key in `{keys}`",
            place=over[-1][2],
            fix=f"take `{_barred(view)}` off, or mount only the models so",
        )
    elif box.read_only is not None and not kept and not brought:
        yield Hit(
            message=f"the container's own files are read-only, and no volume holds `{keys}`, where "
            "the server has to make its key: it ends",
            place=box.read_only,
            fix=f"mount a volume at `{keys}`",
            severity="error",
        )
    yield from _pulled(view, facts, mounts)
    for line in view.lines_in(NOT_OURS):
        if below(keys, line.name) or below(models_path(view, facts), line.name):
            what, fix = _OF_ROOT[line.value]
            yield Hit(
                message=f"{what} at `{line.name}` is root's, and the server runs as {box.user}: "
                "it cannot write there",
                place=line.place,
                fix=fix,
            )


_OF_ROOT: Final = {
    "claim": (
        "with most storage the volume of a claim",
        "add `fsGroup` to the securityContext of the pod, with the group of that user",
    ),
    "hostPath": (
        "the directory that the kubelet makes",
        "make it on the node, and give it to that user, or mount a claim with `fsGroup`",
    ),
    "efs": (
        "the file system of EFS",
        "mount it by an access point whose `posix_user` is that user",
    ),
}
"""What a volume is called that begins as root's, and who gives it away."""


def _pulled(view: View, facts: Facts, mounts: list[tuple[str, str, Place]]) -> Iterator[Hit]:
    """Yield the volume of models that is read-only, where models are pulled into it."""
    path = models_path(view, facts)
    over = sorted((m for m in mounts if below(path, m[0])), key=lambda m: len(m[0]))
    keys = _keys(view, view.container) if view.container else ""
    if over and _is_read_only(over[-1][1]) and view.models and not below(keys, over[-1][0]):
        yield Hit(
            message=f"`{over[-1][1]}` is read-only, and `{view.models[0].name}` is to be pulled "
            "into it",
            place=over[-1][2],
            fix=f"take `{_barred(view)}` off while models are pulled",
        )


def _barred(view: View) -> str:
    """Return the word by which the file keeps a server from writing in a volume."""
    return view.phrases.read_only


def _keys(view: View, box: Container) -> str:
    home = view.variable("HOME")
    own = home.value if home is not None else box.home or home_in_image(view)
    return posixpath.join(own, ".ollama")


def _is_read_only(mount: str) -> bool:
    *_, options = mount.rpartition(":")
    return "ro" in options.split(",")


_IN_VAIN: Final = {
    NOWHERE: (
        "nobody that `{client}` reaches has the name in {asked}: it finds no server",
        "write the name of the server's service, in a network of both",
    ),
    SELF: (
        "{asked} is in the container of `{client}`, where no server listens",
        "write the name of the server's service, or an address of its host",
    ),
    DESKTOP: (
        "{asked} has a name that Docker Desktop gives: on Linux `{client}` does not know it",
        'add `extra_hosts: ["host.docker.internal:host-gateway"]`',
    ),
    UNPUBLISHED: (
        "{asked} is the host, where `{client}` reaches no port of the server",
        "write the name of the server's service, in a network of both",
    ),
}
"""What is wrong with an address at which a client asks, and what to do."""


@Rule(
    id="HW621",
    title="a client that asks where no server is",
    why="In a container `localhost` is that container, and no server runs in it: the application "
    "shows no models, or says that it cannot connect. The services of a compose file reach each "
    "other by their names, those of two files where they share a network; pods by the name and the "
    "port of a Service. `host.docker.internal` is the host for Docker Desktop alone, unless "
    "`extra_hosts` says so, and a port that is published on 127.0.0.1, or not at all, is none that "
    "a container reaches there. Open WebUI asks there where it is told nothing.",
    bad="webui:\n  environment: {OLLAMA_BASE_URL: http://localhost:11434}",
    good="webui:\n  environment: {OLLAMA_BASE_URL: http://ollama:11434}",
    source="docs.docker.com: Networking in Compose; docs.openwebui.com: Server Connection Error",
)
def asks_itself(view: View, facts: Facts) -> Hits:
    for line in view.lines:
        kind, _, client = line.section.removeprefix(MAYBE).partition(".")
        if kind in _IN_VAIN and client:
            asked = f"`{line.value}`" + ("" if line.name else ", where it asks untold,")
            message, fix = _IN_VAIN[kind]
            yield Hit(
                message=message.format(asked=asked, client=client),
                place=line.place,
                severity="info" if line.section.startswith(MAYBE) else None,
                fix=fix,
            )
        elif line.section == UNSERVED:
            yield Hit(
                message=f"no Service has the name in `{line.value}`: that of the server is "
                f"{line.name}",
                place=line.place,
                fix="write its name",
            )
        elif line.section.startswith(f"{UNPORTED}."):
            yield Hit(
                message=f"the Service `{line.section.removeprefix(f'{UNPORTED}.')}` has no port "
                f"{line.value}, but {line.name}: nobody answers",
                place=line.place,
                fix="name a port of the Service",
            )
        elif line.section.startswith(f"{AMISS}."):
            at = f"`{line.value}`" if line.value else "the usual port, where it asks untold"
            yield Hit(
                message=f"{line.section.removeprefix(f'{AMISS}.')} gets no answer at {at}: the "
                f"server of this host answers at `{line.name}`",
                place=line.place,
                fix=f"write `{line.name}`" if line.value else f"tell it `{line.name}`",
            )
    address = view.variable("OLLAMA_HOST")
    if not _serves_alone(view, facts) or (address and address.unresolved):
        return
    port = port_of(address.value, facts.image.port) if address else facts.image.port
    for line in view.lines:
        client = line.section.removeprefix(f"{ASTRAY}.")
        if client != line.section and port_of(line.value, port) == port:
            bare = "" if "://" not in line.value else "http://"
            yield Hit(
                message=f"`{line.value}` is in the container of `{client}`, where no server "
                "listens",
                place=line.place,
                fix=f"write `{bare}{view.name}:{port}`",
            )


@Rule(
    id="HW617",
    severity="error",
    title="a server that answers itself alone",
    why="On 127.0.0.1 the server answers only what runs in its own container, or in its pod. "
    "Probes come from the node and a Service from elsewhere: they ask at the address of the pod, "
    "where nobody listens, and the pod never gets ready. Jobs of CI ask a container beside them by "
    "its name or its port, and clouds hand requests on to its address.",
    bad='env: [{name: OLLAMA_HOST, value: "127.0.0.1"}]\nreadinessProbe: {httpGet: {path: /, '
    "port: 11434}}",
    good='env: [{name: OLLAMA_HOST, value: "0.0.0.0"}]',
    source="kubernetes.io: Configure Liveness, Readiness and Startup Probes; Service",
)
def answers_itself_alone(view: View, facts: Facts) -> Hits:
    box, address = view.container, view.variable("OLLAMA_HOST")
    if box is None or address is None or box.host_network is not None or not box.asked:
        return
    if not view.phrases.podded and not _serves_alone(view, facts):
        return  # A proxy may be in the same container.
    host = listens_on(address.value)
    if is_local(host) and not address.unresolved:
        one = box.asked[0]
        yield Hit(
            message=f"on {host} the server answers nobody outside of its {_around(view)}, and "
            f"{one.by} asks from there",
            place=address.place,
            fix=f"write `0.0.0.0`: a {_around(view)} has an address of its own, and what leads to "
            "it says who reaches it",
        )


def _around(view: View) -> str:
    return "pod" if view.phrases.podded else "container"


@Rule(
    id="HW663",
    severity="error",
    title="a socket of systemd for a server that takes none",
    why="With a `.socket` systemd listens itself, and hands the connection to the service that it "
    "starts. Ollama binds OLLAMA_HOST on its own and never looks for one: at the same port it ends "
    "with `address already in use`, at another one whoever connects waits for an answer.",
    bad="# ollama.socket\n[Socket]\nListenStream=11434",
    good="# ollama-proxy.socket, whose service is systemd-socket-proxyd 127.0.0.1:11434\n"
    "[Socket]\nListenStream=8434",
    source="systemd.socket(5); systemd-socket-proxyd(8); cmd/cmd.go@v0.32.15, RunServer",
)
def socket_in_front(view: View, facts: Facts) -> Hits:
    address = view.variable("OLLAMA_HOST")
    port = port_of(address.value, facts.image.port) if address else facts.image.port
    for line in view.lines_in(SOCKET):
        same = (whole(line.value) or port_of(line.value, 0)) == port
        end = "the port is taken, and it does not start" if same else "nobody answers here"
        yield Hit(
            message=f"`{view.name}` takes no socket of systemd: {end}",
            place=line.place,
            fix="leave the socket out and set OLLAMA_HOST, or put systemd-socket-proxyd before it",
        )


@Rule(
    id="HW664",
    severity="error",
    title="a selector that fits no pod",
    why="A Service sends to the pods that have all of its labels. Where none has them it has no "
    "endpoints: whoever asks gets `connection refused`, and Kubernetes says nothing. A Deployment "
    "whose own pods have other labels than its selector it refuses.",
    bad="selector: {app: olama}    # the pods have app: ollama",
    good="selector: {app: ollama}",
    source="kubernetes.io: Service, selector; pkg/apis/apps/validation (kubernetes)",
)
def selects_nothing(view: View, _: Facts) -> Hits:
    for line in view.lines_in(STRAY):
        yield Hit(
            message=f"no pod of these files has the labels `{line.value}`: the Service "
            f"`{line.name}` leads to nobody",
            place=line.place,
            fix="write the labels of the pods, those below `template.metadata`",
        )
    for line in view.lines_in(UNMATCHED):
        yield Hit(
            message=f"the pods of this {line.name} have no label `{line.value}`: the API server "
            "refuses it",
            place=line.place,
            fix="write the same label below `selector.matchLabels` and `template.metadata.labels`",
        )


_HOLE: Final = "digests-unchecked"


@Rule(
    id="HW549",
    title="a release with a hole that is known and used",
    why="Before 0.1.34 the server does not look at the digests of a model that it pulls: whoever "
    "reaches the API has it read and write any file, which ends in running code "
    "(CVE-2024-37032).",
    bad="image: ollama/ollama:0.1.27",
    good="image: ollama/ollama:0.32.15",
    releases="before 0.1.34",
    source="ollama#4175; CVE-2024-37032",
)
def known_hole(view: View, facts: Facts) -> Hits:
    if not view.release_told or not facts.behaves(_HOLE) or is_client(view):
        return
    if view.container is not None and not is_official(view, facts):
        return
    yield Hit(
        message="whoever reaches the API of so old a release can write files of the server and run "
        "code: CVE-2024-37032",
        place=view.container.place if view.container else view.place,
        fix=f"write a release from {facts.behaviours[_HOLE].until} on",
    )
