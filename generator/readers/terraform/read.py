"""Terraform and OpenTofu: the servers that the resources of a module make, as its text tells.

Nothing is run: what a variable without a default, another module or the state would say is named.
"""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure, Problem
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.embedded import with_gaps
from generator.readers.helm.given import Given
from generator.readers.helm.merge import all_of
from generator.readers.helm.read import views_of_release
from generator.readers.helm.releases import Release, is_chart_of, values_in
from generator.readers.kubernetes.read import servers_of
from generator.readers.kubernetes.resources import documents_of
from generator.readers.passed import uses_an_engine
from generator.readers.syntax.applied import while_booting
from generator.readers.syntax.grammar import TooMuch, text_of
from generator.readers.syntax.hcl import Block, parser
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.templates import untold
from generator.readers.terraform import CLUSTER, ELSEWHERE
from generator.readers.terraform.boxes import boxes_of
from generator.readers.terraform.callers import ENDS, given_to
from generator.readers.terraform.cluster import manifest_of, with_names
from generator.readers.terraform.docker import not_literal, variables_of, view_of
from generator.readers.terraform.evaluate import MOST_STEPS, Module
from generator.readers.terraform.invokers import SERVICES, opened
from generator.readers.terraform.network import is_shut, opened_to_all
from generator.readers.terraform.texts import texts_of
from generator.view import CLOUD, SHUT, Line, NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import Phrases, Place, View

