"""HW600, HW604 and HW606 to HW608, HW620, HW630, HW632: what keeps a unit from being a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.addresses import EVERY, is_address, listens_on
from generator.engines.ollama.rules.helpers.scripts import misplaced
from generator.fit.host import computes_on_cpu
from generator.meaning import cleaned, parts_of
from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import begun, is_official
from generator.rules.helpers.ports import ALL_ADDRESSES
from generator.rules.rule import Hit, Hits, Rule
from generator.units import is_local, whole
from generator.view import (
    AGAIN,
    AT_ONCE,
    BEFORE,
    IN_INIT,
    MANAGED,
    POD,
    PREFIXES,
    SOON,
    STARTED,
    STARTING,
    Edit,
)

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Container, Line, Place, View


_ENDLESS: Final = {
    "forking": "waits until the command has put itself into the background and ended, which "
    "`ollama serve` never does: systemd kills it when the start times out",
    "oneshot": "waits until the command has ended, which `ollama serve` never does: the unit stays "
    "in `activating` for ever, and what is ordered after it never starts",
}
_COMMAND: Final = re.compile(r"(?:^|[\s/\"'])ollama[\"']?\s+(serve|start)[\"']?\s*$")
_REPLACED: Final = re.compile(r"\bexec\s+(?:\S*/)?ollama\s+(?:serve|start)\b(?:[^&;|]|(?<=>)&)*$")
"""A shell that becomes the server."""


def _in_front(view: View) -> bool:
    """Return whether the command of the unit is the server itself, which stays in front."""
    starts = [line.value for line in sandbox.said(view, "ExecStart")]
    said = any(_COMMAND.search(text) or _REPLACED.search(text) for text in starts)
    return view.container is None and (said or sandbox.adds_to_own(view))


@Rule(
    id="HW600",
    severity="error",
    title="a unit whose start never ends",
    why="`ollama serve` stays in the foreground and runs until it is stopped. With Type=forking "
    "systemd waits for it to fork, and kills it after 90 seconds; with Type=oneshot it waits for "
    "its end without limit, and refuses Restart=always.",
    bad="[Service]\nType=forking\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nType=simple\nExecStart=/usr/local/bin/ollama serve",
    source="systemd.service(5), Type=; cmd/cmd.go@v0.32.15, RunServer",
)
def start_never_ends(view: View, _: Facts) -> Hits:
    for line in sandbox.said(view, "Type")[-1:]:
        if line.value in _ENDLESS and _in_front(view):
            yield Hit(
                message=f"`Type={line.value}` {_ENDLESS[line.value]}",
                place=line.place,
                fix="write `Type=simple`",
                edits=(Edit(line.place, line.value, "simple"),) if view.phrases.headers else (),
            )


@Rule(
    id="HW630",
    severity="error",
    title="a watchdog that nobody feeds",
    why="With WatchdogSec= systemd waits for a sign of life from the service, and kills it where "
    "none comes in time, whatever its Type=. Ollama sends none: the server is killed again and "
    "again, in the middle of its answers.",
    bad="WatchdogSec=30",
    good="Restart=always    # and a timer that asks the API, where a check is wanted",
    source="systemd.service(5), WatchdogSec=; sd_notify(3); no sd_notify in ollama v0.32.15",
)
def nobody_feeds_it(view: View, _: Facts) -> Hits:
    starts = not sandbox.said(view, "ExecStart") or _in_front(view)
    notifies = sandbox.last(view, "Type") in sandbox.NOTIFYING
    if view.container is not None or not starts or notifies:
        return
    for line in sandbox.said(view, "WatchdogSec")[-1:]:
        if line.value.strip() not in {"0", "infinity"}:
            yield Hit(
                message=f"`WatchdogSec={line.value}` kills the server after that time, over and "
                "over: Ollama sends systemd no sign of life",
                place=line.place,
                fix="leave it out",
            )


@Rule(
    id="HW620",
    severity="error",
    title="a server that may not speak to its own runner",
    why="Each model runs in a process of its own, which the server asks over 127.0.0.1. "
    "IPAddressDeny=any drops that as well, unless IPAddressAllow= names the loopback: models are "
    "loaded, and no request is ever answered.",
    bad="IPAddressDeny=any\nIPAddressAllow=192.168.1.0/24",
    good="IPAddressDeny=any\nIPAddressAllow=localhost 192.168.1.0/24",
    source="systemd.resource-control(5), IPAddressDeny=; llm/server.go@v0.32.15 (127.0.0.1)",
)
def cut_off_from_its_runner(view: View, _: Facts) -> Hits:
    denied, allowed = sandbox.said(view, "IPAddressDeny"), sandbox.said(view, "IPAddressAllow")
    barred = any(_has_loopback(word) for line in denied for word in line.value.split())
    # Without any HW529 reports it; a slice above the service may allow some.
    if not barred or not allowed or view.container is not None or sandbox.said(view, "Slice"):
        return
    if not any(_has_loopback(word) for line in allowed for word in line.value.split()):
        yield Hit(
            message="the server asks its own runners over 127.0.0.1, which `IPAddressAllow=` "
            "leaves out: every model is loaded in vain",
            place=allowed[-1].place,
            severity="warning" if view.adds else None,
            fix="add `localhost` to IPAddressAllow=",
        )


@Rule(
    id="HW632",
    severity="error",
    title="a server without the sockets that it listens on",
    why="RestrictAddressFamilies= names the kinds of sockets that a service may make, or with `~` "
    "those that it may not. Without AF_INET for IPv4 and AF_INET6 for IPv6 the server cannot "
    "listen, and ends at once. With PrivateNetwork=yes it has a loopback of its own, on which "
    "nobody but another unit with JoinsNamespaceOf= reaches it.",
    bad="RestrictAddressFamilies=AF_UNIX",
    good="RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    source="systemd.exec(5), RestrictAddressFamilies=, PrivateNetwork=; "
    "envconfig/config.go@v0.32.15:22-60",
)
def without_sockets(view: View, _: Facts) -> Hits:
    if view.container is not None or (sandbox.said(view, "ExecStart") and not _in_front(view)):
        return
    said, barred = sandbox.said(view, "RestrictAddressFamilies"), _barred(view)
    if said and barred:
        yield Hit(
            message=f"`RestrictAddressFamilies={said[-1].value}` bars {barred}: the server cannot "
            "listen, and ends at once",
            place=said[-1].place,
            fix="add AF_INET and AF_INET6 to what it allows"
            if sandbox.allows_listed(said)
            else "leave AF_INET and AF_INET6 out of it",
        )
    shared = view.lines_named("JoinsNamespaceOf")
    for line in sandbox.said(view, "PrivateNetwork")[-1:]:
        if shared or not sandbox.is_on(line.value):
            return
        yield Hit(
            message=f"`PrivateNetwork={line.value}` gives the server a loopback of its own: "
            "nobody on the host or beyond it reaches the API",
            place=line.place,
            severity="warning",
            fix="leave it out; `IPAddressDeny=any` with `IPAddressAllow=localhost` shuts off all "
            "but this host",
        )


def _has_loopback(word: str) -> bool:
    """Return whether a word of IPAddressAllow= or IPAddressDeny= is of 127.0.0.1 as well."""
    if word in {"any", "localhost"}:
        return True
    import ipaddress  # Few units name networks.

    try:
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False
    return network.version == 4 and ipaddress.IPv4Address("127.0.0.1") in network  # noqa: PLR2004


def _barred(view: View) -> str:
    """Return the kinds of sockets that the server would need and does not get; or empty."""
    allowed = sandbox.families(view) & {"AF_INET", "AF_INET6"}
    address = view.variable("OLLAMA_HOST")
    host = "127.0.0.1" if address is None else listens_on(address.value)
    if not allowed:
        return "IPv4 and IPv6"
    unknown = view.more_variables or (address is not None and address.unresolved)
    if unknown or not is_address(host) or host in ALL_ADDRESSES:
        return ""  # A name, or all addresses, may be of either kind.
    needed, kind = ("AF_INET6", "IPv6") if ":" in host else ("AF_INET", "IPv4")
    return "" if needed in allowed else f"{kind}, which {host} is an address of"


_ASKS: Final = re.compile(r"(?:^|[\s/\"'])ollama[\"']?\s+(pull|run|create|list|ls|show|ps)\b")


@Rule(
    id="HW604",
    severity="error",
    title="a command that asks the server before it runs",
    why="ExecStartPre= runs before ExecStart=, and `ollama pull` talks to a server: none answers, "
    "the command fails, and with it the start. ExecStartPost= runs beside the server, which may "
    "still need a moment; so does postStart of Kubernetes, which kills the container if it fails. "
    "`systemctl start` comes back as soon as the process is there: the program does not wait for "
    "the server, and what a script asks next may find none, as may a job of Compose that starts "
    "with the server. `ollama --version` and `pgrep` are no wait: they tell of the program, and of "
    "the process. What an init container asks of its own pod is never answered.",
    bad="[Service]\nExecStartPre=/usr/local/bin/ollama pull qwen3:8b\n"
    "ExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\n"
    "ExecStartPost=/bin/sh -c 'until ollama list; do sleep 1; done; ollama pull qwen3:8b'\n"
    "TimeoutStartSec=infinity",
    source="systemd.service(5), ExecStartPre=; cmd/cmd.go@v0.32.15, checkServerHeartbeat",
)
def asked_too_early(view: View, _: Facts) -> Hits:
    before = sandbox.said(view, "ExecStartPre")
    for line in before if before and _in_front(view) else ():
        command = line.value.lstrip(PREFIXES)
        asked = _ASKS.search(command)
        # What starts a server of its own for it, or is for another one, may work.
        own = re.search(r"\bollama[\"']?\s+serve\b|&|OLLAMA_HOST|\|\||until|while", command)
        if asked is None or own or "-" in line.value.removesuffix(command):
            continue
        yield Hit(
            message=f"`ollama {asked[1]}` asks a server, and before ExecStart= there is none: it "
            "fails, and the service with it",
            place=line.place,
            fix="move it to a unit of its own with `After=` and `Requires=`, or behind a wait for "
            "the server to ExecStartPost=, with `TimeoutStartSec=infinity` for a download",
        )
    yield from _in_a_container(view)
    yield from _by_others(view)
    yield from _asked_after(view) if _in_front(view) else ()
    for line in view.lines:
        if line.section == POD and line.name == STARTING:
            yield from _asked_beside(line)
        elif line.section == BEFORE:
            yield Hit(
                message=f"`ollama {line.name}` asks a server, which line {line.value} only starts: "
                "where none runs yet, it fails",
                place=line.place,
                severity="warning",
                fix="start the server first, and wait for it: `until ollama list >/dev/null 2>&1; "
                "do sleep 1; done`",
            )
        elif line.section == AT_ONCE:
            late = (
                "the service was started, which may not listen yet: then it fails"
                if line.name == MANAGED
                else "it was started: none answers yet, and it fails"
            )
            yield Hit(
                message=f"`{_call(line)}` asks the server in the moment after {late}",
                place=line.place,
                severity="warning",
                fix="wait for the server first: `until ollama list >/dev/null 2>&1; do sleep 1; "
                "done`",
            )


def _call(line: Line) -> str:
    """Return how something asks the server: by a path of its API, or by a verb of the program."""
    return line.value if line.value.startswith("/") else f"ollama {line.value}"


def _by_others(view: View) -> Hits:
    """Yield what jobs and init containers ask before the server answers."""
    for line in view.lines_in(SOON):
        yield Hit(
            message=f"`{line.name}` asks by `{_call(line)}` as soon as the server's container is "
            "started, which may not listen yet: then it fails, and nothing tries again",
            place=line.place,
            severity="warning",
            fix="wait with `condition: service_healthy` and a `healthcheck` of `ollama list`, or "
            "have it tried again: `restart: on-failure`",
        )
    for line in view.lines_in(IN_INIT):
        yield Hit(
            message=f"`{line.value}` in the init container `{line.name}` asks the server of its "
            "own pod, which starts when that has ended: the pod never starts",
            place=line.place,
            fix="pull in a Job, or in postStart behind a wait; or start a server in the init "
            "container, on the same volume",
        )


def _in_a_container(view: View) -> Hits:
    """Yield what a container's own command asks of the server that it only starts then."""
    asks = view.variable("OLLAMA_HOST")
    host = listens_on(asks.value) if asks is not None else EVERY
    own = is_local(host) or host in {*ALL_ADDRESSES, EVERY, ""}
    elsewhere = asks is not None and (asks.unresolved or not own)
    for line in begun(view) if view.container is not None and not elsewhere else ():
        # A script in a file is judged where it stands.
        found = misplaced(line.value) if line.section != STARTED else None
        if found and found.before:
            yield Hit(
                message=f"`ollama {found.verb}` asks a server, which the same command only starts "
                "then: it fails" + (", and the server never starts" if found.stops else ""),
                place=line.place,
                severity=None if found.stops else "warning",
                fix="start the server first, `ollama serve &`, wait for it by `until ollama list; "
                "do sleep 1; done`, and end with `wait`",
            )


