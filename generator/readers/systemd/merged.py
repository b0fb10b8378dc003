"""Units with their drop-ins, as systemd merges them, systemd.unit(5)."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from dataclasses import replace
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from generator.readers.base import Source, each
from generator.readers.beside import is_for_a_user
from generator.readers.syntax import unit
from generator.readers.syntax.options import Argument
from generator.readers.syntax.shell import calls, use_of
from generator.readers.syntax.words import Expanded, Word, expand
from generator.readers.systemd import install_root
from generator.records import dataclass
from generator.view import OF_SYSTEMS, PREFIXES, Line, ModelUse, each_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context
    from generator.readers.layers import Rank
    from generator.readers.syntax.unit import Assignment

_PLACES: Final = tuple(
    re.compile(rf"(?:^|/)(?:{place})/")
    for place in (
        r"etc/systemd/(?:system|user)\.control",
        r"run/systemd/(?:system|user)\.control",
        r"run/systemd/transient",
        r"\.config/(?:systemd/user|containers/systemd)",
        r"etc/(?:systemd/(?:system|user)|containers/systemd)",
        r"run/(?:systemd/(?:system|user)|containers/systemd)",
        r"run/systemd/generator",
        r"usr/local/lib/systemd/(?:system|user)",
        r"usr/lib/systemd/(?:system|user)",
        r"lib/systemd/(?:system|user)",
        r"usr/share/containers/systemd",
    )
)
"""The directories of units, those that count first before the others."""
_MOST: Final = 1000
_WHOLE: Final[Rank] = (-2 * _MOST, -_MOST)
"""The rank of the file that makes a unit: every drop-in is laid over it."""
_TEMPLATE: Final = re.compile(r"@.*\.")
COMMANDS: Final = ("ExecStartPre", "ExecStart", "ExecStartPost")
_OF_USERS: Final = ("/systemd/user/", "/containers/systemd/users/", "/.config/")
_PREFIX: Final = re.compile(rf"[{PREFIXES}]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """A service or quadlet with its drop-ins: every assignment that is in force.

    `ranks` are those of its files; `whole`: the file that makes it is among them.
    """

    name: str
    files: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    ranks: Mapping[str, Rank]
    whole: bool

    @property
    def user(self) -> bool:
        """Whether a user's manager runs it."""
        return any(mark in f"/{path}" for path in self.ranks for mark in _OF_USERS)

    @property
    def manager(self) -> Literal["", "system", "user"]:
        """Whose systemd runs it; empty: a unit without a place may be either."""
        wanted = {a.value for a in self.named("WantedBy", "Install")}
        installed = any(install_root(path) is not None for path in self.files)
        named = self.last("User") or self.last("DynamicUser")
        # To a service of the system `%h` is /root, which nobody means.
        home = any("%h" in a.value for a in self.assignments)
        # Podman takes a quadlet for any target: what it wants tells nothing of whose it is.
        quadlet = home and self.name.endswith(".container")
        wants = bool(wanted & OF_SYSTEMS) and not quadlet
        if not self.user and (installed or named or wants):
            return "system"
        return "user" if self.user or home else ""

    @property
    def service(self) -> str:
        """The service that it is, or that podman makes of it."""
        return re.sub(r"\.container$", ".service", self.name)

    def last(self, key: str, section: str = "Service") -> str:
        """Return the value of a key that takes one."""
        found = (a for a in reversed(self.assignments) if (a.section, a.key) == (section, key))
        return next((a.value for a in found), "")

    def named(self, key: str, section: str = "Service") -> list[Assignment]:
        """Return the assignments of a key that takes many."""
        return unit.named(self.assignments, key, section)

    def expanded(self, text: str) -> Expanded:
        """Expand the specifiers of a text; one that systemd does not know stays."""
        return expand(text, self.service, user=self.user) or Expanded(text)

    def argument(self, text: str, assignment: Assignment, word: Word | None = None) -> Argument:
        """Return a word, or the whole value of an assignment, with its specifiers expanded."""
        found = self.expanded(text)
        place = assignment.place(word.start if word else -1)
        written = functools.partial(assignment.tail, word=word)
        return Argument(found.text, place, written, found.unresolved)

    def unread(self, section: str = "Service") -> Iterator[Line]:
        """Yield what of `Environment=` is ignored."""
        for assignment in self.named("Environment", section):
            yield from unit.unread(assignment, self.service, user=self.user)

    def commands(self, keys: Iterable[str]) -> Iterator[list[Argument]]:
        """Yield the command lines: prefixes off, `$$` undone, parted at a lone `;`."""
        for assignment in (a for key in keys for a in self.named(key)):
            command: list[Argument] = []
            for word in assignment.words():
                if word.text == ";" and word.end - word.start == 1:
                    yield command
                    command = []
                    continue
                text = word.text if command else _PREFIX.sub("", word.text, count=1)
                command.append(self.argument(text.replace("$$", "$"), assignment, word))
            yield command


def used(one: Unit, engine: Engine) -> Iterator[ModelUse]:
    """Yield the models that the commands of a unit pull, create or run."""
    for command in one.commands(COMMANDS):
        for call in calls([argument.text for argument in command], engine):
            yield use_of(call, command[0].place)


def models(units: Iterable[Unit], engine: Engine) -> tuple[ModelUse, ...]:
    """Return the models of several units, each once."""
    return each_once(model for unit_ in units for model in used(unit_, engine))


