"""Values of an engine's chart, like otwld/ollama-helm: what its Deployment makes of them.

A value that the file leaves out is the chart's default, and so not told, but for what the chart
does without being asked: it restarts the pod, and listens on all addresses of it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, ProfileError, split_message
from generator.readers.base import (
    Context,
    NeedsMore,
    PartlyRead,
    Source,
    Unlike,
    each,
    image_name,
    problem_at,
)
from generator.readers.clients import with_clients
from generator.readers.embedded import with_gaps
from generator.readers.helm import CHART, HELM, parts, values_beside
from generator.readers.helm.releases import releases
from generator.readers.helm.stack import STACK, servers
from generator.readers.helm.wrapper import clients_in
from generator.readers.ingress import AUTHENTICATES, hop_of
from generator.readers.layers import overruled, said
from generator.readers.syntax.storage import network
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, flat, parse, parse_all
from generator.units import Release as OfEngine
from generator.view import (
    INGRESS,
    NOT_OURS,
    STARTED,
    Asked,
    Bound,
    Container,
    Edit,
    Key,
    Line,
    ModelUse,
    NotJudged,
    Place,
    Variable,
    View,
    Volume,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.around import Hop
    from generator.engines.signs import Signs as Engine
    from generator.readers.helm.releases import Release

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
_LIMITS: Final = {"cpu": ("cpu_quota", 100), "memory": ("memory_max", 1)}
_GIVES: Final = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
_CLAIMED: Final = Decimal(30 * 2**30)  # What the chart asks for where nobody says a size.
_VOLUME: Final = ("persistentVolume", "enabled")
_TABLE_OF_MODELS: Final = OfEngine(0, 5, 3)  # The engine of the first chart that wants one.
_CHART_OF_TABLES: Final = OfEngine(1, 1, 1)
"""That chart itself."""
_FROM: Final = re.compile(r"(?im)^[ \t]*FROM[ \t]+[\"']?([^\s\"']+)")
_ELSEWHERE: Final = frozenset(
    {("extraEnv",), ("resources", "limits", "cpu"), ("resources", "limits", "memory")}
)


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each values file, and of each release of a helmfile.

    Raises ProfileError with every Problem.
    """
    found = each(sources, lambda source: _views(source, context))
    return tuple(view for views in found for view in views)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    if context.engine.by_arguments or STACK.search(source.text):
        return _of_stack(source, context)
    if posixpath.basename(source.path) == CHART:
        return tuple(_renamed(source, context))
    if not _HELMFILE.search(source.text):
        asking = [*clients_in(parse(source), source.path, context)]
        return with_clients((_chart(source, context).view(),), asking)
    try:
        trees = [node for node in parse_all(source) if isinstance(node, Table)]
    except ProfileError:
        if "{{" not in source.text:
            raise
        hint = "check what `helmfile write-values` or `helmfile template` prints"
        problem = Problem("", "is a template that helmfile fills in", hint, source.path)
        raise NeedsMore(source.path, (problem,)) from None
    views: list[View] = []
    gaps: list[NotJudged] = []
    for tree in trees:
        for table, release in releases(tree, context.engine.name, context):
            found = views_of_release(release, table.place, context)
            views += found
            gaps += release.gaps if found or release.ours else ()
    if gaps and not views:
        told = (Problem(f"line {g.line}", g.reason, g.hint, g.file) for g in gaps)
        raise NeedsMore(source.path, tuple(told))
    return with_gaps(views, gaps)


def _of_stack(source: Source, context: Context) -> tuple[View, ...]:
    """Return the servers of the production stack, which are those of another engine than most."""
    tree = parse(source) if STACK.search(source.text) and context.engine.by_arguments else None
    return tuple(servers(tree, source, context)) if isinstance(tree, Table) else ()


_LOST: Final[dict[str, Any]] = {
    "volumes_told": True,
    "keep_volume": "write `persistentVolume: {enabled: true}`",
}
"""What the chart says of volumes where nothing turns on the one that it has."""
_HELMFILE: Final = re.compile(r"(?m)^releases[ \t]*:")


