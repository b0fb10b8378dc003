"""HW416: users that the base of an image has already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import is_official
from generator.rules.rule import Hit, Hits, Rule

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
    box = view.container
    if box is None:
        return
    ours = is_official(view, facts) and facts.behaves("image-on-noble")
    if not ours and not _UBUNTU.fullmatch(box.image.partition("@")[0]):
        return
    for line in view.lines:
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
