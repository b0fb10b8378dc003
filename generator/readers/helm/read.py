"""Values of an engine's chart, like otwld/ollama-helm: what its Deployment makes of them.

A value that the file leaves out is the chart's default, and so not told, but for what the chart
does without being asked: it restarts the pod, and listens on all addresses of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import image_name, not_a_file
from generator.readers.helm.phrases import HELM
from generator.readers.syntax.yaml_tree import Items, Scalar, Table, flat, parse
from generator.view import Bound, Container, Edit, Line, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context, Source

_QUANTITY: Final = re.compile(
    r"(\d+(?:\.\d*)?|\.\d+)(?:([EPTGMK]i|[numkMGTPE])|e([-+]?\d{1,3}))?", re.IGNORECASE | re.ASCII
)
_SCALES: Final[dict[str, Decimal | int]] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": 10**3, "M": 10**6,
    "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30,
    "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_LARGEST: Final = 2**63
_KINDS: Final = {"nvidia": "cuda", "": "cuda", "amd": "rocm"}
_ELSEWHERE: Final = frozenset(
    {("extraEnv",), ("resources", "limits", "cpu"), ("resources", "limits", "memory")}
)


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return one View for each values file. Raises ProfileError with every Problem."""
    views, problems = [], list[Problem]()
    for source in sources:
        try:
            views.append(_view(source, context, problems))
        except ProfileError as error:
            problems += error.problems
    if problems:
        raise ProfileError(sources[0].path, tuple(problems))
    return tuple(views)


def _chart(values: Table, engine: Engine) -> tuple[str, Table] | None:
    """Return the values of the chart and their key path: the file's own, or below its name."""
    own = values.get(engine.name)
    if not isinstance(own, Table):
        return ("", values) if _sets_variables(values, engine) else None
    if engine.chart_keys & set(own.entries):
        return "", values
    return (engine.name, own) if _chart(own, engine) is not None else None


def _sets_variables(values: Table, engine: Engine) -> bool:
    """Return whether these are values of the chart that only set variables of the server."""
    names = [entry.text("name") for entry in values.items("extraEnv") if isinstance(entry, Table)]
    return any(name.startswith(engine.prefixes) for name in names)


def _view(source: Source, context: Context, problems: list[Problem]) -> View:
    tree = parse(source)
    engine = context.engine
    found = _chart(tree, engine) if isinstance(tree, Table) else None
    if found is None:
        name = engine.name
        hint = f"the chart {name}-helm has `{name}.gpu` and `{name}.models`"
        message = f"these are no values of the {name.capitalize()} chart"
        raise not_a_file(source.path, "", message, hint)
    prefix, values = found
    kind = _KINDS.get(values.text(engine.name, "gpu", "type"), "")
    gpu = _on(values, engine.name, "gpu", "enabled")
    return context.view(
        HELM,
        context.release_for(values.text("image", "tag")),
        name=values.text("fullnameOverride") or values.text("nameOverride") or engine.name,
        place=Place(source.path, key=prefix),
        variables=tuple(_variables(prefix, values)),
        bounds=tuple(_bounds(prefix, values, problems)),
        lines=tuple(_lines(prefix, values)),
        models=tuple(_models(prefix, values, engine)),
        container=_container(prefix, values, context, gpu=gpu),
        acceleration=kind if gpu else "cpu" if values.scalar(engine.name, "gpu", "enabled") else "",
    )


def _on(values: Table, *path: str) -> bool:
    found = values.scalar(*path)
    return found is not None and found.is_true


def _at(place: Place, *path: str) -> Place:
    return replace(place, key=".".join(part for part in path if part))


def _variables(prefix: str, values: Table) -> Iterator[Variable]:
    """Yield what the container gets; a secret's or a field's value is not told."""
    for entry in values.items("extraEnv"):
        if not isinstance(entry, Table) or not (name := entry.text("name")):
            continue
        value = entry.scalar("value")
        elsewhere = entry.get("valueFrom") is not None
        yield Variable(
            name=name,
            value="" if value is None else value.text,
            place=_at((value or entry).place, prefix, "extraEnv", name),
            written=_quoted(value) if value else "",
            unresolved=elsewhere,
        )


def _quoted(value: Scalar) -> str:
    """Return the value with its quotes: a fix must leave it a string."""
    text = value.replaceable
    return f"{value.quote}{text}{value.quote}" if text else ""


def _bounds(prefix: str, values: Table, problems: list[Problem]) -> Iterator[Bound]:
    readers: dict[str, tuple[str, Callable[[str], int]]] = {
        "cpu": ("cpu_quota", lambda text: round(quantity(text) * 100)),
        "memory": ("memory_max", lambda text: int(quantity(text))),
    }
    for key, (name, read_) in readers.items():
        found = values.scalar("resources", "limits", key)
        if found is None:
            continue
        place = _at(found.place, prefix, "resources.limits", key)
        try:
            yield Bound(name=name, value=read_(found.text), place=place, written=found.replaceable)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            where = f"line {found.place.line}"
            file = found.place.file
            problems.append(Problem(where, f"`{place.key}`: {message}", hint, file))


