"""What a sandbox of systemd leaves of the file system, and which homes its user may enter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import GO_TRUE
from generator.records import dataclass
from generator.units import HOMES
from generator.view import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import Line, View

NOTIFYING: Final = frozenset({"notify", "notify-reload"})
"""The values of Type= with which systemd waits for a word of the service."""
ROOT: Final = frozenset({"root", "0"})
"""What `User=` says of root."""
STARTS_WITHIN: Final = ("TimeoutStartSec", "TimeoutSec")
"""What bounds the start of a service."""
BEFORE_PROGRAM: Final = rf"[{PREFIXES}]*+(?:\S*/)?"
"""A pattern for what is before the name of the program in a command."""
_DYNAMIC: Final = "DynamicUser=yes"
_ON: Final = GO_TRUE | {"yes", "on", "y"}
_SYSTEM: Final = {
    "strict": ("/",),
    "full": ("/usr", "/boot", "/efi", "/etc"),
    **dict.fromkeys(_ON, ("/usr", "/boot", "/efi")),
}
_OWN: Final = {"State": "/var/lib", "Cache": "/var/cache", "Logs": "/var/log", "Runtime": "/run"}
_API: Final = ("/dev", "/proc", "/sys", *HOMES)
_HOME: Final = re.compile(r"/home/([^/]+)/.|(/root)(?:/|$)|/run/user/(\d+)(?:/|$)", re.ASCII)
_MEDIA: Final = re.compile(r"(/run)?/media/([^/]+)/[^/]+/.", re.ASCII)
_OPEN: Final = re.compile(r"/[^/]*[$%…{].*", re.DOTALL)
_SHARED: Final = re.compile(r"models?|shared?|public|data|common|linuxbrew", re.IGNORECASE)

# Names that people give to a disk below /media themselves.
_DISK: Final = re.compile(
    r"disk|drive|ssd|hdd|nvme|usb|raid|nas|store|storage|backup|extern|array|pool|^sd[a-z]|\d$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the service from a directory: the setting, and what that makes of it."""

    setting: str
    effect: str


def said(view: View, *names: str) -> list[Line]:
    """Return what [Service] says under those names, in order."""
    found = view.lines_named(*names)
    return [line for line in found if line.value and view.phrases.section(line) == "Service"]


def last(view: View, name: str, default: str = "") -> str:
    """Return the value of a directive of [Service] that takes one."""
    found = said(view, name)
    return found[-1].value.strip() if found else default


_FAMILIES: Final = frozenset({"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"})


def is_on(value: str) -> bool:
    """Return whether systemd takes a value for yes."""
    return value.strip().lower() in _ON


def allows_listed(said: list[Line]) -> bool:
    """Return whether lines that take `~` allow what they name, as the first one of them tells."""
    return bool(said) and not said[0].value.lstrip().startswith("~")


def families(view: View) -> frozenset[str]:
    """Return the kinds of sockets that a service may make, of those that servers use.

    Source: systemd.exec(5), RestrictAddressFamilies=: the first line tells whether it is a list of
    what is allowed or of what is not, and each further one adds to that or takes from it.
    """
    lines = said(view, "RestrictAddressFamilies")
    if not lines:
        return _FAMILIES
    allowing, listed = allows_listed(lines), set[str]()
    for line in lines:
        text = line.value.strip()
        named = set(text.removeprefix("~").split())
        if text == "none":
            allowing, listed = True, set()
        elif text.startswith("~") is allowing:
            listed -= named
        else:
            listed |= named
    return _FAMILIES & listed if allowing else _FAMILIES - listed


def words(view: View, *names: str) -> Iterator[str]:
    """Yield the paths that directives name, without prefixes, and inside where one is mounted."""
    for line in said(view, *names):
        for word in line.value.split():
            yield word.strip("\"'").lstrip("-+").rpartition(":")[2] or "/"


def below(path: str, *folders: str) -> bool:
    """Return whether a path is in one of the folders, or is one."""
    return any(f"{path}/".startswith(f"{folder.rstrip('/')}/") for folder in folders)


