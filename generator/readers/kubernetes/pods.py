"""A pod: its containers that serve, with their variables, limits, volumes, probes and ports."""

from __future__ import annotations

import base64
import contextlib
import functools
import posixpath
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.clients import client, client_in
from generator.readers.commands.servers import asked_in, servers_in
from generator.readers.commands.unnoticed import unnoticed
from generator.readers.given import with_given
from generator.readers.helm.read import quantity
from generator.readers.kubernetes import KUBERNETES
from generator.readers.kubernetes.routes import LEADING, routes
from generator.readers.kubernetes.scaling import TOLD_BY, scaling_of
from generator.readers.kubernetes.scripts import begun_with
from generator.readers.layers import overruled, said
from generator.readers.syntax.shell import calls, is_shell, use_of
from generator.readers.syntax.storage import network
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, flat
from generator.units import whole
from generator.view import (
    EXECUTED,
    HANDED,
    IN_INIT,
    KEYLESS,
    LIMIT,
    NODE,
    NOT_OURS,
    POD,
    STARTING,
    UNMATCHED,
    Asked,
    Bound,
    Command,
    Container,
    Key,
    Line,
    ModelUse,
    NotJudged,
    Place,
    Variable,
    Volume,
    each_once,
    sometimes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.around import Client, Scaling
    from generator.readers.kubernetes.beside import Beside
    from generator.readers.kubernetes.resources import Resources
    from generator.view import View

_LIMITS: Final = {"cpu": ("cpu_quota", 100), "memory": ("memory_max", 1)}
_GPUS: Final = {"nvidia.com/": "cuda", "amd.com/gpu": "rocm", "gpu.intel.com/": ""}
_OPENS: Final = frozenset({"NodePort", "LoadBalancer"})
_NOT_FLAT: Final = frozenset({("env",), ("envFrom",), ("volumeMounts",), ("resources",)})
_KEPT: Final = ("persistentVolumeClaim", "hostPath", "nfs", "csi", "iscsi", "local")
_ENDS: Final = frozenset({"Job", "CronJob"})
_SELECTING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
"""Kinds that the API server refuses without a selector of their pods, and labels on these."""
_KEYED: Final = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_OPEN: Final = re.compile(r"[${]")
_OF_GPUS: Final = re.compile(r"/dev/(?:dri|kfd|nvidia)")
_PLACES: Final = (
    *("nodeSelector", "nodeName", "affinity", "tolerations", "topologySpreadConstraints"),
    "runtimeClassName",
)
"""What decides on which nodes a pod runs."""
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOK: Final = ("lifecycle", "postStart", "exec", "command")


def _bounds_callers(service: Table) -> bool:
    """Whether a load balancer lets only some addresses in."""
    ranges = service.items("spec", "loadBalancerSourceRanges")
    told = {one.text for one in ranges if isinstance(one, Scalar)}
    return bool(ranges) and not told & {"0.0.0.0/0", "::/0"}


class Pod:
    """The pod of a workload, and the resources beside it."""

    def __init__(self, owner: Table, pod: Table, beside: Beside, resources: Resources) -> None:
        self.owner, self.pod, self.beside, self.resources = owner, pod, beside, resources
        self.context, self.engine = resources.context, resources.context.engine
        self.spec = pod.table("spec")
        self.kind = owner.text("kind")

    def views(self) -> Iterator[View]:
        """Yield a View of each container that runs the server."""
        boxes = [one for one in self.spec.items("containers") if isinstance(one, Table)]
        early = [one for one in self.spec.items("initContainers") if isinstance(one, Table)]
        beside = [one for one in early if one.text("restartPolicy") == "Always"]
        servers = [box for box in (*boxes, *beside) if self._is_server(box)]
        for box in servers or filter(self._is_meant, boxes):
            yield self._view(box, self.models)

    def _is_meant(self, box: Table) -> bool:
        """Whether a client has the place of a server in a pod that is to last, and asks itself."""
        words = [word.text for word in self._told(box)]
        own = self.engine.is_image(image_name(box.text("image")).repository)
        asked = {one.text("name") for one in box.items("env") if isinstance(one, Table)}
        lasts = self.kind in _SELECTING and "envFrom" not in box.entries
        verb = bool(words) and "command" not in box.entries and words[0] in self.engine.verbs
        return own and lasts and verb and self.engine.address not in asked and self._has_place(box)

    def clients(self) -> Iterator[Client]:
        """Yield the containers that run programs which ask servers, and are known."""
        for box in (one for one in self.spec.items("containers") if isinstance(one, Table)):
            if known := client_in(box.text("image"), self.context):
                yield client(known, self._container(box), *self._variables(box))

    @functools.cached_property
    def models(self) -> tuple[ModelUse, ...]:
        """Return the models that the containers pull and run."""
        every = (*self.spec.items("initContainers"), *self.spec.items("containers"))
        asked = (use for box in every if isinstance(box, Table) for use in self._models(box))
        return each_once(asked)

    def executed(self) -> Iterator[Line]:
        """Yield the scripts of containers that have the engine's image, and run no server."""
        every = (*self.spec.items("initContainers"), *self.spec.items("containers"))
        for box in (one for one in every if isinstance(one, Table)):
            own = self.engine.is_image(image_name(box.text("image")).repository)
            if not own or self._is_server(box):
                continue
            if "args" in box.entries and "command" not in box.entries:
                image = image_name(box.text("image")).repository
                words = " ".join(word.text for word in self._told(box))
                yield Line(section=HANDED, name=image, value=words, place=box.place_of("args"))
            for item in (one for key in ("command", "args") for one in box.items(key)):
                if isinstance(item, Scalar) and " " in item.text:
                    place = replace(item.place, line=item.starts)
                    yield Line(section=EXECUTED, name="", value=item.text, place=place)

    def in_init(self) -> Iterator[Line]:
        """Yield what init containers ask of the server of their own pod, which starts later."""
        if not any(isinstance(one, Table) and self._is_server(one)
                   for one in self.spec.items("containers")):  # fmt: skip
            return
        program, verb = self.engine.command
        for box in (one for one in self.spec.items("initContainers") if isinstance(one, Table)):
            words = " ".join(self._words(box))
            asks = next(calls(self._words(box), self.engine), None) if words else None
            serves = re.search(rf"\b{verb}\b|_HOST=", words) is not None
            if box.text("restartPolicy") == "Always" or not asks or serves:
                continue
            if self._asks_own(box):
                key = "command" if "command" in box.entries else "args"
                told, place = f"{program} {asks.verb}", box.place_of(key)
                yield Line(section=IN_INIT, name=box.text("name"), value=told, place=place)

    def _asks_own(self, box: Table) -> bool:
        """Whether a container asks the server of its own pod: by itself, or by its Service."""
        named = [one for one in box.items("env") if isinstance(one, Table)]
        told = [one for one in named if one.text("name") == self.engine.address]
        if "envFrom" in box.entries or any("value" not in one.entries for one in told):
            return False
        host = told[-1].text("value").rpartition("://")[2].partition(":")[0] if told else ""
        own = {one.text("metadata", "name") for one in self.services}
        return host in {"", "localhost", "127.0.0.1", "0.0.0.0"} or host.split(".")[0] in own  # noqa: S104

    def unnoticed(self) -> Iterator[Line]:
        """Yield the pulls of containers that end, where nobody sees that one fails."""
        key = "containers" if self.kind in _ENDS else "initContainers"
        boxes = [*self.spec.items("initContainers"), *self.spec.items(key)]
        for box in {id(one): one for one in boxes if isinstance(one, Table)}.values():
            words = [one for key in ("command", "args") for one in box.items(key)]
            texts = [one for one in words if isinstance(one, Scalar)]
            strict = any(re.fullmatch(r"-\w*e\w*", one.text) for one in texts[1:3])
            if box.text("restartPolicy") == "Always" or not (texts and is_shell(texts[0].text)):
                continue
            for one in texts[1:]:
                place = replace(one.place, line=one.starts)
                yield from unnoticed(one.text, place, self.engine, errexit=strict)

    def _words(self, box: Table) -> list[str]:
        """Return what a container runs, with the entry point of the engine's own image."""
        command, args = (
            [item.text for item in box.items(key) if isinstance(item, Scalar)]
            for key in ("command", "args")
        )
        program, *verb = self.engine.command
        own = self.engine.is_image(image_name(box.text("image")).repository)
        return [*command, *args] if command or not own else [program, *(args or verb)]

    def _is_server(self, box: Table) -> bool:
        engine, said = self.engine, " ".join(self._words(box))
        if re.search(r"\b" + r"[\s\"',]+".join(engine.command) + r"\b", said):
            return True
        if engine.module and engine.starts(self._words(box)):
            return True
        if re.search(engine.asks, said) or any(calls(self._words(box), engine)):
            return False
        image = image_name(box.text("image")).repository
        built = re.fullmatch(engine.builds, image.rpartition("/")[2]) is not None
        built = built or (engine.is_named_after(image) and self._has_place(box))
        return built or (not image and box.text("name") == engine.name)

    def _has_place(self, box: Table) -> bool:
        """Whether a container has the port of the server, or keeps what it keeps."""
        image = self.context.catalogue.at(self.engine.name).image
        ports = (one.text("containerPort") for one in box.items("ports") if isinstance(one, Table))
        mounts = (one for one in box.items("volumeMounts") if isinstance(one, Table))
        home = posixpath.dirname(image.models_path)
        return str(image.port) in ports or any(
            one.text("mountPath").rstrip("/") in {home, image.models_path} for one in mounts
        )

    def _models(self, box: Table) -> Iterator[ModelUse]:
        key = "args" if "args" in box.entries else "command"
        hook = box.get(*_HOOK)
        for verb, model in re.findall(self.engine.api_call, " ".join(self._words(box))):
            place, pulled = box.place_of(key), verb == "pull"
            yield ModelUse(name=model, place=place, warmed=not pulled, pulled=pulled)
        words = (
            [n.text for n in hook.items if isinstance(n, Scalar)] if isinstance(hook, Items) else []
        )
        told = ((self._words(box), box.place_of(key)), (words, box.place_of("lifecycle")))
        for line, place in told:
            for call in calls(line, self.engine):
                yield use_of(call, place)

    def _view(self, box: Table, models: tuple[ModelUse, ...]) -> View:
        held = self._container(box)
        variables, gaps = self._variables(box)
        words = self._told(box)
        variables = with_given(variables, words, self.engine)
        lasting = self.kind not in _ENDS and self._is_whole(box)
        return self.context.view(
            replace(KUBERNETES, volumes_told=lasting, devices_told=self._tells_devices(box)),
            self.context.release_of(held.image),
            name=self.owner.text("metadata", "name") or box.text("name"),
            place=Place(box.place.file, box.place.line),
            variables=variables,
            bounds=tuple(self._bounds(box)),
            lines=(
                *flat("", box, _NOT_FLAT),
                *flat("annotations", self.pod.table("metadata", "annotations"), frozenset()),
                *self._of_pod(box),
                *begun_with(box, self.spec, self.beside),
            ),
            overruled=overruled(said((one, one.place.file) for one in self._own(box)), {}),
            models=models,
            container=held,
            acceleration=self._acceleration(box, held),
            commands=tuple(self._commands(words)),
            not_judged=tuple(gaps),
            keys=tuple(self._keys(box)),
            adds=not self._is_whole(box),
            scaling=self.scaling,
        )

    def _told(self, box: Table) -> list[Scalar]:
        """Return what a container runs, word for word."""
        words = (item for key in ("command", "args") for item in box.items(key))
        return [word for word in words if isinstance(word, Scalar)]

    @functools.cached_property
    def scaling(self) -> Scaling | None:
        """What is told of the number of pods, the same for each container."""
        return scaling_of(self.owner, self.pod, self.beside.of(*TOLD_BY))

    def _of_pod(self, box: Table) -> Iterator[Line]:
        """Yield what the pod says of users and GPUs, beside what its container says."""
        told = (one.scalar("securityContext", "runAsNonRoot") for one in (box, self.spec))
        barred = next((one for one in told if one is not None), None)
        if barred is not None and barred.is_true:
            yield Line(section=POD, name="runAsNonRoot", value="true", place=barred.place)
        placed = next((key for key in _PLACES if self.spec.get(key) is not None), "")
        if placed or self.kind in _ENDS:
            yield sometimes(placed or self.kind, self.pod.place)
        hook = [w for w in box.items(*_HOOK) if isinstance(w, Scalar)]
        if hook:
            command = " ".join(word.text for word in hook)
            yield Line(section=POD, name=STARTING, value=command, place=hook[-1].place)
        yield from self._mounted_nodes(box)
        yield from self._missing(box)
        yield from self._unmatched(box)
        yield from self._not_ours(box)
        limits, requests = (box.table("resources", key) for key in ("limits", "requests"))
        for key in limits.entries:
            if key.startswith("gpu.intel.com/"):
                yield Line(section=POD, name=LIMIT, value=key, place=limits.place_of(key))
        for key in requests.entries:
            if key.startswith(tuple(_GPUS)) and key not in limits.entries:
                yield Line(section=POD, name="gpu-request", value=key, place=requests.place_of(key))
        asked = self._gpus(box) or any(key.startswith(tuple(_GPUS)) for key in requests.entries)
        if not (asked or self._has_devices(box)):
            yield from self._gpu_nodes()

    def _not_ours(self, box: Table) -> Iterator[Line]:
        """Yield the volumes that belong to root, for a container of another user.

        A group is given to a claim alone; a container that comes first may give it away.
        """
        context = box.table("securityContext"), self.spec.table("securityContext")
        user = context[0].text("runAsUser") or context[1].text("runAsUser")
        grouped = "fsGroup" in context[1].entries
        told = self._is_whole(box) and not (self.resources.patches or self.resources.gaps)
        if not told or user in {"", "0"} or not user.isdecimal():
            return
        given = {name for one in self.spec.items("initContainers") for name in _gives(one)}
        for mount in (one for one in box.items("volumeMounts") if isinstance(one, Table)):
            name, alone = mount.text("name"), mount.scalar("readOnly")
            kind = self._of_root(name)
            if not kind or name in given or (alone is not None and alone.is_true):
                continue
            if kind != _CLAIM or not grouped:
                yield Line(
                    section=NOT_OURS, name=mount.text("mountPath"), value=kind, place=mount.place
                )

    def _of_root(self, name: str) -> str:
        """Return what kind of volume it is, of those that begin with root's; empty: another."""
        volumes = (one for one in self.spec.items("volumes") if isinstance(one, Table))
        volume = next((one for one in volumes if one.text("name") == name), None)
        if volume is None:
            templates = self.owner.items("spec", "volumeClaimTemplates")
            names = (t.text("metadata", "name") for t in templates if isinstance(t, Table))
            return _CLAIM if name in set(names) else ""
        if volume.text("hostPath", "type") == "DirectoryOrCreate":
            return "hostPath"
        return _CLAIM if "persistentVolumeClaim" in volume.entries else ""

    def _has_devices(self, box: Table) -> bool:
        """Whether devices get in by another way than a limit."""
        privileged = box.scalar("securityContext", "privileged")
        volumes = (v for v in self.spec.items("volumes") if isinstance(v, Table))
        mounted = any(v.text("hostPath", "path").startswith("/dev/") for v in volumes)
        runtime = self.spec.text("runtimeClassName") or box.items("resources", "claims")
        return bool((privileged and privileged.is_true) or mounted or runtime)

    def _mounted_nodes(self, box: Table) -> Iterator[Line]:
        """Yield the nodes of GPUs that are mounted as volumes, where nothing else hands them in."""
        limits = box.table("resources", "limits").entries
        privileged = box.scalar("securityContext", "privileged")
        if (privileged and privileged.is_true) or any("/" in key for key in limits):
            return
        mounted = {one.text("name") for one in box.items("volumeMounts") if isinstance(one, Table)}
        for volume in (one for one in self.spec.items("volumes") if isinstance(one, Table)):
            path = volume.scalar("hostPath", "path")
            if path and volume.text("name") in mounted and _OF_GPUS.match(path.text):
                yield Line(section=POD, name=NODE, value=path.text, place=path.place)

    def _tells_devices(self, box: Table) -> bool:
        """Whether a container has no device but what its limits say, and these say of none."""
        limits = box.get("resources", "limits")
        told = limits is None or isinstance(limits, Table)
        asked = limits.entries if isinstance(limits, Table) else ()
        return (
            self._is_whole(box)
            and told
            and not self._has_devices(box)
            and not any("/" in key for key in asked)
        )

    def _gpu_nodes(self) -> Iterator[Line]:
        """Yield what has the pod run on a node with a GPU."""
        selector = self.spec.table("nodeSelector")
        for key in selector.entries:
            if key.startswith(tuple(_GPUS)):
                yield Line(section=POD, name="gpu-node", value=key, place=selector.place_of(key))
        for one in self.spec.items("tolerations"):
            key = one.text("key") if isinstance(one, Table) else ""
            if key.startswith(tuple(_GPUS)):
                yield Line(section=POD, name="gpu-node", value=key, place=one.place)

    def _keys(self, box: Table) -> Iterator[Key]:
        """Yield the keys of a container; an empty one says nothing."""
        for key in keys_of(box, "container"):
            if key.form != "empty":
                yield replace(key, path=("container", *key.path))

    def _is_whole(self, box: Table) -> bool:
        """Whether the files tell all of a container; a patch alone does not.

        A patch may name the image again, but says nothing of which pods a workload has.
        """
        owner = self.owner
        sent = self.kind in _SELECTING and bool(owner.text("apiVersion"))
        marked = owner.get("spec", "selector") or self.pod.get("metadata", "labels")
        return bool(box.text("image")) and not (sent and marked is None)

    def _commands(self, words: list[Scalar]) -> Iterator[Command]:
        """Yield the calls of the program, also those of a script that a shell is handed."""
        if not words or is_shell(words[0].text):
            told = [(word.text, replace(word.place, line=word.starts)) for word in words]
            found = servers_in if self.engine.by_arguments else asked_in
            yield from found(told, self.engine)
            return
        behind = self.engine.starts([w.text for w in words]) if self.engine.module else 0
        if behind:
            words, named = words[behind:], False
        else:
            named = words[0].text.rpartition("/")[2] == self.engine.name
        yield Command(tuple((w.text, w.place) for w in (words[1:] if named else words)))

    def _variables(self, box: Table) -> tuple[tuple[Variable, ...], list[NotJudged]]:
        found: dict[str, Variable] = {}
        gaps: list[NotJudged] = []
        for node in box.items("envFrom"):
            for variable in self._from(node, gaps) if isinstance(node, Table) else ():
                found[variable.name] = variable
        for variable in self._own(box):
            found.pop(variable.name, None)
            found[variable.name] = variable
        return tuple(found.values()), gaps

    def _own(self, box: Table) -> Iterator[Variable]:
        """Yield what `env` says, of a variable that stands there twice both."""
        for entry in box.items("env"):
            name = entry.text("name") if isinstance(entry, Table) else ""
            if isinstance(entry, Table) and name and self._keyless(entry) is None:
                yield self._variable(name, entry)

    def _keyless(self, entry: Table) -> Line | None:
        """Return what is missing, where a ConfigMap or a Secret of the files has no such key."""
        for named, kind in _KEYED.items():
            told = entry.table("valueFrom", named)
            key, name = told.scalar("key"), told.text("name")
            space = self.owner.text("metadata", "namespace")
            whole = key is not None and self.resources.is_whole
            if key is not None and whole and self.beside.lacks(kind, name, key.text, space):
                which = f"{kind} `{name}`"
                return Line(section=KEYLESS, name=which, value=key.text, place=key.place)
        return None

    def _missing(self, box: Table) -> Iterator[Line]:
        """Yield the keys without which a container does not start."""
        for entry in (one for one in box.items("env") if isinstance(one, Table)):
            line = self._keyless(entry)
            told = entry.table("valueFrom")
            spared = (told.scalar(named, "optional") for named in _KEYED)
            if line is not None and not any(one is not None and one.is_true for one in spared):
                yield line

    def _unmatched(self, box: Table) -> Iterator[Line]:
        """Yield the selector of a workload that its own pods do not fit.

        Labels that kustomize adds stand in both.
        """
        whole = self.resources.is_whole and not self.resources.labels and self._is_whole(box)
        labels = self.pod.table("metadata", "labels")
        wanted = self.owner.table("spec", "selector", "matchLabels")
        nodes = [*labels.entries.values(), *wanted.entries.values()]
        plain = [one for one in nodes if isinstance(one, Scalar) and one.explicit]
        told = len(plain) == len(nodes) and not any(_OPEN.search(one.text) for one in plain)
        if not (whole and told and labels.entries and self.kind in _SELECTING):
            return
        for key in (key for key in wanted.entries if labels.text(key) != wanted.text(key)):
            value = f"{key}: {wanted.text(key)}"
            yield Line(section=UNMATCHED, name=self.kind, value=value, place=wanted.place_of(key))

    def _variable(self, name: str, entry: Table) -> Variable:
        """Return one variable: its own value, or that of a key of a ConfigMap."""
        value = entry.scalar("value")
        reference = entry.get("valueFrom", "configMapKeyRef")
        if value is None and isinstance(reference, Table):
            data = self._data("ConfigMap", reference.text("name"))
            value = data.scalar(reference.text("key")) if data else None
        place = replace((value or entry).place, key=f"env.{name}")
        if value is None:
            told = entry.get("valueFrom") is None
            return Variable(name=name, value="", place=place, unresolved=not told)
        refused = f"it is a {_WORDS.get(value.kind, 'number')}" if value.kind != "str" else ""
        own = "value" in entry.entries
        return Variable(
            name=name,
            value=value.text,
            place=place,
            # With its quotes: a fix must leave it a string.
            written=f"{value.quote}{value.replaceable}{value.quote}" if value.replaceable else "",
            unresolved="$(" in value.text or not value.explicit,
            refused=refused if own else "",
            named=_place_of_name(entry),
        )

    def _from(self, node: Table, gaps: list[NotJudged]) -> Iterator[Variable]:
        """Yield what `envFrom` takes from a ConfigMap or a Secret."""
        prefix = node.text("prefix")
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if not (name := node.text(key, "name")):
                continue
            data = self._data(kind, name)
            if data is None:
                reason = f"the {kind} `{name}` is in none of the files"
                hint = "name the file that has it as well"
                place = node.place
                gaps.append(NotJudged(file=place.file, line=place.line, reason=reason, hint=hint,
                                      part="variables", variables=True))  # fmt: skip
            for one, value in (data.entries if data else {}).items():
                if isinstance(value, Scalar):
                    yield self._listed(prefix, one, value, secret=kind == "Secret")

    def _listed(self, prefix: str, key: str, value: Scalar, *, secret: bool) -> Variable:
        """Return what an entry of a ConfigMap or a Secret becomes.

        Of a Secret only what an engine reads is told, and nothing that looks like one.
        """
        name = f"{prefix}{key}"
        hidden = secret and (not name.startswith(self.engine.prefixes) or _HIDDEN.search(name))
        return Variable(
            name=name,
            value="" if hidden else value.text,
            place=replace(value.place, key=f"data.{key}"),
            written=f"{value.quote}{value.replaceable}{value.quote}",
            unresolved=bool(hidden) or not value.explicit,
            refused="" if value.kind == "str" else "it is a number or a switch",
        )

    def _data(self, kind: str, name: str) -> Table | None:
        table = self.beside.data(kind, name)
        if table is None:
            return None
        plain, text = table.table("data"), table.table("stringData")
        told = plain.entries if kind == "ConfigMap" else _decoded(plain)
        return replace(plain, entries={**told, **text.entries})

    def _bounds(self, box: Table) -> Iterator[Bound]:
        for key, (name, scale) in _LIMITS.items():
            found = box.scalar("resources", "limits", key)
            if found is None:
                continue
            place = replace(found.place, key=f"resources.limits.{key}")
            with contextlib.suppress(ValueError):
                value = round(quantity(found.text) * scale)
                yield Bound(name=name, value=value, place=place, written=found.replaceable)

    def _container(self, box: Table) -> Container:
        image, place = self._image(box)
        name = image_name(image)
        context = self.spec.table("securityContext"), box.table("securityContext")
        checks, limits = tuple(self._checks(box)), box.table("resources", "limits")
        privileged, network = context[1].scalar("privileged"), self.spec.scalar("hostNetwork")
        return Container(
            image=image,
            place=place,
            tag=name.tag,
            digest=name.digest,
            gpu_access="reservation" if self._gpus(box) else "",
            gpu_number=sum(whole(limits.text(key)) or 0 for key in self._gpus(box)),
            shared=self._shared(box),
            privileged=privileged.place if privileged and privileged.is_true else None,
            host_network=network.place if network and network.is_true else None,
            user=context[1].text("runAsUser") or context[0].text("runAsUser"),
            ports=tuple(self._ports(box)),
            mounts=tuple(self._mounts(box)),
            volumes=tuple(self._volumes(box)),
            healthcheck=next(iter(checks), None),
            checks=checks[1:],
            restart="always",
            read_only=self._read_only(context[1]),
            probes=tuple(self._probes(box)),
            arguments=tuple(self._arguments(box)),
            program=tuple(self._program(box)),
            unbound=tuple(self._unbound(box)),
            asked=tuple(self._asked(box)),
            exposed=tuple(self._exposed(box)),
        )

    def _shared(self, box: Table) -> str:
        """Return the memory that processes share: `host`, or that of a volume at its place."""
        host = self.spec.scalar("hostIPC")
        if host is not None and host.is_true:
            return "host"
        mounts = (one for one in box.items("volumeMounts") if isinstance(one, Table))
        return next(("volume" for one in mounts if one.text("mountPath") == "/dev/shm"), "")  # noqa: S108

    def _read_only(self, context: Table) -> Place | None:
        told = context.scalar("readOnlyRootFilesystem")
        return told.place if told is not None and told.is_true else None

    def _arguments(self, box: Table) -> Iterator[tuple[str, Place]]:
        """Yield the words that the image's own program gets: none where `command` names another."""
        for word in () if "command" in box.entries else box.items("args"):
            if isinstance(word, Scalar):
                yield word.text, replace(word.place, key="args")

    def _program(self, box: Table) -> Iterator[tuple[str, Place]]:
        """Yield what is named instead of the image's own program, with all that it is told."""
        for key in ("command", "args") if "command" in box.entries else ():
            for word in box.items(key):
                if isinstance(word, Scalar):
                    yield word.text, replace(word.place, key=key)

    def _image(self, box: Table) -> tuple[str, Place]:
        image = box.scalar("image")
        text, place = (image.text, image.place) if image else ("", box.place)
        return text, replace(place, key="image")

    def _gpus(self, box: Table) -> list[str]:
        limits = box.table("resources", "limits").entries
        return [key for key in limits if key.startswith(tuple(_GPUS))]

    def _acceleration(self, box: Table, held: Container) -> str:
        named = (kind for key in self._gpus(box) for p, kind in _GPUS.items() if key.startswith(p))
        return next(named, "rocm" if "rocm" in held.tag else "")

    def _ports(self, box: Table) -> Iterator[tuple[str, Place]]:
        """Yield the ports that the node opens itself."""
        for port in box.items("ports"):
            if isinstance(port, Table) and (opened := port.scalar("hostPort")):
                parts = (port.text("hostIP"), opened.text, port.text("containerPort"))
                yield ":".join(part for part in parts if part), opened.place

    def _mounts(self, box: Table) -> Iterator[tuple[str, Place]]:
        """Yield the volumes; one that goes with the pod has no name."""
        volumes = [v for v in self.spec.items("volumes") if isinstance(v, Table)]
        kept = {v.text("name") for v in volumes if any(key in v.entries for key in _KEPT)}
        known = {v.text("name") for v in volumes}
        for node in box.items("volumeMounts"):
            if isinstance(node, Table) and (target := node.text("mountPath")):
                name = node.text("name")
                # What no volume tells comes from a template of claims, or from a patch.
                lasts = name in kept or name not in known
                alone = node.scalar("readOnly")
                end = ":ro" if lasts and alone is not None and alone.is_true else ""
                yield (f"{name}:{target}{end}" if lasts else target), node.place

    def _unbound(self, box: Table) -> Iterator[tuple[str, Place]]:
        """Yield the mounts of volumes that the pod does not have; a patch may bring them."""
        volumes = [v for v in self.spec.items("volumes") if isinstance(v, Table)]
        templates = self.owner.items("spec", "volumeClaimTemplates")
        known = {v.text("name") for v in volumes}
        known |= {t.text("metadata", "name") for t in templates if isinstance(t, Table)}
        told = all(isinstance(one, Table) for one in self.spec.items("volumes"))
        partial = (
            self.resources.gaps or not told or self.resources.patches or not self._is_whole(box)
        )
        for node in () if partial else box.items("volumeMounts"):
            if isinstance(node, Table) and (name := node.scalar("name")) and name.text not in known:
                yield name.text, name.place

    def _asked(self, box: Table) -> Iterator[Asked]:
        """Yield the ports at which probes and services ask the container, from outside of it."""
        ports = [port for port in box.items("ports") if isinstance(port, Table)]
        named = {port.text("name"): port.text("containerPort") for port in ports}
        for key in _PROBES:
            for kind in ("httpGet", "tcpSocket", "grpc"):
                if port := box.scalar(key, kind, "port"):
                    host = box.text(key, kind, "host")
                    number = named.get(port.text, port.text)
                    if not host:
                        yield Asked(by=key, port=number, place=port.place)
        for table in self.services:
            if self._reaches(table, box):
                yield from self._by_service(table, named)

    def _by_service(self, table: Table, named: Mapping[str, str]) -> Iterator[Asked]:
        for port in table.items("spec", "ports"):
            if isinstance(port, Table):
                told = port.scalar("targetPort") or port.scalar("port")
                if told is not None:
                    number = named.get(told.text, told.text)
                    yield Asked(by="a Service", port=number, place=told.place)

    def _volumes(self, box: Table) -> Iterator[Volume]:
        """Yield what claims, and volumes of the pod itself, tell of what is mounted."""
        for node in (one for one in box.items("volumeMounts") if isinstance(one, Table)):
            own = (v for v in self.spec.items("volumes") if isinstance(v, Table))
            name, target = node.text("name"), node.text("mountPath")
            volume = next((v for v in own if v.text("name") == name), None)
            for spec in self._claims(name, volume):
                size = spec.scalar("resources", "requests", "storage") or spec.scalar("sizeLimit")
                kind, told = network(spec.text("storageClassName"), *spec.entries), 0
                with contextlib.suppress(ValueError):
                    told = int(quantity(size.text)) if size else 0
                place = size.place if size else spec.place
                yield Volume(target=target, place=place, size=told, network=kind)

    def _claims(self, name: str, volume: Table | None) -> Iterator[Table]:
        """Yield the specifications of what a mount names: a claim, a template, or the volume."""
        templates = self.owner.items("spec", "volumeClaimTemplates")
        claimed = volume.text("persistentVolumeClaim", "claimName") if volume else ""
        claims = self.beside.of("PersistentVolumeClaim") if claimed else []
        for table, wanted in (*((t, name) for t in templates), *((c, claimed) for c in claims)):
            if isinstance(table, Table) and wanted and table.text("metadata", "name") == wanted:
                yield table.table("spec")
        if volume is not None and not claimed:
            yield volume.table("emptyDir") if "emptyDir" in volume.entries else volume

    def _checks(self, box: Table) -> Iterator[tuple[tuple[str, ...], Place]]:
        for key in _PROBES:
            command = box.get(key, "exec", "command")
            if isinstance(command, Items):
                words = tuple(w.text for w in command.items if isinstance(w, Scalar))
                yield ("CMD", *words), command.place

    def _probes(self, box: Table) -> Iterator[tuple[str, Place]]:
        for key in _PROBES:
            if path := box.scalar(key, "httpGet", "path"):
                yield path.text, path.place

    def _exposed(self, box: Table) -> Iterator[Line]:
        """Yield the services and names that open this container's port beyond the cluster."""
        services = [table for table in self.services if self._reaches(table, box)]
        for service in (*services, *self._made(services, box)):
            opens = service.scalar("spec", "type")
            if opens is not None and opens.text in _OPENS and not _bounds_callers(service):
                place = replace(opens.place, key="spec.type")
                yield Line(section="service", name="type", value=opens.text, place=place)
        named = {(s.text("metadata", "name"), s.text("metadata", "namespace")) for s in services}
        yield from routes(self.beside.of(*LEADING), named) if named else ()

    def _made(self, known: Sequence[Table], box: Table) -> Iterator[Table]:
        """Yield the services of a chart for the port of the engine, where it makes the labels."""
        labels = self.pod.table("metadata", "labels").entries
        own = "templates" in PurePosixPath(self.pod.place.file).parts
        port = str(self.context.catalogue.at(self.engine.name).image.port)
        if labels or not own or port not in _port_names(box):
            return
        for table in self.beside.of("Service"):
            ports = [one for one in table.items("spec", "ports") if isinstance(one, Table)]
            asked = {one.text("targetPort") or one.text("port") for one in ports}
            if port in asked and table not in known:
                yield table

    @functools.cached_property
    def services(self) -> list[Table]:
        """The Services that select the pod."""
        return self.beside.selecting(self.pod.table("metadata", "labels"))

    def _reaches(self, service: Table, box: Table) -> bool:
        """Whether no other container of the pod has the port that a service is for."""
        targets = {
            port.text("targetPort") or port.text("port")
            for port in service.items("spec", "ports")
            if isinstance(port, Table)
        }
        others: set[str] = set()
        for other in self.spec.items("containers"):
            if isinstance(other, Table) and other is not box:
                others |= _port_names(other)
        return not targets or bool(targets & _port_names(box)) or not targets <= others


_CLAIM: Final = "claim"
_GIVES: Final = re.compile(r"\b(?:chown|chmod|setfacl|install|mkdir)\b")


def _gives(box: Node) -> Iterator[str]:
    """Yield the volumes that a container may give to somebody else."""
    words = [one for key in ("command", "args") for one in (
        box.items(key) if isinstance(box, Table) else ())]  # fmt: skip
    told = " ".join(one.text for one in words if isinstance(one, Scalar))
    if isinstance(box, Table) and (_GIVES.search(told) or ".sh" in told or not told):
        for mount in (one for one in box.items("volumeMounts") if isinstance(one, Table)):
            yield mount.text("name")


_HIDDEN: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)


def _decoded(data: Table) -> dict[str, Node]:
    """Return the entries of a Secret, of which the API wants base64; no fix writes that."""
    found: dict[str, Node] = {}
    for name, value in data.entries.items():
        if not isinstance(value, Scalar):
            continue
        with contextlib.suppress(ValueError):
            text = base64.b64decode("".join(value.text.split()), validate=True).decode()
            found[name] = replace(value, text=text, written="", quote="", kind="str")
    return found


_WORDS: Final = {"bool": "switch", "null": "gap"}


def _port_names(box: Table) -> set[str]:
    ports: list[Node] = list(box.items("ports"))
    texts = {
        text
        for port in ports
        if isinstance(port, Table)
        for text in (port.text("name"), port.text("containerPort"))
    }
    return texts - {""}


def _place_of_name(entry: Table) -> Place | None:
    name = entry.scalar("name")
    return name.place if name is not None else None
