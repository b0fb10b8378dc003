"""A View: one service as a file describes it, whatever kind of file. Plain data.

Rules judge Views, so that a profile, a drop-in and a compose file are held to the same facts.
What a file does not say is None or empty; a rule that needs it stays silent.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.host import UNKNOWN, Host
from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.around import Alerting, Client, Gateway, Hop, Scaling, Watched
    from generator.errors import Finding, Silence
    from generator.units import Release

Reach = Literal["server", "client", "shell"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, its line from 1 (0: the file as a whole), a key path."""

    file: str
    line: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """What nobody has judged: a file, or the `part` of it that stands from `line` on, and why."""

    file: str
    reason: str
    hint: str = ""
    part: str = ""
    line: int = 0
    exit_code: int = 2
    """What a check ends with that has judged nothing: 3 where the machine lacks something."""
    variables: bool = False
    """Whether further variables of the service stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable as the server will get it: unquoted, specifiers expanded.

    `reach` is `server` where the server reads it, `client` where only a client of it does, `shell`
    where a login shell would have to export it. `written` is the value as the file spells it.
    `unresolved`: a part of the value is filled in by the running host only, and kept as it stands.
    `refused`: why whoever reads the file does not take the value. `named` is where its name
    stands, if not beside the value. `shared`: other programs than the engine's get it as well.
    """

    name: str
    value: str
    place: Place
    reach: Reach = "server"
    written: str = ""
    unresolved: bool = False
    refused: str = ""
    named: Place | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A resource limit under its profile name (`cpu_quota`, `memory_max`), in the Plan's units.

    `value` is None where the file lifts the limit (`infinity`). `derived`: it follows from what a
    profile says of something else.
    """

    name: str
    value: int | str | None
    place: Place
    written: str = ""
    derived: bool = False


PREFIXES: Final = "-@:+!|"
"""What may stand before a command of a unit: systemd.service(5), COMMAND LINES."""
OF_SYSTEMS: Final = frozenset({"multi-user.target", "graphical.target"})
"""Targets of the system's manager, of which that of a user has none."""
UNSEEN: Final = "unseen"
"""The section of a Line that is a character which is not what it looks like."""
POD: Final = "pod"
"""The section of what is of a pod, and not of its container."""
LIMIT: Final = "gpu-limit"
"""The name of a limit by which a pod asks for a card of Intel."""
NODE: Final = "node"
"""The name of a node of a GPU that a pod mounts as a volume, and nothing hands in."""
STARTING: Final = "postStart"
"""The name of what a pod runs beside a container that has just been started."""
TUNNEL: Final = "tunnel"
"""The section of what leads to the API from the whole internet: the program, its command."""
INGRESS: Final = "ingress"
"""The section of what leads to the API from outside the cluster, by a name."""
STRAY: Final = "stray"
"""The section of what selects none of the pods at hand, and should: a Service, its selector."""
UNMATCHED: Final = "unmatched"
"""The section of a workload whose selector its own pods do not fit: its kind, the labels."""
KEYLESS: Final = "keyless"
"""The section of a variable whose value a ConfigMap or a Secret has not: which, and the key."""
BARRED: Final = "barred"
"""The section of a policy of a cluster that bars `pulls` or `clients` of a server: its name."""
SOCKET: Final = "socket"
"""The section of what listens in place of the server: a socket of systemd, its address."""
STARTED: Final = "script"
"""The section of a script that a container begins with: its text, none where it is not at hand."""
EXECUTED: Final = "exec"
"""The section of commands that are run in a container of the engine: the program, its line.

Without a program it is a script, which a container of the engine's image runs beside the server.
"""
HANDED: Final = "handed"
"""The section of what a container beside the server hands to the program of its image.

The name is the image, the value what it is told.
"""
PERHAPS: Final = "perhaps"
"""The section of a model that a script pulls in one of its branches: the verb, the model."""
HOMELESS: Final = "homeless"
"""The section of what makes the user of a service without a home: the user, the line that does."""
ALONE: Final = "alone"
"""The section of a command of the engine that a script runs as itself: its words."""
AT_BOOT: Final = "at-boot"
"""The section of such a command in a script that a machine runs at its first boot."""
UNMADE: Final = "unmade"
"""The section of a directory that an option names, and no file makes for the service: both."""
OF_ROOT: Final = "of-root"
"""The section of a directory that a script makes for root, and gives to nobody."""
INSTALLED: Final = "install"
"""The section of what an installer is told in vain: a variable that it does not get."""
EMPTIED: Final = "emptied"
"""The section of an empty list in a file that is laid over another: its key."""
MISLAID: Final = "mislaid"
"""The section of a key that its reader looks for elsewhere: the key, the table; empty: the top."""
UNAPPLIED: Final = "unapplied"
"""The section of a command that starts what runs already, behind a change that needs a restart."""
EARLY: Final = "early"
"""The section of a pull before the restart for which a change waits: what was set, the verb."""
CUT_OFF: Final = "cut-off"
"""The section of a pull that nobody waits for before the server is ended: the line that does."""
MISPLACED: Final = "misplaced"
"""The section of a program that a unit starts where its installer puts none: its path."""
AMONG_LINKS: Final = "among-links"
"""The section of a unit that is written where systemd looks for links alone: its path."""
UNTIL_REBOOT: Final = "until-reboot"
"""The section of a variable that launchd is told, and forgets when the machine starts anew."""
SECOND: Final = "second"
"""The section of a server that a script starts where its installer has started one."""
LATER: Final = "later"
"""The section of what a script starts where its installer has started a server: what, by name."""
MADE_BY: Final = "made-by"
"""The name of a script that the build of an image runs: its text."""
GONE: Final = "gone"
"""The section of a download that is not there any more: its name."""
TAKEN: Final = "taken"
"""The section of what of a host a container wants that another one has: who, and what of it."""
NOT_OURS: Final = "not-ours"
"""The section of a volume that belongs to root where a container runs as another: its path, what.
"""
UNSTARTED: Final = "unstarted"
"""The section of a unit that nothing starts: its name, whose manager has it."""
SPENT: Final = "spent"
"""The section of a variable of a script that the reader of its file empties first: it, as written.
"""
SOMETIMES: Final = "sometimes"
"""The section of what decides whether a service runs at all, or where: its name."""
OTHERWISE: Final = "otherwise"
"""The name of such a line, where the same service is there without the condition, too."""
BRANCH: Final = "branch"
"""The section of a branch of a script that makes a service: the line of its block, which one."""
IN_FRONT: Final = "in-front"
"""The section of a command that waits for the end of a server: itself, the line that comes late."""
ENABLED: Final = "enabled"
"""The section of an `enable` that enables nothing: the unit, why (`generated` or `bare`)."""
NOWHERE: Final = "nowhere"
"""The section of what another service of the file asks at a name that nobody has."""
BENEATH: Final = "beneath"
"""The section of a path below which a proxy leads to a server, and that it hands on as it is."""
SHARES: Final = "shares"
"""The section of another server on the same first card: its name, its words, one a line."""
GATED: Final = "gated"
"""The section of a service that needs one behind a profile: who; which one, and its profiles."""
SELF: Final = "self"
"""The section of what a service asks in its own container, where no server of the project is."""
DESKTOP: Final = "desktop"
"""The section of what a service asks at the host by a name that Docker Desktop alone gives it."""
MAYBE: Final = "maybe-"
"""What such a section begins with where nothing says on which system it is."""
UNPUBLISHED: Final = "unpublished"
"""The section of what a service asks at the host, where the server is published to no container."""
UNNOTICED: Final = "unnoticed"
"""The section of a pull whose failure nobody sees: what hides it, and the command that does."""
UNSERVED: Final = "unserved"
"""The section of an address of which no Service has the name: those of the server, the address."""
UNPORTED: Final = "unported"
"""The section of a port that the Service, named behind a dot, has not: those that it has, it."""
UNPULLED: Final = "unpulled"
"""The section of a model that a program asks for: those that are pulled instead, it."""
FOREIGN: Final = "foreign"
"""The section of a script that runs in an image of others: the image, its text."""
OF_GPU: Final = "of-gpu"
"""The section of an option that a container's device request for NVIDIA has, which takes none."""
OPENED: Final = "opened"
"""The section of a port by which a proxy opens the API on all addresses: the proxy, the port."""
UNHEARD: Final = "unheard"
"""The section of a port of a proxy at which that does not listen: the proxy, the port."""
AT_ONCE: Final = "at-once"
"""The section of what a script asks of a server in the moment after it has started it: the verb."""
MANAGED: Final = "service"
"""The name of what is AT_ONCE behind a start by the service manager."""
IF_BOOTING: Final = "if-booting"
"""The section of what is AT_ONCE where a machine starts for the first time, and late elsewhere."""
BEFORE: Final = "before"
"""The section of what a script asks of a server that it only starts later: the verb, that line."""
ALONE_IN_IMAGE: Final = "alone-in-image"
"""The section of a program that an image has without its libraries: where they are, and belong."""
UNSHELLED: Final = "unshelled"
"""The section of a word of the shell in a command that gets none: it, the module that takes it."""
NAMESAKE: Final = "namesake"
"""The section of a search for a model by its name alone: the variable, that of the whole name."""
AGAIN: Final = "again"
"""The section of a command that ends, and is started anew then: what says so, the verb."""
UNHOMED: Final = "unhomed"
"""The section of a user whose server keeps the HOME of root: the user."""
SOON: Final = "soon"
"""The section of what a job asks of a server as soon as that is started: the job, the verb."""
IN_INIT: Final = "in-init"
"""The section of what an init container asks of a server that starts behind it: it, what."""
FATAL: Final = "fatal"
"""The section of a pull whose failure ends the script of a server: what it is, its words."""
FORGIVEN: Final = "forgiven"
"""The section of a pull or a start whose failure counts as none: what fails, and by which words."""
PAST: Final = "past"
"""The section of a word behind what a shell runs, in a job beside the server: the script, it."""
ASKING: Final = "asking"
"""The section of a variable that is given to a command which only asks a server: it, the verb."""
CLOUD: Final = "cloud"
"""The name of such a line where it is the cloud that keeps them out."""
WORLD: Final = "world"
"""The section of a rule of the cloud that lets everybody come to the port: its type, whom."""
SHUT: Final = "shut"
"""The section of what keeps others from the port of a server, in the cloud or on the host."""
UNPASSED: Final = "unpassed"
"""The section of variables of `.env` that no container gets."""
ALSO: Final = "also"
"""The section of a variable that a program which is built here gets by the same line: it, who."""
UNREAD: Final = "unread"
"""The section of the same where there is no program, either, that might read the file."""