def is_of_a_user(view: View) -> bool:
    """Return whether the manager of a user runs a unit, by its place or by the target it is for."""
    wanted = any("default.target" in line.value for line in view.lines_named("WantedBy"))
    return view.manager == "user" or (wanted and not said(view, "User"))


def is_dynamic(view: View) -> bool:
    """Return whether systemd makes up a user for the service."""
    return is_on(last(view, "DynamicUser"))


def adds_to_own(view: View) -> bool:
    """Return whether a file adds to the engine's own service, whose command another file has."""
    if said(view, "ExecStart"):
        return False
    drop_in = view.adds and view.phrases.unit_file
    named = drop_in and view.name.partition(".")[0].partition("@")[0] == view.engine
    return named or view.phrases.sandboxed


def obstacle(view: View, path: str) -> Obstacle | None:
    """Return what hides a directory from the service, or keeps it from writing there."""
    found = _named(view, path) or _protected(view, path)
    return found if found and (not is_open(path) or _closed_throughout(view, path)) else None


def is_open(path: str) -> bool:
    """Return whether the running host fills in a part of a path, as it does for `/home/%i`."""
    return _OPEN.search(path) is not None


def _closed_throughout(view: View, path: str) -> bool:
    """Return whether the service gets nothing below the part of a path that is known."""
    known = _OPEN.sub("", path)
    through = words(
        view, "BindPaths", "BindReadOnlyPaths", "ReadWritePaths", "ReadWriteDirectories"
    )
    return bool(known) and not any(below(one, known) for one in (*through, *_own(view)))


def _protected(view: View, path: str) -> Obstacle | None:
    """Return what ProtectHome= and ProtectSystem= make of it."""
    mode = last(view, "ProtectHome", "yes" if view.phrases.sandboxed else "no").lower()
    system = last(view, "ProtectSystem", "strict" if view.phrases.sandboxed else "no").lower()
    homes, roots = f"ProtectHome={mode}", f"ProtectSystem={system}"
    if is_dynamic(view) and not view.phrases.sandboxed:
        # It implies both, where they are not said, or off.
        homes, mode = (homes, mode) if mode in {*_ON, "tmpfs"} else (_DYNAMIC, "read-only")
        roots, system = _DYNAMIC, "strict"
    writable = tuple(words(view, "ReadWritePaths", "BindPaths", "ReadWriteDirectories"))
    if below(path, *HOMES):
        seen = tuple(words(view, "BindPaths", "BindReadOnlyPaths"))
        if mode in _ON or (mode == "tmpfs" and not below(path, *seen)):
            return Obstacle(homes, "hides")
        if mode == "read-only" and not below(path, *writable):
            return Obstacle(homes, "makes read-only")
        return None
    if view.phrases.sandboxed or not below(path, *_SYSTEM.get(system, ())):
        return None  # The module of NixOS writes its paths into ReadWritePaths= itself.
    if below(path, *writable, *_API, *_own(view)):
        return None
    return Obstacle(roots, "makes read-only")


def _named(view: View, path: str) -> Obstacle | None:
    """Return what a directive that names the directory, or one above it, makes of it."""
    bound = tuple(words(view, "BindPaths", "BindReadOnlyPaths"))
    for line in said(view, "InaccessiblePaths", "InaccessibleDirectories", "TemporaryFileSystem"):
        for word in line.value.split():
            folder = word.strip("\"'").lstrip("-+").partition(":")[0]
            nearer = any(below(path, one) and below(one, folder) for one in bound)
            if folder.startswith("/") and below(path, folder) and not nearer:
                return Obstacle(f"{line.name}={folder}", "hides")
    private = last(view, "PrivateTmp").lower()
    if below(path, "/tmp", "/var/tmp") and not any(below(path, one) for one in bound):  # noqa: S108
        if private in {*_ON, "disconnected"}:
            return Obstacle(f"PrivateTmp={private}", "gives the service a new")
        if is_dynamic(view) and not view.phrases.sandboxed:
            return Obstacle(_DYNAMIC, "gives the service a new")
    writable = (*words(view, "ReadWritePaths", "BindPaths", "ReadWriteDirectories"), *_own(view))
    for name in ("ReadOnlyPaths", "ReadOnlyDirectories", "BindReadOnlyPaths"):
        for folder in words(view, name):
            nearer = any(below(path, one) and below(one, folder) for one in writable)
            if folder.startswith("/") and below(path, folder) and not nearer:
                return Obstacle(f"{name}={folder}", "makes read-only")
    return None


