"""HW120, HW212, HW514, HW515, HW517, HW520, HW521 and HW525: what the reader of a file drops."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.names import VARIABLE, nearest
from generator.rules.helpers.variables import (
    known_values,
    known_variables,
    needs_judgement,
    server_variables,
    swallowed,
)
from generator.rules.rule import Hit, Hits, Rule
from generator.view import ASKING, FORGIVEN, LITERAL, SPENT, Edit, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.view import Line, Variable, View


@Rule(
    id="HW514",
    title="StartLimitIntervalSec in the wrong section",
    why="It belongs into [Unit] since systemd 230. In [Service] it is an `Unknown key`, so that "
    "the default of five starts in ten seconds holds, which RestartSec=3 never reaches.",
    bad="[Service]\nStartLimitIntervalSec=600",
    good="[Unit]\nStartLimitIntervalSec=600",
    source="systemd.unit(5), StartLimitIntervalSec=",
)
def start_limit_in_service(view: View, _: Facts) -> Hits:
    # StartLimitBurst= there still works, by age.
    wrong: dict[str, list[Line]] = {}
    for line in view.lines_named("StartLimitIntervalSec"):
        if view.phrases.section(line) == "Service":
            wrong.setdefault(line.place.file, []).append(line)
    whole: dict[str, list[Line]] = {file: [] for file in wrong}
    for line in view.lines if wrong else ():
        whole.get(line.place.file, []).append(line)
    for file, lines in wrong.items():
        here = whole[file]
        in_unit = [one.value for one in here if (one.section, one.name) == ("Unit", lines[0].name)]
        counts = f", where `{in_unit[-1]}` counts" if in_unit else ""
        how = "keep one of them, in [Unit]" if in_unit else _how_to_move(view, here)
        for line in lines:
            # The first one of a file takes the others along.
            moved = _moved(here) if not in_unit and line is lines[0] else ()
            dead = in_unit and line.value == in_unit[-1]
            edits = (Edit(line.place, line.name, ""),) if dead else tuple(moved)
            yield Hit(
                message=f"systemd ignores {line.name} in [Service]: it is a key of [Unit]{counts}",
                place=line.place,
                fix=how,
                edits=edits if view.phrases.headers else (),
            )


def _start_limits(here: Iterable[Line]) -> list[Line]:
    """Return the start limits of [Service], which belong together."""
    return [one for one in here if one.section == "Service" and one.name.startswith("StartLimit")]


def _how_to_move(view: View, here: Iterable[Line]) -> str:
    names = dict.fromkeys(one.name for one in _start_limits(here))
    others = " and ".join(name for name in names if name != "StartLimitIntervalSec")
    return view.phrases.start_limit + (f", with {others}" if others else "")


def _moved(here: Sequence[Line]) -> Iterator[Edit]:
    """Yield what moves the start limits of a file to its [Unit]."""
    group = _start_limits(here)
    headers = [one for one in here if one.value == f"[{one.section}]"]
    unit = [one for one in headers if one.section == "Unit"]
    service = [one for one in headers if one.section == "Service"]
    named = [one for one in here if one.section == "Service" and one.name]
    others = [one for one in named if not one.name.startswith("StartLimit")]
    if not others and not unit:
        yield from (Edit(one.place, "[Service]", "[Unit]") for one in service)
        yield from (Edit(one.place, one.name, "") for one in _repeated(group))
        return
    # Above a [Service] that keeps something.
    kept = [one for one in service if others and one.place.line < others[0].place.line]
    if unit or kept:
        yield from _put_in(here, (unit or kept)[-1], group)
        yield from (Edit(one.place, one.name, "") for one in group)


def _repeated(group: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines that a later one says again."""
    last = {(one.name, one.value): one for one in group}
    yield from (one for one in group if last[one.name, one.value] is not one)


def _put_in(here: Iterable[Line], header: Line, group: Iterable[Line]) -> Iterator[Edit]:
    """Yield what puts the lines of a group, each once, to the end of [Unit], or above [Service]."""
    text = "\n".join(dict.fromkeys(f"{one.name}={one.value}" for one in group))
    ends = [one for one in here if one.section == "Unit" and one.name]
    if ends:
        spelt = (f"{ends[-1].name}{equals}" for equals in ("=", " =", ""))
        yield from (Edit(ends[-1].place, old, text, behind=True) for old in spelt)
    elif header.section == "Unit":
        yield Edit(header.place, "[Unit]", f"[Unit]\n{text}")
    else:
        yield Edit(header.place, "[Service]", f"[Unit]\n{text}\n\n[Service]")


