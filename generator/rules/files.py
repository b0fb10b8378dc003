"""HW514 to HW517: faults of a file's own form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Rule, rule
from generator.view import Edit, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, View

# The installer's unit, from scripts/install.sh@v0.32.15:221-235.
INSTALLED_TO: Final = re.compile(r"(?:^|/)(?:etc|lib)/systemd/system/ollama\.service$")
INSTALLED_START: Final = re.compile(r"/\S*bin/ollama serve")
INSTALLED_DESCRIPTION: Final = "Ollama Service"
# Directives of [Service] that people write into an override; systemd.exec(5), .service(5) and
# .resource-control(5).
_OF_SERVICE: Final = re.compile(
    r"Environment(?:File)?|Exec\w+|CPU\w+|Memory\w+|Allowed\w+|IO\w+|Limit\w+|Nice|OOM\w+|NUMA\w+|"
    r"User|Group|Restart(?:Sec)?|Device\w+|Protect\w+|Private\w+|Read\w+Paths|Tasks\w+|"
    r"WorkingDirectory|SupplementaryGroups"
)


@rule(
    "HW514",
    severity="warning",
    title="StartLimitIntervalSec in the wrong section",
    why="StartLimitIntervalSec= belongs into [Unit] since systemd 230. In [Service] systemd logs "
    "`Unknown key` and ignores it, so that the default of five starts in ten seconds holds, "
    "which a server that takes RestartSec=3 to come back never reaches.",
    bad="[Service]\nStartLimitIntervalSec=600",
    good="[Unit]\nStartLimitIntervalSec=600",
    source="systemd.unit(5), StartLimitIntervalSec=",
)
def start_limit_in_service(view: View, _: Facts) -> Iterator[Hit]:
    """In [Service] systemd does not know it. (StartLimitBurst= there still works, by age.)"""
    for line in view.lines:
        if line.name == "StartLimitIntervalSec" and _is_service(view, line):
            of_nix = view.origin == "nixos"
            old = f"{line.name}={line.value}"
            yield Hit(
                message="systemd ignores StartLimitIntervalSec in [Service]: it is a key of [Unit]",
                place=line.place,
                fix="write `startLimitIntervalSec` beside `serviceConfig`"
                if of_nix
                else "move it to [Unit], with StartLimitBurst",
                edits=() if of_nix else (Edit(line.place, old, f"[Unit]\n{old}\n[Service]"),),
            )


def _is_service(view: View, line: Line) -> bool:
    if view.origin == "nixos":
        return line.section.endswith("serviceConfig")
    return view.origin in {"systemd", "quadlet"} and line.section == "Service"


@rule(
    "HW515",
    severity="error",
    title="directives before any section",
    why="systemd ignores what stands before the first [Section] of a file, with one line in the "
    "log. `systemctl edit` shows an empty file, and the header is forgotten easily.",
    bad="# override.conf\nEnvironment=OLLAMA_HOST=127.0.0.1",
    good="# override.conf\n[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1",
    source="systemd.syntax(7)",
)
def no_section(view: View, _: Facts) -> Iterator[Hit]:
    """systemd ignores what stands outside a section."""
    lines = view.lines if view.origin == "systemd" else ()
    stray = [line for line in lines if line.name and not line.section]
    for file in dict.fromkeys(line.place.file for line in stray):
        here = [line for line in stray if line.place.file == file]
        first, names = here[0], ", ".join(dict.fromkeys(line.name for line in here))
        service = all(_OF_SERVICE.fullmatch(line.name) for line in here)
        yield Hit(
            message=f"systemd ignores what stands before the first section: {names}",
            place=first.place,
            fix="write `[Service]` above it" if service else "write the section's name above it",
            edits=(Edit(first.place, f"{first.name}=", f"[Service]\n{first.name}="),)
            if service
            else (),
        )


@rule(
    "HW516",
    severity="warning",
    title="an edited unit of the installer",
    why="The installer writes /etc/systemd/system/ollama.service anew at every upgrade, and a "
    "package its own under /usr/lib. What was edited there is gone then, without a word. A "
    "drop-in stays.",
    bad="# /etc/systemd/system/ollama.service\nEnvironment=OLLAMA_NUM_PARALLEL=4",
    good="# /etc/systemd/system/ollama.service.d/override.conf\n[Service]\n"
    "Environment=OLLAMA_NUM_PARALLEL=4",
    source="scripts/install.sh@v0.32.15:221-235; ollama#1278, ollama#8389",
)
def edited_vendor_unit(view: View, _: Facts) -> Iterator[Hit]:
    """The next upgrade writes the unit anew."""
    file = _installed_unit(view) if view.origin == "systemd" else ""
    own = [(v.name, v.place) for v in view.variables if v.name != "PATH"]
    own += [(bound.name, bound.place) for bound in view.bounds]
    inside = [(name, place) for name, place in own if file and place.file == file]
    if inside:
        names = ", ".join(dict.fromkeys(name for name, _ in inside))
        yield Hit(
            message=f"the next upgrade of Ollama writes this unit anew, without {names}",
            place=inside[0][1],
            fix="move what you added to a drop-in: `systemctl edit ollama.service`",
        )


def _installed_unit(view: View) -> str:
    """Return the file that the installer, or a package, wrote; empty: somebody's own unit."""
    says = {(line.section, line.name, line.place.file): line.value for line in view.lines}
    for (section, name, file), value in says.items():
        start = (section, name) == ("Service", "ExecStart") and INSTALLED_START.fullmatch(value)
        described = says.get(("Unit", "Description", file)) == INSTALLED_DESCRIPTION
        if start and described and INSTALLED_TO.search(file):
            return file
    return ""


@rule(
    "HW517",
    severity="info",
    title="`version:` in a compose file",
    why="The Compose Specification has no versions of the file any more; Docker Compose ignores "
    "the key and warns at every command.",
    bad="version: '3.8'\nservices: …",
    good="services: …",
    source="docs.docker.com/reference/compose-file/version-and-name",
)
def compose_version(view: View, _: Facts) -> Iterator[Hit]:
    """Compose ignores the key and warns at every command."""
    for line in view.lines if view.origin == "compose" else ():
        if not line.section and line.name == "version":
            place = Place(line.place.file, line.place.line, "version")
            yield Hit(
                message="`version` is obsolete: Compose ignores it and warns at every command",
                place=place,
                fix="remove the line",
                edits=(Edit(place, "version", ""),),
            )


RULES: Final[tuple[Rule, ...]] = (
    start_limit_in_service,
    no_section,
    edited_vendor_unit,
    compose_version,
)