def views_of_release(release: Release, place: Place, context: Context) -> list[View]:
    """Return what a release makes of its chart, of which `place` tells; nothing without values."""
    source = Source(place.file, "")
    told = release.all_told and not release.gaps
    views = values_of(release.values, "", source, context, ours=release.ours, all_told=told)
    # A key that is set on a command line stands nowhere by itself.
    mends = release.of_files and not release.gaps
    return [replace(v, place=place, phrases=replace(v.phrases, mendable=mends)) for v in views]


_OF_A_ROLE: Final = re.compile(r"(?:^|/)(?:defaults|vars|group_vars|host_vars)/(?:[^/]+/)?[^/]+$")
"""Where Ansible keeps variables, which are no values of a chart."""


def _of_own_chart(source: Source, context: Context) -> bool:
    """Whether values are those of a chart in the same folder, which are judged in its templates."""
    text = context.read(posixpath.join(posixpath.dirname(source.path), CHART))
    if text is None or context.engine.name not in source.text:
        return False
    templates = posixpath.join(posixpath.dirname(source.path), "templates", "x")
    ours = {context.engine.name, context.engine.wrapper}
    return ours.isdisjoint(part.get("name") for part in parts(text)) and any(
        context.listed(templates)
    )


def _chart(source: Source, context: Context) -> _Chart:
    if _of_own_chart(source, context):
        reason = "these are values of a chart of one's own, judged with its templates"
        hint = "run `helm template`, and check what that prints"
        raise NeedsMore(source.path, (Problem("", reason, hint, source.path),))
    tree, name = parse(source), context.engine.name
    version = _depended_on(source, context)
    of_role = _OF_A_ROLE.search(source.path) is not None
    found = _found(tree, context.engine) if isinstance(tree, Table) and not of_role else None
    told = tree.text("image", "repository") if isinstance(tree, Table) else ""
    if found is None and context.engine.is_image(image_name(told).repository):
        reason = "these are values of a chart that is not known here"
        hint = "run `helm template`, and check what that prints"
        raise NeedsMore(source.path, (Problem("", reason, hint, source.path),))
    if found is None:
        hint = f"the chart {name}-helm has `{name}.gpu` and `{name}.models`"
        message = f"these are no values of the {name.capitalize()} chart"
        raise Unlike(source.path, (Problem("", message, hint, source.path),))
    return _Chart(source, context, *found, version=version)


def _depended_on(source: Source, context: Context) -> str:
    """Return the version of the engine's chart that the chart of the same folder is made with."""
    path = posixpath.join(posixpath.dirname(source.path), CHART)
    every = parts(context.read(path) or "")
    ours = (part for part in every if part.get("name") == context.engine.name)
    return next((part.get("version", "") for part in ours), "")


def _renamed(source: Source, context: Context) -> Iterator[View]:
    """Yield the Views of the values of a chart whose parts may have another name in them."""
    engine, path = context.engine, values_beside(source.path)
    text = context.read(path)
    tree = parse(Source(path, text)) if text else None
    told = tree if isinstance(tree, Table) else Table({}, Place(path))
    for part in parts(source.text):
        name = part.get("name", "")
        key = part.get("alias", name)
        within = [key, engine.name] if name == engine.wrapper else [key]
        values = told.get(*within) if name and name in {engine.name, engine.wrapper} else None
        if isinstance(values, Table) and values.text("enabled").lower() != "false":
            version = part.get("version", "") if name == engine.name else ""
            below = Source(path, "")
            yield _Chart(below, context, ".".join(within), values, True, version=version).view()


