"""HW316, HW508, HW513, HW519, HW529, HW537, HW548, HW570, HW614: what runs, and what starts it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import (
    REFERENCE,
    is_client,
    is_official,
    is_one_off,
    repository,
)
from generator.rules.helpers.names import nearest
from generator.rules.rule import Hit, Hits, Rule
from generator.view import OF_SYSTEMS, UNSTARTED, Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Container, View


# Tags that move on with each release, and the shape of one that does not.
_BUILT: Final = "localhost/"  # Podman's name for what is built here, and never pulled.
MOVING: Final = ("", "latest", "rocm")


@Rule(
    id="HW508",
    title="an image without a fixed release",
    why="`latest` is the newest release at the last pull. Releases change defaults, the engine and "
    "the variables that are read: the same file is another service on the next host. "
    "An image that is to move is left alone: `AutoUpdate=registry` of a quadlet says so, so do the "
    "labels of Podman and Watchtower, a Watchtower in the project, and `pull_policy: always` of "
    "Compose.",
    bad="image: ollama/ollama:latest",
    good="image: ollama/ollama:0.32.15",
    source="scripts/build_docker.sh@v0.32.15:24-33",
)
def unpinned_image(view: View, facts: Facts) -> Hits:
    container = view.container
    settled = container is None or container.digest or container.moving
    if container is None or settled or is_one_off(view):
        return
    if view.adds and not container.image:
        return
    bare = repository(container.image)
    if container.image.startswith(_BUILT) or ("/" not in bare and bare == view.engine):
        return  # Docker Hub has no image of that name alone: it is built here.
    if bare.startswith("{{") or REFERENCE.fullmatch(container.image):
        return  # Whoever fills it in names the tag as well.
    reference = REFERENCE.fullmatch(container.tag)
    if reference is not None and "?" in container.tag:
        return  # Compose refuses the file until somebody sets it, and says so.
    tag = container.tag if reference is None else (reference["default"] or "")
    official = is_official(view, facts)
    if tag not in MOVING or (tag == "rocm" and not official):
        return
    pattern = facts.image.rocm_tag if tag == "rocm" else facts.image.tag
    # Tags of other images are not those of the engine.
    right = pattern.format(release=view.release) if official else ""
    what, fix = _advice(container.tag, tag, bare, right)
    # Which release runs must be known: a fix must not change it.
    certain = right and view.release_told and reference is None
    place = container.of_image
    written = f"{bare}:{tag}" if tag else bare
    yield Hit(
        message=what,
        place=place,
        fix=fix if right else "name a tag that does not move, or a digest",
        edits=(Edit(place, written, f"{bare}:{right}"),) if certain else (),
        unsafe=True,
    )


def _advice(written: str, tag: str, image: str, right: str) -> tuple[str, str]:
    """Return what runs where this is written, and how to write the tag that is right."""
    day = "which release runs depends on the day of the last pull"
    if not written.startswith("$"):
        named = f"the tag is `{tag}`" if tag else "there is no tag, which means `latest`"
        return f"{named}; {day}", f"write the release that you want, like `{image}:{right}`"
    nobody = f"`{tag}` where nobody sets it; {day}"
    refused = "no default: where nobody sets it, the image is refused"
    message = f"`{written}` is {nobody}" if tag else f"`{written}` has {refused}"
    return message, f"give it a release as its default: `{right}`"


_AFTER_SUCCESS: Final = {
    "on-success": "a clean end alone",
    "on-watchdog": "a watchdog alone, which Ollama does not serve",
}


@Rule(
    id="HW513",
    title="nothing brings the server back",
    why="Such a server stays down after a crash of the driver, a kill for memory and, in a "
    "container, a reboot. `on-failure` of Docker and Podman is for a crash alone. The installer's "
    "unit has Restart=always, and a drop-in inherits that.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\nRestart=always\nRestartSec=3",
    source="scripts/install.sh@v0.32.15:221-235; systemd.service(5), Restart=; "
    "docs.docker.com: Start containers automatically",
)
def no_restart(view: View, _: Facts) -> Hits:
    asked = any(
        line.name == "Restart" or line.name.endswith(".Restart") or "restart_policy" in line.section
        for line in view.lines
    )
    box, start = view.container, view.starts
    if box is None and sandbox.last(view, "Type") == "oneshot":
        return  # systemd refuses Restart=always there.
    if box is not None:
        start = None if box.restart or view.adds or is_client(view) else box.place
    for line in sandbox.said(view, "Restart")[-1:] if view.phrases.headers else ():
        if line.value in _AFTER_SUCCESS and box is None and start is not None:
            yield Hit(
                message=f"`Restart={line.value}` starts it again after {_AFTER_SUCCESS[line.value]}"
                ": a server that crashes stays down",
                place=line.place,
                fix="write `Restart=always`, or `on-failure`",
            )
    if box is None and start is None and not asked and view.phrases.unit_file and not view.adds:
        yield from _waits_for_nothing(view)
    if start is not None and view.phrases.restart and not asked:
        yield Hit(
            message="there is no restart policy: a server that ends stays down",
            place=start,
            fix=view.phrases.restart,
        )
    if box is not None and box.restart.startswith("on-failure") and not view.phrases.headers:
        yield from () if is_client(view) else _down_after_a_reboot(view, box)


def _down_after_a_reboot(view: View, box: Container) -> Hits:
    """Yield the policy by which a container is started anew after a failure alone."""
    told = (line.place for line in view.lines if line.value.strip("\"'") == box.restart)
    yield Hit(
        message=f"`{box.restart}` is for a crash alone: the server stays down after a reboot, or a "
        "restart of Docker",
        place=next(told, box.place),
        severity="info",
        fix="write `unless-stopped`",
    )


def _waits_for_nothing(view: View) -> Hits:
    """Yield the pause before a restart that never comes, whatever the unit starts."""
    for line in sandbox.said(view, "RestartSec")[-1:]:
        yield Hit(
            message="`RestartSec=` is the pause before a restart, and without `Restart=` there is "
            "none: a server that ends stays down",
            place=line.place,
            fix="add `Restart=always`",
        )


_DAEMON: Final = "nvidia-persistenced"
_PULLS: Final = frozenset({"wants", "requires", "bindsto", "upholds"})


@Rule(
    id="HW316",
    severity="info",
    title="an order after a daemon that nobody starts",
    why="`After=` puts two units in order where both start; it starts neither. Without the daemon "
    "the driver may unload while nobody uses the card, and forgets its settings. On NixOS the unit "
    "is there only with `hardware.nvidia.nvidiaPersistenced`. The manager of a user has no "
    "network-online.target either.",
    bad="After=nvidia-persistenced.service",
    good="After=nvidia-persistenced.service\nWants=nvidia-persistenced.service",
    source="systemd.unit(5), After=; nixos/modules/hardware/video/nvidia.nix",
)
def nobody_starts_it(view: View, _: Facts) -> Hits:
    yield from _network_of_a_user(view)
    told = ("Unit",) if not view.phrases.sandboxed else ("Unit", "")
    lines = [line for line in view.lines if view.phrases.section(line) in told]
    named = [line for line in lines if _DAEMON in line.value]
    after = [line for line in named if line.name.lower() == "after"]
    pulled = [line for line in named if line.name.lower() in _PULLS]
    if view.phrases.sandboxed:
        there = {line.name for line in view.lines if line.value == "true"}
        started = "nvidiaPersistenced" in there or any(_DAEMON in ln.section for ln in view.lines)
        after, fix = after or pulled, "add `hardware.nvidia.nvidiaPersistenced = true;`"
    else:
        started, fix = bool(pulled), f"add `Wants={_DAEMON}.service` beside it"
    if after and not started:
        yield Hit(
            message=f"nothing here starts {_DAEMON}: an order alone does not",
            place=after[0].place,
            fix=fix,
        )


def _network_of_a_user(view: View) -> Hits:
    """Yield the target of the system that a unit of a user waits for, and its manager lacks."""
    if view.manager != "user" or view.container is not None:
        return
    for line in view.lines:
        ordered = line.name.lower() in {"after", *_PULLS}
        if ordered and _NETWORK in line.value and "WantedBy" not in line.name:
            yield Hit(
                message=f"the manager of a user has no `{_NETWORK}`: this waits for nothing",
                place=line.place,
                fix="leave it out; what asks the network has to try again",
            )
            return


_NETWORK: Final = "network-online.target"


# Cards of desktops and laptops; those of servers, and GB10, seldom sleep.
_DESKTOP: Final = re.compile(r"\b(?:GeForce|[GR]TX|Quadro|TITAN)\b", re.IGNORECASE)


@Rule(
    id="HW519",
    severity="info",
    title="a GPU that is lost after a suspend",
    why="After a resume the NVIDIA memory module is dead, and the CPU computes until a restart, "
    "with one log line. Reloading nvidia_uvm around the suspend, or keeping video memory, prevents "
    "it.",
    bad='gpus = [{ name = "GeForce RTX 3090", memory = "24GiB" }]    # and nothing for the resume',
    good="[service]\nresume_fix = true    # or false, for a host that never sleeps",
    source="docs/gpu.mdx@v0.32.15:48-53; ollama#5464",
)
def lost_after_suspend(view: View, _: Facts) -> Hits:
    cards = [card for card in view.host.gpus if card.compute_capability and not card.unified]
    desktop = next((card for card in cards if _DESKTOP.search(card.name)), None)
    if desktop is not None and view.resume_fix is False:
        yield Hit(
            message=f"after a suspend the server would lose the {desktop.name} and compute on the "
            f"CPU",
            place=view.at("service.resume_fix"),
            fix="set `service.resume_fix` to true, or to false where the host never sleeps",
        )


# What systemd refuses in a name (`:`, `/`), and what it takes for a part of one that nobody has.
_NO_NAME: Final = re.compile(r"[\s:/<>#\"';,()]")
_FILLED_IN: Final = re.compile(r"[%$]|\{\{|@\w+@")
_TO_FILL_IN: Final = re.compile(r"<[^<>]+>")


@Rule(
    id="HW548",
    severity="error",
    title="a user that cannot be",
    why="All of the line is the name: a comment, quotes and blanks belong to it. With a `:` or `/` "
    "systemd refuses the unit; other such names nobody has, and the start ends with 217/USER or "
    "216/GROUP.",
    bad="User=ollama # or root",
    good="# or root\nUser=ollama",
    source="systemd.exec(5), User=; systemd.io/USER_NAMES",
)
def no_such_name(view: View, _: Facts) -> Hits:
    for name in ("User", "Group"):
        for line in sandbox.said(view, name)[-1:] if view.phrases.unit_file else ():
            gap = view.phrases.guide and _TO_FILL_IN.search(line.value)
            if not _NO_NAME.search(line.value) or _FILLED_IN.search(line.value) or gap:
                continue
            bare = re.split(r"\s*#", line.value)[0].strip("\"' ")
            known = re.fullmatch(r"[a-z_][a-z0-9_-]*", bare)
            yield Hit(
                message=f"`{line.value}` is no {name.lower()}: the service does not start",
                place=line.place,
                fix=f"write `{name}={bare}`" if known else "write a name alone, or take it out",
            )


_POLICY: Final = re.compile(
    r"(?i:no|false|always|unless-stopped|on-failure(?::\d+)?|any|none|untold|)"
)


@Rule(
    id="HW614",
    severity="error",
    title="a restart policy that there is not",
    why="Docker and Podman know `no`, `always`, `unless-stopped` and `on-failure`, the last one "
    "with a number of attempts. Compose hands another word on, and no container is created.",
    bad="restart: allways",
    good="restart: always",
    source="moby api/types/container/hostconfig.go, ValidateRestartPolicy; podman-run(1)",
)
def no_such_policy(view: View, _: Facts) -> Hits:
    box = view.container
    if box is None or view.phrases.headers or _POLICY.fullmatch(box.restart):
        return
    if re.search(r"[$<{]", box.restart):
        return
    options = (line for line in box.options if line.name == "restart")
    told = [line.place for line in (*view.lines, *options) if line.value == box.restart]
    close = nearest(box.restart, ("no", "always", "unless-stopped", "on-failure"))[0]
    yield Hit(
        message=f"there is no restart policy `{box.restart}`: the container is not created",
        place=told[0] if told else box.place,
        fix=f"did you mean `{close}`?" if close else "write `unless-stopped`",
    )


_EVERYBODY: Final = re.compile(r"(?:^|\s)(?:any|0\.0\.0\.0/0)(?:\s|$)")


@Rule(
    id="HW529",
    title="a server that nobody can reach",
    why="IPAddressDeny=any drops every packet of the service, those of the loopback as well: a "
    "client on the same host waits until it gives up. IPAddressAllow= beside it says who may.",
    bad="IPAddressDeny=any",
    good="IPAddressDeny=any\nIPAddressAllow=localhost",
    source="systemd.resource-control(5), IPAddressDeny=",
)
def shut_off(view: View, _: Facts) -> Hits:
    denied, allowed = sandbox.said(view, "IPAddressDeny"), sandbox.said(view, "IPAddressAllow")
    everyone = [line for line in denied if _EVERYBODY.search(line.value)]
    # A slice above it may allow some, and a socket of another unit hands connections over.
    handed = sandbox.said(view, "Slice", "Sockets", "NetworkNamespacePath")
    if not everyone or allowed or handed or is_client(view) or sandbox.is_job(view):
        return
    yield Hit(
        message="`IPAddressDeny=any` drops what clients send, on the loopback as well: nobody "
        "reaches the API",
        place=everyone[-1].place,
        severity="info" if view.adds else None,
        fix="add `IPAddressAllow=localhost`, and the network that may ask"
        + (", unless the unit allows some" if view.adds else ""),
    )


_INSTALLS: Final = frozenset({"WantedBy", "RequiredBy", "UpheldBy"})


@Rule(
    id="HW537",
    title="a unit that nothing starts",
    why="The manager of a user has no multi-user.target: what is wanted by it is enabled without a "
    "word, and started by nobody. Its units begin with default.target, with lingering at boot. "
    "Whose a quadlet is, its place tells, or `%h`, which is /root to the system. A unit of NixOS "
    "is started by what wants it, or by a timer: without `wantedBy`, `startAt` or another unit "
    "that names it, nobody does.",
    bad="# ~/.config/systemd/user/ollama.service\n[Install]\nWantedBy=multi-user.target",
    good="# ~/.config/systemd/user/ollama.service\n[Install]\nWantedBy=default.target",
    source="systemd.special(7), UNITS MANAGED BY THE USER SERVICE MANAGER",
)
def started_by_nobody(view: View, _: Facts) -> Hits:
    wanted = [line for line in view.lines_in("Install") if line.name in _INSTALLS]
    named = {word for line in wanted for word in line.value.split()}
    if named and named <= OF_SYSTEMS and view.manager == "user":
        yield Hit(
            message=f"a user has no `{wanted[-1].value}`: the unit is enabled, and nothing starts "
            "it",
            place=wanted[-1].place,
            fix="write `WantedBy=default.target`, and `loginctl enable-linger` for a start at boot",
            edits=(Edit(wanted[-1].place, wanted[-1].value, "default.target"),),
            unsafe=True,
        )
    for line in view.lines_in(UNSTARTED):
        timer = line.name.endswith(".timer")
        target = "timers" if timer else "default" if line.value == "user" else "multi-user"
        yield Hit(
            message=f"nothing wants `{line.name}`: neither the boot nor another unit starts it",
            place=line.place,
            fix=f'write `wantedBy = [ "{target}.target" ];`'
            + ("" if timer else ", or give it a timer by `startAt`"),
        )


@Rule(
    id="HW570",
    severity="error",
    title="a user that the manager of a user cannot change to",
    why="The manager of a user runs as that user, and may not set the groups of anybody: with "
    "User= or Group= the service ends before its program starts (`status=216/GROUP`), even where "
    "the name is its own.",
    bad="# ~/.config/systemd/user/ollama.service\n[Service]\nUser=ann",
    good="# ~/.config/systemd/user/ollama.service\n[Service]",
    source="systemd.exec(5), User=; src/core/exec-invoke.c@v257, enforce_groups",
)
def changes_its_user(view: View, _: Facts) -> Hits:
    told = sandbox.said(view, "User", "Group") if view.manager == "user" else []
    for line in told if view.phrases.unit_file and view.container is None else ():
        yield Hit(
            message=f"the manager of a user cannot set `{line.name}={line.value}`: the service "
            "ends with 216/GROUP",
            place=line.place,
            fix=f"leave `{line.name}=` out: it runs as its user anyway",
        )