UNASSIGNED: Final = "unassigned"
"""The section of lines of a file of variables that assign nothing."""
PARTED: Final = "parted"
"""The section of variables whose name, as it stands there, ends in a blank: the line, whole."""
ASTRAY: Final = "astray"
"""The section of what another service of the file asks in its own container, where nobody is."""
UNEXPORTED: Final = "unexported"
"""The section of variables that a login shell keeps to itself."""
ASKS_ALL: Final = "asks-all"
"""The section of health checks of a gateway that ask every model something."""
AMISS: Final = "amiss"
"""The section of what a program of the host asks: where the server answers, what is asked."""
FIREWALL: Final = "firewall"
"""The section of a program that listens on all addresses: what opens the firewall, the address."""
LITERAL: Final = "literal"
"""The section of values with a variable that the reader of their file does not expand."""


def unseen(text: str) -> tuple[str, ...]:
    """Return the characters of a text that nobody sees, each once, as one writes them: `U+200B`."""
    strange = (c for c in dict.fromkeys(text) if not (c.isprintable() or c in "\t\n\r"))
    return tuple(f"U+{ord(c):04X}" for c in strange)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A directive of a unit file, or a key of another format, that is no variable and no limit.

    `name` is empty for a line of a unit file that assigns nothing: the header of a section, or one
    that systemd ignores.
    """

    section: str
    name: str
    value: str
    place: Place


def sometimes(name: str, place: Place) -> Line:
    """Return the line that says of a service that something decides whether it runs, or where."""
    return Line(section=SOMETIMES, name=name, value="", place=place)


@dataclass(frozen=True, slots=True)
class Command:
    """A call of the engine's program: each word behind it, with its place.

    `fed`: something else is its input, a pipe or a file.
    """

    words: tuple[tuple[str, Place], ...]
    fed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the engine's API: its path, empty where a library knows it, and its fields.

    A field of the body has no section, one of a mapping in it the mapping's name.
    """

    path: str
    place: Place
    fields: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruled:
    """A setting that has no effect, because a line that says otherwise wins: `winner` at `by`.

    `usual`: people put such a source over the other on purpose, as a file of variables over those
    of the unit that names it. A drop-in over its unit is no Overruled at all.
    """

    name: str
    value: str
    place: Place
    winner: str
    by: Place
    usual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An option of the module that makes the service, or one of its unit that stands beside it.

    `name` is dotted below `within`: empty for options of the module; it is empty itself where
    something stands in the place of all of them. `strength` is above 0 where it beats what the
    module itself says, below where it loses to that. `unresolved`: `value` is not known, for
    something else makes it. `maybe`: nobody knows here whether it is set at all. `chosen`: the
    file looks which options there are, and writes the name of one of them.
    """

    name: str
    value: Any
    place: Place
    within: Literal["", "environment", "serviceConfig"] = ""
    strength: int = 0
    unresolved: bool = False
    maybe: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a file whose reader knows all keys that it takes, at its path from the top.

    `form` is that of its value, `empty`: there is none. `value` is the text of a single value, as
    the file writes it.
    """

    path: tuple[str, ...]
    place: Place
    form: Literal["value", "list", "table", "empty"] = "value"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """A model that the service pulls, creates, warms up or serves.

    `base` is the model of the library that it is made of, where that has another name; `threads`
    are the compute threads that it is made with, 0: the server's. `pulled`: it comes from there.
    `made`: it is created here, under whatever name. `bits` are those of a weight (0: as the tag).
    """

    name: str
    place: Place
    role: str = ""
    warmed: bool = False
    base: str = ""
    threads: int = 0
    pulled: bool = False
    made: bool = False
    bits: int = 0


