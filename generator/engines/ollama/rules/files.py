"""HW516: the unit of the installer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


# The installer's unit, from scripts/install.sh@v0.32.15:221-235.
INSTALLED_TO: Final = re.compile(r"(?:^|/)(?:etc|lib)/systemd/system/ollama\.service$")
INSTALLED_START: Final = re.compile(r"/\S*bin/ollama serve")
INSTALLED_DESCRIPTION: Final = "Ollama Service"


@Rule(
    id="HW516",
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
    file = _installed_unit(view) if view.phrases.unit_file else ""
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
