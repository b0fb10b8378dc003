"""HW626, HW650 to HW654: the number of pods, and what it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Scaler, Trigger
    from generator.catalogue.facts import Facts
    from generator.view import View

_GRACE: Final = 30
_OF_PODS: Final = frozenset({"cpu", "memory"})


def _scalers(view: View) -> tuple[Scaler, ...]:
    return view.scaling.scalers if view.scaling else ()


def _triggers(view: View) -> Iterator[tuple[Scaler, Trigger]]:
    for scaler in _scalers(view):
        yield from ((scaler, trigger) for trigger in scaler.triggers)


@Rule(
    id="HW650",
    severity="error",
    title="a number where KEDA takes text",
    why="`metadata` of a trigger is a mapping of texts. With a bare number or `false` in it the "
    "API server refuses the whole ScaledObject: nothing scales.",
    bad="metadata: {threshold: 4}",
    good='metadata: {threshold: "4"}',
    source="keda.sh/docs: ScaledObject spec; github.com/kedacore/keda: apis/keda/v1alpha1, "
    "ScaleTriggers",
)
def number_for_text(view: View, _: Facts) -> Hits:
    for _scaler, trigger in _triggers(view):
        for name, text, place in trigger.misread:
            yield Hit(
                message=f"`{name}` has to be text, and is `{text}`: the API server refuses it",
                place=place,
                fix=f'write `{name}: "{text}"`',
            )


@Rule(
    id="HW651",
    title="figures that are missing count as no load",
    why="KEDA takes an empty answer of Prometheus for 0 unless `ignoreNullValues` says otherwise. "
    "A metric that has been renamed, or a target that is down, then looks like an idle service: "
    "the pods go down to the least, without a word. A query that ends in `or vector(0)` says that "
    "this is meant; then an alert on `absent(…)` has to tell of it.",
    bad="query: sum(haproxy_backend_current_queue)",
    good="query: sum(haproxy_backend_current_queue) or vector(0)    # and an alert on absent(…)",
    source="keda.sh/docs: Prometheus scaler, ignoreNullValues; llm-d#1981",
)
def missing_is_idle(view: View, _: Facts) -> Hits:
    for scaler, trigger in _triggers(view):
        if trigger.query is not None and not trigger.floored and not trigger.empty_is_load:
            least = scaler.least or 0
            yield Hit(
                message=f"when this finds nothing, KEDA counts no load, and goes down to {least}",
                place=trigger.query.place,
                fix='add `or vector(0)` and an alert on absence, or `ignoreNullValues: "false"`',
            )


@Rule(
    id="HW652",
    title="pods that are counted by a figure that says nothing",
    why="With a model on the GPU the CPU idles however many wait; on the CPU the first request "
    "takes all threads, so that every load is full load. Memory is that of the weights, from the "
    "first request on, and is not given back. What tells is how many wait, and how many are "
    "answered: at a proxy before the servers.",
    bad="metrics: [{type: Resource, resource: {name: cpu, …}}]    # limits: {nvidia.com/gpu: 1}",
    good="triggers: [{type: prometheus, metadata: {query: sum(haproxy_backend_current_queue) …}}]",
    source="kubernetes.io: Horizontal Pod Autoscaling; NemoClaw#7459; opea GenAIInfra#774",
)
def counted_by_nothing(view: View, _: Facts) -> Hits:
    gpus = view.scaling is not None and view.scaling.gpus
    for _scaler, trigger in _triggers(view):
        if trigger.kind not in _OF_PODS:
            continue
        if trigger.kind == "memory":
            message = "memory is that of the weights, whatever the load: this goes one way"
        elif gpus:
            message = "the CPU idles while the GPU computes: this never scales by load"
        elif view.container is None:
            message = (
                "the CPU says nothing: a GPU leaves it idle, and without one any load fills it"
            )
        else:
            message = "one request takes all threads: any load is full load, and scales to the most"
        yield Hit(
            message=message,
            place=trigger.place,
            fix="scale by what waits and what is answered at a proxy before the servers",
            severity=None if gpus or view.container is None or trigger.kind == "memory" else "info",
        )


@Rule(
    id="HW626",
    severity="error",
    title="no pod at all, by what only pods have",
    why="CPU and memory are figures of pods: where there is none there is none of these, and "
    "nothing says that one is wanted again. KEDA refuses a ScaledObject that has no other trigger "
    "and may go down to no pod, which is so too where nobody says `minReplicaCount`.",
    bad="minReplicaCount: 0\ntriggers: [{type: cpu, metricType: Utilization, …}]",
    good="minReplicaCount: 1    # or a trigger that counts what waits at a proxy",
    source="github.com/kedacore/keda: apis/keda/v1alpha1/scaledobject_webhook.go; "
    "keda.sh/docs: CPU scaler",
)
def none_by_pods(view: View, _: Facts) -> Hits:
    for scaler in _scalers(view):
        kinds = {trigger.kind for trigger in scaler.triggers}
        if scaler.to_none and kinds and kinds <= _OF_PODS:
            yield Hit(
                message=f"`{scaler.name}` may go down to no pod, and its triggers are of pods "
                "alone: KEDA refuses it",
                place=scaler.triggers[0].place,
                fix="write `minReplicaCount: 1`, or add a trigger of what waits",
            )


@Rule(
    id="HW653",
    title="one volume for several pods",
    why="A claim that is ReadWriteOnce is mounted on one node at a time: a second pod on another "
    "node waits for it for ever, and on the same node both pull and prune in one store. A "
    "Deployment has two pods at each change, unless its strategy is Recreate; with a GPU the new "
    "one waits for a card, and where there is no other the change never comes.",
    bad="replicas: 2    # and a volume of a claim with accessModes: [ReadWriteOnce]",
    good="kind: StatefulSet    # with volumeClaimTemplates: a volume for each pod",
    source="kubernetes.io: Persistent Volumes, Access Modes; NemoClaw#7459",
)
def one_volume(view: View, _: Facts) -> Hits:
    scaling = view.scaling
    if scaling is None or not scaling.shared:
        yield from _waits_for_the_card(view)
        return
    most = max([scaling.replicas or 1, *(s.most or 1 for s in scaling.scalers)])
    if most > 1:
        name, place = scaling.shared[0]
        yield Hit(
            message=f"up to {most} pods mount `{name}`, which one node at a time may",
            place=place,
            fix="make it a StatefulSet with `volumeClaimTemplates`, or the claim ReadWriteMany",
        )
    elif scaling.rolls and not scaling.scalers:
        name, place = scaling.shared[0]
        yield Hit(
            message=f"at a change the new pod starts before the old one ends, and on another node "
            f"it waits for {_called(name)}, which the old one has",
            place=place,
            severity="info",
            fix="write `strategy: {type: Recreate}`",
        )


def _called(name: str) -> str:
    """Return what a volume is called; a template of a chart may leave that open."""
    return "its volume" if "$(" in name or "{{" in name else f"`{name}`"


def _waits_for_the_card(view: View) -> Hits:
    scaling = view.scaling
    if scaling is not None and scaling.gpus and scaling.rolls and not scaling.scalers:
        yield Hit(
            message="at a change the new pod starts before the old one ends, and waits for a GPU "
            "that the old one has, unless there is another",
            place=scaling.rolls,
            severity="info",
            fix="write `strategy: {type: Recreate}`",
        )


@Rule(
    id="HW654",
    title="answers that end with their pod",
    why="A pod that is scaled away gets half a minute unless it says more, then it is killed, and "
    "the answers that it streams are cut. They take longer than that.",
    bad="kind: HorizontalPodAutoscaler    # and no terminationGracePeriodSeconds",
    good="terminationGracePeriodSeconds: 600    # of the pod: longer than the longest answer",
    source="kubernetes.io: Pod Lifecycle, Termination of Pods; opea GenAIInfra#774",
)
def cut_short(view: View, _: Facts) -> Hits:
    scaling = view.scaling
    if scaling is None or view.container is None:
        return
    for scaler in scaling.scalers:
        if (scaling.grace or _GRACE) <= _GRACE and (scaler.most or 2) > (scaler.least or 1):
            # What a shell fills in is no name.
            who = "this" if "$" in scaler.name else f"`{scaler.name}`"
            yield Hit(
                message=f"{who} takes pods away, and each has {scaling.grace or _GRACE} "
                "seconds to end its answers",
                place=scaler.place,
                fix="set `terminationGracePeriodSeconds` of the pod above the longest answer",
            )
