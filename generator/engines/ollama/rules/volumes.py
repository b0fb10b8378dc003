"""HW527 and HW544: whether the volume under the models holds them, and how far away it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.rules.helpers import need
from generator.engines.ollama.rules.helpers.homes import models_path
from generator.rules.helpers.sandbox import below
from generator.rules.rule import Hit, Hits, Rule
from generator.units import gib

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View, Volume


def _under_the_models(view: View, facts: Facts) -> Volume | None:
    """Return the volume that holds the models: the innermost, where one is in another."""
    volumes = view.container.volumes if view.container else view.volumes
    path = models_path(view, facts)
    holding = [v for v in volumes if v.target.startswith("/") and below(path, v.target)]
    return max(holding, key=lambda volume: len(volume.target), default=None)


@Rule(
    id="HW527",
    severity="error",
    title="a volume that is smaller than its models",
    why="The pull ends with `no space left on device`, and the pod of a chart starts over, to pull "
    "again. Updates of a model need its size once more, until the old layers are removed.",
    bad="ollama:\n  models:\n    pull: [llama3.3:70b]\npersistentVolume:\n  enabled: true\n"
    "  size: 30Gi",
    good="ollama:\n  models:\n    pull: [llama3.3:70b]\npersistentVolume:\n  enabled: true\n"
    "  size: 100Gi",
    source="otwld/ollama-helm: templates/pvc.yaml; ollama.com/library",
)
def too_small(view: View, facts: Facts) -> Hits:
    volume, models = _under_the_models(view, facts), need.known_models(view, facts)
    weights = sum(model.weight_bytes for model in models)
    if volume is None or not 0 < volume.size <= weights:
        return
    names = ", ".join(f"`{model.names[0]}`" for model in models)
    yield Hit(
        message=f"the weights of {names} take {gib(weights)}, the volume has {gib(volume.size)}",
        place=volume.place,
        fix=f"give it at least {gib(2 * weights)}, so that an update has room beside the old one",
    )


@Rule(
    id="HW544",
    severity="info",
    title="models behind a network",
    why="Each load reads the whole model: 40 GB over a gigabit line are six minutes, in which the "
    "request waits, and OLLAMA_LOAD_TIMEOUT may end it. A server that starts before its mount "
    "finds no models at all.",
    bad="volumes: {ollama: {driver_opts: {type: nfs, o: addr=nas, device: ':/models'}}}",
    good="volumes: {ollama: {}}",
    source="envconfig/config.go@v0.32.15, LoadTimeout",
)
def behind_a_network(view: View, facts: Facts) -> Hits:
    volume = _under_the_models(view, facts)
    if volume is not None and volume.network:
        yield Hit(
            message=f"the models are on `{volume.network}`: each load reads all of one over the "
            "network",
            place=volume.place,
            fix="keep them on a local disk, or keep loaded what is used: OLLAMA_KEEP_ALIVE=-1",
        )
