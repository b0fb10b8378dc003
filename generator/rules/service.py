"""HW5xx: models, warm-up, and what brings the service back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.container import is_client
from generator.rules.rule import Hit, Rule, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, Origin, Place, View


@rule(
    "HW501",
    severity="warning",
    title="a warm-up that is unloaded at once",
    why="OLLAMA_KEEP_ALIVE=0 unloads a model as soon as it has answered, so that what a warm-up "
    "loaded is gone before the first request.",
    bad="OLLAMA_KEEP_ALIVE=0    # and a warm-up job",
    good="OLLAMA_KEEP_ALIVE=24h",
    source="envconfig/config.go@v0.32.15:126-144",
)
def warmup_unloaded_at_once(view: View, _: Facts) -> Iterator[Hit]:
    """A keep-alive of zero unloads what the warm-up loaded."""
    keep_alive = view.variable("OLLAMA_KEEP_ALIVE")
    warmed = any(model.warmed for model in view.models)
    if warmed and keep_alive and keep_alive.value.rstrip("smhnuµ") in {"0", "-0"}:
        yield Hit(
            message="a keep-alive of zero unloads each model right after the warm-up",
            place=keep_alive.place,
            fix="write how long models shall stay, like `24h`",
        )


@rule(
    "HW502",
    severity="warning",
    title="a warm-up of more models than may be resident",
    why="Beyond OLLAMA_MAX_LOADED_MODELS each further model evicts one that was loaded before.",
    bad="OLLAMA_MAX_LOADED_MODELS=1    # and a warm-up of two models",
    good="OLLAMA_MAX_LOADED_MODELS=2",
    source="server/sched.go@v0.32.15:86",
)
def warmup_beyond_resident(view: View, _: Facts) -> Iterator[Hit]:
    """More models warmed than may be resident evict each other."""
    resident = view.variable("OLLAMA_MAX_LOADED_MODELS")
    warmed = sum(model.warmed for model in view.models)
    if resident and resident.value.isdigit() and 0 < int(resident.value) < warmed:
        yield Hit(
            message=f"the warm-up loads {warmed} models, {resident.value} may be resident: "
            f"the first ones are evicted again",
            place=resident.place,
            fix="preload fewer models, or let more be resident",
        )


@rule(
    "HW504",
    severity="warning",
    title="a warm-up of an embedding model",
    why="`ollama run` asks an embedding model for its input and fails without one.",
    bad='ollama run nomic-embed-text ""',
    good="# left out: it loads with the first request, in a second or two",
    source="cmd/cmd.go@v0.9.6, @v0.32.15",
)
def embedding_warmup(view: View, _: Facts) -> Iterator[Hit]:
    """`ollama run` refuses an embedding model without input."""
    for model in view.models:
        if model.warmed and model.role == "embedding":
            yield Hit(
                message=f"`{model.name}` cannot be loaded ahead: `ollama run` asks for its input",
                place=model.place,
                fix="remove `preload` from it",
            )


@rule(
    "HW507",
    severity="warning",
    title="a model that does not exist",
    why="The library has no model of that name, so that the pull fails: the service starts, and "
    "answers every request for it with 404.",
    bad="ollama pull llama3.2:8b",
    good="ollama pull llama3.1:8b",
    source="README.md@v0.9.0:66-70",
)
def missing_model(view: View, facts: Facts) -> Iterator[Hit]:
    """The library has no model of that name."""
    for used in view.models:
        hint = facts.missing_model(used.base or used.name)
        if hint is not None:
            yield Hit(
                message=f"there is no model `{used.base or used.name}` in the library",
                place=used.place,
                fix=hint,
            )


@rule(
    "HW513",
    severity="warning",
    title="nothing brings the server back",
    why="Without a restart policy a server that ends stays down: after a crash of the driver, "
    "after the kernel killed it for memory, and, in a container, after a reboot. The installer's "
    "unit has Restart=always; a drop-in inherits that.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\nRestart=always\nRestartSec=3",
    source="scripts/install.sh@v0.32.15:221-235; systemd.service(5), Restart=",
)
def no_restart(view: View, _: Facts) -> Iterator[Hit]:
    """A server that ends stays down."""
    asked = any(
        line.name == "Restart" or line.name.endswith(".Restart") or "restart_policy" in line.section
        for line in view.lines
    )
    start = _start(view)
    if start is not None and not asked:
        yield Hit(
            message="there is no restart policy: a server that ends stays down",
            place=start,
            fix=_RESTARTS[view.origin],
            severity="info" if view.origin == "nixos" else None,
        )


_RESTARTS: Final[dict[Origin, str]] = {
    "systemd": "add `Restart=always` and `RestartSec=3` to [Service]",
    "quadlet": "add `Restart=always` to [Service]",
    "compose": "add `restart: unless-stopped` to the service",
    "nixos": 'add `systemd.services.ollama.serviceConfig.Restart = "on-failure"`; the module of '
    "NixOS sets none",
}


def _start(view: View) -> Place | None:
    """Return where a service of its own is made, if a restart policy is missed there."""
    box = view.container
    if box is not None:
        missed = view.origin in _RESTARTS and not box.restart and not is_client(view)
        return box.place if missed else None
    if view.origin == "nixos":
        enabled = (line for line in view.lines if _enables(line))
        return next((line.place for line in enabled), None)
    starts = [line for line in view.lines if (line.section, line.name) == ("Service", "ExecStart")]
    serving = [line.place for line in starts if re.search(r"\bserve\b", line.value)]
    return serving[-1] if serving and view.origin == "systemd" else None


def _enables(line: Line) -> bool:
    path = f"{line.section}.{line.name}".strip(".")
    return path == "services.ollama.enable" and line.value == "true"


# Cards of desktops and laptops; those of servers, and GB10, seldom sleep.
_DESKTOP: Final = re.compile(r"\b(?:GeForce|[GR]TX|Quadro|TITAN)\b", re.IGNORECASE)


@rule(
    "HW519",
    severity="info",
    title="a GPU that is lost after a suspend",
    why="After a resume the NVIDIA memory module answers no more, and the server computes on the "
    "CPU until somebody restarts it; nothing but a line in its log tells. Reloading nvidia_uvm "
    "around the suspend, or keeping the video memory, prevents it.",
    bad='gpus = [{ name = "GeForce RTX 3090", memory = "24GiB" }]    # and nothing for the resume',
    good="[service]\nresume_fix = true    # or false, for a host that never sleeps",
    source="docs/gpu.mdx@v0.32.15:48-53; ollama#5464",
)
def lost_after_suspend(view: View, _: Facts) -> Iterator[Hit]:
    """After a resume the server finds no GPU and computes on the CPU."""
    cards = [card for card in view.host.gpus if card.compute_capability and not card.unified]
    desktop = next((card for card in cards if _DESKTOP.search(card.name)), None)
    if desktop is not None and view.resume_fix is False:
        yield Hit(
            message=f"after a suspend the server would lose the {desktop.name} and compute on the "
            f"CPU",
            place=view.at("service.resume_fix"),
            fix="set `service.resume_fix` to true, or to false where the host never sleeps",
        )


RULES: Final[tuple[Rule, ...]] = (
    warmup_unloaded_at_once,
    warmup_beyond_resident,
    embedding_warmup,
    missing_model,
    no_restart,
    lost_after_suspend,
)
