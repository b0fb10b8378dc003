"""Resources of Kubernetes, as kustomize puts them together: bases, patches, generators, images."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.helm.merge import laid_over
from generator.readers.kubernetes.images import with_images
from generator.readers.kubernetes.patches import Patch, merged, same
from generator.readers.kubernetes.replacements import replaced
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all
from generator.view import NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEPEST: Final = 5
_MOST: Final = 200
_GENERATORS: Final = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_SERVICE: Final = re.compile(r"(?m)^kind:[ \t]*Service[ \t]*\r?$")
_TEMPLATE: Final = re.compile(
    r"\{\{-?\s{0,9}(?:\$?\.(?:Values|Chart|Release)\b|include\b|template\b)"
)
_PAIR: Final = re.compile(r"([^=\s][^=]*)=(.*)", re.DOTALL)


@dataclasses.dataclass(slots=True)
class Resources:
    """What a directory holds: resources, as the kustomizations among the files change them.

    `filled` is what templates of a chart leave open, `patches` are for resources that are not at
    hand, `own` the files of the directory itself, `affixes` what kustomizations put before and
    behind names, `labels` whether they add labels.
    """

    context: Context
    found: list[Table] = dataclasses.field(default_factory=list)
    patches: list[Table] = dataclasses.field(default_factory=list)
    gaps: list[NotJudged] = dataclasses.field(default_factory=list)
    filled: list[NotJudged] = dataclasses.field(default_factory=list)
    seen: set[str] = dataclasses.field(default_factory=set)
    further: set[str] = dataclasses.field(default_factory=set)
    errors: list[ProfileError] = dataclasses.field(default_factory=list)
    own: dict[str, Source] = dataclasses.field(default_factory=dict)
    affixes: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    labels: bool = False

    def load(self, sources: Sequence[Source]) -> None:
        """Read the files, and those that a kustomization among them names."""
        self.own = {posixpath.normpath(source.path): source for source in sources}
        documents = {source.path: self._documents(source) for source in sources}
        self.seen |= set(self.own)
        custom = [
            (table, path)
            for path, tables in documents.items()
            for table in tables
            if posixpath.basename(path) in NAMES or is_kustomization(table)
        ]
        apart = {path for table, by in custom for path in _patch_files(table, by)}
        kept = {id(table) for table, _ in custom}
        for path, tables in documents.items():
            if posixpath.normpath(path) not in apart:
                self.found += (t for one in tables if id(one) not in kept for t in _listed(one))
        self.found += self._services_of_charts(sources)
        for table, path in custom:
            self._kustomize(table, path, 0)

    def _services_of_charts(self, sources: Sequence[Source]) -> Iterator[Table]:
        """Yield the services that a chart makes beside a workload, which name no engine."""
        folders = {posixpath.dirname(s.path): s.path for s in sources if "{{" in s.text}
        for folder, path in folders.items():
            listed = self.context.listed(path) if folder.endswith("templates") else ()
            for other in sorted(one for one in listed if posixpath.normpath(one) not in self.own):
                text = self.context.read(other) or "" if other.endswith((".yaml", ".yml")) else ""
                if _SERVICE.search(text):
                    yield from self._quietly(Source(other, text))

    def _quietly(self, source: Source) -> Iterator[Table]:
        """Yield the services of a file that is not judged itself."""
        kept = len(self.filled)
        try:
            nodes = self._of_chart(source) or parse_all(source)
        except ProfileError:
            nodes = []
        del self.filled[kept:]
        for node in nodes:
            if isinstance(node, Table) and node.text("kind") == "Service":
                yield node

    def _documents(self, source: Source) -> list[Table]:
        """Return the documents of a file; one that cannot be read stops no other."""
        return [node for node in self._nodes(source) if isinstance(node, Table)]

    def _nodes(self, source: Source) -> list[Node]:
        try:
            return self._of_chart(source) or nodes_of(source)
        except ProfileError as error:
            self.errors.append(error)
            self.gaps += (
                NotJudged(file=source.path, reason=problem.message, hint=problem.hint)
                for problem in error.problems[:1]
            )
            return []

    def _of_chart(self, source: Source) -> list[Node]:
        """Return what a template of a chart becomes; nothing where it is none, or no YAML then."""
        # In quotes alone an expression leaves it a manifest.
        if not _TEMPLATE.search(source.text):
            return []
        from generator.readers.kubernetes.templates import manifest  # Few files are of a chart.

        text, gap, filler = manifest(source, self.context)
        try:
            found = filler.nodes(parse_all(text))
        except ProfileError:
            return []
        self.filled.append(gap)
        return found

    def merged(self) -> list[Table]:
        """Return the resources, and the patches for which there are none."""
        return [*self.found, *self.patches]

    @property
    def is_whole(self) -> bool:
        """Whether all that the resources become is at hand, but for labels that are added."""
        return not (self.gaps or self.filled or self.patches)

    def bare(self, name: str) -> str:
        """Return a name without what kustomizations put before and behind it."""
        for before, behind in self.affixes:
            name = name.removeprefix(before).removesuffix(behind)
        return name

    def _kustomize(self, table: Table, path: str, depth: int, since: int | None = None) -> None:
        """Take in what a kustomization names, and change what it changes: all behind `since`."""
        first = (len(self.found) if depth else 0) if since is None else since
        for node in (n for key in ("resources", "bases") for n in table.items(key)):
            if isinstance(node, Scalar):
                self._further(_beside(path, node.text), node, depth)
        for node in table.items("components"):
            if isinstance(node, Scalar):
                self._further(_beside(path, node.text), node, depth, first)
        self._generate(table, path, first)
        self.labels |= bool(table.table("commonLabels").entries or table.items("labels"))
        self.affixes.append((table.text("namePrefix"), table.text("nameSuffix")))
        for patch in self._patches(table, path):
            self._lay_over(patch, first)
        changes = [node for node in table.items("images") if isinstance(node, Table)]
        self.found[first:] = [with_images(one, changes) for one in self.found[first:]]
        for node in table.items("replacements"):
            self._replace(node, path, first)
        for key in ("vars", "transformers"):
            if table.items(key):
                self._not_put_in_place(table.place_of(key))

    def _replace(self, node: Node, path: str, first: int) -> None:
        """Put a value of one resource into others, or take note that it finds no place."""
        file = _file_of(node) if isinstance(node, Table) else ""
        told = self._read(_beside(path, file)) if file else [node]
        entries = [
            one for part in told for one in (part.items if isinstance(part, Items) else (part,))
        ]
        try:
            for one in entries:
                if not isinstance(one, Table):
                    raise LookupError(file)
                self.found[first:] = replaced(self.found[first:], one, self.bare)
        except LookupError:
            self._not_put_in_place(node.place)

    def _generate(self, table: Table, path: str, first: int) -> None:
        charts = [one for one in table.items("helmCharts") if isinstance(one, Table)]
        self.found += (self._release(one, path) for one in charts)
        for key, kind in _GENERATORS.items():
            for node in table.items(key):
                if isinstance(node, Table):
                    self._add(self._generated(node, kind, path), node.text("behavior"), first)

    def _add(self, made: Table, behaviour: str, first: int) -> None:
        """Add what a generator makes, or lay it over what is there under its name."""
        for at, one in enumerate(self.found):
            if at >= first and behaviour in {"merge", "replace"} and same(one, made, self.bare):
                self.found[at] = made if behaviour == "replace" else merged(one, made)
                return
        self.found.append(made)

    def _lay_over(self, patch: Patch, first: int) -> None:
        """Lay a patch over the resources that it is for; one for none stands for itself."""
        hit = False
        kept: list[Table] = []
        for table in self.found[first:]:
            result: Table | None = table
            if patch.meets(table, self.bare):
                hit = True
                try:
                    result = patch.applied(table)
                except LookupError:
                    self._not_put_in_place(patch.place)
            kept += [result] if result is not None else []
        self.found[first:] = kept
        if not hit and patch.over is not None:
            self.patches.append(patch.over)
        elif not hit and not self.found[first:]:
            self._not_put_in_place(patch.place)

    def _patches(self, table: Table, path: str) -> Iterator[Patch]:
        """Yield the patches of a kustomization in its order."""
        listed = (table.items(key) for key in ("patchesStrategicMerge", "patches"))
        for node in (*(n for nodes in listed for n in nodes), *table.items("patchesJson6902")):
            target = node.table("target") if isinstance(node, Table) else None
            target = target if target is not None and target.entries else None
            file = _file_of(node)
            nodes = self._read(_beside(path, file)) if file else _inline(node)
            if not nodes:
                self._not_put_in_place(node.place)
            for one in nodes:
                if isinstance(one, Table):
                    yield Patch(one.place, over=one, target=target)
                elif isinstance(one, Items):
                    yield Patch(one.place, operations=one.items, target=target)

    def deployed_by(self, spec: Table) -> None:
        """Change the resources as a Kustomization of Flux says that deploys them.

        A patch for none of them is for what is not at hand.
        """
        for patch in self._patches(spec, spec.place.file):
            if any(patch.meets(table, self.bare) for table in self.found):
                self._lay_over(patch, 0)
        changes = [node for node in spec.items("images") if isinstance(node, Table)]
        self.found = [with_images(table, changes) for table in self.found]

    def rendered_after(self, release: Table) -> list[Table]:
        """Return the patches of a release of Flux, each of which stands for itself."""
        found: list[Table] = []
        for one in release.items("spec", "postRenderers"):
            kustomize = one.table("kustomize") if isinstance(one, Table) else Table({}, one.place)
            for patch in self._patches(kustomize, kustomize.place.file):
                if patch.over is not None:
                    found.append(patch.over)
                else:  # What the chart makes is not at hand.
                    self._not_put_in_place(patch.place)
        return found

    def _not_put_in_place(self, place: Place) -> None:
        """Take note of a patch that finds no place, or that is not at hand."""
        reason = "a patch that finds nothing at its path, or is not at hand, is not put in place"
        hint = "check what `kubectl kustomize` prints"
        self.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part="a patch")
        )

    def _further(self, path: str, node: Scalar, depth: int, since: int | None = None) -> None:
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
                    self._kustomize(table, inner, depth + 1, since)
                return
        self._lost(node, "a resource")

    def _lost(self, node: Scalar, part: str) -> None:
        """Take note of a file that is named and not at hand."""
        reason, hint = f"`{node.text}` is not at hand", "check what `kubectl kustomize` prints"
        place = node.place
        self.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part=part)
        )

    def _read(self, path: str) -> list[Node]:
        source = self.own.get(path)
        text = source.text if source else self.context.read(path)
        return self._nodes(source or Source(path, text)) if text is not None else []

    def _generated(self, node: Table, kind: str, path: str) -> Table:
        """Return the ConfigMap or Secret that a generator makes."""
        entries = dict(self._entries(node, path))
        meta = Table({"name": Scalar(node.text("name"), node.place)}, node.place)
        data = Table(entries, node.place, {key: value.place for key, value in entries.items()})
        key = "data" if kind == "ConfigMap" else "stringData"  # Nothing here is in base64.
        top: dict[str, Node] = {"kind": Scalar(kind, node.place), "metadata": meta, key: data}
        return Table(top, node.place)

    def _entries(self, node: Table, path: str) -> Iterator[tuple[str, Node]]:
        for literal in node.items("literals"):
            if isinstance(literal, Scalar) and (pair := _PAIR.fullmatch(literal.text)):
                written = literal.written.partition("=")[2]
                value = pair[2].strip("\"'")
                yield pair[1], replace(literal, text=value, written=written, kind="str")
        for held in (one for one in node.items("files") if isinstance(one, Scalar)):
            name, _, given = held.text.rpartition("=")
            if (text := self._text_of(held, given, path, "data")) is not None:
                place = Place(_beside(path, given), 1)
                yield name or posixpath.basename(given), Scalar(text, place, written=text)
        several = (one for key in ("envs", "env") for one in node.items(key))
        for env in (one for one in several if isinstance(one, Scalar)):
            text = self._text_of(env, env.text, path, "variables") or ""
            for number, line in enumerate(text.split("\n"), 1):
                if pair := _PAIR.fullmatch(line.strip()):
                    place = Place(_beside(path, env.text), number)
                    yield pair[1], Scalar(pair[2], place, written=pair[2])

    def _text_of(self, node: Scalar, name: str, path: str, part: str) -> str | None:
        """Return the text of a file that a generator takes in, of which it may be told."""
        text = self.context.read(_beside(path, name))
        if text is None:
            self._lost(node, part)
        return text

    def _release(self, chart: Table, path: str) -> Table:
        """Return what an entry of `helmCharts` deploys, as a HelmRelease would say it."""

        def table(**entries: Node | None) -> Table:
            return Table({k: node for k, node in entries.items() if node is not None}, chart.place)

        values = chart.get("valuesInline")
        for node in (*chart.items("additionalValuesFiles"), *chart.items("valuesFile")):
            file = node if isinstance(node, Scalar) else Scalar("", chart.place)
            found = self._read(_beside(path, file.text))
            if not found:
                self._lost(file, "values")
            for below in found:
                values = laid_over(below, values)
        named = table(spec=table(chart=chart.get("name")))
        kind = Scalar("HelmRelease", chart.place)
        metadata = table(name=chart.get("releaseName") or chart.get("name"))
        spec = table(chart=named, values=values)
        return table(kind=kind, metadata=metadata, spec=spec)


def documents_of(source: Source) -> list[Table]:
    """Return the mappings of a file; a template that is still to be filled in says nothing."""
    return [node for node in nodes_of(source) if isinstance(node, Table)]


def nodes_of(source: Source) -> list[Node]:
    """Return the documents of a file, whatever their form; of a template as `documents_of`."""
    try:
        return parse_all(source)
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
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements"):
        yield from (_beside(path, file) for n in table.items(key) if (file := _file_of(n)))


def _file_of(node: Node) -> str:
    """Return the file that an entry of patches names; empty: the patch stands there itself."""
    if isinstance(node, Table):
        return node.text("path")
    return node.text if isinstance(node, Scalar) and "\n" not in node.text else ""


def _inline(node: Node) -> list[Node]:
    """Return the documents of a patch that stands in the kustomization itself, or in a release."""
    if isinstance(node, Table) and node.text("kind"):
        return [node]  # Flux has it as it is, and kustomize as text.
    text = node.scalar("patch") if isinstance(node, Table) else node
    if not isinstance(text, Scalar):
        return []
    padded = "\n" * (text.starts - 1) + text.text
    try:
        return nodes_of(Source(text.place.file, padded))
    except ProfileError:
        return []


def _beside(path: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))


def _listed(table: Table) -> Iterable[Table]:
    """Return the resources of a List, or the one that a document is."""
    if table.text("kind") != "List":
        return (table,)
    return [item for item in table.items("items") if isinstance(item, Table)]
