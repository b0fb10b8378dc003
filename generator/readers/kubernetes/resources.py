"""Resources of Kubernetes, as kustomize puts them together: bases, patches, generators, images."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all
from generator.view import NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_BY_KEY: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
}
_DEEPEST: Final = 5
_MOST: Final = 200
_GENERATORS: Final = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_PAIR: Final = re.compile(r"([^=\s][^=]*)=(.*)", re.DOTALL)


@dataclasses.dataclass(slots=True)
class Resources:
    """What a directory holds: resources, what patches them, and the images that replace theirs."""

    context: Context
    found: list[Table] = dataclasses.field(default_factory=list)
    patches: list[Table] = dataclasses.field(default_factory=list)
    images: dict[str, Table] = dataclasses.field(default_factory=dict)
    gaps: list[NotJudged] = dataclasses.field(default_factory=list)
    seen: set[str] = dataclasses.field(default_factory=set)
    further: set[str] = dataclasses.field(default_factory=set)
    errors: list[ProfileError] = dataclasses.field(default_factory=list)

    def load(self, sources: Sequence[Source]) -> None:
        """Read the files, and those that a kustomization among them names."""
        documents = {source.path: self._documents(source) for source in sources}
        custom = [path for path in documents if posixpath.basename(path) in NAMES]
        self.seen |= {posixpath.normpath(path) for path in documents}
        patches = {
            path
            for each in custom
            for table in documents[each]
            for path in _patch_files(table, each)
        }
        for path, tables in documents.items():
            if not tables and posixpath.normpath(path) in patches:
                self._not_put_in_place(Place(path, 1))
            for table in tables:
                if path in custom or is_kustomization(table):
                    self._kustomize(table, path, 0)
                elif posixpath.normpath(path) in patches:
                    self.patches.append(table)
                else:
                    self.found += _listed(table)

    def _documents(self, source: Source) -> list[Table]:
        """Return the documents of a file; one that cannot be read stops no other."""
        try:
            return documents_of(source)
        except ProfileError as error:
            self.errors.append(error)
            self.gaps += (
                NotJudged(file=source.path, reason=problem.message, hint=problem.hint)
                for problem in error.problems[:1]
            )
            return []

    def merged(self) -> list[Table]:
        """Return the resources with their patches."""
        return [self._patched(table) for table in self.found] + [
            patch for patch in self.patches if not any(_same(patch, one) for one in self.found)
        ]

    def _patched(self, table: Table) -> Table:
        for patch in self.patches:
            if _same(patch, table):
                table = merged(table, patch)
        return table

    def _kustomize(self, table: Table, path: str, depth: int) -> None:
        for node in (n for key in ("resources", "bases", "components") for n in table.items(key)):
            if isinstance(node, Scalar):
                self._further(_beside(path, node.text), node, depth)
        for node in table.items("images"):
            if isinstance(node, Table):
                self.images[node.text("name")] = node
        self._patches(table, path)
        self.found += (_release(one) for one in table.items("helmCharts") if isinstance(one, Table))
        for key, kind in _GENERATORS.items():
            for node in table.items(key):
                if isinstance(node, Table):
                    self.found.append(self._generated(node, kind, path))

    def _patches(self, table: Table, path: str) -> None:
        for file in _patch_files(table, path):
            found = [] if file in self.seen else self._read(file)
            self.patches += found
            if not found and file not in self.seen:
                self._not_put_in_place(Place(path, table.place_of("patches").line))
        for node in table.items("patchesJson6902"):
            self._not_put_in_place(node.place)
        for node in (*table.items("patches"), *table.items("patchesStrategicMerge")):
            self._inline(node)

    def _inline(self, node: Node) -> None:
        """Take in a patch that stands in the kustomization itself."""
        text = node.scalar("patch") if isinstance(node, Table) else node
        if not isinstance(text, Scalar) or "\n" not in text.text:
            return
        padded = "\n" * (text.starts - 1) + text.text
        try:
            tables = documents_of(Source(text.place.file, padded))
        except ProfileError:
            tables = []
        if not tables:
            self._not_put_in_place(text.place)
        self.patches += tables

    def _not_put_in_place(self, place: Place) -> None:
        """Take note of a patch by operations, or of one that is not at hand."""
        reason = "a patch by operations, or one that is not at hand, is not put in place here"
        hint = "check what `kubectl kustomize` prints"
        self.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part="a patch")
        )

    def _further(self, path: str, node: Scalar, depth: int) -> None:
        """Read a file or a directory that a kustomization names, each once."""
        if path in self.seen or depth > _DEEPEST or len(self.seen) > _MOST:
            return
        self.seen.add(path)
        self.further.add(path)
        if (text := self.context.read(path)) is not None:
            for table in self._documents(Source(path, text)):
                self.found += _listed(table)
            return
        for name in NAMES:
            inner = posixpath.join(path, name)
            if (text := self.context.read(inner)) is not None:
                self.further.add(inner)
                for table in self._documents(Source(inner, text)):
                    self._kustomize(table, inner, depth + 1)
                return
        reason = f"`{node.text}` is not at hand"
        hint = "check what `kubectl kustomize` prints"
        place = node.place
        self.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part="a resource")
        )

    def _read(self, path: str) -> list[Table]:
        text = self.context.read(path)
        return self._documents(Source(path, text)) if text is not None else []

    def _generated(self, node: Table, kind: str, path: str) -> Table:
        """Return the ConfigMap or Secret that a generator makes."""
        entries: dict[str, Node] = {}
        for literal in node.items("literals"):
            if isinstance(literal, Scalar) and (pair := _PAIR.fullmatch(literal.text)):
                written = literal.written.partition("=")[2]
                value = pair[2].strip("\"'")
                entries[pair[1]] = replace(literal, text=value, written=written, kind="str")
        for held in node.items("files"):
            name, _, given = held.text.rpartition("=") if isinstance(held, Scalar) else ("", "", "")
            text = self.context.read(_beside(path, given)) if given else None
            if text is not None:
                place = Place(_beside(path, given), 1)
                entries[name or posixpath.basename(given)] = Scalar(text, place, written=text)
        for env in (*node.items("envs"), *node.items("env")):
            if isinstance(env, Scalar):
                file = _beside(path, env.text)
                for number, line in enumerate((self.context.read(file) or "").split("\n"), 1):
                    if pair := _PAIR.fullmatch(line.strip()):
                        entries[pair[1]] = Scalar(pair[2], Place(file, number), written=pair[2])
        meta = Table({"name": Scalar(node.text("name"), node.place)}, node.place)
        data = Table(entries, node.place, {key: value.place for key, value in entries.items()})
        top: dict[str, Node] = {"kind": Scalar(kind, node.place), "metadata": meta, "data": data}
        return Table(top, node.place)


def _release(chart: Table) -> Table:
    """Return what an entry of `helmCharts` deploys, as a HelmRelease would say it."""

    def table(**entries: Node | None) -> Table:
        return Table({k: node for k, node in entries.items() if node is not None}, chart.place)

    named = table(spec=table(chart=chart.get("name")))
    kind = Scalar("HelmRelease", chart.place)
    metadata = table(name=chart.get("releaseName") or chart.get("name"))
    spec = table(chart=named, values=chart.get("valuesInline"))
    return table(kind=kind, metadata=metadata, spec=spec)


def documents_of(source: Source) -> list[Table]:
    """Return the mappings of a file; a template that is still to be filled in says nothing."""
    try:
        return [node for node in parse_all(source) if isinstance(node, Table)]
    except ProfileError:
        if "{{" not in source.text:
            raise
    hint = "render it first: `helm template`"
    problem = Problem("", "is a template that Helm fills in", hint, source.path)
    raise NeedsMore(source.path, (problem,))


def is_kustomization(table: Table) -> bool:
    """Return whether a document is one of kustomize, and not Flux's of that name."""
    return table.text("kind") == "Kustomization" and "config.k8s.io" in table.text("apiVersion")