def merged(sources: Sequence[Source], suffix: str, default: str) -> list[Unit]:
    """Return every unit of that suffix with its drop-ins applied, in the order of the files.

    A drop-in that stands alone is one of `default`; hidden files are none.
    Raises ProfileError as `unit.parse`.
    """
    visible = [source for source in sources if not _base(source).startswith(".")]
    parsed: dict[Source, Sequence[Assignment]] = {}
    for found in each(visible, _parsed):
        parsed |= found
    by_name: dict[str, list[Source]] = {}
    for source in parsed:
        by_name.setdefault(_unit_name(source.path, suffix, default), []).append(source)
    if by_name.keys() == {suffix}:
        by_name[default] = by_name.pop(suffix)
    shared = {general for name in by_name for general in _generals(name, suffix)}
    units = []
    for name in (name for name in by_name if name not in shared):
        layers = _layers(by_name, name, suffix)
        if any(rank == _WHOLE and _is_mask(source) for source, rank in layers.items()):
            continue
        together = unit.in_force(a for source in layers for a in parsed[source])
        ranks = {source.path: rank for source, rank in layers.items()}
        whole = _WHOLE in ranks.values()
        files = tuple(dict.fromkeys(a.file for s in layers for a in parsed[s])) or tuple(ranks)
        units.append(Unit(name, files, together, ranks, whole))
    return units


def _parsed(source: Source) -> dict[Source, Sequence[Assignment]]:
    """Return what stands in a file; of what `systemctl cat` prints by the files that it is of."""
    found, heads = unit.parse(source), unit.heads(source.text)
    if not heads:
        return {source: found}
    pieces: dict[Source, list[Assignment]] = {Source(path, source.text): [] for _, path in heads}
    for one in found:
        path = heads[max(bisect_right(heads, one.line, key=itemgetter(0)) - 1, 0)][1]
        pieces[Source(path, source.text)].append(replace(one, piece=path))
    return dict(pieces)


def _is_mask(source: Source) -> bool:
    """Whether an empty file in place of the unit turns it off, whatever else says."""
    return not source.text and install_root(source.path) is not None


def _unit_name(path: str, suffix: str, default: str) -> str:
    """Return the unit that a file is of; the suffix alone for a drop-in of all units."""
    file = PurePosixPath(path)
    if file.parent.name in {f"{suffix}.d".lstrip("."), f"{suffix}.d"}:
        return suffix
    if file.parent.name.endswith(f"{suffix}.d"):
        return file.parent.name.removesuffix(".d")
    return file.name if file.suffix == suffix else default


def _generals(name: str, suffix: str) -> list[str]:
    """Return what has drop-ins for a unit beside its own name, the nearest first.

    For `a-b@1.service` these are `a-b@.service`, `a-.service` and those of every service.
    """
    stem = name.removesuffix(suffix).partition("@")[0]
    dashes = [at for at, letter in enumerate(stem[:-1], 1) if letter == "-"]
    wider = [_template(name), *(f"{stem[:at]}{suffix}" for at in reversed(dashes)), suffix]
    return [general for general in wider if general != name]


def _template(name: str) -> str:
    return _TEMPLATE.sub("@.", name)


def _layers(by_name: Mapping[str, Sequence[Source]], name: str, suffix: str) -> dict[Source, Rank]:
    """Return the unit file and its drop-ins in the order in which systemd applies them.

    Of files with the same name the first counts: by directory, in each the instance's before its
    template's. Those of every service come last; podman knows no such exception.
    """
    near = {general: -at for at, general in enumerate((name, *_generals(name, suffix)), 1)}
    ours = {
        source: (near[of] if of != suffix else -_MOST, -_installed(source))
        for of in near
        for source in by_name.get(of, ())
    }
    fragments = [s for s in ours if PurePosixPath(s.path).suffix == suffix]
    fragments.sort(key=lambda s: (-ours[s][0], -ours[s][1]))
    drop_ins: dict[str, Source] = {}
    last = -_MOST if suffix == ".service" else 1
    first = sorted(ours, key=lambda s: (ours[s][0] == last, -ours[s][1], -ours[s][0]))
    for source in (source for source in first if source not in fragments):
        known = install_root(source.path) is not None
        drop_ins.setdefault(_base(source) if known else source.path, source)
    ordered = sorted(drop_ins.values(), key=_base)
    # Files of a directory that is none of drop-ins may be alternatives.
    loose = {s: (-1, at) for at, s in enumerate(ordered, 1) if not _folder(s).endswith(".d")}
    ranks = {source: loose.get(source, ours[source]) for source in ordered}
    return {**dict.fromkeys(fragments[:1], _WHOLE), **ranks}


def _folder(source: Source) -> str:
    return PurePosixPath(source.path).parent.name


def _base(source: Source) -> str:
    return PurePosixPath(source.path).name


def _installed(source: Source) -> int:
    """Return how late the directory of a file comes in systemd's search."""
    folder = source.path.rpartition("/")[0] + "/"
    places = (at for at, place in enumerate(_PLACES) if place.search(folder))
    return next(places, 0)


def manager_of(one: Unit, context: Context) -> Literal["", "system", "user"]:
    """Return whose systemd runs a unit: what tells it may be the script that puts it there."""
    loose = not one.user and install_root(one.files[0]) is None
    return "user" if loose and is_for_a_user(one.files[0], context) else one.manager