@Rule(
    id="HW515",
    severity="error",
    title="directives before any section",
    why="systemd ignores what stands before the first [Section] of a file, with one line in the "
    "log. `systemctl edit` shows an empty file, and the header is forgotten easily. Podman refuses "
    "a quadlet that begins so, and ignores it in a drop-in.",
    bad="# override.conf\nEnvironment=OLLAMA_HOST=127.0.0.1",
    good="# override.conf\n[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1",
    source="systemd.syntax(7); quadlet -dryrun, 5.4.2",
)
def no_section(view: View, facts: Facts) -> Hits:
    of_podman = view.phrases.headers and not view.phrases.unit_file
    lines = view.lines if view.phrases.unit_file or of_podman else ()
    stray = [line for line in lines if line.name and not line.section]
    home = "Container" if of_podman else "Service"
    known = _sections_of(view, facts).get(home, facts.directives["Service"])
    for file in dict.fromkeys(line.place.file for line in stray):
        here = [line for line in stray if line.place.file == file]
        first, names = here[0], ", ".join(dict.fromkeys(line.name for line in here))
        headed = Edit(first.place, f"{first.name}=", f"[{home}]\n{first.name}=")
        service = all(line.name in known for line in here)
        reader = view.phrases.reader if of_podman else "systemd"
        whole = of_podman and not view.adds and file == view.place.file
        effect = "refuses the unit for" if whole else "ignores"
        yield Hit(
            message=f"{reader} {effect} what stands before the first section: {names}",
            place=first.place,
            fix=f"write `[{home}]` above it" if service else "write the section's name above it",
            edits=(headed,) if service else (),
        )


@Rule(
    id="HW517",
    severity="info",
    title="`version:` in a compose file",
    why="Compose has no file versions any more: it ignores the key and warns at every command.",
    bad="version: '3.8'\nservices: …",
    good="services: …",
    source="docs.docker.com/reference/compose-file/version-and-name",
)
def compose_version(view: View, _: Facts) -> Hits:
    for line in view.lines_named(*view.phrases.obsolete):
        if not line.section:
            place = Place(line.place.file, line.place.line, line.name)
            yield Hit(
                message=f"`{line.name}` is obsolete: Compose ignores it and warns at every command",
                place=place,
                fix="remove the line",
                edits=(Edit(place, line.name, ""),),
            )


_SEARCHED: Final = re.compile(r"(?:[A-Z]+_)*PATH")
_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})|(?:^|(?<=[:,]))~(?=/|$)")


def _searched(variable: Variable) -> bool:
    return bool(_SEARCHED.fullmatch(variable.name)) and not variable.unresolved


@Rule(
    id="HW120",
    title="an expansion that nobody does, or that comes too early",
    why="No shell reads these files: systemd takes `$HOME` and `~` in Environment= as they stand, "
    "and so does the server. It makes a directory of that name, or finds nothing in it. "
    "Prometheus, Alertmanager and LiteLLM take `${…}` as it stands, as an address, a password or a "
    "key. Said of them where nothing beside the file fills it in. Compose fills in what a script "
    "of a service sets itself, or its container has: with what it knows, which is nothing.",
    bad="Environment=OLLAMA_MODELS=$HOME/models",
    good="Environment=OLLAMA_MODELS=/home/ollama/models",
    source="systemd.exec(5), Environment=; envconfig/config.go@v0.32.15:112-124; config/config.go, "
    "Load (prometheus, alertmanager); docs.litellm.ai/docs/proxy/configs: os.environ/",
)
def unexpanded(view: View, facts: Facts) -> Hits:
    judged = {variable.name: variable for variable, _ in known_values(view, facts)}
    # A file of variables alone may be for a shell, or for Compose.
    told = server_variables(view) if view.phrases.read_by else ()
    judged |= {variable.name: variable for variable in told if _searched(variable)}
    for variable in judged.values():
        found = _EXPANSION.search(variable.value)
        # Where the format expands variables itself, its reader may not know of what.
        if found is None or (view.phrases.expands and found[0] != "~"):
            continue
        if found[0] != "~" and _is_filled_in(view):
            continue
        itself = found[0].strip("${}") == variable.name
        effect = "what stood in it is lost" if itself else "it is taken literally"
        yield Hit(
            message=f"nothing expands `{found[0]}` in {variable.name}; {effect}",
            place=variable.place,
            fix="write out what it stands for",
        )
    yield from _as_it_stands(view)
    for line in view.lines_in(SPENT):
        yield Hit(
            message=f"Compose fills in `{line.value}` before a shell sees it, and knows no "
            f"{line.name}: it is empty there",
            place=line.place,
            severity="error",
            fix=f"write `${line.value}`",
        )