_WAITS: Final = re.compile(
    r"\b(?:sleep|until|while|break|curl|wget|wait|serve|nc)\b|\|\||;\s*true\b|&[\s)]{0,9}$"
)


def _asked_after(view: View) -> Hits:
    """Yield the first command behind the start that asks the server, if none waits for it."""
    for line in sandbox.said(view, "ExecStartPost"):
        command = line.value.lstrip(PREFIXES)
        asked = _ASKS.search(command)
        if _WAITS.search(command) or "OLLAMA_HOST" in command:
            return
        if asked and "-" not in line.value.removesuffix(command):
            yield Hit(
                message=f"`ollama {asked[1]}` runs as soon as the server does, which may not "
                "answer yet: where it fails, systemd stops the service",
                place=line.place,
                severity="warning",
                fix="write it in a unit of its own, with `After=` and `Requires=`, behind a wait "
                "for the server; TimeoutStartSec= ends a long one here as well",
            )
            return


def _asked_beside(line: Line) -> Hits:
    asked = _ASKS.search(line.value)
    if asked and not _WAITS.search(line.value):
        yield Hit(
            message=f"`ollama {asked[1]}` runs as soon as the server does, which does not answer "
            "yet: it fails, and the kubelet kills the container",
            place=line.place,
            severity="warning",
            fix="wait for the server first: `until ollama list; do sleep 1; done; …`",
        )


