"""HW409 and HW411: a service that is started where it runs already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import port_of
from generator.rules.rule import Hit, Hits, Rule
from generator.view import SECOND, TAKEN, UNAPPLIED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_TAKES: Final = {"name": "this name"}
_STARTING: Final = frozenset({"Requires", "BindsTo", "Wants", "Upholds"})


@Rule(
    id="HW409",
    title="a server on the port of another one",
    why="A unit that starts the server, and wants `ollama.service` started as well, has two of "
    "them. Both listen on 11434 unless OLLAMA_HOST says otherwise; the one that comes second ends "
    "with `address already in use`, and Restart= starts it over and over. What one server lacks "
    "belongs into a drop-in of its unit. The installer, too, leaves a service running, where the "
    "host has systemd: of a script's own server beside it this is a remark. Of two services of "
    "Compose with one name or one port only the first starts, also where one of them has a profile "
    "and the other has none: that one always runs.",
    bad="# ollama-api.service\n[Unit]\nRequires=ollama.service\n[Service]\n"
    "Environment=OLLAMA_HOST=0.0.0.0:11434\nExecStart=/usr/local/bin/ollama serve",
    good="# ollama.service.d/override.conf\n[Service]\nEnvironment=OLLAMA_HOST=0.0.0.0:11434",
    source="bind(2), EADDRINUSE; systemd.unit(5), Requires=",
)
def second_server(view: View, facts: Facts) -> Hits:
    for line in view.lines:
        if line.section == SECOND:
            yield Hit(
                message=f"where the host has systemd, the installer has started {line.name} "
                "already: this server ends with `address already in use`, and what was set for it, "
                "or is looked for in its store, is not that of the service",
                place=line.place,
                severity="info",
                fix=f"stop the service first, `systemctl disable --now {line.name}`, or set in a "
                "drop-in what it lacks",
            )
        elif line.section == TAKEN:
            yield Hit(
                message=f"`{line.name}` runs beside it and has "
                f"{_TAKES.get(line.value, line.value)} as well: Docker starts only one of them",
                place=line.place,
                fix=f"give `{line.name}` a profile of its own, so that only one of them runs, or "
                f"another {line.value.partition(' ')[0]} here",
            )
    start, address = view.starts, view.variable("OLLAMA_HOST")
    own = f"{view.engine}.service"
    if start is None or view.name == own or not view.phrases.unit_file:
        return
    told = not address.unresolved if address else view.lacks("OLLAMA_HOST")
    port = port_of(address.value, facts.image.port) if address else facts.image.port
    if port != facts.image.port or not told:
        return
    for line in view.lines:
        named = re.search(rf"(?:^|\s){re.escape(own)}(?=\s|$)", line.value)
        if named and line.name in _STARTING and view.phrases.section(line) == "Unit":
            yield Hit(
                message=f"`{line.name}={own}` starts a server that listens on port {port}, and "
                "so does this unit: the second one ends",
                place=start,
                fix=f"put what it sets into a drop-in of `{own}`, and drop this unit; or give it "
                "another port",
            )
            return


@Rule(
    id="HW411",
    title="a change that the running server does not see",
    why="The installer leaves the service running. What a script writes into its unit, or into a "
    "drop-in, counts from the next start on, and `systemctl start` does nothing for what runs: the "
    "server keeps its old address and variables until somebody restarts it, or the host boots.",
    bad="curl -fsSL https://ollama.com/install.sh | sh\n"
    "sed -i 's/^\\[Install\\]/Environment=OLLAMA_HOST=0.0.0.0\\n&/' "
    "/etc/systemd/system/ollama.service\nsystemctl start ollama",
    good="systemctl daemon-reload && systemctl restart ollama",
    source="scripts/install.sh@v0.32.15, configure_systemd; systemctl(1), start",
)
def change_without_restart(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNAPPLIED):
        yield Hit(
            message=f"the installer has started {line.name} already: this does nothing, and "
            "what was changed above waits for a restart",
            place=line.place,
            fix=f"write `systemctl daemon-reload && systemctl restart {line.name}`",
        )