def each_once(models: Iterable[ModelUse]) -> tuple[ModelUse, ...]:
    """Return models each once, where it is first used, with all that is done with it."""
    found: dict[str, ModelUse] = {}
    for one in models:
        before = found.setdefault(one.name, one)
        found[one.name] = replace(
            before,
            warmed=one.warmed or before.warmed,
            pulled=one.pulled or before.pulled,
            made=one.made or before.made,
        )
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume by where it is mounted: its bytes (0: not told), and what is behind the network.

    `network` is the kind of storage or its class, like `nfs`; empty: local, or not told.
    """

    target: str
    place: Place
    size: int = 0
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A port of a container at which others ask: who, and where that is said."""

    by: str
    port: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What is said of a container.

    `gpus` are device ids, `nodes` the devices by their paths, `gpu_access` how they get in,
    `gpu_also` further ways beside that one. `checks` are commands that are run for its health
    beside `healthcheck`, `probes` are paths that are asked for its health, `exposed` what opens its
    port beyond a cluster, `volumes` what is told of mounts beside their names, `unkept` what would
    turn on the volume for models that is turned off, `arguments` the words that the image's own
    program gets: none where another one is named, and then `program` has that with all its words.
    `unbound` are mounts of volumes that nobody defines, `asked` the ports at which others ask it,
    `read_only` where its own file system is made
    so, and `scratch` what is in memory. `home` is that of the user inside, empty: the image's.
    `moving`: the image is built on the host, or follows its tag because somebody wants that.
    `waited_for` are services that start once its health check passes. `gpu_number` is how many get
    in (0: not told), `shared` the memory that its processes share: a size, or `host`. `named` is
    where the image has its name, if that is elsewhere.
    """

    image: str
    place: Place
    tag: str = ""
    digest: bool = False
    gpu_access: Literal["", "reservation", "cdi", "runtime", "devices"] = ""
    gpu_also: tuple[Literal["reservation", "cdi", "runtime", "devices"], ...] = ()
    gpus: tuple[str, ...] = ()
    nodes: tuple[tuple[str, Place], ...] = ()
    privileged: Place | None = None
    host_network: Place | None = None
    user: str = ""
    ports: tuple[tuple[str, Place], ...] = ()
    mounts: tuple[tuple[str, Place], ...] = ()
    healthcheck: tuple[tuple[str, ...], Place] | None = None
    restart: str = ""
    memlock: bool = False
    volumes: tuple[Volume, ...] = ()
    checks: tuple[tuple[tuple[str, ...], Place], ...] = ()
    probes: tuple[tuple[str, Place], ...] = ()
    exposed: tuple[Line, ...] = ()
    unkept: Edit | None = None
    arguments: tuple[tuple[str, Place], ...] = ()
    program: tuple[tuple[str, Place], ...] = ()
    unbound: tuple[tuple[str, Place], ...] = ()
    asked: tuple[Asked, ...] = ()
    read_only: Place | None = None
    scratch: tuple[str, ...] = ()
    home: str = ""
    moving: bool = False
    waited_for: tuple[str, ...] = ()
    options: tuple[Line, ...] = ()
    gpu_number: int = 0
    shared: str = ""
    named: Place | None = None

    @property
    def of_image(self) -> Place:
        """Where the image has its name."""
        return self.named or self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The phrase book of a format: how it says what rules speak of.

    The defaults are options of `docker run`, or that the format has no word for it.
    """

    kind: str
    keyed: bool = False
    """Whether settings are keys of a profile, on which `resolve` has had its say."""
    unit_file: bool = False
    """Whether systemd reads the file itself: each of its sections is one of systemd's."""
    directives: bool = False
    """Whether what it says becomes directives of a unit as it stands, commands and all."""
    headers: bool = False
    """Whether lines stand below a `[Section]`."""
    sections: tuple[tuple[str, str], ...] = ()
    """Without headers: the last key above a line, and the section of a unit that it becomes."""
    assigns: bool = False
    """Whether name and value of a variable stand side by side, so that both name the spot."""
    string: str = "{}"
    """A value that has to stay a string, where the old one had no quotes."""
    expands: bool = False
    """Whether the format expands `$NAME` itself."""
    rootless: bool = False
    """Whether root of the container may be an ordinary user of the host."""
    past_firewall: bool = False
    """Whether what is published passes by a firewall of the host."""
    publishes_local: bool = True
    """Whether a port can be published on one address of the host."""
    binds_addresses: bool = True
    """Whether the address before a published port counts at all."""
    volumes_told: bool = True
    """Whether there is no volume but those in the file."""
    defines_volumes: str = ""
    """The key at the top under which every named volume has to stand; empty: none has to."""
    projects: str = r"(?!)"
    """The names of files that are whole by themselves; others may be a part of one."""
    unnamed: str = "has no name: the next container gets an empty one"
    """What becomes of a volume without a name; empty: it may get one."""
    keep_volume: str = ""
    """How to turn on the volume that is turned off."""
    read_by: str = ""
    """Who reads the environment; empty: nobody who should not."""
    keep_in: str = ""
    """Where to keep a secret instead."""
    drops_lines: str = ""
    """Who ignores a line that assigns nothing, with the verb."""
    devices_told: bool = True
    """Whether nothing but the file itself hands devices to a container."""
    firewalled: bool = False
    """Whether the firewall of the system is shut unless something opens a port."""
    one_backend: bool = False
    """Whether the program comes from nixpkgs, which builds it for one kind of device."""
    empty_is_none: bool = False
    """Whether setting a variable to nothing takes it away."""
    sandboxed: bool = False
    """Whether the service is in a sandbox of systemd unless the file says otherwise."""
    restart: str = ""
    """How to bring back a server that ends; empty: something else does, or it is a choice."""
    of_unit: str = r"(?!)"
    """A pattern for the keys of limits that systemd puts on a unit; others are a container's."""
    cpus: str = "--cpus={}"
    """The quota of a container."""
    refused: str = r"(?!)"
    """A pattern for the keys of limits that may not ask for CPUs that are not there."""
    weight: tuple[str, int] = ("CPUWeight", 100)
    """The share of CPU time, and its default."""
    share_cpus: str = "bound the CPU time, or give the others more weight"
    size_suffix: str = ""
    """What follows `20G` for 20 GiB."""
    soft_limit_reserves: bool = False
    """Whether `memory_high` is a reservation, which may be the whole limit."""
    no_swap: str = "add `--memory-swap={}`, the same as the memory, for no swap"
    """How to bar swap beside a container's limit of that size; empty: there is none."""
    unit_no_swap: str = ""
    """The same beside the limit of a unit."""
    memlock: str = "add `--ulimit memlock=-1` to the options of the container"
    """How to lift the limit on locked memory."""
    shared_memory: str = "add `--shm-size=4g`, or `--ipc=host`"
    """How to give the processes of a container memory to share."""
    start_limit: str = "move it to [Unit]"
    podded: bool = False
    """Whether a container shares its address with others of its pod."""
    one_of_several: str = ""
    """How only one of two services runs that exclude each other."""
    obsolete: frozenset[str] = frozenset()
    """Keys at the top of the file that its reader ignores."""
    refuses_whole: str = ""
    """What the reader does to the file for a key that it does not know; empty: it ignores that."""
    reader: str = ""
    """Who reads the keys."""
    filled_in: str = ""
    """How the reader of the file is told a value of the environment, as an advice."""
    accepts: str = ""
    """Under which name the Catalogue has the keys that the reader knows."""
    takes_empty: bool = False
    """Whether a key without a value is as if it were not there."""
    own_keys: str = r"(?!)"
    """A pattern for keys that anybody may add."""
    mendable: bool = True
    """Whether a fix may change the text: what is packed into a file stands nowhere in it."""
    guide: bool = False
    """Whether it shows people what to write, with gaps for them to fill in."""
    several: bool = False
    """Whether it has commands and variables of other programs as well, as a guide does."""
    passing: bool = False
    """Whether the machine is made for what it says, and goes with it."""
    plugged: bool = False
    """Whether a device plugin sets variables, before those of the file."""
    check: str = '["CMD", {}]'
    """A health check by a program and its arguments, `{}` the quoted words."""
    entrypoint: str = "--entrypoint {}"
    """How another program than the image's own is named."""
    read_only: str = ":ro"
    """The word by which a volume is one that nobody writes in."""
    taken_away: str = ""
    """How the image's own program is taken away, so that the command alone is run."""
    idle: str = r"(?!)"
    """A pattern for the keys of limits that nobody reads where the file is run by itself."""
    idle_unless: str = r"(?!)"
    """A pattern for keys that show that the file is for a cluster, which reads them."""
    mapped_port: str = r"(?!)"
    """A pattern for the keys of published ports that are mappings."""
    mapped_host: str = "host_ip: 127.0.0.1"
    """How such a mapping names the address of the host."""

    def limits_unit(self, bound: Bound) -> bool:
        """Return whether systemd reads a limit: those of a unit are no options of a container."""
        return re.fullmatch(self.of_unit, bound.place.key) is not None

    def quota(self, bound: Bound, percent: int) -> str:
        """Return a quota of CPU time as the file spells one."""
        return f"{percent}%" if self.limits_unit(bound) else self.cpus.format(f"{percent / 100:g}")

    def quota_in_prose(self, bound: Bound, percent: int) -> str:
        """Return a quota of CPU time as people say it who read that file."""
        return f"{percent}%" if self.limits_unit(bound) else f"{percent / 100:g} CPUs"

    def refuses(self, bound: Bound) -> bool:
        """Return whether a limit may not ask for CPUs that are not there."""
        return re.fullmatch(self.refused, bound.place.key) is not None

    def local_port(self, text: str, place: Place) -> str:
        """Return how the file binds a published port to the loopback: `text` in the short form."""
        return self.mapped_host if re.fullmatch(self.mapped_port, place.key) else text

    def section(self, line: Line) -> str:
        """Return the section of a unit that a line ends up in; empty: in none."""
        if self.headers:
            none = line.section == UNASSIGNED or line.section.startswith("X-")
            return "" if none else line.section
        if not self.sections:
            return ""
        name = line.section.rpartition(".")[2]
        return next((section for key, section in self.sections if key == name), "")