_TAKEN_PLAIN: Final = frozenset({"User", "Group", "WorkingDirectory"})


def _is_filled_in(view: View) -> bool:
    """Whether a unit is a template: it has a name where systemd would refuse one."""
    said = (line for line in view.lines if line.name in _TAKEN_PLAIN)
    return any(
        view.phrases.section(line) == "Service" and _EXPANSION.match(line.value) for line in said
    )


def _as_it_stands(view: View) -> Hits:
    """Yield the values that the program of another file takes as they stand, once for each."""
    told = {line.value: line for line in reversed(view.lines_in(LITERAL))}
    for line in reversed(told.values()):
        yield Hit(
            message=f"{view.phrases.reader} expands no `{line.value}`: it takes it literally",
            place=line.place,
            fix=view.phrases.filled_in or "write it out, or have a program fill it in",
        )


_PLAIN: Final = re.compile(r"[\w./:,*@+-]+", re.ASCII)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=[^\s\"'\\]*", re.ASCII)
_APART: Final = re.compile(r"((?:[A-Z0-9]+_)+[A-Z0-9]+)(?::[ \t]*|[ \t]+)([^\s\"'\\=%]+)", re.ASCII)
"""A variable with a colon or a blank in place of the equal sign."""
_JUDGED_ELSEWHERE: Final = frozenset({("Service", "StartLimitIntervalSec")})  # HW514
_OF_COMMANDS: Final = frozenset({ASKING, FORGIVEN})
"""Sections of what a reader tells of the commands of a unit."""
EXPORT: Final = "export "  # HW118


@Rule(
    id="HW520",
    severity="error",
    title="a line that systemd ignores",
    why="systemd ignores an unknown directive or section, with one line in its log, and starts the "
    "service without it. A variable belongs behind `Environment=`. Names count with their case.",
    bad="[service]\nEnviroment=OLLAMA_HOST=127.0.0.1\nOLLAMA_NUM_PARALLEL=2",
    good="[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1\nEnvironment=OLLAMA_NUM_PARALLEL=2",
    source="systemd.syntax(7); systemd.directives(7); systemd-analyze verify",
)
def ignored_line(view: View, facts: Facts) -> Hits:
    known = {**facts.directives, **_sections_of(view, facts)}
    for line in view.lines:
        section = view.phrases.section(line)
        said = section in _OF_COMMANDS
        if not section or said or line.name.startswith(EXPORT):
            continue
        if (section, line.name) in _JUDGED_ELSEWHERE:
            continue
        if line.value == f"[{section}]" and not line.name:
            yield from _header(view, line, section, known)
        elif not line.name:
            yield _no_assignment(line)
        elif VARIABLE.fullmatch(line.name):
            yield _bare(line)
        elif len(line.name.split()) > 1:
            yield _blanks(line)
        elif section in facts.directives and line.name not in known[section]:
            yield from _unknown(line, section, known)


def _sections_of(view: View, facts: Facts) -> dict[str, frozenset[str]]:
    """Return the sections that another reader of the file has, and what it knows in them."""
    accepted = facts.accepted(view.phrases.accepts) if view.phrases.headers else None
    below = {"Container": accepted.below(("Container",))} if accepted else {}
    return {name: frozenset(known) for name, known in below.items() if known}


def _header(view: View, line: Line, section: str, known: dict[str, frozenset[str]]) -> Hits:
    meant, certain = nearest(section, known)
    # Podman has sections of its own, and so has every other kind of unit.
    if section in known or not (meant or view.phrases.unit_file):
        return
    yield Hit(
        message=f"systemd knows no section `[{section}]` in a service, and ignores what is in it",
        place=line.place,
        fix=f"write `[{meant}]`" if meant else "move it to `[Service]`, or take it out",
        edits=(Edit(line.place, f"[{section}]", f"[{meant}]"),) if certain else (),
    )


def _no_assignment(line: Line) -> Hit:
    return Hit(
        message=f"systemd ignores `{line.value}`: there is no `=` in it",
        place=line.place,
        fix="write `Name=value`, or `#` before a comment",
    )


