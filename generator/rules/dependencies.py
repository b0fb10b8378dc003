"""HW682 and HW688: what nobody can start or wait for: names that are none, and profiles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.names import nearest
from generator.rules.rule import Hit, Hits, Rule
from generator.units import is_unit_name
from generator.view import GATED, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, View

_ORDERS: Final = frozenset(
    {
        *("after", "before", "wants", "requires", "requisite", "bindsto", "partof", "upholds"),
        *("wantedby", "requiredby"),
    }
)
_TARGETS: Final = frozenset(
    {
        *("basic", "default", "graphical", "local-fs", "multi-user", "network", "network-online"),
        *("network-pre", "nss-lookup", "remote-fs", "sysinit", "time-sync"),
    }
)
_TYPES: Final = ("service", "target", "socket", "timer", "mount", "path", "device", "slice")
_FOLDER: Final = re.compile(r"\.(?:wants|requires|upholds|d)$")
"""The end of a directory of links or drop-ins for a unit."""
_MADE_BY_PODMAN: Final = r".+\.(?:container|volume|network|pod|kube|build|image)"
_FILLED_IN: Final = re.compile(r"[%$<>{}\\/\"'=…]|@\w+@")


@Rule(
    id="HW682",
    title="a unit that has no name of one",
    why="systemd takes the names apart at spaces, and each has to end like a unit: with a comma "
    "between them two are one that cannot be, and without an end, or with a wrong one, it is none. "
    "Then it ignores the entry, with one line in its log: nothing is started, and nothing waits. "
    "In [Install] `systemctl enable` fails.",
    bad="After=network-online.target,ollama.service",
    good="After=network-online.target ollama.service",
    source="systemd.unit(5), Description and After=; systemd-analyze verify, 252; "
    "src/basic/unit-name.c, unit_name_is_valid",
)
def no_name_of_a_unit(view: View, _: Facts) -> Hits:
    for line in view.lines:
        wrong = [name for name in _names(view, line) if not _is_one(view, name)]
        for name in wrong:
            right = " ".join(_meant(part) for part in name.split(",") if part)
            by_comma = "," in name
            yield Hit(
                message=f"`{name}` is no name of a unit: systemd ignores it, and `{line.name}` "
                "has nothing to hold to",
                place=line.place,
                fix=f"write `{right}`" + (", with a space between them" if by_comma else ""),
                edits=_edits(view, line, name, right),
            )


def _names(view: View, line: Line) -> Iterator[str]:
    """Yield the names that a line has of units, without those that something else fills in."""
    book, key = view.phrases, line.name.lower()
    if key not in _ORDERS or not (_in_a_unit(view, line) or _in_nix(line)):
        return
    # What stands behind a `#` is meant for a comment, which is another fault.
    told = re.split(r"(?:^|\s)[#;]", line.value)[0] if book.headers else line.value
    yield from (name for name in told.split() if not _FILLED_IN.search(name))


def _in_a_unit(view: View, line: Line) -> bool:
    return view.phrases.headers and view.phrases.section(line) in {"Unit", "Install"}


def _in_nix(line: Line) -> bool:
    named = re.fullmatch(r"systemd\.(?:user\.)?(?:services|sockets|timers)\.[^.]+", line.section)
    return named is not None


def _is_one(view: View, name: str) -> bool:
    by_podman = view.phrases.headers and not view.phrases.unit_file
    return is_unit_name(name) or (by_podman and re.fullmatch(_MADE_BY_PODMAN, name) is not None)


def _meant(name: str) -> str:
    """Return the name of the unit that somebody meant."""
    name = _FOLDER.sub("", name)
    if is_unit_name(name):
        return name
    stem, dot, end = name.rpartition(".")
    close = nearest(end, _TYPES)[0] if dot else ""
    if close:
        return f"{stem}.{close}"
    return f"{name}.target" if name in _TARGETS else f"{name}.service"


def _edits(view: View, line: Line, name: str, right: str) -> tuple[Edit, ...]:
    """Return the Edit where a comma alone is wrong: each of the names is one."""
    certain = view.phrases.headers and all(map(is_unit_name, filter(None, name.split(","))))
    return (Edit(line.place, name, right),) if certain else ()


@Rule(
    id="HW688",
    title="a service that waits for one behind a profile",
    why="Compose leaves out what is behind a profile that is not on, and then refuses the whole "
    "project where a service depends on it: `depends on undefined service`. So a plain `docker "
    "compose up` starts nothing, and of two profiles with a server each only one will do.",
    bad="services:\n  ollama: {profiles: [gpu]}\n  webui: {depends_on: [ollama]}",
    good="services:\n  ollama: {profiles: [gpu]}\n"
    "  webui: {depends_on: {ollama: {condition: service_started, required: false}}}",
    source="loader/loader.go, loader/validate.go, checkConsistency (compose-spec/compose-go); "
    "docs.docker.com: compose/how-tos/profiles",
)
def behind_a_profile(view: View, _: Facts) -> Hits:
    for line in view.lines_in(GATED):
        other, *names = line.value.split()
        profile = f"profile {names[0]}" if len(names) == 1 else f"profiles {' and '.join(names)}"
        yield Hit(
            message=f"`{line.name}` needs `{other}`, which is behind the {profile}: without it "
            "Compose refuses the whole project",
            place=line.place,
            fix="write `required: false` beside its condition, or give both the same profile",
        )