def values_of(
    node: Node | None,
    prefix: str,
    source: Source,
    context: Context,
    *,
    ours: bool = False,
    version: str = "",
    wraps: bool = False,
    folder: bool = False,
    all_told: bool = False,
) -> list[View]:
    """Return the View of values that stand in another file, below `prefix`.

    `ours`: they are told to be for the chart of the engine, which has that `version`, and with
    `all_told` nothing tells it more. `wraps`: they are all that is told to a chart that has it as a
    part. `folder`: the chart lies in a repository of somebody's own, and may read its keys in a way
    of its own.
    """
    found = _found(node, context.engine) if isinstance(node, Table) else None
    if ours and isinstance(node, Table):
        found = "", node, True
    if wraps and isinstance(node, Table):
        part = node.get(context.engine.name) or Table({}, node.place)
        off = isinstance(part, Table) and part.text("enabled").lower() == "false"
        found = None if off or not isinstance(part, Table) else (context.engine.name, part, True)
    if found is None:
        return []
    inner, values, sure = found
    sure = sure and bool(inner or not folder)
    key = f"{prefix}.{inner}".rstrip(".")
    told = all_told and ours
    chart = _Chart(source, context, key, values, sure, version=version, whole=wraps, all_told=told)
    return [chart.view()]


def _found(values: Table, engine: Engine) -> tuple[str, Table, bool] | None:
    """Return the values of the chart and their key path: the file's own, or below its name; and
    whether they are sure to be for this chart alone.
    """
    own = values.get(engine.name)
    below = values.get(engine.wrapper, engine.name)
    if own is None and isinstance(below, Table) and isinstance(below.get(engine.name), Table):
        return f"{engine.wrapper}.{engine.name}", below, not _is_another(below, engine)
    wrapped = bool(engine.wrapper_keys & set(values.entries))
    # The variables of the server stand at the top of its own chart alone.
    told = not wrapped and _sets_variables(values, engine)
    if not isinstance(own, Table) or (told and not {engine.name, *_OF_CHARTS} & set(own.entries)):
        image = image_name(values.text("image", "repository")).repository
        # The chart calls its volume so, and few others do.
        chart = not wrapped and engine.is_image(image) and _VOLUME[0] in values.entries
        return ("", values, True) if told or chart else None
    nested = (
        wrapped or isinstance(own.get(engine.name), Table) or "pull" in own.table("models").entries
    ) and not _is_another(own, engine)
    ours = bool(engine.chart_keys & set(own.entries))
    if wrapped or (ours and "enabled" in own.entries) or (not ours and _found(own, engine)):
        return engine.name, own, nested
    return ("", values, not _is_another(values, engine)) if ours else None


def _is_another(values: Table, engine: Engine) -> bool:
    """Whether values call something as other charts do, and this one does not."""
    return "env" in values.table(engine.name).entries or "registry" in values.table("image").entries


_OF_CHARTS: Final = frozenset({"enabled", "image", "extraEnv"})
"""Keys of a chart that is part of another one."""


def _sets_variables(values: Table, engine: Engine) -> bool:
    entries = (one for one in values.items("extraEnv") if isinstance(one, Table))
    names = [one.text("name") for one in entries]
    ours = (name for name in names if name.startswith(engine.prefixes))
    return any(re.fullmatch(engine.application, name) is None for name in ours)