def _bare(line: Line) -> Hit:
    """A variable without `Environment=` before it."""
    plain = bool(_PLAIN.fullmatch(line.value))
    right = f"Environment={line.name}={line.value}"
    spelt = (f"{line.name}={line.value}", f"{line.name} = {line.value}")
    of_nixos = line.section not in {"Service", "Container"}
    certain = plain and not of_nixos and not needs_judgement(line.name)
    return Hit(
        message=f"`{line.name}` is no directive: it is ignored, and nobody gets the variable",
        place=line.place,
        fix=f"write `{right}`" if plain else f'write `Environment="{line.name}=…"`',
        edits=tuple(Edit(line.place, old, right) for old in spelt if certain),
    )


def _blanks(line: Line) -> Hit:
    """A name with blanks in it: the `=` comes too late."""
    first, rest = line.name.split(maxsplit=1)
    right = f"{first}={rest}"
    return Hit(
        message=f"systemd ignores `{line.name}=…`: no directive has a blank in its name",
        place=line.place,
        fix=f"write `{right}=…`",
        edits=(Edit(line.place, line.name, right),) if first == "Environment" else (),
    )


def _unknown(line: Line, section: str, known: dict[str, frozenset[str]]) -> Hits:
    """A directive of another section, one that resembles another, or one that nobody knows."""
    if line.name.startswith("X-"):
        return
    home = next((name for name, names in known.items() if line.name in names), "")
    meant, certain = nearest(line.name, known[section])
    yield Hit(
        message=f"systemd ignores `{line.name}` in [{section}]: "
        + (f"it is a directive of [{home}]" if home else "it knows no such directive"),
        place=line.place,
        severity=None if home or meant else "warning",
        fix=f"move it to `[{home}]`"
        if home
        else f"did you mean `{meant}`?"
        if meant
        else "take it out, or see systemd.directives(7)",
        # Another directive that comes to life may stop the unit: a person decides.
        edits=(Edit(line.place, line.name, meant),) if certain and meant == "Environment" else (),
    )


@Rule(
    id="HW525",
    title="a directive that systemd has given up",
    why="Directives of cgroup v1 go with it: systemd up to 257 takes them for their successors, "
    "with a warning; 258 ignores them, and the service runs without the limit.",
    bad="MemoryLimit=24G",
    good="MemoryMax=24G",
    source="systemd NEWS, 258; systemd-analyze verify, 252",
)
def expiring_directive(view: View, facts: Facts) -> Hits:
    for line in view.lines:
        found = facts.expiring.get((view.phrases.section(line), line.name))
        if found is not None:
            edit = Edit(line.place, line.name, found.instead)
            yield Hit(
                message=f"systemd {found.ignored} and later ignore `{found.name}`: it is of cgroup "
                "v1",
                place=line.place,
                fix=f"write `{found.instead}{f'={line.value}' if found.same else ''}`"
                + ("" if found.same else ", which counts in another unit"),
                edits=(edit,) if found.same and view.phrases.headers else (),
            )


@Rule(
    id="HW521",
    severity="error",
    title="an item of Environment= that systemd drops",
    why="Items are `NAME=value`, parted by blanks, with quotes around a whole item. Others are "
    "dropped with one log line; two assignments in one pair of quotes are one strange variable.",
    bad='Environment="OLLAMA_DEBUG=1 OLLAMA_NUM_PARALLEL=4"\nEnvironment=OLLAMA_MODELS /srv/models',
    good='Environment="OLLAMA_DEBUG=1" "OLLAMA_NUM_PARALLEL=4"\n'
    "Environment=OLLAMA_MODELS=/srv/models",
    source="systemd.exec(5), Environment=; systemd.syntax(7)",
)
def dropped_item(view: View, facts: Facts) -> Hits:
    items = [line for line in view.unread if line.name == "Environment"]
    by_place: dict[Place, list[str]] = {}
    for item in items:
        by_place.setdefault(item.place, []).append(item.value)
    before = {v.place: v for v in view.variables if v.place in by_place and v.value.endswith(",")}
    for place, dropped in by_place.items():
        why, fix = _dropped(dropped)
        shown = " ".join(dropped)
        edits = tuple(_joined(before.get(place), dropped))
        fix = f"write `{edits[0].new}`" if edits else fix
        yield Hit(message=f"systemd drops `{shown}`: {why}", place=place, fix=fix, edits=edits)
    for variable, _ in known_variables(view, facts):
        if name := swallowed(variable):
            yield _two_in_one(variable, name)