def quantity(text: str) -> Decimal:
    """Return a quantity of Kubernetes: `4000m` is 4, `8Gi` is 8 × 2³⁰, `8G` is 8 × 10⁹.

    Raises ValueError for what Kubernetes refuses.
    """
    match = _QUANTITY.fullmatch(text)
    suffix = (match[2] or "") if match else ""
    if match is None or (suffix and suffix not in _SCALES):
        raise ValueError(f"`{text}` is no quantity; write it like `4`, `500m` or `8Gi`")
    scale = _SCALES[suffix] if suffix else Decimal(10) ** int(match[3] or 0)
    value = Decimal(match[1]) * scale
    if value >= _LARGEST:
        raise ValueError(f"`{text}` is more than any machine has; write less")
    return value


def _models(prefix: str, values: Table, engine: Engine) -> Iterator[ModelUse]:
    """Yield the models to pull, create and run; charts of the first years had a plain list."""
    asked: dict[str, ModelUse] = {}
    models = values.get(engine.name, "models")
    lists = {"pull": values.items(engine.name, "models")} if isinstance(models, Items) else {
        verb: values.items(engine.name, "models", verb) for verb in ("pull", "create", "run")
    }  # fmt: skip
    for verb, nodes in lists.items():
        for node in nodes:
            name = node.text("name") if isinstance(node, Table) else ""
            name = node.text if isinstance(node, Scalar) else name
            if name:
                before = asked.get(name)
                place = (
                    before.place if before else _at(node.place, prefix, engine.name, "models", verb)
                )
                asked[name] = ModelUse(name=name, place=place, warmed=verb == "run")
    yield from asked.values()


def _container(prefix: str, values: Table, context: Context, *, gpu: bool) -> Container:
    official = context.catalogue.at(context.engine.name).image
    repository, tag = values.scalar("image", "repository"), values.scalar("image", "tag")
    image = image_name(repository.text if repository else official.repository)
    place = (tag or repository or values).place if values.get("image") else values.place
    privileged = values.scalar("securityContext", "privileged")
    network, user = values.scalar("hostNetwork"), values.text("securityContext", "runAsUser")
    # Without a tag the chart takes the release that it was made for.
    shown = tag.text if tag is not None and tag.text else "{{ .Chart.AppVersion }}"
    return Container(
        image=f"{image.repository}:{shown}",
        place=_at(place, prefix, "image.tag" if tag else "image.repository"),
        tag=shown,
        digest=image.digest,
        gpu_access="reservation" if gpu else "",
        privileged=_at(privileged.place, prefix, "securityContext.privileged")
        if privileged and privileged.is_true
        else None,
        host_network=_at(network.place, prefix, "hostNetwork")
        if network and network.is_true
        else None,
        user=user or values.text("podSecurityContext", "runAsUser"),
        mounts=tuple(_mounts(prefix, values, context.engine.name, official.home_path)),
        restart="always",
        probes=tuple(_probes(prefix, values)),
        exposed=tuple(_exposed(prefix, values)),
        unkept=_unkept(prefix, values),
    )


def _probes(prefix: str, values: Table) -> Iterator[tuple[str, Place]]:
    """Yield the paths that the kubelet asks for."""
    for line in flat(prefix, values, _ELSEWHERE):
        if line.name == "path" and "probe" in line.section.lower():
            yield line.value, line.place


def _exposed(prefix: str, values: Table) -> Iterator[Line]:
    """Yield what opens the port beyond the cluster."""
    for line in flat(prefix, values, _ELSEWHERE):
        service = line.section.rpartition(".")[2] == "service" and line.name == "type"
        if service and line.value in {"NodePort", "LoadBalancer"}:
            yield line


def _unkept(prefix: str, values: Table) -> Edit | None:
    enabled = values.scalar("persistentVolume", "enabled")
    if enabled is None or enabled.text.lower() != "false":
        return None
    return Edit(_at(enabled.place, prefix, "persistentVolume.enabled"), "false", "true")


def _mounts(prefix: str, values: Table, name: str, home: str) -> Iterator[tuple[str, Place]]:
    path = values.text(name, "mountPath") or home
    claim = values.scalar("persistentVolume", "enabled")
    if claim is not None and claim.is_true:
        volume = values.text("persistentVolume", "existingClaim") or name
        yield f"{volume}:{path}", _at(claim.place, prefix, "persistentVolume.enabled")
    for node in values.items("volumeMounts"):
        if isinstance(node, Table) and (target := node.text("mountPath")):
            yield f"{node.text('name')}:{target}", _at(node.place, prefix, "volumeMounts")


def _lines(prefix: str, values: Table) -> Iterator[Line]:
    yield from flat(prefix, values, _ELSEWHERE)
