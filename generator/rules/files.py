"""HW120, HW514, HW515 and HW517: faults of a file's own form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.variables import known_values
from generator.rules.rule import Hit, Hits, Rule
from generator.view import Edit, Place

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW514",
    severity="warning",
    title="StartLimitIntervalSec in the wrong section",
    why="It belongs into [Unit] since systemd 230. In [Service] it is an `Unknown key`, so that "
    "the default of five starts in ten seconds holds, which RestartSec=3 never reaches.",
    bad="[Service]\nStartLimitIntervalSec=600",
    good="[Unit]\nStartLimitIntervalSec=600",
    source="systemd.unit(5), StartLimitIntervalSec=",
)
def start_limit_in_service(view: View, _: Facts) -> Hits:
    # StartLimitBurst= there still works, by age.
    for line in view.lines:
        if line.name == "StartLimitIntervalSec" and view.phrases.section(line) == "Service":
            old = f"{line.name}={line.value}"
            yield Hit(
                message="systemd ignores StartLimitIntervalSec in [Service]: it is a key of [Unit]",
                place=line.place,
                fix=view.phrases.start_limit,
                edits=(Edit(line.place, old, f"[Unit]\n{old}\n[Service]"),)
                if view.phrases.headers
                else (),
            )


@Rule(
    id="HW515",
    severity="error",
    title="directives before any section",
    why="systemd ignores what stands before the first [Section] of a file, with one line in the "
    "log. `systemctl edit` shows an empty file, and the header is forgotten easily.",
    bad="# override.conf\nEnvironment=OLLAMA_HOST=127.0.0.1",
    good="# override.conf\n[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1",
    source="systemd.syntax(7)",
)
def no_section(view: View, facts: Facts) -> Hits:
    lines = view.lines if view.phrases.unit_file else ()
    stray = [line for line in lines if line.name and not line.section]
    for file in dict.fromkeys(line.place.file for line in stray):
        here = [line for line in stray if line.place.file == file]
        first, names = here[0], ", ".join(dict.fromkeys(line.name for line in here))
        service = all(line.name in facts.directives["Service"] for line in here)
        yield Hit(
            message=f"systemd ignores what stands before the first section: {names}",
            place=first.place,
            fix="write `[Service]` above it" if service else "write the section's name above it",
            edits=(Edit(first.place, f"{first.name}=", f"[Service]\n{first.name}="),)
            if service
            else (),
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
    for line in view.lines:
        if not line.section and line.name in view.phrases.obsolete:
            place = Place(line.place.file, line.place.line, line.name)
            yield Hit(
                message=f"`{line.name}` is obsolete: Compose ignores it and warns at every command",
                place=place,
                fix="remove the line",
                edits=(Edit(place, line.name, ""),),
            )


_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})|(?:^|(?<=[:,]))~(?=/|$)")


@Rule(
    id="HW120",
    severity="warning",
    title="an expansion that nobody does",
    why="No shell reads these files: systemd takes `$HOME` and `~` in Environment= as they stand, "
    "and so does the server. It makes a directory of that name, or finds nothing in it.",
    bad="Environment=OLLAMA_MODELS=$HOME/models",
    good="Environment=OLLAMA_MODELS=/home/ollama/models",
    source="systemd.exec(5), Environment=; envconfig/config.go@v0.32.15:112-124",
)
def unexpanded(view: View, facts: Facts) -> Hits:
    for variable, _ in known_values(view, facts):
        found = _EXPANSION.search(variable.value)
        # Where the format expands variables itself, its reader may not know of what.
        if found is None or (view.phrases.expands and found[0] != "~"):
            continue
        yield Hit(
            message=f"nothing expands `{found[0]}` in {variable.name}; it is taken literally",
            place=variable.place,
            fix="write out what it stands for",
        )