@dataclass(frozen=True, kw_only=True)
class View:
    """One service, and what is known of its release and host.

    `phrases` is the phrase book of its format, `engine` the name of what it runs. `release` is the
    one the rules judge for; `release_told` says whether the file or the user named it, or it is
    only the newest known. `neighbours` are other services of the same file.
    `starts` is where the file itself makes the service, not only adds to it; `adds`: it does only
    that, so that what it leaves out may stand in a file that nobody has shown.
    `unread` is what the consumer ignores: limits, and items of `Environment=`, that it cannot read;
    `overruled` is what it reads and another line takes the effect of.
    `manager` is whose systemd runs the service; empty: none does, or that is not told.
    `keys` are those of the file as a whole, where its reader knows all that it takes.
    `resume_fix` says whether something gives a GPU back after a suspend; None: unknown, or known
    not to be wanted. `silences` are the rules that whoever made it does not want to hear of.
    `not_judged` are the parts of the file that the reader could not make out.
    `settings` are options of the module that makes the service, and `channel` the release of the
    collection which has that module, empty: nobody says. `volumes` is what the file mounts on the
    host. `more_variables`: further ones are in files that nobody reads here.
    `hops` are ways through a proxy that the file describes, `watched` what it has Prometheus ask,
    `scaling` what changes the number of its pods, `gateway` one that hands requests on by models,
    `clients` programs beside it that ask servers, `alerting` who is told of alerts.
    """

    phrases: Phrases
    name: str
    place: Place
    release: Release
    engine: str
    starts: Place | None = None
    adds: bool = False
    manager: Literal["", "system", "user"] = ""
    release_told: bool = False
    variables: tuple[Variable, ...] = ()
    bounds: tuple[Bound, ...] = ()
    lines: tuple[Line, ...] = ()
    keys: tuple[Key, ...] = ()
    unread: tuple[Line, ...] = ()
    overruled: tuple[Overruled, ...] = ()
    host: Host = UNKNOWN
    models: tuple[ModelUse, ...] = ()
    container: Container | None = None
    acceleration: str = ""
    neighbours: tuple[str, ...] = ()
    resume_fix: bool | None = None
    silences: tuple[Silence, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    commands: tuple[Command, ...] = ()
    requests: tuple[Request, ...] = ()
    settings: tuple[Setting, ...] = ()
    channel: str = ""
    volumes: tuple[Volume, ...] = ()
    more_variables: bool = False
    hops: tuple[Hop, ...] = ()
    watched: Watched | None = None
    scaling: Scaling | None = None
    gateway: Gateway | None = None
    clients: tuple[Client, ...] = ()
    alerting: Alerting | None = None

    def at(self, key: str) -> Place:
        """Return the place to name for something the file does not say: its key, or the file."""
        return Place(self.place.file, key=key) if self.phrases.keyed else self.place

    def names_at(self, place: Place) -> tuple[frozenset[str], ...]:
        """Return what stands at a place: names of variables, of limits, of other lines."""
        return self._named.get(place, ())

    def variable(self, name: str) -> Variable | None:
        """Return the variable that the server reads under this name, the last one winning."""
        return self._read.get(name)

    def lacks(self, name: str) -> bool:
        """Return whether nothing sets the variable that the server reads under this name.

        A file of variables that nobody has read may set any.
        """
        unread = self.more_variables or any(gap.variables for gap in self.not_judged)
        return self.variable(name) is None and not unread

    def lines_in(self, section: str) -> tuple[Line, ...]:
        """Return the lines of a section, in order."""
        return self.sections.get(section, ())

    def lines_named(self, *names: str) -> tuple[Line, ...]:
        """Return the lines of these names, in order."""
        there = [name for name in names if name in self._by_name]
        if len(there) < 2:  # noqa: PLR2004 -- one name has its lines in order
            return self._by_name[there[0]] if there else ()
        return tuple(line for line in self.lines if line.name in there)

    def shares_its_place(self, variable: Variable) -> bool:
        """Return whether something else is assigned where a variable is."""
        return self._assigned[variable.place] > 1

    # Looked up for each Finding: a file may have thousands of them.

    @functools.cached_property
    def _named(self) -> dict[Place, tuple[frozenset[str], ...]]:
        found: dict[Place, tuple[set[str], ...]] = {}
        every: list[Sequence[Variable | Bound | Line]] = [self.variables, self.bounds, self.lines]
        for kind, items in enumerate(every):
            for item in items:
                if item.name:
                    found.setdefault(item.place, (set(), set(), set()))[kind].add(item.name)
        return {place: tuple(map(frozenset, names)) for place, names in found.items()}

    @functools.cached_property
    def sections(self) -> dict[str, tuple[Line, ...]]:
        """The lines of each section, in order."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.section, []).append(line)
        return {section: tuple(lines) for section, lines in found.items()}

    @functools.cached_property
    def _by_name(self) -> dict[str, tuple[Line, ...]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.name, []).append(line)
        return {name: tuple(lines) for name, lines in found.items()}

    @functools.cached_property
    def _read(self) -> dict[str, Variable]:
        return {one.name: one for one in self.variables if one.reach == "server"}

    @functools.cached_property
    def _limits(self) -> dict[str, Bound]:
        return {bound.name: bound for bound in self.bounds}

    @functools.cached_property
    def served(self) -> tuple[Variable, ...]:
        """The variables that the server reads, of each name the last one."""
        return tuple(self._read.values())

    @functools.cached_property
    def _assigned(self) -> Counter[Place]:
        return Counter(one.place for one in self.variables)

    @functools.cached_property
    def cut(self) -> frozenset[Place]:
        """The places of what the consumer drops, where values may have lost their end."""
        return frozenset(line.place for line in self.unread)

    def bound(self, name: str) -> Bound | None:
        """Return the limit of that profile name that is in force, the last one winning."""
        return self._limits.get(name)


@dataclass(frozen=True, slots=True)
class Edit:
    """A mechanical fix: `old` on that line of the file becomes `new` (empty: the line goes).

    `behind`: `new` comes behind the line instead, with all that it goes on in by backslashes.
    """

    place: Place
    old: str
    new: str
    behind: bool = False


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A Finding with the place it is about, and the Edits that would mend it.

    `setting` is the variable, limit, directive or profile key that it is about; empty: none.
    `unsafe`: the Edits make the file say what nobody has written there, and change what runs.
    `withheld` is why Edits that there were are not to be made.
    """

    finding: Finding
    place: Place
    edits: tuple[Edit, ...] = ()
    setting: str = ""
    unsafe: bool = False
    withheld: str = ""
