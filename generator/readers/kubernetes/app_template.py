"""Values of bjw-s app-template, a chart that many use for anything: the workloads that it makes.

Each controller becomes the workload and each service the Service that the chart would write, with
every value at its place, so that they are judged as manifests are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeGuard

from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

CHART: Final = "app-template"
_PROBES: Final = {
    "liveness": "livenessProbe",
    "readiness": "readinessProbe",
    "startup": "startupProbe",
}
_KINDS: Final = {
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "Job",
    "job": "Job",
}
_AS_THEY_ARE: Final = ("command", "args", "resources", "securityContext", "lifecycle")
_CONTROLLER: Final = "controller"


def is_app_template(values: Table) -> bool:
    """Return whether values are those of the chart: controllers with containers."""
    boxes = (one.get("containers") for one in _tables(values.table("controllers")).values())
    return any(isinstance(box, Table) for box in boxes)


def workloads(values: Table) -> list[Table]:
    """Return the workloads and Services that the chart makes of its values."""
    named = _tables(values.table("controllers"))
    found = [_workload(name, table, values) for name, table in named.items()]
    services = _tables(values.table("service"))
    found += [_service(name, t) for name, t in services.items()]
    for key, make in (("ingress", _ingress), ("route", _route)):
        on = (t for t in _tables(values.table(key)).values() if t.text("enabled") != "false")
        found += [make(table, tuple(services)) for table in on]
    return found


def _tables(table: Table) -> dict[str, Table]:
    return {name: node for name, node in table.entries.items() if isinstance(node, Table)}


def _text(text: str, at: Node) -> Scalar:
    return Scalar(text, at.place)


def _table(entries: Mapping[str, Node | None], at: Node) -> Table:
    kept = {name: node for name, node in entries.items() if node is not None}
    return Table(kept, at.place, {name: node.place for name, node in kept.items()})


def _workload(name: str, controller: Table, values: Table) -> Table:
    kind = _KINDS.get(controller.text("type").lower(), "Deployment")
    labels = _table({_CONTROLLER: _text(name, controller)}, controller)
    options = {**values.table("defaultPodOptions").entries, **controller.table("pod").entries}
    spec = _table(
        {
            **options,
            "containers": _boxes(name, "containers", controller, values),
            "initContainers": _boxes(name, "initContainers", controller, values),
            "volumes": Items(tuple(_volumes(values)), controller.place),
        },
        controller,
    )
    pod = _table({"metadata": _table({"labels": labels}, controller), "spec": spec}, controller)
    return _table(
        {
            "kind": _text(kind, controller),
            "metadata": _table({"name": _text(name, controller)}, controller),
            "spec": _table({"template": pod}, controller),
        },
        controller,
    )


def _boxes(controller: str, key: str, table: Table, values: Table) -> Items:
    found = (_box(controller, name, box, values) for name, box in _tables(table.table(key)).items())
    return Items(tuple(found), table.place)


def _box(controller: str, name: str, box: Table, values: Table) -> Table:
    kept = {key: box.get(key) for key in _AS_THEY_ARE}
    probes = {key: _probe(box.table("probes", short)) for short, key in _PROBES.items()}
    mounts = Items(tuple(_mounts(controller, name, values)), box.place)
    return _table(
        {
            "name": _text(name, box),
            "image": _image(box),
            "env": Items(tuple(_variables(box)), box.place),
            "envFrom": Items(tuple(_from(box)), box.place),
            "volumeMounts": mounts,
            **kept,
            **probes,
        },
        box,
    )


def _image(box: Table) -> Scalar | None:
    repository, tag = box.scalar("image", "repository"), box.scalar("image", "tag")
    if repository is None:
        return box.scalar("image")
    digest = box.text("image", "digest")
    end = f":{tag.text}" if tag else ""
    end += f"@{digest}" if digest else ""
    return Scalar(f"{repository.text}{end}", (tag or repository).place)


def _variables(box: Table) -> Iterator[Node]:
    """Yield `env`, a list as in a manifest or a mapping, of whose values the chart makes text."""
    for name, node in box.table("env").entries.items():
        told = node if isinstance(node, Scalar) else None
        value = replace(told, kind="str") if told else None
        inner = node if isinstance(node, Table) else None
        plain = inner.scalar("value") if inner else None
        yield _table(
            {
                "name": _text(name, node),
                "value": value or (replace(plain, kind="str") if plain else None),
                "valueFrom": None if inner is None else inner.get("valueFrom") or inner,
            },
            node,
        )
    listed = box.get("env")
    for entry in listed.items if isinstance(listed, Items) else ():
        told = entry.scalar("value") if isinstance(entry, Table) else None
        if isinstance(entry, Table) and told is not None:
            yield replace(entry, entries={**entry.entries, "value": replace(told, kind="str")})
        else:
            yield entry


def _from(box: Table) -> Iterator[Node]:
    """Yield `envFrom`, whose items may name a resource by one word as well."""
    for entry in box.items("envFrom"):
        for short, key in (("configMap", "configMapRef"), ("secret", "secretRef")):
            told = entry.scalar(short) if isinstance(entry, Table) else None
            if told is not None:
                yield _table({key: _table({"name": told}, entry)}, entry)
                break
        else:
            yield entry


def _probe(probe: Table) -> Table | None:
    """Return a probe of one's own; the others ask for the port alone."""
    off = probe.text("enabled").lower() == "false"
    spec = probe.get("spec")
    return spec if isinstance(spec, Table) and not off else None