_PRIVILEGED: Final = 1024
_MAY_BIND: Final = re.compile(r"CAP_NET_BIND_SERVICE|CAP_ALL|^~", re.IGNORECASE)


@Rule(
    id="HW606",
    severity="error",
    title="a port that the service may not bind",
    why="Ports below 1024 are root's: another user gets `permission denied`, and the server ends. "
    "`AmbientCapabilities=CAP_NET_BIND_SERVICE` lets it, and so does a host that has lowered "
    "net.ipv4.ip_unprivileged_port_start.",
    bad="User=ollama\nEnvironment=OLLAMA_HOST=127.0.0.1:80",
    good="User=ollama\nEnvironment=OLLAMA_HOST=127.0.0.1:11434",
    source="ip(7), ip_unprivileged_port_start; systemd.exec(5), AmbientCapabilities=",
)
def privileged_port(view: View, _: Facts) -> Hits:
    address, user = view.variable("OLLAMA_HOST"), sandbox.last(view, "User")
    if address is None or view.container is not None or address.unresolved:
        return
    port = whole(parts_of(cleaned(address.value))[2] or "")
    capable = any(
        _MAY_BIND.search(line.value) for line in sandbox.said(view, "AmbientCapabilities")
    )
    if not port or port >= _PRIVILEGED:
        return
    dynamic, of_user = sandbox.is_dynamic(view), view.manager == "user"
    ordinary = user not in sandbox.ROOT if user else dynamic or sandbox.adds_to_own(view)
    if of_user or (ordinary and not capable):
        who = f"`{user}`" if user else "a dynamic user" if dynamic else "the user of the service"
        yield Hit(
            message=f"port {port} is one of root's: {who} may not bind it, and the server ends",
            place=address.place,
            fix="write a port from 1024 on, with a proxy before it"
            + ("" if of_user else ", or add `AmbientCapabilities=CAP_NET_BIND_SERVICE`"),
        )


