"""Manifests: the containers of every workload that run an engine, with what their pod gives them.

A ConfigMap of the same files is read where a container names it; a Secret tells names only. The
values of a HelmRelease are read as those of the chart.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.around import Watched
from generator.errors import Problem
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.clients import clients_alone, with_clients
from generator.readers.embedded import embedded, with_gaps
from generator.readers.helm.merge import all_of
from generator.readers.helm.read import values_of
from generator.readers.helm.releases import lies_in_folder
from generator.readers.kubernetes import KUBERNETES
from generator.readers.kubernetes.app_template import is_app_template, workloads
from generator.readers.kubernetes.askers import astray, unpulled
from generator.readers.kubernetes.beside import Beside
from generator.readers.kubernetes.flux import lay_over
from generator.readers.kubernetes.fronts import fronts, ingress
from generator.readers.kubernetes.operated import OperatedPod
from generator.readers.kubernetes.pods import Pod
from generator.readers.kubernetes.policies import barred
from generator.readers.kubernetes.resources import Resources
from generator.readers.kubernetes.scaling import loose
from generator.readers.kubernetes.services import stray_services
from generator.readers.kubernetes.values import chart_of, of_application, values_from
from generator.readers.prometheus.read import expressions_of, misread_in, recorded
from generator.readers.signs import names_an_engine
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import POD, NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import Line, View

# Where a workload has the template of its pods.
_PODS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ReplicationController": ("spec", "template"),
    "DeploymentConfig": ("spec", "template"),  # Of OpenShift.
    "Rollout": ("spec", "template"),  # Of Argo.
    "Service": ("spec", "template"),  # Of Knative; that of Kubernetes has no such key.
    "LeaderWorkerSet": ("spec", "leaderWorkerTemplate", "workerTemplate"),
}
# Where a resource has values of a chart, as a mapping or as text, and where it names the chart.
_VALUES: Final = {
    "HelmRelease": (("spec", "values"), ("spec", "chart", "spec", "chart")),
    "HelmChart": (("spec", "valuesContent"), ("spec", "chart")),
    "HelmChartConfig": (("spec", "valuesContent"), ("metadata", "name")),
}
# Where Argo CD has the sources of an application, each with its chart and values.
_SOURCES: Final = {
    "Application": ("spec",),
    "ApplicationSet": ("spec", "template", "spec"),
}
_MOST: Final = 1000
_RULES: Final = "PrometheusRule"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each server in the files, those of a directory together.

    A directory that a kustomization of another one reads is judged there. Raises ProfileError
    where no file can be read.
    """
    folders: dict[str, list[Source]] = {}
    for source in sources:
        folders.setdefault(posixpath.dirname(source.path), []).append(source)
    loaded = [_loaded(files, context) for files in folders.values()]
    lay_over(dict(zip(folders, loaded, strict=True)))
    read_elsewhere = {path for resources in loaded for path in resources.further}
    views: list[View] = []
    gaps: list[NotJudged] = []
    filled: list[NotJudged] = []
    for resources, files in zip(loaded, folders.values(), strict=True):
        own = {posixpath.normpath(file.path) for file in files}
        views += () if own <= read_elsewhere else _servers(resources)
        gaps += resources.gaps
        filled += resources.filled if views else ()
    if not views and gaps:
        broken = [error for resources in loaded for error in resources.errors]
        raise broken[0] if broken else _nothing(gaps[0])
    return with_gaps(views, [*gaps, *filled])


def _nothing(gap: NotJudged) -> NeedsMore:
    return NeedsMore(gap.file, (Problem("", gap.reason, gap.hint, gap.file),))


def _loaded(files: Sequence[Source], context: Context) -> Resources:
    resources = Resources(context)
    resources.load(files)
    return resources


def _servers(resources: Resources) -> list[View]:
    """Return the servers; the first one gets the models that jobs beside it pull."""
    tables = resources.merged()
    if len(tables) > _MOST:
        place = tables[_MOST].place
        reason, hint = f"there are more than {_MOST} resources", "check a part of them"
        resources.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part="the rest")
        )
        tables = tables[:_MOST]
    pods = _pods(tables, tables, resources)
    found = [(pod, list(pod.views())) for pod in pods]
    views = [view for _, several in found for view in several]
    asked = [use for pod, several in found if not several for use in pod.models]
    executed = [line for pod in pods for line in pod.executed()]
    if views and (asked or executed):
        first = views[0]
        lines, uses = (*first.lines, *executed), (*first.models, *asked)
        views[0] = replace(first, models=uses, lines=lines)
    if views and not resources.gaps:
        strays = tuple(stray_services(tables, pods, resources.context.engine))
        bars = _barred(tables, found, views[0], resources.context)
        views[0] = replace(views[0], lines=(*views[0].lines, *strays, *bars))
    views += (view for table in tables for view in _charts(table, tables, resources))
    parts = [view for pod in pods for view in _unnoticed(pod)]
    views = [*_with_clients(views, pods, resources.context), *parts]
    served = {name for pod, several in found if several for name in _called(pod.services)}
    if not any(map(any, resources.affixes)):
        views += _astray(tables, served, resources.context)
    pulled = {use.name for pod in pods for use in pod.models if use.pulled}
    if lines := tuple(unpulled(tables, pulled, resources.context)):
        views.append(_part(Table({}, lines[0].place), resources.context, lines=lines))
    return [*views, *_around(tables, resources.context)]