def _own(view: View) -> Iterator[str]:
    """Yield the directories that systemd makes for the service."""
    for kind in _OWN:
        yield from made_for(view, kind)
    if last(view, "PrivateTmp").lower() in {*_ON, "disconnected"}:
        yield from ("/tmp", "/var/tmp")  # noqa: S108 -- to recognise


def made_for(view: View, kind: str) -> Iterator[str]:
    """Yield the directories that systemd makes for the service of one kind, and their links."""
    for line in said(view, f"{kind}Directory"):
        for word in line.value.split():
            path, link, *_ = (*word.split(":"), "")
            yield from (f"{_OWN[kind]}/{name}" for name in (path, link) if name)


def is_of_nobody(view: View, path: str) -> bool:
    """Return whether a directory is writable, but not for a user that is made up at each start.

    One whose name is told may be there already, and a group may be let in.
    """
    told = said(view, "User", "Group", "SupplementaryGroups", "AmbientCapabilities")
    if not is_dynamic(view) or view.phrases.sandboxed or told:
        return False
    writable = words(view, "ReadWritePaths", "ReadWriteDirectories")
    return below(path, *writable) and not below(path, *_own(view))


def passes_away(view: View, path: str) -> str:
    """Return when a directory is emptied: with the service or the machine; empty: it stays."""
    kept = last(view, "RuntimeDirectoryPreserve", "no").lower()
    if kept in {"no", "false", "0", "off"} and below(path, *made_for(view, "Runtime")):
        return "when the service stops"
    stays = below(path, "/run/media", "/run/mount", *HOMES)
    gone = below(path, "/run", "/dev/shm") and not stays  # noqa: S108 -- to recognise
    return "when the machine starts" if gone else ""


def mounted_for(path: str) -> str:
    """Return the user for whom a desktop has mounted the disk of a path; empty: for none."""
    found = _MEDIA.match(path)
    kept = found and (found[1] or not (_DISK.search(found[2]) or _SHARED.search(found[2])))
    return found[2] if found and kept else ""


def stranger(view: View, path: str) -> str:
    """Return the user whose home a path is in, where the service's own may not enter that."""
    found, mounted = _HOME.match(path), mounted_for(path)
    user = _account(view)
    number = found[3] if found else ""
    owner = mounted if not found else found[1] or ("root" if found[2] else f"user {number}")
    # `%u` is root in a unit of the system, and of other specifiers only the host knows the user.
    if not owner or not user or user in ROOT or is_open(f"/{user}") or is_open(f"/{owner}"):
        return ""
    groups = {
        word for line in said(view, "Group", "SupplementaryGroups") for word in line.value.split()
    }
    capable = "CAP_DAC_" in " ".join(line.value for line in said(view, "AmbientCapabilities"))
    if owner in {user, *groups} or number == user or capable:
        return ""
    if view.engine in owner or _SHARED.search(owner) or _is_bound_alone(view, path):
        return ""
    return owner


def _is_bound_alone(view: View, path: str) -> bool:
    """Whether homes are empty but for this one: systemd makes the way to it, open to all."""
    bound = words(view, "BindPaths", "BindReadOnlyPaths")
    return last(view, "ProtectHome").lower() == "tmpfs" and below(path, *bound)


def _account(view: View) -> str:
    """Return the user of a service, which the module of NixOS has as an option; empty: unknown."""
    made_up = view.phrases.sandboxed or is_dynamic(view)
    option = next((o for o in view.settings if (o.within, o.name) == ("", "user")), None)
    if option is not None and option.unresolved:
        return ""
    told = option.value if option is not None and isinstance(option.value, str) else ""
    return told or last(view, "User", view.engine if made_up else "root")


def is_job(view: View) -> bool:
    """Return whether a unit does something once beside the server, and is no server."""
    once = any(line.value.strip() == "oneshot" for line in view.lines_named("Type"))
    return view.phrases.unit_file and once and view.starts is None and view.container is None