_DEVICES: Final = re.compile(
    r"nvidia|/dev/(?:dri|kfd|dxg)|char-(?:drm|kfd|nvidia|\*)", re.IGNORECASE
)
_SELECTS: Final = (
    *("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"),
    *("HSA_OVERRIDE_GFX_VERSION", "GGML_VK_VISIBLE_DEVICES", "OLLAMA_SCHED_SPREAD"),
)
_NO_GPU: Final = frozenset({"", "-1", "none", "nodevfiles", "void"})
_GPU_LIBRARY: Final = ("cuda", "rocm", "vulkan")
_GROUPS: Final = re.compile(r"(?:^|\s)(?:render|video)(?:\s|$)|nvidia", re.IGNORECASE)
_OF_CPU: Final = ("LLAMA_ARG_THREADS", "OMP_NUM_THREADS")
_ON: Final = frozenset({"1", "yes", "y", "true", "t", "on"})


@Rule(
    id="HW607",
    title="GPUs that the sandbox hides",
    why="With PrivateDevices= the service has a /dev of its own, without graphics cards, and with "
    "DevicePolicy=closed, or a DeviceAllow= for others, it may open none of theirs: the server "
    "finds no GPU, says so once in its log, and computes on the CPU. It is a remark where nothing "
    "tells of a GPU, and none at all where something tells that the CPU is to compute.",
    bad="PrivateDevices=yes\nEnvironment=CUDA_VISIBLE_DEVICES=0",
    good="DevicePolicy=closed\nDeviceAllow=char-nvidia-frontend rw\nDeviceAllow=char-nvidia-uvm rw",
    source="systemd.exec(5), PrivateDevices=; systemd.resource-control(5), DeviceAllow=",
)
def hidden_by_the_sandbox(view: View, _: Facts) -> Hits:
    if view.container is not None or view.phrases.sandboxed or _wants_the_cpu(view):
        return
    wanted = _wants_a_gpu(view)
    opened = any(_DEVICES.search(line.value) for line in sandbox.said(view, "DeviceAllow"))
    bound = any(_DEVICES.search(line.value) for line in sandbox.said(view, "BindPaths"))
    for line in sandbox.said(view, "PrivateDevices")[-1:]:
        if line.value.lower() in _ON and not bound:
            yield Hit(
                message="with `PrivateDevices=` the service has a /dev without the graphics cards: "
                "the CPU computes",
                place=line.place,
                severity=None if wanted else "info",
                fix="write `PrivateDevices=no`, and bound devices by `DeviceAllow=`"
                + ("" if wanted else "; on a host without a GPU leave it"),
            )
            return
    for line in sandbox.said(view, "DevicePolicy")[-1:] if wanted else ():
        if line.value in {"closed", "strict"} and not opened:
            yield Hit(
                message=f"`DevicePolicy={line.value}` lets the service open no graphics card, and "
                "no `DeviceAllow=` names one: the CPU computes",
                place=line.place,
                fix="add `DeviceAllow=` for them: `char-nvidia-frontend`, `char-nvidia-uvm`, or "
                "`char-drm` and `char-kfd`",
            )


