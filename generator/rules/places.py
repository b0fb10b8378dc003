"""HW619: files that lie where their reader does not look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.view import Place

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_OF_SYSTEMD: Final = re.compile(
    r"(?:^|/)(?:etc|run|lib|usr/lib|\.config)/systemd/(system|user)/[^/]+(?:\.d/[^/]+)?"
)
_OF_PODMAN: Final = re.compile(
    r"(?:^|/)(?:etc|run|usr/share|\.config)/containers/systemd/(?:[^/]+/)*[^/]+"
)


@Rule(
    id="HW619",
    severity="error",
    title="a file where its reader does not look",
    why="Podman makes services of the quadlets in `containers/systemd`, below `/etc`, `/run`, "
    "`/usr/share` and `~/.config`, and of no others; systemd reads units in `systemd/system` and "
    "`systemd/user`, and drop-ins of a service in a directory that ends in `.service.d`. A file "
    "elsewhere does nothing, and nobody says so.",
    bad="/etc/systemd/system/ollama.container",
    good="/etc/containers/systemd/ollama.container",
    source="podman-systemd.unit(5); systemd.unit(5)",
)
def unread_place(view: View, _: Facts) -> Hits:
    if not (view.phrases.unit_file or view.phrases.headers):
        return
    files = dict.fromkeys((view.place.file, *(line.place.file for line in view.lines)))
    for file in files:
        message, fix = _fault(file, view)
        if message:
            yield Hit(message=message, place=Place(file), fix=fix)


def _fault(file: str, view: View) -> tuple[str, str]:
    """Return what nobody reads, and where it belongs; empty: somebody does, or may."""
    if not view.phrases.unit_file:
        found = _OF_SYSTEMD.search(file)
        if found is None:
            return "", ""
        home = "~/.config/containers/systemd" if found[1] == "user" else "/etc/containers/systemd"
        return "Podman does not look for quadlets here, and makes no service of it", (
            f"move it to `{home}`"
        )
    if _OF_PODMAN.search(file):
        return "systemd does not look for units here", "move it to `/etc/systemd/system`"
    name = f"{view.engine}.d"
    if re.search(rf"(?:^|/){re.escape(name)}/[^/]+\.conf$", file):
        return f"systemd reads no drop-ins of a service in `{name}`", (
            f"move it to `{view.engine}.service.d`"
        )
    return "", ""
