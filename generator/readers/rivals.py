"""What several servers of one host want of it: a port, or the name of a container.

Services of Compose are told by their project. Here are those that files of one folder, or one file,
have run at once: quadlets, units, containers of Ansible, NixOS, Terraform and scripts, and pods on
the network of their node.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.engines import load_signs
from generator.meaning import port_of
from generator.readers.syntax.docker import on_host
from generator.records import dataclass, replace
from generator.units import EVERYWHERE, is_local
from generator.view import BRANCH, LATER, SECOND, SOMETIMES, TAKEN, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import Place, View

_OF_FOLDER: Final = frozenset({"quadlet", "systemd", "terraform", "kubernetes"})
_OF_FILE: Final = frozenset({"steps", "nixos", "script"})
_ON_HOST: Final = {"quadlet": "units", "systemd": "units"}
_NAMED: Final = frozenset({"steps", "terraform"})
"""Kinds in whose files a container has no name but that of its View."""
_EITHER: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:cpu|gpu|cuda|rocm|amd|nvidia|vulkan|intel|xpu|arm64|amd64|metal|dev|prod"
    r"|staging|test|example|sample|old|new|alt|default)(?:$|[^a-z])"
)
"""What files that stand for each other are called."""
_MOST: Final = 20
_MOST_SCRIPTS: Final = 200
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class _Wish:
    """A port or a name, with the address that it is wanted on, empty for all."""

    what: str
    address: str
    place: Place


def with_rivals(views: Sequence[View]) -> list[View]:
    """Return the Views, each with what another one beside it has that comes before it."""
    rooms: dict[tuple[str, str], list[View]] = {}
    for view in views:
        if room := _room(view):
            rooms.setdefault(room, []).append(view)
    told: dict[int, tuple[Line, ...]] = {}
    for several in (one for one in rooms.values() if 1 < len(one) <= _MOST):
        for at, view in enumerate(several):
            told[id(view)] = tuple(_taken(view, several[:at]))
    scripts = [view for view in views if view.lines_in(LATER)]
    folders: dict[str, list[View]] = {}
    for view in views if scripts else ():
        folders.setdefault(posixpath.dirname(view.place.file), []).append(view)
    for view in scripts[:_MOST_SCRIPTS]:
        beside = folders[posixpath.dirname(view.place.file)][:_MOST_SCRIPTS]
        told[id(view)] = (*told.get(id(view), ()), *_behind_an_installer(view, beside))
    return [replace(v, lines=(*v.lines, *told[id(v)])) if told.get(id(v)) else v for v in views]


def _behind_an_installer(script: View, views: Sequence[View]) -> Iterator[Line]:
    """Yield the starts of servers at the port of the service that the installer has started."""
    usual = f"port {load_signs(script.engine).nixos_address[1]}"
    for line in script.lines_in(LATER):
        meant = [view for view in views if _is_meant(view, line)][:_MOST]
        wishes = [wish for view in meant for wish in _wishes(view) if wish.what == usual]
        if any(wish.address in {"", _LOOPBACK} for wish in wishes):
            yield Line(section=SECOND, name=script.engine, value="serve", place=line.place)


def _is_meant(view: View, line: Line) -> bool:
    """Whether a script starts this server by a line: its container, its project, or its unit."""
    file, kind, box = view.place.file, view.phrases.kind, view.container
    if line.name == "run":
        ours = box is not None and (file, box.place.line) == (line.place.file, line.place.line)
        return ours and not view.lines_in(SOMETIMES)
    what, _, name = line.name.partition(" ")
    named = _service(view) == f"{name}.service"
    return kind == "compose" if what == "compose" else view.phrases.headers and named


def _room(view: View) -> tuple[str, str] | None:
    """Return what stands for the host of a server; None: nobody knows when or where it runs."""
    kind, file = view.phrases.kind, view.place.file
    if view.adds or view.phrases.passing or view.lines_in(SOMETIMES) or not _begins(view):
        return None
    if kind in _OF_FILE:
        return kind, file
    folder, name = posixpath.split(file)
    if kind not in _OF_FOLDER or _EITHER.search(name) or _EITHER.search(view.name):
        return None
    return _ON_HOST.get(kind, kind), folder


def _begins(view: View) -> bool:
    """Whether it is started without being asked: a unit is where its file says what wants it."""
    if not view.phrases.headers:
        return view.container is not None or view.starts is not None
    wanted = any(line.section == "Install" and line.name == "WantedBy" for line in view.lines)
    return wanted and "@" not in view.name


def _taken(view: View, before: Sequence[View]) -> Iterator[Line]:
    """Yield what of a server one that stands before it has as well, each once."""
    known = [(other, wish) for other in before for wish in _wishes(other)]
    for wish in _wishes(view):
        for other, had in known:
            same = had.address == wish.address or "" in {had.address, wish.address}
            if had.what == wish.what and same and not _apart(view, other):
                yield Line(section=TAKEN, name=other.name, value=wish.what, place=wish.place)
                break


def _apart(one: View, other: View) -> bool:
    """Whether one of two units ends the other, is at another place, or is written in its stead.

    Two scripts may write the same, and of one script one branch or another.
    """
    names = {_service(view): view for view in (one, other)}
    ends = (
        word
        for view in (one, other)
        for line in view.lines
        if line.name == "Conflicts"
        for word in line.value.split()
    )
    if one.phrases.headers and len(names) == 1:
        return True
    if _in_two_branches(one, other):
        return True
    managers = {view.manager for view in (one, other)}
    return any(word in names for word in ends) or managers >= {"system", "user"}


def _in_two_branches(one: View, other: View) -> bool:
    """Whether a script writes either of two units, and never both."""
    if one.place.file != other.place.file:
        return False
    blocks = {line.name: line.value for line in other.lines_in(BRANCH)}
    return any(blocks.get(line.name, line.value) != line.value for line in one.lines_in(BRANCH))


def _service(view: View) -> str:
    return re.sub(r"\.container$", ".service", view.name)


def _wishes(view: View) -> Iterator[_Wish]:
    box = view.container
    if box is None:
        yield from _listens(view, view.starts) if view.starts else ()
        return
    if box.host_network is not None:
        yield from _listens(view, box.host_network)
    else:
        for text, place in box.ports:
            if found := on_host(text):
                yield _Wish(f"port {found[1]}", found[0], place)
    told = [line for line in box.options if line.name == "name"]
    told += [x for x in view.lines if (x.section, x.name) == ("Container", "ContainerName")]
    if told:
        yield _Wish("name", told[-1].value.strip("\"'"), told[-1].place)
    elif view.phrases.kind in _NAMED:
        yield _Wish("name", view.name, box.place)


def _listens(view: View, place: Place) -> Iterator[_Wish]:
    """Yield the port of the host at which a server listens; nothing where nobody tells it."""
    engine = load_signs(view.engine)
    usual, default = engine.nixos_address
    told = view.variable(engine.address)
    if told is None and not view.lacks(engine.address):
        return
    if told is not None and told.unresolved:
        return
    host = usual if view.container is None else ""
    if told is not None:
        host = told.value.partition("//")[2] or told.value
        host = "" if host.startswith((*EVERYWHERE, "*", ":")) else host.rpartition(":")[0] or host
    address = "" if host in EVERYWHERE else _LOOPBACK if is_local(host) else host
    port = port_of(told.value, default) if told is not None else default
    yield _Wish(f"port {port}", address, place)