def _barred(
    tables: Sequence[Table], found: Sequence[tuple[Pod, list[View]]], first: View, context: Context
) -> tuple[Line, ...]:
    """Return what bars servers; the first of them has the models that jobs pull as well."""
    served = [(pod, view) for pod, several in found for view in several]
    served = [(pod, first if not at else view) for at, (pod, view) in enumerate(served)]
    port = context.catalogue.at(context.engine.name).image.port
    return tuple(barred(tables, served, port, context.engine.address))


def _called(tables: Sequence[Table]) -> set[str]:
    return {table.text("metadata", "name") for table in tables}


def _with_clients(views: list[View], pods: Sequence[Pod], context: Context) -> Sequence[View]:
    """Return the servers, the first with the clients of the files; without any, a View of these."""
    found = [client for pod in pods for client in pod.clients()]
    if views or not found:
        return with_clients(views, found) if views else views
    place = Place(found[0].container.place.file, found[0].container.place.line)
    return [clients_alone(found, KUBERNETES, context, place)]


def _astray(
    tables: Sequence[Table], served: set[str], context: Context, *, named: bool = True
) -> Iterator[View]:
    """Yield what asks a server of the files where no Service answers."""
    if lines := tuple(astray(tables, served, context, named=named)):
        place = lines[0].place
        yield _part(Table({}, place), context, lines=lines)


def _unnoticed(pod: Pod) -> Iterator[View]:
    """Yield what a pod pulls without anybody seeing that it fails."""
    if lines := (*pod.unnoticed(), *pod.in_init()):
        yield _part(pod.owner, pod.context, lines=lines)


def _around(tables: Sequence[Table], context: Context) -> Iterator[View]:
    """Yield what scales a server that is in other files, and the rules of Prometheus."""
    for table, scaling in loose(tables, context.engine.name):
        yield _part(table, context, scaling=scaling)
    for table, hops in fronts(tables, context):
        yield _part(table, context, hops=hops)
    for table in (table for table in tables if table.text("kind") == "ConfigMap"):
        yield from _configured(table.table("data"), context)
    rules = [table.table("spec") for table in tables if table.text("kind") == _RULES]
    for table in (table for table in tables if table.text("kind") == _RULES):
        queries = tuple(expressions_of(table.table("spec")))
        if any(names_an_engine(query.text) for query in queries):
            misread = tuple(misread_in(table.table("spec")))
            watched = Watched(expressions=queries, records=recorded(rules), misread=misread)
            yield _part(table, context, watched=watched)


def _configured(data: Table, context: Context) -> Iterator[View]:
    """Yield the proxies and gateways whose files a ConfigMap has."""
    for name in data.entries:
        text = data.scalar(name)
        if text is not None and text.block:
            views, _ = embedded(text.text, name, text.place.file, text.starts, context)
            yield from (v for v in views if v.hops or v.gateway or v.watched)


def _part(table: Table, context: Context, **fields: Any) -> View:  # noqa: ANN401 -- of a View
    return context.view(
        KUBERNETES,
        context.release_for(),
        name=table.text("metadata", "name"),
        place=Place(table.place.file, table.place.line),
        adds=True,
        **fields,
    )


def servers_of(
    tables: Sequence[Table], beside: Sequence[Table], context: Context
) -> tuple[list[View], list[NotJudged]]:
    """Return the servers among resources that no file of Kubernetes has; others are `beside`."""
    every = [*tables, *beside]
    resources = Resources(context, found=every)
    pods = _pods(tables, every, resources)
    views = [view for pod in pods for view in pod.views()]
    views += (view for table in tables for view in _charts(table, every, resources))
    views += (view for pod in pods for view in _unnoticed(pod))
    return views, resources.gaps


def _pods(tables: Sequence[Table], every: Sequence[Table], resources: Resources) -> list[Pod]:
    """Return the pods of some resources; `every` are these and those beside them."""
    beside = Beside(every, resources.bare)
    return [pod for table in tables if (pod := _pod(table, beside, resources)) is not None]


