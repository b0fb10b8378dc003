"""HW124 and HW126: what several lines say of one thing, and which of them counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Overruled, View

_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|PROXY")


@Rule(
    id="HW124",
    title="a setting that another line overrules",
    why="Of several lines for one setting the last counts, and nobody says so: of drop-ins the one "
    "whose name sorts last, whatever directory it is in; a file of `EnvironmentFile=` goes before "
    "every `Environment=`, and `environment:` before `env_file:`. A drop-in that changes what its "
    "unit says, or a compose override its base, is meant to, and is left alone.",
    bad="# 10-keep.conf\nEnvironment=OLLAMA_KEEP_ALIVE=24h\n"
    "# override.conf\nEnvironment=OLLAMA_KEEP_ALIVE=5m",
    good="# 10-keep.conf\nEnvironment=OLLAMA_KEEP_ALIVE=24h",
    source="systemd.unit(5); systemd.exec(5), EnvironmentFile=; "
    "docs.docker.com: Environment variables precedence",
)
def overruled_setting(view: View, _: Facts) -> Hits:
    for lost in view.overruled:
        place, by = lost.place, lost.by
        same = by.file == place.file
        where = f"line {by.line}" if same else f"{by.file}:{by.line}"
        to = f" to `{lost.winner}`" if _shown(lost) else ""
        setting = f"{lost.name}={lost.value}" if _shown(lost) else lost.name
        yield Hit(
            message=f"`{setting}` has no effect: {where} sets it{' again' * same}{to}, and wins",
            place=place,
            fix="keep the one that you mean",
            severity="info" if lost.usual else None,
        )


def _shown(lost: Overruled) -> bool:
    """Whether both values may be told: an empty one is none to show."""
    return bool(lost.value and lost.winner) and not _SECRET.search(lost.name)


@Rule(
    id="HW126",
    severity="error",
    title="a second command for one service",
    why="ExecStart= is a list, and a drop-in adds to it. With two commands systemd refuses the "
    "service, unless it is Type=oneshot; an empty ExecStart= takes the unit's back first.",
    bad="# override.conf\n[Service]\nExecStart=/usr/bin/numactl -N 1 /usr/local/bin/ollama serve",
    good="# override.conf\n[Service]\nExecStart=\n"
    "ExecStart=/usr/bin/numactl -N 1 /usr/local/bin/ollama serve",
    source="systemd.service(5), ExecStart=; systemd-analyze verify",
)
def second_command(view: View, _: Facts) -> Hits:
    lines = [line for line in view.lines if view.phrases.section(line) == "Service"]
    commands = [line for line in lines if line.name == "ExecStart"]
    oneshot = any(line.name == "Type" and line.value == "oneshot" for line in lines)
    if not view.phrases.directives or oneshot or not commands:
        return
    # A file with [Install] or a description is a unit, whatever its name says.
    own = view.name.partition(".")[0].partition("@")[0] == view.engine
    whole = any(line.section == "Install" or line.name == "Description" for line in view.lines)
    below = view.adds and own and not whole
    hidden = int(below and bool(commands[0].value))
    for line in [line for line in commands if line.value][1 - hidden :]:
        apart = hidden or line.place.file != commands[0].place.file
        yield Hit(
            message="the unit has a command already: with a second one systemd refuses to start it",
            place=line.place,
            fix="write an empty `ExecStart=` on the line above" if apart else "keep one of them",
            edits=(Edit(line.place, "ExecStart=", "ExecStart=\nExecStart="),) if apart else (),
        )