def _joined(cut: Variable | None, dropped: list[str]) -> Iterator[Edit]:
    """Yield what puts a list together again that a blank behind a comma has cut."""
    parts = [cut.value, *dropped] if cut else []
    plain = all(_PLAIN.fullmatch(part) for part in parts)
    if cut and plain and all(part.endswith(",") for part in parts[:-1]):
        written, whole = " ".join((cut.written, *dropped)), "".join((cut.written, *dropped))
        yield Edit(cut.place, f"{cut.name}={written}", f'"{cut.name}={whole}"')


def _dropped(items: list[str]) -> tuple[str, str]:
    """Return why items of a line are no assignments, and what to do; the first one tells."""
    text = items[0]
    if text.startswith("#"):
        return "a comment stands on a line of its own", "move the comment to the line above"
    if "=" not in text:
        apart = _APART.fullmatch(" ".join(items))
        right = f"write `{apart[1]}={apart[2]}`" if apart else ""
        return "that is no `NAME=value`", right or 'quote values with blanks: `"NAME=a b"`'
    if text.count('"') % 2 or text.count("'") % 2:
        return "a quote in it has no partner", 'write `"NAME=value"`'
    name = text.partition("=")[0].lstrip("\"'")
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        return f"`{name}` is no name of a variable", "write `NAME=value`"
    if "\\" in text:
        return "there is an escape in it that systemd does not know", "write `\\\\` for a backslash"
    return "there is a `%` in it that systemd does not know", "write `%%` for a percent sign"


def _two_in_one(variable: Variable, name: str) -> Hit:
    # A comma between them is of no value.
    *parts, end = f"{variable.name}={variable.value}".split()
    items = [*(part.rstrip(",;") for part in parts), end]
    apart = all(_ASSIGNED.fullmatch(item) for item in items)
    written = " ".join(f'"{item}"' for item in items)
    return Hit(
        message=f"`{name}` is part of the value of {variable.name}: the quotes stand around both",
        place=variable.place,
        severity="warning",
        fix=f"write `{written}`" if apart else "give each variable its own quotes",
    )


_BINARY: Final = re.compile(r"(\d+)\s*([kmgtpe])(i?)(b?)", re.IGNORECASE | re.ASCII)
_READABLE: Final = re.compile(r"[\d., -]+[KMGTPE%]?", re.ASCII)


@Rule(
    id="HW212",
    severity="error",
    title="a limit that systemd cannot read",
    why="systemd says so in its log, once, and runs the service without the limit. Sizes end in K, "
    "M, G or T without `B` and `iB`; a quota ends in `%`.",
    bad="MemoryMax=20GiB\nCPUQuota=20",
    good="MemoryMax=20G\nCPUQuota=2000%",
    source="systemd.resource-control(5); systemd-analyze verify",
)
def unreadable_limit(view: View, _: Facts) -> Hits:
    for line in view.unread:
        if line.name == "Environment":
            continue
        right, plain = _meant(line), _ascii(line.value) == line.value
        fix = f"write `{line.name}={right}`" if right else _how(line)
        yield Hit(
            message=f"systemd cannot read `{line.name}={line.value}` and sets no limit",
            place=line.place,
            fix=fix if plain else f"{fix}, in ASCII digits",
            edits=(Edit(line.place, line.value, right),) if right else (),
        )


def _meant(line: Line) -> str:
    """Return the value as systemd spells it, where there is no doubt; decimal units leave one."""
    value = _ascii(line.value)
    found = _BINARY.fullmatch(value)
    decimal = found is not None and bool(found[4]) and not found[3]
    sized = line.name.startswith("Memory") or line.name == "LimitMEMLOCK"
    if found and sized and not decimal:
        return f"{found[1]}{found[2].upper()}"
    right = _READABLE.fullmatch(value) and (line.name != "CPUQuota" or value.endswith("%"))
    return value if right and value != line.value else ""


def _ascii(text: str) -> str:
    """Return a text with its digits, which may be those of any script, as ASCII has them."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _how(line: Line) -> str:
    if line.name == "CPUQuota":
        return "write percent of one CPU: `2000%` is 20 CPUs"
    if line.name.startswith("Memory"):
        return "write it like `20G`, 1024 based"
    return f"see `gen explain {line.name}`"