def _patch_files(table: Table, path: str) -> Iterator[str]:
    for node in (*table.items("patches"), *table.items("patchesStrategicMerge")):
        file = node.text("path") if isinstance(node, Table) else getattr(node, "text", "")
        if file and "\n" not in file:
            yield _beside(path, file)


def _beside(path: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))


def _listed(table: Table) -> Iterable[Table]:
    """Return the resources of a List, or the one that a document is."""
    if table.text("kind") != "List":
        return (table,)
    return [item for item in table.items("items") if isinstance(item, Table)]


def _same(patch: Table, table: Table) -> bool:
    return patch.text("kind") == table.text("kind") and _name(patch) == _name(table)


def _name(table: Table) -> str:
    return table.text("metadata", "name")


def merged(base: Table, over: Table) -> Table:
    """Return `base` with a strategic merge patch laid over it."""
    entries, places = dict(base.entries), dict(base.places)
    for key, value in over.entries.items():
        old = entries.get(key)
        places[key] = over.place_of(key)
        if isinstance(value, Scalar) and value.kind == "null":
            entries.pop(key, None)
        elif isinstance(old, Table) and isinstance(value, Table):
            entries[key] = merged(old, value)
        elif isinstance(old, Items) and isinstance(value, Items) and key in _BY_KEY:
            entries[key] = _by_key(old, value, _BY_KEY[key])
        else:
            entries[key] = value
    return Table(entries, base.place, places)


def _by_key(old: Items, new: Items, key: str) -> Items:
    found: dict[str, Node] = {}
    for item in (*old.items, *new.items):
        name = item.text(key) if isinstance(item, Table) else ""
        before = found.get(name)
        if isinstance(before, Table) and isinstance(item, Table):
            # A value takes the place of where it came from, and the other way round.
            gone = {"value", "valueFrom"} & set(item.entries) if key == "name" else set()
            kept = {k: v for k, v in before.entries.items() if not (gone and k.startswith("value"))}
            found[name] = merged(replace(before, entries=kept), item)
        else:
            found[name] = item
    return Items(tuple(found.values()), new.place)