def _wants_a_gpu(view: View) -> bool:
    """Return whether the file, or what is known of the host, is about a GPU that may be used."""
    chosen = (view.variable(name) for name in _SELECTS)
    named = any(one is not None and cleaned(one.value).lower() not in _NO_GPU for one in chosen)
    library = view.variable("OLLAMA_LLM_LIBRARY")
    named = named or (library is not None and cleaned(library.value).startswith(_GPU_LIBRARY))
    said = sandbox.said(view, "SupplementaryGroups", "Group", "ExecStartPre")
    named = named or any(_GROUPS.search(line.value) for line in said)
    return named or bool(view.host.gpus) or view.acceleration in _GPU_LIBRARY


def _wants_the_cpu(view: View) -> bool:
    """Return whether something tells that the CPU is to compute, or that there is nothing else."""
    library = view.variable("OLLAMA_LLM_LIBRARY")
    by_library = library is not None and cleaned(library.value).startswith("cpu")
    no_gpu = bool(view.host.cores) and not view.host.gpus
    shared = view.bound("cpu_quota") or view.bound("allowed_cpus")
    bounded = shared or any(view.variable(name) for name in _OF_CPU)
    none = computes_on_cpu(view) or by_library or no_gpu
    return none or (bool(bounded) and not _wants_a_gpu(view))