def _volumes(values: Table) -> Iterator[Table]:
    for name, volume in _tables(values.table("persistence")).items():
        kind = volume.text("type") or "persistentVolumeClaim"
        claim = volume.scalar("existingClaim") or _text(name, volume)
        size = volume.get("size")
        inner = {
            "persistentVolumeClaim": _table({"claimName": claim}, volume),
            "emptyDir": _table({"sizeLimit": volume.get("sizeLimit")}, volume),
            "hostPath": _table({"path": volume.get("hostPath")}, volume),
            "nfs": _table({"server": volume.get("server"), "path": volume.get("path")}, volume),
        }
        own = inner.get(kind, _table({"size": size}, volume))
        told = volume.table("volumeSpec").entries if kind == "custom" else {kind: own}
        yield _table({"name": _text(name, volume), **(told or {kind: own})}, volume)


def _mounts(controller: str, box: str, values: Table) -> Iterator[Table]:
    for name, volume in _tables(values.table("persistence")).items():
        if volume.text("enabled").lower() == "false":
            continue
        advanced = volume.get("advancedMounts")
        everywhere = volume.items("globalMounts")
        if not everywhere and not isinstance(advanced, Table):
            yield _mount(name, _text(f"/{name}", volume), volume)
        for mount in (*everywhere, *volume.items("advancedMounts", controller, box)):
            path = mount.scalar("path") if isinstance(mount, Table) else None
            if path is not None:
                yield _mount(name, path, mount)


def _mount(name: str, path: Scalar, at: Node) -> Table:
    alone = at.get("readOnly") if isinstance(at, Table) else None
    return _table({"name": _text(name, at), "mountPath": path, "readOnly": alone}, at)


def _named(node: Node, services: Collection[str]) -> str:
    """Return the service that a path leads to: by its key, or the only one under its full name.

    The second version of the chart has the key as `name`.
    """
    key = node.text("service", "identifier") or node.text("identifier") if _is(node) else ""
    name = node.text("service", "name") if _is(node) else ""
    by_name = name if name in services else ""
    return key or by_name or (next(iter(services)) if len(services) == 1 else "")


def _port(node: Node) -> Node | None:
    return (node.scalar("service", "port") or node.scalar("port")) if _is(node) else None


def _is(node: Node) -> TypeGuard[Table]:
    return isinstance(node, Table)


def _ingress(ingress: Table, services: Collection[str]) -> Table:
    rules: list[Node] = []
    for host in filter(_is, ingress.items("hosts")):
        names = [(_named(path, services), path) for path in host.items("paths")]
        backends = (
            _table({"name": _text(name, host), "port": _port(path)}, host)
            for name, path in names or [(one, host) for one in [*services][:1]]
        )
        paths = [_table({"backend": _table({"service": one}, host)}, host) for one in backends]
        http = _table({"paths": Items(tuple(paths), host.place)}, host)
        rules.append(_table({"host": host.get("host"), "http": http}, host))
    spec = {
        "ingressClassName": ingress.get("className"),
        "rules": Items(tuple(rules), ingress.place),
    }
    return _resource("Ingress", ingress, _table(spec, ingress))


def _route(route: Table, services: Collection[str]) -> Table:
    rules: list[Node] = []
    for rule in filter(_is, route.items("rules")):
        refs = rule.items("backendRefs")
        named = [
            _table({"name": _text(_named(ref, services), rule), "port": _port(ref)}, rule)
            for ref in refs
        ]
        kept = {"filters": rule.get("filters"), "backendRefs": Items(tuple(named), rule.place)}
        rules.append(_table(kept, rule))
    spec = {
        "hostnames": route.get("hostnames"),
        "parentRefs": route.get("parentRefs"),
        "rules": Items(tuple(rules), route.place),
    }
    return _resource("HTTPRoute", route, _table(spec, route))


def _resource(kind: str, at: Table, spec: Table) -> Table:
    metadata = _table({"annotations": at.get("annotations")}, at)
    return _table({"kind": _text(kind, at), "metadata": metadata, "spec": spec}, at)


def _service(name: str, service: Table) -> Table:
    named = service.scalar(_CONTROLLER) or _text(name, service)
    ports = [
        _table(
            {
                "name": _text(key, port),
                "port": port.get("port"),
                "targetPort": port.get("targetPort"),
            },
            port,
        )
        for key, port in _tables(service.table("ports")).items()
    ]
    spec = _table(
        {
            "type": service.get("type"),
            "selector": _table({_CONTROLLER: named}, service),
            "ports": Items(tuple(ports), service.place),
        },
        service,
    )
    kind, metadata = _text("Service", service), _table({"name": _text(name, service)}, service)
    return _table({"kind": kind, "metadata": metadata, "spec": spec}, service)