class _Chart:
    """The values of the chart, which stand in their file below the key path `prefix`."""

    def __init__(
        self,
        source: Source,
        context: Context,
        prefix: str,
        values: Table,
        sure: bool,
        *,
        version: str = "",
        whole: bool = False,
        all_told: bool = False,
    ) -> None:
        self.source, self.context, self.engine = source, context, context.engine
        self.version, self.whole, self.all_told = version, whole, all_told
        self.prefix, self.values, self.sure = prefix, values, sure
        self.lines = tuple(flat(prefix, values, _ELSEWHERE))
        self.problems: list[Problem] = []

    def view(self) -> View:
        """Return what is deployed. Raises ProfileError with every Problem of the values."""
        values, name = self.values, self.engine.name
        gpu = values.scalar(name, "gpu", "enabled")
        kind = _KINDS.get(values.text(name, "gpu", "type"), "")
        bounds, variables = tuple(self._bounds()), tuple(self._variables())
        view = self._seen(bounds, variables, kind, gpu)
        if self.problems:
            raise PartlyRead(self.source.path, tuple(self.problems), (view,))
        return view

    def _seen(
        self,
        bounds: tuple[Bound, ...],
        variables: tuple[Variable, ...],
        kind: str,
        gpu: Scalar | None,
    ) -> View:
        values, name = self.values, self.engine.name
        return self.context.view(
            replace(HELM, **self._lost()) if self._pulls_anew() else HELM,
            self.context.release_for(values.text("image", "tag")),
            name=values.text("fullnameOverride") or values.text("nameOverride") or name,
            place=Place(self.source.path, key=self.prefix),
            variables=variables,
            overruled=overruled(said((one, self.source.path) for one in variables), {}),
            bounds=bounds,
            lines=(*self.lines, *self._nameless(), *self._pulls(), *self._not_ours()),
            keys=tuple(self._keys()),
            not_judged=tuple(self._not_at_hand()),
            models=tuple(self._models()),
            container=self._container(gpu=gpu is not None and gpu.is_true),
            acceleration="" if gpu is None else kind if gpu.is_true else "cpu",
            hops=tuple(self._hops()),
        )

    def _hops(self) -> Iterator[Hop]:
        """Yield the way through the Ingress of the chart."""
        ingress = self.values.table("ingress")
        hosts = next((one for one in ingress.items("hosts") if isinstance(one, Table)), None)
        if self._switch("ingress", "enabled") and hosts is not None:
            place = self._at(hosts, "ingress", "hosts")
            yield hop_of(ingress.table("annotations"), ingress.text("className"), place)

    def _lost(self) -> dict[str, Any]:
        """Return what is said of volumes, where nothing turns on the one of the chart."""
        inner = f"`{self.engine.name}: {{persistentVolume: {{enabled: true}}}}`"
        off = f"write {inner}, or `enabled: false` there where another server is asked"
        return {**_LOST, "keep_volume": off} if self.whole else _LOST

    def _pulls_anew(self) -> bool:
        """Whether models are pulled into the pod: nothing says of the volume that it is wanted.

        What says nothing of resources or GPUs may lie over other values, where it is not all that
        the chart is told.
        """
        name, told = self.engine.name, self.values.entries
        if self.whole or self.all_told:
            return _VOLUME[0] not in told
        whole = "resources" in told or self.values.get(name, "gpu") is not None
        return any(self._pulls()) and whole and self.sure and _VOLUME[0] not in told

    def _at(self, node: Node, *path: str) -> Place:
        return replace(node.place, key=".".join((self.prefix, *path)).strip("."))

    def _switch(self, *path: str) -> Place | None:
        """Return the place of what switches something on, None where it is not on."""
        found = self.values.scalar(*path)
        return self._at(found, *path) if found is not None and found.is_true else None

    def _keys(self) -> Iterator[Key]:
        """Yield the keys, but of values that another chart may read in a way of its own."""
        release, told = self.context.release_for(self.values.text("image", "tag"))
        for key in keys_of(self.values, self.prefix) if self.sure else ():
            # Charts of the first years had a plain list of models.
            models = key.path == (self.engine.name, "models")
            old = (told and release < _TABLE_OF_MODELS) or self._is_before(_CHART_OF_TABLES)
            yield replace(key, form="table") if models and old else key

    def _is_before(self, first: OfEngine) -> bool:
        """Whether the chart is known to be older than one of its versions."""
        try:
            return OfEngine.parse(self.version) < first
        except ValueError:
            return False

    def _variables(self) -> Iterator[Variable]:
        """Yield what the container gets; a secret's or a field's value is not told."""
        for entry in self.values.items("extraEnv"):
            if not isinstance(entry, Table) or not (name := entry.text("name")):
                continue
            value = entry.scalar("value")
            written = value.replaceable if value else ""
            yield Variable(
                name=name,
                value="" if value is None else value.text,
                place=self._at(value or entry, "extraEnv", name),
                # With its quotes: a fix must leave it a string.
                written=f"{value.quote}{written}{value.quote}" if value and written else "",
                unresolved=entry.get("valueFrom") is not None or bool(value and not value.explicit),
                named=self._at(entry.get("name") or entry, "extraEnv", name),
            )

    def _not_at_hand(self) -> Iterator[NotJudged]:
        """Yield what further variables stand in: no file of values has its resources."""
        listed = self.values.items("extraEnvFrom")
        for node in (one for one in listed if isinstance(one, Table)):
            for key, kind in _GIVES.items():
                if name := node.text(key, "name"):
                    yield NotJudged(
                        file=node.place.file,
                        line=node.place.line,
                        reason=f"the {kind} `{name}` is in none of the files",
                        hint="check what it sets",
                        part="variables",
                        variables=True,
                    )

    def _bounds(self) -> Iterator[Bound]:
        for key, (name, scale) in _LIMITS.items():
            found = self.values.scalar("resources", "limits", key)
            if found is None or not found.explicit or "${" in found.text:
                continue  # What puts the values together tells it.
            place = self._at(found, "resources", "limits", key)
            try:
                value = round(quantity(found.text) * scale)
            except ValueError as error:
                message, hint = split_message(error)
                self.problems.append(problem_at(place, f"`{place.key}`: {message}", hint))
            else:
                yield Bound(name=name, value=value, place=place, written=found.replaceable)

    def _models(self) -> Iterator[ModelUse]:
        """Yield the models to pull, create and run; charts of the first years had a plain list."""
        key = (self.engine.name, "models")
        plain = isinstance(self.values.get(*key), Items)
        asked: dict[str, ModelUse] = {}
        for verb in ("pull",) if plain else ("pull", "create", "run"):
            for node in self.values.items(*key) if plain else self.values.items(*key, verb):
                name = node.text("name") if isinstance(node, Table) else ""
                name = node.text if isinstance(node, Scalar) else name
                if name:
                    before = asked.get(name)
                    place = before.place if before else self._at(node, *key, verb)
                    base = before.base if before else ""
                    if verb == "create":
                        base, place = _made_of(node, place)
                    warmed = verb == "run"
                    pulled = verb == "pull" or (before is not None and before.pulled)
                    asked[name] = ModelUse(
                        name=name, place=place, warmed=warmed, base=base, pulled=pulled
                    )
        yield from asked.values()

    def _pulls(self) -> Iterator[Line]:
        """Yield what the chart runs beside the server for the models to pull."""
        for node in self.values.items(self.engine.name, "models", "pull"):
            if isinstance(node, Scalar) and node.text:
                place = self._at(node, self.engine.name, "models", "pull")
                told = f"{self.engine.name} pull {node.text}"
                yield Line(section=STARTED, name="pull", value=told, place=place)

    def _not_ours(self) -> Iterator[Line]:
        """Yield the volume of the chart for a pod of another user, which no group is given."""
        pod, claim = self.values.table("podSecurityContext"), self._switch(*_VOLUME)
        user = self.values.text("securityContext", "runAsUser") or pod.text("runAsUser")
        if claim is not None and user.isdecimal() and int(user) and "fsGroup" not in pod.entries:
            home = self.context.catalogue.at(self.engine.name).image.home_path
            path = self.values.text(self.engine.name, "mountPath") or home
            yield Line(section=NOT_OURS, name=path, value="claim", place=claim)

    def _nameless(self) -> Iterator[Line]:
        """Yield the items of the models to pull in which nothing stands."""
        pulled = self.values.get(self.engine.name, "models", "pull")
        for node in pulled.items if isinstance(pulled, Items) else ():
            if isinstance(node, Scalar) and not node.written and not node.text:
                place = self._at(node, self.engine.name, "models", "pull")
                yield Line(section="models.pull", name="-", value="", place=place)

    def _container(self, *, gpu: bool) -> Container:
        values, official = self.values, self.context.catalogue.at(self.engine.name).image
        repository, tag = values.scalar("image", "repository"), values.scalar("image", "tag")
        image = image_name(repository.text if repository else official.repository)
        # Without a tag the chart takes the release that it was made for.
        shown = tag.text if tag is not None and tag.text else "{{ .Chart.AppVersion }}"
        user = values.text("securityContext", "runAsUser")
        return Container(
            image=f"{image.repository}:{shown}",
            place=self._at(tag or repository or values, "image", "tag" if tag else "repository"),
            tag=shown,
            digest=image.digest,
            gpu_access="reservation" if gpu else "",
            privileged=self._switch("securityContext", "privileged"),
            host_network=self._switch("hostNetwork"),
            user=user or values.text("podSecurityContext", "runAsUser"),
            mounts=tuple(self._mounts(official.home_path)),
            volumes=tuple(self._volumes(official.home_path)),
            restart="always",
            probes=tuple(
                (line.value, line.place)
                for line in self.lines
                if line.name == "path" and "probe" in line.section.lower()
            ),
            exposed=tuple(self._exposed()),
            asked=(Asked(by="the Service of the chart", port="http", place=self._at(values)),),
            unkept=self._unkept(),
        )

    def _exposed(self) -> Iterator[Line]:
        """Yield what opens the port beyond the cluster."""
        for line in self.lines:
            service = line.section.rpartition(".")[2] == "service" and line.name == "type"
            if service and line.value in {"NodePort", "LoadBalancer"}:
                yield line
        ingress = self.values.table("ingress")
        notes = " ".join((*ingress.table("annotations").entries, ingress.text("className")))
        if self._switch("ingress", "enabled") and not AUTHENTICATES.search(notes):
            for node in ingress.items("hosts"):
                host = node.scalar("host") if isinstance(node, Table) else None
                if host is not None:
                    yield Line(section=INGRESS, name="host", value=host.text, place=host.place)

    def _unkept(self) -> Edit | None:
        enabled = self.values.scalar(*_VOLUME)
        if enabled is None or enabled.text.lower() != "false":
            return None
        return Edit(self._at(enabled, *_VOLUME), "false", "true")

    def _volumes(self, home: str) -> Iterator[Volume]:
        """Yield the volume that the chart claims; one that is there already tells no size."""
        claim, given = self._switch(*_VOLUME), self.values.table(_VOLUME[0])
        if claim is None or given.text("existingClaim"):
            return
        size = given.scalar("size")
        try:
            told = quantity(size.text) if size else _CLAIMED
        except ValueError:
            told = Decimal(0)
        yield Volume(
            target=self.values.text(self.engine.name, "mountPath") or home,
            place=self._at(size, _VOLUME[0], "size") if size else claim,
            size=int(told),
            network=network(given.text("storageClass")),
        )

    def _mounts(self, home: str) -> Iterator[tuple[str, Place]]:
        name = self.engine.name
        if claim := self._switch(*_VOLUME):
            volume = self.values.text("persistentVolume", "existingClaim") or name
            yield f"{volume}:{self.values.text(name, 'mountPath') or home}", claim
        own = (v for v in self.values.items("volumes") if isinstance(v, Table))
        lost = {v.text("name") for v in own if "emptyDir" in v.entries}
        for node in self.values.items("volumeMounts"):
            if isinstance(node, Table) and (target := node.text("mountPath")):
                kept = "" if node.text("name") in lost else f"{node.text('name')}:"
                yield f"{kept}{target}", self._at(node, "volumeMounts")


def _made_of(node: Node, place: Place) -> tuple[str, Place]:
    """Return the model that one is made of by its template, and where it stands."""
    template = node.scalar("template") if isinstance(node, Table) else None
    found = _FROM.search(template.text) if template is not None else None
    if template is None or found is None:
        return "{{ created }}", place  # A ConfigMap tells.
    within = template.text.count("\n", 0, found.start())
    line = template.place.line + (within + 1 if "\n" in template.text else 0)
    return found[1], replace(place, line=line)


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