_RUNS: Final = re.compile(rf"{sandbox.BEFORE_PROGRAM}ollama[ \t]+run(?:[ \t]|$)")


@Rule(
    id="HW608",
    title="a service that is no server",
    why="`ollama run` is a client: it asks a server, which this unit does not start, and without a "
    "terminal it ends at once. Restart= then starts it over and over, as a supervisor does with a "
    "pull that has ended. In a container of its own the same command, or `pull`, finds no server, "
    "unless OLLAMA_HOST names one or the container has the network of one.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama run qwen3:8b\nRestart=always",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\nRestart=always",
    source="cmd/cmd.go@v0.32.15, RunHandler",
)
def runs_a_client(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(AGAIN):
        yield Hit(
            message=f"`ollama {line.value}` ends when it is done, and `{line.name}` starts it "
            "again then, over and over",
            place=line.place,
            fix="have it run once, with no restart",
        )
    yield from _in_its_own_container(view, facts)
    if not view.phrases.directives:
        return
    starts = sandbox.said(view, "ExecStart")
    again = sandbox.last(view, "Restart") in {"always", "on-success"}
    named = view.name.partition(".")[0].partition("@")[0] == view.engine
    once = sandbox.last(view, "Type") == "oneshot" or view.container is not None
    if once or not (again or named):
        return
    for line in starts if len(starts) == 1 else ():
        if _RUNS.match(line.value):
            yield Hit(
                message="`ollama run` is a client, which ends without a terminal: this unit starts "
                "no server",
                place=line.place,
                fix="write `ollama serve`; a job that loads a model is a unit of its own, with "
                "`Type=oneshot`",
            )


def _in_its_own_container(view: View, facts: Facts) -> Hits:
    """Yield the client that is all of a container, and has no server to ask."""
    box = view.container
    if box is None or box.restart not in _POLICIES or not is_official(view, facts):
        return
    asked = _asked(box)
    if asked is not None and not _may_ask_elsewhere(view, box):
        yield Hit(
            message=f"`ollama {asked[0]}` is a client, and no server runs in this container: it "
            "ends with an error",
            place=asked[1],
            fix="leave the command out, for the server that is the image's own, and ask that by "
            f"`docker exec`; or name another one by OLLAMA_HOST, like `{view.engine}:"
            f"{facts.image.port}`",
        )


_POLICIES: Final = frozenset({"", "no", "always", "unless-stopped", "on-failure"})
_CLIENTS: Final = frozenset({"run", "pull", "create"})
_IN_SHELL: Final = re.compile(r"(?:^|[;&|(\s])(?:\S*/)?ollama\s+(run|pull|create)\s")
_MORE: Final = re.compile(r"\bollama\s+(?:serve|start)\b|OLLAMA_HOST|\.sh\b|\$\{?[@*0-9]|&\s*$")
_SHELL: Final = re.compile(r"(?:/usr)?(?:/?bin/)?(?:ba|da)?sh")


def _asked(box: Container) -> tuple[str, Place] | None:
    """Return the verb of the client that a container is, and where it stands; None: it is none."""
    if box.arguments:
        word, place = box.arguments[0]
        return (word, place) if word in _CLIENTS else None
    words = [word for word, _ in box.program]
    if len(words) < len(_HANDED) or not _SHELL.fullmatch(words[0]) or words[1] not in _HANDED:
        return None
    text = words[2][:_LONG]
    found = _IN_SHELL.search(text)
    return (found[1], box.program[2][1]) if found and not _MORE.search(text) else None


_HANDED: Final = ("-c", "-ec", "-lc")
_LONG: Final = 4000


def _may_ask_elsewhere(view: View, box: Container) -> bool:
    """Whether something names another server, or the container has the network of one."""
    address = view.variable(_ADDRESS)
    if box.host_network is not None or not (address or view.lacks(_ADDRESS)):
        return True
    if address is not None and (address.unresolved or not is_local(listens_on(address.value))):
        return True
    told = (one.value for one in box.options if one.name in {"env", "network", "pod", "env-file"})
    shared = any(text.startswith((_ADDRESS, "container:", "service:")) for text in told)
    named = ("Pod", "network_mode", "pod")
    return shared or any(line.name in named for line in view.lines)


_ADDRESS: Final = "OLLAMA_HOST"
