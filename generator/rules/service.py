"""HW513 and HW519: what brings a service and its GPU back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import is_client
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Place, View


@Rule(
    id="HW513",
    severity="warning",
    title="nothing brings the server back",
    why="Such a server stays down after a crash of the driver, a kill for memory and, in a "
    "container, a reboot. The installer's unit has Restart=always, and a drop-in inherits that.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\nRestart=always\nRestartSec=3",
    source="scripts/install.sh@v0.32.15:221-235; systemd.service(5), Restart=",
)
def no_restart(view: View, _: Facts) -> Hits:
    asked = any(
        line.name == "Restart" or line.name.endswith(".Restart") or "restart_policy" in line.section
        for line in view.lines
    )
    start = _start(view)
    if start is not None and view.phrases.restart and not asked:
        yield Hit(
            message="there is no restart policy: a server that ends stays down",
            place=start,
            fix=view.phrases.restart,
            severity=view.phrases.restart_severity,
        )


def _start(view: View) -> Place | None:
    """Return where a service of its own is made, if a restart policy is missed there."""
    box = view.container
    if box is None:
        return view.starts
    return None if box.restart or is_client(view) else box.place


# Cards of desktops and laptops; those of servers, and GB10, seldom sleep.
_DESKTOP: Final = re.compile(r"\b(?:GeForce|[GR]TX|Quadro|TITAN)\b", re.IGNORECASE)


@Rule(
    id="HW519",
    severity="info",
    title="a GPU that is lost after a suspend",
    why="After a resume the NVIDIA memory module is dead, and the CPU computes until a restart, "
    "with one log line. Reloading nvidia_uvm around the suspend, or keeping video memory, prevents "
    "it.",
    bad='gpus = [{ name = "GeForce RTX 3090", memory = "24GiB" }]    # and nothing for the resume',
    good="[service]\nresume_fix = true    # or false, for a host that never sleeps",
    source="docs/gpu.mdx@v0.32.15:48-53; ollama#5464",
)
def lost_after_suspend(view: View, _: Facts) -> Hits:
    cards = [card for card in view.host.gpus if card.compute_capability and not card.unified]
    desktop = next((card for card in cards if _DESKTOP.search(card.name)), None)
    if desktop is not None and view.resume_fix is False:
        yield Hit(
            message=f"after a suspend the server would lose the {desktop.name} and compute on the "
            f"CPU",
            place=view.at("service.resume_fix"),
            fix="set `service.resume_fix` to true, or to false where the host never sleeps",
        )