_TEXTS: Final = {"kubectl_manifest": "yaml_body", "kubernetes_manifest": "manifest"}
_HELD: Final = frozenset({"docker_image", "docker_registry_image", "docker_volume"})
"""What is there for others that run it."""
_BUILD: Final = "build"
"""The block of Packer with the provisioners of an image."""
_KEPT: Final = frozenset({"resource", "data", "module", _BUILD})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the servers that the files of one directory make.

    Raises ProfileError for what no parser reads, NeedsMore where nothing can be told, and
    EnvironmentFailure where nothing reads Terraform.
    """
    if parser() is None:
        hint = "pip install 'hostwright[terraform]'"
        raise EnvironmentFailure("nothing here reads Terraform", hint=hint)
    try:
        module = _module(sources, context)
        found = _Found(module, {source.path for source in sources}, context)
        found.all()
    except TooMuch:
        hint = "check what `terraform plan` prints"
        message = "is larger or deeper than any module that is read here"
        raise NeedsMore(sources[0].path, (Problem("", message, hint, sources[0].path),)) from None
    if found.gaps and not found.views:
        told = (Problem(f"line {g.line}", g.reason, g.hint, g.file) for g in found.gaps)
        raise NeedsMore(sources[0].path, tuple(told))
    views = _guarded(found.views, module, context)
    return with_gaps([*views, *_opened(found, module, context)], found.gaps)


def _opened(found: _Found, module: Module, context: Context) -> Iterator[View]:
    """Yield what lets everybody come to the port of a server."""
    if not context.engine.verbs:
        return
    port = context.catalogue.at(context.engine.name).image.port
    lines = tuple(opened_to_all(module, found.files, port))
    if lines:
        yield context.view(
            ELSEWHERE,
            context.release_for(),
            name=lines[0].name,
            place=lines[0].place,
            lines=lines,
            adds=True,
        )


def _guarded(views: list[View], module: Module, context: Context) -> list[View]:
    """Return Views with what of the module keeps others from the port of the server."""
    place = views[0].place if views else None
    port = context.catalogue.at(context.engine.name).image.port if place else 0
    if place is None or not is_shut(module, port):
        return views
    line = Line(section=SHUT, name=CLOUD, value=str(port), place=place)
    return [replace(view, lines=(*view.lines, line)) for view in views]


def _module(sources: Sequence[Source], context: Context) -> Module:
    """Return the module of the files, and of those that Terraform reads beside them."""
    given = {posixpath.normpath(source.path) for source in sources}
    beside = [p for p in context.listed(sources[0].path) if posixpath.normpath(p) not in given]
    others = [Source(path, context.read(path) or "") for path in beside if path.endswith(ENDS)]
    module = Module([*sources, *others], context)
    module.given = given_to(posixpath.dirname(sources[0].path), context)
    for path in beside:
        if path.endswith(".auto.tfvars") or posixpath.basename(path) == "terraform.tfvars":
            module.tell(Source(path, context.read(path) or ""))
    return module


def _type_of(block: Block) -> str:
    """Return the type of a resource; empty: it is none, and its label says nothing."""
    return block.labels[0] if block.kind in {"resource", "data"} else ""


def _as_there(made: Phrases) -> Phrases:
    """Return the phrase book of a resource, with what its manifest tells for sure."""
    return replace(CLUSTER, volumes_told=made.volumes_told, devices_told=made.devices_told)


class _Found:
    """What the resources of a module make; those of `files` are judged."""

    def __init__(self, module: Module, files: set[str], context: Context) -> None:
        self.module, self.context = module, context
        self.views: list[View] = []
        self.gaps: list[NotJudged] = []
        kept = [block for block in module.blocks if block.kind in _KEPT]
        every = [block for block in kept if block.labels or block.kind == _BUILD]
        self.own = [block for block in every if block.file in files]
        self.others = [block for block in every if block.file not in files]
        self.files = files
        self.built = self._built()

    def _built(self) -> set[str]:
        """Return the images that the module builds itself."""
        return {table.text("name") for table in self._images() if "build" in table.entries}

    def _images(self) -> list[Table]:
        images = [b for b in self.module.blocks if b.labels[:1] == ("docker_image",)]
        return [self.module.resource(block) for block in images]

    @functools.cached_property
    def _named(self) -> frozenset[Place]:
        """Where images have their names."""
        names = (one.scalar("name") for one in self._images())
        return frozenset(name.place for name in names if name is not None)

    def _with_name(self, view: View, table: Table) -> View:
        """Return a container that has an image by its id with the place of that image's name."""
        image = table.scalar("image")
        if view.container is None or image is None or image.place not in self._named:
            return view
        return replace(view, container=replace(view.container, named=image.place))

    def all(self) -> None:
        """Take in every block."""
        manifests = [(block, one) for block in self.own for one in self._manifests(block)]
        beside = [one for block in self.others for one in self._manifests(block)]
        made = {id(block) for block, _ in manifests}
        tables = [one for _, one in manifests]
        views, gaps = servers_of(tables, beside, self.context)
        self.views += (replace(v, phrases=_as_there(v.phrases), keys=()) for v in views)
        self.gaps += gaps
        for block in self.own:
            before = len(self.views) + len(self.gaps)
            runs = self._take(block)
            taken = id(block) in made or len(self.views) + len(self.gaps) > before
            if runs and not taken and self._matters(block):
                self._passed_over(block)
        if self.module.steps > MOST_STEPS:
            raise TooMuch
        for file in sorted(self.files):
            if line := self.module.faults.get(file, 0):
                reason, hint = "is no HCL", "see what `terraform validate` says"
                self.gaps.append(
                    NotJudged(file=file, line=line, part="a part of it", reason=reason, hint=hint)
                )

    def _manifests(self, block: Block) -> Iterator[Table]:
        """Yield the manifests of a resource."""
        kind = _type_of(block)
        if block.kind != "resource" or not kind.startswith(("kubernetes_", "kubectl_")):
            return
        table = self.module.resource(block)
        made = manifest_of(kind, table)
        told = table.get(_TEXTS.get(kind, ""))
        if made is not None:
            yield made
        elif isinstance(told, Table):
            yield with_names(told)
        elif isinstance(told, Scalar) and told.explicit:
            padded = "\n" * (told.starts - 1) + told.text
            yield from documents_of(Source(told.place.file, padded))
        elif told is not None and block in self.own and uses_an_engine(_plain(block)):
            self.gaps.append(not_literal(_TEXTS[kind], told.place))

    def _take(self, block: Block) -> bool:
        """Take in what a resource makes, and return whether it makes anything at all."""
        kind, table = _type_of(block), self.module.resource(block)
        if table.text("count") == "0" or kind in _HELD:
            self._turned_off(block, table)
            return False
        if kind == "helm_release":
            self._release(table)
        elif kind == "docker_container":
            found = view_of(table, block.labels[-1], self.built, self.context)
            self.views += [self._with_name(found, table)] if found else []
        elif kind and not kind.startswith(("kubernetes_", "kubectl_")):
            views, gaps = boxes_of(kind, table, self.context)
            self.views += opened(block, table, self.module, views) if kind in SERVICES else views
            self.gaps += gaps
        views, gaps = texts_of(table, self.context)
        # What is built starts all services with its first boot.
        self.views += map(while_booting, views) if block.kind == _BUILD else views
        self.gaps += gaps
        return True

    def _turned_off(self, block: Block, table: Table) -> None:
        """Name a server that a variable turns off: who sets another value gets one."""
        made = _type_of(block) == "docker_container" and table.text("count") == "0"
        if not made or _NEVER.search(_plain(block)):
            return
        if view_of(table, block.labels[-1], self.built, self.context):
            reason = "it is not made by the values at hand: its `count` is 0"
            self.gaps.append(_gap(block, reason, "check it with the values that turn it on"))

    def _release(self, table: Table) -> None:
        """Take in a release of a chart: its values, and what is set over them."""
        several = [told for node in table.items("values") if (told := self._values(node, table))]
        given = Given(all_of(several), table.place)
        for key in ("set", "set_sensitive", "set_list"):
            for pair in (one for one in table.items(key) if isinstance(one, Table)):
                self.gaps += _set(pair, key, given)
        chart, repository = table.text("chart"), "repository" in table.entries
        ours = is_chart_of(self.context.engine.name, chart, repository=repository)
        release = Release(given.table(), (), ours, of_files=False)
        self.views += map(untold, views_of_release(release, table.place, self.context))

    def _values(self, node: Node, table: Table) -> Table | None:
        """Return values that stand there as text, as an object, or in a file."""
        if isinstance(node, Table):
            return node
        found = None
        if isinstance(node, Scalar) and (node.explicit or "\n" in node.text):
            padded = "\n" * (node.starts - 1) + node.text
            found = values_in(Source(node.place.file, padded))
        if found is None and self.context.engine.name in table.text("chart"):
            self.gaps.append(not_literal("values", node.place))
        return found

    def _matters(self, block: Block) -> bool:
        """Whether a block that says nothing here may run the server all the same."""
        if _type_of(block) == "docker_container":
            table = self.module.resource(block)
            image = table.scalar("image")
            variables, _ = variables_of(table, "env")
            engine, untold = self.context.engine, image is None or not image.explicit
            names = {v.name for v in variables if v.name.startswith(engine.prefixes)}
            asks = {name for name in names if re.fullmatch(engine.application, name)}
            return untold and bool(names - asks - {engine.address})
        return uses_an_engine(_plain(block))

    def _passed_over(self, block: Block) -> None:
        """Name a block that uses the engine in a way that nobody reads here."""
        reason = "resources of this type are not read here"
        if block.kind == "module":
            reason = "what a module makes of this stands elsewhere"
        elif _type_of(block) == "helm_release":
            reason = "these are values of a chart that is not known here"
        self.gaps.append(_gap(block, reason, "check what `terraform plan` prints"))


def _gap(block: Block, reason: str, hint: str) -> NotJudged:
    """Return what is to be said of a block that is not judged."""
    part = " ".join((block.kind, *(f'"{label}"' for label in block.labels)))
    return NotJudged(file=block.file, line=block.line, part=part, reason=reason, hint=hint)


_NEVER: Final = re.compile(r"(?m)^\s*count\s*=\s*0\s*$")


def _plain(block: Block) -> str:
    return text_of(block.body) if block.body else ""


def _set(pair: Table, key: str, given: Given) -> Iterator[NotJudged]:
    """Put a value over the others; of a list that is not told, nobody knows the items."""
    name, value = pair.text("name"), pair.get("value")
    if isinstance(value, Items):
        given.put(name, value)
    elif isinstance(value, Scalar) and value.explicit:
        given.put_text(name, value.text, value.place, plain=pair.text("type") != "string")
    elif name and key == "set_list":
        yield not_literal(name, pair.place)
    elif name:
        place = value.place if value else pair.place
        given.put(name, Scalar("", place, explicit=False, shared=True))
