"""HW409, HW411 and HW683: starts of what runs already, and restarts that come late."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import port_of
from generator.rules.rule import Hit, Hits, Rule
from generator.view import CUT_OFF, EARLY, SECOND, TAKEN, UNAPPLIED

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
    "host has systemd: of a script's own server beside it this is a remark. Of two "
    "containers, or units, of one host with one name or one port only the first starts; of Compose "
    "also where one of them has a profile and the other has none: that one always runs.",
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
                f"{_TAKES.get(line.value, line.value)} as well: only one of them runs",
                place=line.place,
                fix=f"write another {line.value.partition(' ')[0]} here, or have only one of them "
                f"run{view.phrases.one_of_several}",
            )
    start, address = view.starts, view.variable("OLLAMA_HOST")
    own = f"{view.engine}.service"
    if start is None or view.name == own or not view.phrases.unit_file:
        return
    told = not address.unresolved if address else view.lacks("OLLAMA_HOST")
    port = port_of(address.value, facts.image.port) if address else facts.image.port
    if port != facts.image.port or not told:
        return
    for line in view.lines_named(*_STARTING):
        named = re.search(rf"(?:^|\s){re.escape(own)}(?=\s|$)", line.value)
        if named and view.phrases.section(line) == "Unit":
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
    "server keeps its old address and variables until somebody restarts it, or the host boots. A "
    "restart alone is not enough: systemd reads a changed file with `daemon-reload`, and warns.",
    bad="curl -fsSL https://ollama.com/install.sh | sh\n"
    "sed -i 's/^\\[Install\\]/Environment=OLLAMA_HOST=0.0.0.0\\n&/' "
    "/etc/systemd/system/ollama.service\nsystemctl start ollama",
    good="systemctl daemon-reload && systemctl restart ollama",
    source="scripts/install.sh@v0.32.15, configure_systemd; systemctl(1), start",
)
def change_without_restart(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNAPPLIED):
        yield Hit(
            message=_UNSEEN.get(line.value, _RUNS.format(line.name)),
            place=line.place,
            fix=f"write `systemctl daemon-reload && systemctl restart {line.name}`"
            + ("; in Ansible `daemon_reload: true`" if line.value == "restart" else ""),
        )


_UNSEEN: Final = {
    "daemon-reload": "`daemon-reload` has systemd read the unit anew, and leaves the server as it "
    "runs: the installer has started it, and what was changed above waits for a restart",
    "restart": "nobody has systemd read the unit again: it starts the server anew with what it "
    "knew of the unit before, without what was changed above",
}
_RUNS: Final = (
    "the installer has started {} already: this does nothing, and what was changed above waits "
    "for a restart"
)


@Rule(
    id="HW683",
    title="a pull that a restart makes void",
    why="The server does the work of `ollama pull`: one that is restarted drops what it loads, and "
    "a pull in the background, or a task of Ansible that nobody waits for, ends with an error that "
    "nobody reads. And until the restart the server keeps the directory that it had: what is "
    "pulled between a change of OLLAMA_MODELS and the restart goes there, and is missing "
    "afterwards. Handlers of Ansible run behind all tasks.",
    bad="ollama pull qwen3:8b &\nsystemctl restart ollama",
    good="systemctl restart ollama\nuntil ollama list; do sleep 1; done\nollama pull qwen3:8b",
    source="server/routes.go@v0.32.15, PullHandler; envconfig/config.go@v0.32.15, Models; "
    "docs.ansible.com: Handlers",
)
def void_pull(view: View, _: Facts) -> Hits:
    for line in view.lines_in(CUT_OFF):
        yield Hit(
            message=f"nobody waits for this pull, and line {line.value} ends the server that does "
            "it: the model is not there",
            place=line.place,
            fix="pull behind that line, or wait for the pull before it",
        )
    for line in view.lines_in(EARLY):
        moved = [one for one in line.name.split() if one.startswith(f"{_STORE}=")]
        if any(re.fullmatch(_ELSEWHERE, one) for one in moved):
            yield Hit(
                message=f"the server does not know the {_STORE} yet that was written above: this "
                "goes into the directory before, and is missing after the restart",
                place=line.place,
                fix="restart the server before the pull; in Ansible by `meta: flush_handlers`",
            )


_STORE: Final = "OLLAMA_MODELS"
_ELSEWHERE: Final = rf"{_STORE}=(?!/usr/share/ollama/\.ollama/models/?$)/[\w./@+-]+"
"""A directory that is told, and not the one that the installer's service has by itself."""
