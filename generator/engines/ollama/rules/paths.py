"""HW505, HW540, HW541, HW571, HW610: whether the server can use its home and that of its models."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.homes import home_in_image, strangers_home
from generator.engines.ollama.rules.helpers.values import names_an_address
from generator.meaning import cleaned
from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import is_official, target
from generator.rules.helpers.sandbox import below
from generator.rules.rule import Hit, Hits, Rule
from generator.units import HOMES
from generator.view import AT_BOOT, HOMELESS, OF_ROOT, PREFIXES, UNHOMED, UNMADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Container, Place, View

_MODELS: Final = "OLLAMA_MODELS"
_USES: Final = {
    _MODELS: "the server finds no models there, and cannot pull any",
    "HOME": "the server keeps its keys, and unless told otherwise its models, below its home",
    "WorkingDirectory": "systemd cannot enter it, so that the service does not start",
    "ExecStart": "systemd cannot run the program, so that the service does not start",
}


@Rule(
    id="HW505",
    title="models or a home that the service cannot use",
    why="ProtectHome= empties /home, /root and /run/user for the service, which starts without its "
    "models or not at all. NixOS runs Ollama that way, and so do the units of distributions. "
    "Without it, another user's home is closed to the service all the same (mode 0700 or 0750), "
    "and ProtectSystem=strict lets it write only where ReadWritePaths= says. The module of NixOS "
    "makes no directory outside /var/lib/ollama, and without its option `user` the service runs as "
    "one that is made up at each start: it ends with `Permission denied`, or with 226 where there "
    "is none.",
    bad="User=ollama\nProtectHome=yes\nEnvironment=OLLAMA_MODELS=/home/ann/models",
    good="User=ollama\nProtectHome=yes\nEnvironment=OLLAMA_MODELS=/srv/ollama/models",
    source="nixpkgs#357604; nixos/modules/services/misc/ollama.nix; "
    "systemd.exec(5), ProtectHome=, ProtectSystem=; docs/faq.mdx@v0.32.15",
)
def hidden_paths(view: View, _: Facts) -> Hits:
    yield from _no_directory(view)
    # Of a profile `resolve` says it: who makes the unit is the target.
    if view.phrases.keyed or view.manager == "user":
        return
    yield from _made_for_root(view)
    yield from _unmade(view)
    yield from _nowhere(view)
    yield from _of_passwd(view)
    for name, path, place in _directories(view):
        found, owner = sandbox.obstacle(view, path), sandbox.stranger(view, path)
        if found is not None and (found.effect == "hides" or name in {_MODELS, "HOME"}):
            reason = _REASONS.get(found.effect) or _so(name)
            yield Hit(
                message=f"`{found.setting}` {found.effect} `{path}`{reason}",
                place=place,
                fix=_opened(found, name, path),
            )
        elif name in {_MODELS, "HOME"} and (when := sandbox.passes_away(view, path)):
            yield Hit(
                message=f"`{path}` is emptied {when}: what is pulled there is gone",
                place=place,
                # Who names a disk in memory may want that.
                severity="info" if "machine" in when else None,
                fix=_elsewhere(name),
            )
        elif name in {_MODELS, "HOME"} and sandbox.is_of_nobody(view, path):
            yield Hit(
                message="`DynamicUser=` makes up a user at each start, who may not write in "
                f"`{path}`, whatever the sandbox lets through",
                place=place,
                fix=_of_its_own(path),
            )
        elif owner and not view.adds:
            yield Hit(
                message=f"`{path}` is in the home of {owner}, which no other user may enter: not "
                f"`{sandbox.last(view, 'User', 'ollama')}`, as which the service runs",
                place=place,
                fix=f"{_elsewhere(name)}, or let its user through: `setfacl -m u:…:x` on each "
                "directory above it",
            )
        elif _may_be_hidden(view, path):
            yield Hit(
                message=f"`{path}` is in a home: the unit of a distribution hides those "
                "(ProtectHome=), and the installer's user `ollama` may not enter them"
                if sandbox.below(path, *HOMES)
                else f"`{path}` is where a desktop mounts the disks of one user: the installer's "
                "user `ollama` may not enter it, and it is gone when that user logs out",
                place=place,
                severity="info",
                fix=f"{_elsewhere(name)}, or see that the service's user can reach it",
            )


_WRITABLE: Final = (
    *(
        "ReadWritePaths",
        "ReadWriteDirectories",
        "BindPaths",
        "TemporaryFileSystem",
        "StateDirectory",
    ),
    *("CacheDirectory", "LogsDirectory", "RuntimeDirectory", "RootDirectory", "DynamicUser"),
)


def _nowhere(view: View) -> Hits:
    """Yield a protection that leaves the server no directory at all to write its files in."""
    system = sandbox.said(view, "ProtectSystem")
    told = not (view.lacks(_MODELS) and view.lacks("HOME"))
    if told or view.container is not None or view.phrases.sandboxed or not system:
        return
    server = any("serve" in line.value for line in sandbox.said(view, "ExecStart"))
    strict = system[-1].value.strip().lower() == "strict"
    if strict and (server or sandbox.adds_to_own(view)) and not sandbox.said(view, *_WRITABLE):
        yield Hit(
            message="`ProtectSystem=strict` makes all directories read-only, and none is named in "
            "which the server may write: it ends where it makes its key, or pulls no model",
            place=system[-1].place,
            fix="add `ReadWritePaths=` with its home, or `StateDirectory=ollama` with "
            "`Environment=HOME=/var/lib/ollama`",
        )


def _made_for_root(view: View) -> Hits:
    """Yield models below a directory that a script makes and leaves to root."""
    added = view.phrases.unit_file and sandbox.adds_to_own(view)
    models, user = view.variable(_MODELS), sandbox.last(view, "User", "ollama" * added)
    prepared = sandbox.said(view, "ExecStartPre", "StateDirectory", "PermissionsStartOnly")
    if models is None or not user or user in sandbox.ROOT or prepared:
        return
    for line in view.lines:
        if line.section == OF_ROOT and below(models.value, line.name):
            yield Hit(
                message=f"`{line.name}` is made for root, in line {line.place.line} of "
                f"{posixpath.basename(line.place.file)}, and nobody gives it to `{user}`: the "
                "server cannot write there",
                place=models.place,
                fix=f"`chown -R {user}: {line.name}`, or `install -d -o {user} {line.name}`",
            )
            return


def _of_passwd(view: View) -> Hits:
    """Yield the user of a server whose home only the passwd file tells, where homes are hidden.

    One that is named after the engine has its home where packages make it, outside /home.
    """
    users = sandbox.said(view, "User")[-1:]
    unread = sandbox.said(view, "SetLoginEnvironment", "PAMName", "PassEnvironment")
    found = sandbox.obstacle(view, "/home/…")
    if view.starts is None or not found or found.effect != "hides" or not view.lacks("HOME"):
        return
    if unread or view.container is not None or view.adds or sandbox.is_dynamic(view):
        return
    if view.phrases.sandboxed:
        return  # The module of NixOS sets HOME itself.
    named = any(below(path, "/home") for _, path, _ in _directories(view))
    for line in users:
        own = view.engine in line.value or line.value in sandbox.ROOT | _NOBODY
        if not (own or named or view.lines_in(HOMELESS)):
            yield Hit(
                message=f"systemd takes HOME of `{line.value}` from the passwd file: if that home "
                f"is below /home, `{found.setting}` hides it, and the server ends where it makes "
                "its key",
                place=line.place,
                severity="info",
                fix="name a home outside /home, by `StateDirectory=ollama` and "
                "`Environment=HOME=/var/lib/ollama`, or turn ProtectHome off",
            )


_PREPARES: Final = ("User", "Group", "SupplementaryGroups", "DynamicUser", "BindPaths")
_OF_DISKS: Final = ("/mnt", "/media", "/run/media", "/data", "/storage")
"""Where disks are mounted that may hold a directory which anybody may write."""
_OLD: Final = frozenset({"user", "group", "sandbox", "writablePaths"})


def _unmade(view: View) -> Hits:
    """Yield directories of the module of NixOS that its user of the moment cannot write."""
    prepared = sandbox.said(view, *_PREPARES, "ExecStartPre", "RootDirectory")
    own = {one.name for one in view.settings if one.value is not None or one.unresolved}
    if not view.phrases.sandboxed or prepared or own & _OLD:
        return
    lines = view.lines_in(UNMADE)
    home = next((line.value for line in lines if line.name == "home"), "")
    for line in lines:
        path = posixpath.normpath(line.value)
        within = line.name != "home" and home and below(path, posixpath.normpath(home))
        if (
            within
            or sandbox.obstacle(view, path)
            or below(path, *_OF_MODULE)
            or below(path, *sandbox.made_for(view, "State"))
        ):
            continue
        yield Hit(
            message=f"`{path}` is no directory of the service, and nobody makes it here: NixOS "
            "runs the server as a user that is made up at each start, who may not write there",
            place=line.place,
            severity="info" if below(path, *_OF_DISKS) else None,
            fix='set `user = "ollama"`, and make it for that user: `systemd.tmpfiles.rules = '
            f'[ "d {path} 0750 ollama ollama -" ]`',
        )


_OF_MODULE: Final = ("/var/lib/ollama", "/var/lib/private/ollama")

_REASONS: Final = {
    "makes read-only": ", where the server has to write",
    "gives the service a new": ": what is pulled there is gone when the service stops",
}


def _no_directory(view: View) -> Hits:
    models = view.variable(_MODELS)
    if models is not None and names_an_address(models.value):
        yield Hit(
            message=f"`{cleaned(models.value)}` is an address, and {_MODELS} is a directory: the "
            "server makes one of that name, and pulls from where it always does",
            place=models.place,
            severity="error",
            fix="leave it out; a model of another registry has it in its name",
        )
    elif models is not None and _names_models(view, cleaned(models.value)):
        yield Hit(
            message=f"`{cleaned(models.value)}` names models, and {_MODELS} is a directory: the "
            "server makes one of that name where it starts, beside its volume, and pulls nothing",
            place=models.place,
            severity="error",
            fix="leave it out, and give the list to what pulls under a name of its own",
        )


_LISTED: Final = re.compile(r"[a-z][\w.-]*(?:/[\w.-]+)*:[\w.-]+(?:[\s,;]+[\w./:-]+)*")


def _names_models(view: View, text: str) -> bool:
    """Whether a value is one model or several; what an application reads is not ours to judge."""
    of_server = view.container is not None or view.phrases.unit_file or view.starts is not None
    return of_server and _LISTED.fullmatch(text) is not None


def _so(name: str) -> str:
    return f": {_USES[name]}"


def _elsewhere(name: str) -> str:
    return (
        "choose a directory outside /home, like `/srv/ollama/models`"
        if name == _MODELS
        else "choose one outside /home, like `/var/lib/ollama`"
    )


def _opened(found: sandbox.Obstacle, name: str, path: str) -> str:
    """Return how to give the service the directory, or another one."""
    if found.effect in {"hides", "gives the service a new"}:
        own = found.setting.startswith(("Protect", "Dynamic"))
        return f"{_elsewhere(name)}, or {'turn ProtectHome off' if own else 'take that line out'}"
    return (
        _of_its_own(path) if found.setting.startswith("Dynamic") else f"add `ReadWritePaths={path}`"
    )


def _of_its_own(path: str) -> str:
    """Return how a user that is made up at each start gets a directory that it owns."""
    folder, _, name = path.partition("/var/lib/")
    if name and not folder:
        return f"add `StateDirectory={name}`"
    return "add `StateDirectory=ollama`, and choose a directory below `/var/lib/ollama`"


def _may_be_hidden(view: View, path: str) -> bool:
    """Return whether a drop-in stands alone, and says nothing of who may enter which home."""
    told = sandbox.said(view, "User", "ProtectHome", "DynamicUser")
    closed = sandbox.below(path, *HOMES) or bool(sandbox.mounted_for(path))
    return view.adds and view.container is None and not told and closed


def _directories(view: View) -> Iterator[tuple[str, str, Place]]:
    """Yield what the service has to reach: what it is, its path, and where that is said."""
    if view.container is not None:
        # Docker's daemon mounts them; podman is in the sandbox of its unit itself.
        if view.phrases.headers and not view.phrases.unit_file:
            sources = ((text.partition(":")[0], place) for text, place in view.container.mounts)
            yield from ((_MODELS, path, place) for path, place in sources if path[:1] == "/")
        return
    working = sandbox.last(view, "WorkingDirectory", "/").lstrip("-")
    for name in (_MODELS, "HOME"):
        variable = view.variable(name)
        if variable is not None and (path := _path(view, cleaned(variable.value), working)):
            yield name, path, variable.place
    yield from _of_the_unit(view)


def _of_the_unit(view: View) -> Iterator[tuple[str, str, Place]]:
    """Yield what directives say of the same: where it starts, what, and the home of root."""
    for name in ("WorkingDirectory", "ExecStart"):
        for line in sandbox.said(view, name)[-1:]:
            if path := _path(view, line.value.lstrip(PREFIXES).partition(" ")[0], ""):
                yield name, path, line.place
    for line in sandbox.said(view, "User")[-1:]:
        if line.value == "root" and view.lacks("HOME"):
            yield "HOME", "/root", line.place


def _path(view: View, value: str, start: str) -> str:
    """Return a directory in full; empty: the running host decides where it begins."""
    if view.manager == "system":
        value = value.replace("%h", "/root")
    path = posixpath.normpath(posixpath.join(start, value)) if value else ""
    return path if path.startswith("/") else ""


@Rule(
    id="HW540",
    severity="error",
    title="a service, or a command, without a HOME",
    why="`ollama serve` ends with `$HOME is not defined`, also where OLLAMA_MODELS is set: its "
    "keys are in `$HOME/.ollama`. systemd sets HOME only with User=, and a dynamic user has none. "
    "Nor has what cloud-init and the agents of clouds run at the first boot, where without "
    "OLLAMA_MODELS every command of `ollama` ends so, as `ollama pull` does.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nUser=ollama\nExecStart=/usr/local/bin/ollama serve",
    source="envconfig/config.go@v0.32.15:112-124; cmd/cmd.go@v0.32.15, initializeKeypair, NewCLI; "
    "systemd.exec(5), Environment variables",
)
def no_home(view: View, _: Facts) -> Hits:
    yield from _while_booting(view)
    loose = not view.manager and view.phrases.unit_file and not sandbox.is_of_a_user(view)
    if not (view.manager == "system" or loose) or view.starts is None or view.container is not None:
        return
    if view.phrases.sandboxed or view.adds:
        return  # The module of NixOS sets one, and so may the unit itself.
    login = sandbox.last(view, "SetLoginEnvironment")
    dynamic = sandbox.is_dynamic(view)
    user = sandbox.last(view, "User")
    taken = "HOME" in sandbox.words(view, "UnsetEnvironment")
    told = bool(login) or (user and not dynamic) or view.variable("HOME") is not None
    told = told and not taken
    # A file that nobody has read may set it, and so may a shell.
    unread = sandbox.said(view, "EnvironmentFile", "PassEnvironment", "PAMName")
    by_command = any("HOME" in line.value for line in sandbox.said(view, "ExecStart"))
    if told or unread or by_command:
        return
    yield Hit(
        message="the server gets no HOME: "
        + (
            "`UnsetEnvironment=` takes it away"
            if taken
            else "systemd sets none for a dynamic user"
            if dynamic
            else "systemd sets one only for a service with `User=`"
        )
        + ", and `ollama serve` ends at once without one",
        place=view.starts,
        severity="warning" if loose else None,  # Nothing tells that it is no user's.
        fix="take HOME out of `UnsetEnvironment=`"
        if taken
        else "add `Environment=HOME=/var/lib/ollama` and `StateDirectory=ollama`"
        if dynamic
        else "add `User=ollama`, or `Environment=HOME=/var/lib/ollama` and `StateDirectory=ollama`",
    )


def _while_booting(view: View) -> Hits:
    """Yield the first command that a machine runs without a HOME while it starts."""
    told = any(v.name == _MODELS for v in view.variables)  # A client needs no home then.
    for line in view.lines:
        if line.section != AT_BOOT or (told and line.value != "serve"):
            continue
        yield Hit(
            message=f"nothing gives a script of the first boot a HOME, and `ollama {line.value}` "
            "ends at once without one: `$HOME is not defined`",
            place=line.place,
            fix="write `export HOME=/root` before it",
        )


_NO_HOME: Final = frozenset({"/nonexistent", "/dev/null", "/var/empty", "/no-home", "/proc"})
_NOBODY: Final = frozenset({"nobody", "65534"})


@Rule(
    id="HW610",
    severity="error",
    title="a home in which nobody can write",
    why="`ollama serve` makes a key in `$HOME/.ollama` at its first start, and ends where it "
    "cannot. The home of `nobody` is /nonexistent or `/`, as those of many users that packages "
    "make. supervisord changes the user of a program, and not its HOME.",
    bad="[Service]\nUser=nobody\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nUser=nobody\nStateDirectory=ollama\nEnvironment=HOME=/var/lib/ollama\n"
    "ExecStart=/usr/local/bin/ollama serve",
    source="cmd/cmd.go@v0.32.15, initializeKeypair; Debian: base-passwd",
)
def unusable_home(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNHOMED):
        yield Hit(
            message=f"supervisord starts it as `{line.value}` and leaves HOME as it is: in root's, "
            "or in none, the server cannot make its key, and ends",
            place=line.place,
            severity="warning",  # An image that nobody has shown may set another one.
            fix='add HOME to `environment`, like `HOME="/usr/share/ollama"`',
        )
    home = view.variable("HOME")
    if home is not None:
        path = posixpath.normpath(home.value) if home.value else ""
        if path in _NO_HOME:
            message = f"nothing can be written in `{home.value}`, where the server makes its key"
            yield Hit(message=message, place=home.place, fix=_home_of_its_own(view))
        return
    for line in sandbox.said(view, "User")[-1:]:
        told = sandbox.said(view, "SetLoginEnvironment", "EnvironmentFile", "PAMName")
        if view.container is None and line.value in _NOBODY and not told and view.starts:
            yield Hit(
                message=f"the home of `{line.value}` is not there, or `/`: the server cannot make "
                "its key in it, and ends",
                place=line.place,
                fix="take a user of its own, like `ollama`, or " + _home_of_its_own(view),
            )


def _home_of_its_own(view: View) -> str:
    if view.container is not None or not view.phrases.headers:
        return "name a directory that its user may write"
    return "add `StateDirectory=ollama` and `Environment=HOME=/var/lib/ollama`"


@Rule(
    id="HW541",
    title="a user of the container whose home is elsewhere",
    why="Only to root is /root the home. Another user's is what /etc/passwd of the image says, or "
    "`/` for one that it does not know: the server finds no models in the volume, and may not "
    "make its directory, so that it ends.",
    bad='user: "1001"\nvolumes: ["ollama:/root/.ollama"]',
    good='user: "1001"\nenvironment: {HOME: /data}\nvolumes: ["ollama:/data"]',
    source="Dockerfile@v0.32.15:296-320; moby daemon/oci_linux.go (WithUser)",
)
def home_of_another_user(view: View, facts: Facts) -> Hits:
    box = view.container
    if box is None or not is_official(view, facts):
        return
    if box.home:
        yield from _kept_out(view, box)
    if not strangers_home(view):
        return
    home = home_in_image(view)
    yield Hit(
        message=f"user `{box.user}` has the home `{home}` in the image, not /root: the server "
        f"keeps its keys in `{posixpath.join(home, '.ollama')}`"
        + ("" if home != "/" else ", which it may not make"),
        place=box.place,
        fix="set HOME to the directory of a volume that this user may write, or leave the user out",
    )


def _kept_out(view: View, box: Container) -> Hits:
    """Yield the volume below /root that the host's user, as whom the server runs, cannot enter."""
    home, models = view.variable("HOME"), view.variable(_MODELS)
    told = [cleaned(one.value) for one in (home, models) if one is not None]
    mounts = [(target(text), place) for text, place in box.mounts]
    keys = posixpath.join(box.home, ".ollama")
    kept = home is not None or any(below(keys, path) for path, _ in mounts if path[:1] == "/")
    used = any(below(path, "/root") for path in told) or not kept
    place = next((place for path, place in mounts if below(path, "/root")), None)
    if used and place is not None:
        yield Hit(
            message="with `keep-id` the server runs as the user of the host, who may not enter "
            "/root inside: neither its key nor a model gets into this volume",
            place=place,
            fix="leave `keep-id` out: root of a rootless container is that user already; or mount "
            "the volume elsewhere, with HOME set to it",
        )


@Rule(
    id="HW571",
    title="a user whose home nobody makes",
    why="The server writes its key into `~/.ollama` before it listens. A user of the system has "
    "`/home/NAME` in /etc/passwd, no such directory, and may not make one: `mkdir /home/ollama: "
    "permission denied`, and Restart= starts the next one, for ever. The installer makes a home, "
    "but keeps a user that is there.",
    bad="useradd -r -s /bin/false ollama",
    good="useradd -r -s /bin/false -U -m -d /usr/share/ollama ollama",
    source="cmd/cmd.go@v0.32.15, initializeKeypair; scripts/install.sh@v0.32.15; useradd(8)",
)
def home_of_nobody(view: View, _: Facts) -> Hits:
    # Whoever sets HOME, or has a file for variables, may have thought of it.
    if view.variable("HOME") is not None or not view.lacks("HOME") or view.manager == "user":
        return
    for line in view.lines_in(HOMELESS):
        yield Hit(
            message="the user of the service is made without a home: the server cannot write "
            "its key, and ends at once",
            place=line.place,
            fix="give it one, as the installer does: `-m -d /usr/share/ollama`",
        )
