"""HW416 and HW419: what the base of an image has already, and what it keeps to itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import is_official
from generator.rules.rule import Hit, Hits, Rule
from generator.view import STARTED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_UBUNTU: Final = re.compile(
    r"(?:(?:docker\.io/)?(?:library/)?)?ubuntu(?::(?:24\.\d\d|25\.\d\d|26\.\d\d|noble.*|latest|rolling))?"
)
_TAKES: Final = re.compile(
    r"\b(user|group)add\b(?![^;&|\n]{0,400}\s(?:-o\b|--non-unique|-f\b|--force))[^;&|\n]{0,400}"
    r"\s(?:-u|--uid|-g|--gid)[ =]1000(?!\d)"
    r"|\badd(user|group)\b[^;&|\n]{0,400}\s(?:-u|--uid|-g|--gid)[ =]1000(?!\d)"
)
_OF_USER: Final = re.compile(r"\s(?:-u|--uid)[ =]1000(?!\d)")
_MAKES_ROOM: Final = re.compile(
    r"\b(?:userdel|deluser|usermod|groupmod|groupdel|delgroup)\b|/etc/(?:passwd|group)\b|\bgetent\b"
    r"|\bid\s+-?\w*\s*(?:ubuntu|1000)"
)


@Rule(
    id="HW416",
    severity="error",
    title="a user that the image has already",
    why="Images of Ubuntu from 23.04 on have a user and a group `ubuntu` with the number 1000, and "
    "that of Ollama is made of Ubuntu 24.04 since 0.9.6. `useradd -u 1000` and `groupadd -g 1000` "
    "end with 4, and the build with them.",
    bad="FROM ollama/ollama:0.32.15\nRUN useradd -u 1000 app",
    good="FROM ollama/ollama:0.32.15\nRUN useradd -u 10001 app",
    releases="0.9.6 and later",
    source="Dockerfile@v0.9.6:107; bugs.launchpad.net/cloud-images/+bug/2005129; useradd(8), "
    "EXIT VALUES",
)
def number_is_taken(view: View, facts: Facts) -> Hits:
    for line in view.lines if _is_noble(view, facts) else ():
        if line.name != "RUN":
            continue
        if _MAKES_ROOM.search(line.value):
            return
        found = _TAKES.search(line.value)
        if found is None or "||" in line.value[found.start() :] or ";" in line.value[found.end() :]:
            continue
        kind = found[1] or found[2]
        if kind == "user" and not _OF_USER.search(found[0]):
            continue  # Its group may be the one that is there.
        yield Hit(
            message=f"the image has a {kind} with the number 1000, `ubuntu`: the build fails",
            place=line.place,
            fix="take another number, or remove it first: `userdel -r ubuntu`",
        )
        return


def _is_noble(view: View, facts: Facts) -> bool:
    """Return whether the base is Ubuntu 24.04 or later, or made of it."""
    if view.container is None:
        return False
    ours = is_official(view, facts) and facts.behaves("image-on-noble")
    return ours or _UBUNTU.fullmatch(view.container.image.partition("@")[0]) is not None


_PIP: Final = re.compile(
    r"(?m)(?:^|&&|;|\|\||\b(?:then|do|else))[ \t]*(?:sudo[ \t]+)?"
    r"(?:/usr/bin/)?(?:python3?[ \t]+-m[ \t]+)?(pip3?)[ \t]+install[ \t]"
)
_LET_IN: Final = re.compile(
    r"(?i)break[-_]system[-_]packages|externally-managed|\b(?:virtual|v)env\b|conda|\bpipx\b|\buv\b"
    r"|[ \t](?:--target|--prefix|--root|-t)\b|get-pip|pyenv|pip\.conf|/venv"
)
_OF_UBUNTU: Final = re.compile(r"\bpython3-(?:pip|full)\b")


@Rule(
    id="HW419",
    severity="error",
    title="a pip that may not install",
    why="From 23.04 on the Python of Ubuntu is marked as managed by its packages, and the image of "
    "Ollama is made of 24.04 since 0.9.6: `pip install` ends with "
    "`externally-managed-environment`, and a build with it. A script that goes on lacks what it "
    "wanted.",
    bad="FROM ollama/ollama:0.32.15\nRUN apt-get update && apt-get install -y python3-pip\n"
    "RUN pip install requests",
    good="RUN python3 -m venv /opt/app && /opt/app/bin/pip install requests",
    releases="0.9.6 and later",
    source="Dockerfile@v0.9.6:107; peps.python.org/pep-0668; EXTERNALLY-MANAGED of "
    "libpython3.12-stdlib",
)
def managed_by_packages(view: View, facts: Facts) -> Hits:
    if not _is_noble(view, facts):
        return
    made = view.lines_named("RUN", "COPY")
    begun = view.lines_in(STARTED)
    every = " ".join(line.value for line in (*made, *begun))
    told = " ".join(f"{one.name}={one.value}" for one in view.variables)
    if not _OF_UBUNTU.search(every) or _LET_IN.search(every) or _LET_IN.search(told):
        return
    for line in (*(one for one in made if one.name == "RUN"), *begun):
        if (found := _PIP.search(line.value)) is None:
            continue
        built = line.name == "RUN"
        below = 0 if built else line.value.count("\n", 0, found.start(1))
        yield Hit(
            message=f"`{found[1]} install` ends with `externally-managed-environment`: "
            + ("the build fails" if built else "nothing is installed"),
            place=replace(line.place, line=line.place.line + below),
            fix="make an environment with `python3 -m venv`, and use its pip",
        )
        return