def _pod(table: Table, beside: Beside, resources: Resources) -> Pod | None:
    operated = resources.context.engine.operated
    if operated is not None and table.text("kind") == operated.kind:
        return OperatedPod(table, operated, beside, resources)
    path = _PODS.get(table.text("kind"))
    pod = None if path is None else table.get(*path) if path else table
    return Pod(table, pod, beside, resources) if isinstance(pod, Table) else None


def _charts(table: Table, tables: Sequence[Table], resources: Resources) -> Iterator[View]:
    kind = table.text("kind")
    if not kind and is_app_template(table):
        yield from _made(table, resources)
    # Of a chart that has it as another's part.
    for part in table.entries.values() if not kind else ():
        if isinstance(part, Table) and is_app_template(part):
            yield from _made(part, resources)
    if kind in _VALUES:
        path, named = _VALUES[kind]
        given = values_from(table, tables, resources)
        version = table.text(*named[:-1], "version")
        more = bool(table.items("spec", "valuesFrom"))
        chart = _told(table.text(*named), resources.context, more=more)
        more = more or bool(table.items("spec", "postRenderers"))
        found = list(_chart(table, path, chart, resources, given, version, more=more))
        yield from found
        if found:
            yield from _rendered_after(table, tables, resources)
    for at in (_SOURCES[kind],) if kind in _SOURCES else ():
        several = [(f"sources.{n}", one) for n, one in enumerate(table.items(*at, "sources"))]
        for key, source in (("source", table.get(*at, "source")), *several):
            if isinstance(source, Table):
                values = of_application(source, resources)
                inner = (
                    "valuesObject" if "valuesObject" in source.table("helm").entries else "values"
                )
                below = ".".join((*at, key, "helm", inner))
                more = bool(source.items("helm", "valueFiles"))
                chart = _told(chart_of(source, resources), resources.context, more=more)
                version = source.text("targetRevision")
                yield from _values(values, below, chart, version, resources, more=more)


def _rendered_after(
    release: Table, tables: Sequence[Table], resources: Resources
) -> Iterator[View]:
    """Yield what the patches say that Flux lays over what a chart has made."""
    if patches := resources.rendered_after(release):
        for pod in _pods(patches, tables, resources):
            yield from pod.views()


def _told(chart: str, context: Context, *, more: bool) -> str:
    """Return the name of a chart; of one that wraps the engine's only where all values are told."""
    return "" if more and chart == context.engine.wrapper else chart


def _chart(
    table: Table,
    path: tuple[str, ...],
    chart: str,
    resources: Resources,
    given: Table | None,
    version: str,
    *,
    more: bool,
) -> Iterator[View]:
    """Yield what values of a chart say, which stand there as a mapping or as text.

    `chart` is its name, empty where none is told. They are laid over those that are `given`, and
    with `more` there are others.
    """
    values = table.get(*path)
    if isinstance(values, Scalar):
        views, gaps = embedded(
            values.text, "values.yaml", values.place.file, values.starts, resources.context, "helm"
        )
        yield from views
        resources.gaps += gaps
        return
    several = (one for one in (given, values) if isinstance(one, Table))
    yield from _values(all_of(several), ".".join(path), chart, version, resources, more=more)


def _values(
    values: Table | None, key: str, chart: str, version: str, resources: Resources, *, more: bool
) -> Iterator[View]:
    """Yield what values say that stand at a key path of the file."""
    context = resources.context
    if values is not None and is_app_template(values):
        yield from _made(values, resources)
    elif values is not None:
        source, ours = Source(values.place.file, ""), chart == context.engine.name
        told, wraps = version if ours else "", bool(chart) and chart == context.engine.wrapper
        yield from values_of(
            values,
            key,
            source,
            context,
            ours=ours,
            version=told,
            wraps=wraps and not resources.gaps,
            folder=lies_in_folder(chart),
            all_told=not more and not resources.gaps,
        )


def _made(values: Table, resources: Resources) -> Iterator[View]:
    """Yield the servers among what app-template makes of its values, and what stands before."""
    made = workloads(values)
    served: set[str] = set()
    for pod in _pods(made, [*made, *resources.merged()], resources):
        views = list(pod.views())
        served |= _called(pod.services) if views else set()
        for view in _with_clients(views, [pod], resources.context):
            # Its values have keys of their own.
            of_pod = tuple(line for line in view.lines if line.section == POD)
            yield replace(view, lines=of_pod, keys=())
        yield from _unnoticed(pod)
    for table in (one for one in made if one.text("kind") == "Ingress"):
        hop = ingress(table, lambda address: address.partition(":")[0] in served)
        if hop is not None:
            yield _part(table, resources.context, hops=(replace(hop, names=()),))
    yield from _astray(made, served, resources.context, named=False)
