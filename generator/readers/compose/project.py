"""A Compose project: its files merged, with what they include, extend and interpolate."""

from __future__ import annotations

import posixpath
from itertools import chain
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError, split_message
from generator.readers.base import Order, Source, problem_at, refused
from generator.readers.beside import missing
from generator.readers.compose.samples import images_told
from generator.readers.compose.variables import Entry, parse_dotenv, substitute
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all
from generator.records import dataclass, replace
from generator.view import NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Compose replaces these where a later file has them; all else is merged.
REPLACED: Final = frozenset({"command", "entrypoint", "test", "image"})
PAIRS: Final = frozenset({"environment", "labels", "sysctls", "annotations"})
DEEPEST: Final = 20
_MAKING: Final = frozenset({"image", "build", "extends", "provider"})
"""Keys that make a service; one without them adds to that of another file."""


def _makes(service: Table) -> bool:
    """Whether a service says of what it is; with arguments alone it adds to a build."""
    keys = service.entries.keys() & _MAKING
    return bool(keys - {"build"} or (keys and not only_adds(service)))


def only_adds(service: Table) -> bool:
    """Whether what a service says of its build is for that of another file: arguments."""
    return service.table("build").entries.keys() == {"args"}


@dataclass(frozen=True, slots=True)
class Project:
    """The document as a whole, its services with what they extend, and the variables around."""

    top: Table
    services: Mapping[str, Table]
    around: Mapping[str, str | None]


class Loader:
    """Reads a project through `read` and gathers every Problem on the way."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        self.read = read
        self.problems: list[Problem] = []
        self.gaps: list[NotJudged] = []
        self.cut = False
        """Whether a service extends one of which nobody knows what it says."""
        self.open: set[str] = set()
        """The services that extend one which is not at hand."""
        self.emptied: dict[str, list[tuple[str, Place]]] = {}
        """Empty lists of services that are laid over others, which take nothing away."""
        self.said_before: dict[int, list[Scalar]] = {}
        """What a list says of a variable before the entry with this `id`, which counts."""
        self._trees: dict[tuple[str, int], Table] = {}

    def load(
        self, sources: Sequence[Source], around: Mapping[str, str | None], depth: int = 0
    ) -> Project:
        """Return the project of some files, later ones laid over earlier ones."""
        top = Table({}, self._tree(sources[0], around).place)
        for source in sources:
            tree = self._tree(source, around)
            self._note_emptied(top.table("services"), tree.table("services"))
            top = merged(top, tree)
        self._refuse_conflicts(top.table("volumes"))
        services = dict(top.table("services").entries)
        for name, service in self._included(top, around, depth).items():
            services.setdefault(name, service)
        known = {name: s for name, s in services.items() if isinstance(s, Table)}
        return Project(
            top, {name: self._extended(name, known, around, ()) for name in known}, around
        )

    def _note_emptied(self, base: Table, over: Table) -> None:
        """Take note of the empty lists of services that another file makes, or has made."""
        for name, service in over.entries.items():
            made = name in base.entries
            if not isinstance(service, Table) or not (made or not _makes(service)):
                continue
            for key, node in service.entries.items():
                if isinstance(node, Items) and not (node.items or node.tag or key in REPLACED):
                    found = (key, service.place_of(key))
                    self.emptied.setdefault(name, []).append(found)

    def _refuse_conflicts(self, volumes: Table) -> None:
        """Take note of volumes that somebody else makes, and that are told how all the same."""
        for name, volume in volumes.entries.items():
            outside = volume.scalar("external") if isinstance(volume, Table) else None
            if isinstance(volume, Table) and outside is not None and outside.is_true:
                for key in volume.entries:
                    if key not in {"external", "name"} and not key.startswith("x-"):
                        message = f"`volumes.{name}` is external, and may have no `{key}`"
                        self.fail_at(volume.place_of(key), message, "leave one of the two out")

    def variables(self, path: str, around: Mapping[str, str | None]) -> tuple[Entry, ...]:
        """Return what a `.env` or `env_file` says; nothing where it is not there."""
        text = self.read(path)
        try:
            return () if text is None else parse_dotenv(text, around)
        except ValueError as error:
            message, hint = split_message(error)
            where, separator, rest = message.partition(": ")
            parts = (where, rest) if separator else ("", message)
            self.problems.append(Problem(*parts, hint, path))
            return ()

    def beside(self, path: str, around: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the variables of the `.env` beside a file, under those that are around."""
        found = self.variables(joined(path, ".env"), around)
        beside = {entry.name: entry.value for entry in found if entry.value is not None}
        return {**beside, **around}

    def ordered(self, order: Order) -> dict[str, str | None]:
        """Return the variables that a command sets, over those of the files that it names."""
        every = (self.variables(file, {}) for file in order.env_files)
        told = {entry.name: entry.value for entries in every for entry in entries}
        return {**told, **dict(order.variables)}

    def _around(
        self, files: Sequence[Scalar], around: Mapping[str, str | None]
    ) -> dict[str, str | None]:
        """Return what is around an included file that names files of variables itself."""
        every = (self.variables(joined(one.place.file, one.text), around) for one in files)
        told = {entry.name: entry.value for entries in every for entry in entries}
        return {**told, **around} if files else {}

    def fail_at(self, place: Place, message: str, hint: str) -> None:
        """Take note of a Problem of one line."""
        self.problems.append(problem_at(place, message, hint))

    def _tree(self, source: Source, around: Mapping[str, str | None]) -> Table:
        key = (source.path, id(around))
        if key not in self._trees:
            found = parse_all(source, lambda text: substitute(text, around.get))
            tree = Table({}, Place(source.path, 1))
            for document in found:
                if not isinstance(document, Table):
                    hint = "a Compose file has `services:` at its beginning"
                    raise refused(source.path, "line 1", "this is no Compose file", hint)
                # Further documents are laid over the first, as further files are.
                paired = self._paired(document)
                tree = merged(tree, paired) if tree.entries else paired
            self._trees[key] = tree
        return self._trees[key]

    def _paired(self, top: Table) -> Table:
        """Return the document with each service's lists of `KEY=value` as mappings."""
        found = top.get("services")
        if not isinstance(found, Table):
            place = top.place_of("services")
            if found is not None:
                self.fail_at(place, "`services` is no mapping", "write each service by its name")
            return top
        services = {name: self._service(name, service) for name, service in found.entries.items()}
        return replace(
            top,
            entries={**top.entries, "services": replace(top.table("services"), entries=services)},
        )

    def _service(self, name: str, service: Node) -> Node:
        if isinstance(service, Table):
            pairs = {
                key: self._pairs(f"services.{name}.{key}", service.entries[key])
                for key in sorted(PAIRS & set(service.entries))
            }
            return replace(service, entries={**service.entries, **pairs})
        if not isinstance(service, Scalar) or service.kind != "null":
            self.fail_at(service.place, f"the service `{name}` is no mapping", "write `image: …`")
        return Table({}, service.place)

    def _pairs(self, key: str, node: Node) -> Node:
        if not isinstance(node, Items):
            if isinstance(node, Table):
                for name, value in node.entries.items():
                    if not isinstance(value, Scalar):
                        self.fail_at(node.place_of(name), f"`{key}.{name}` is no value", "quote it")
            return node
        entries: dict[str, Node] = {}
        for item in node.items:
            if not isinstance(item, Scalar):
                hint = "write `- KEY=value`, or a mapping without the dashes"
                self.fail_at(item.place, f"an entry of `{key}` is no `KEY=value`", hint)
                continue
            name, value = _pair(item)
            before = entries.pop(name, None)
            if isinstance(before, Scalar):
                earlier = self.said_before.get(id(before), [])
                self.said_before[id(value)] = [*earlier, before]
            entries[name] = value
        places = {name: value.place for name, value in entries.items()}
        return Table(entries, node.place, places, node.tag)

    def _included(
        self, top: Table, around: Mapping[str, str | None], depth: int
    ) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for item in top.items("include") if depth < DEEPEST else ():
            paths = item.items("path") if isinstance(item, Table) else (item,)
            sources = [s for path in paths if (s := self._source(path)) is not None]
            if not sources:
                self.gaps.append(missing("include", item.place))
                continue
            named = files_of(item) if isinstance(item, Table) else ()
            files = [one.path for one in named if one.path.explicit]
            inner = self._around(files, around) or self.beside(sources[0].path, around)
            for name, service in self.load(sources, inner, depth + 1).services.items():
                found.setdefault(name, service)
        return found

    def _source(self, node: Node) -> Source | None:
        """Return the file that a path in a file names, None where it is not at hand."""
        if not isinstance(node, Scalar) or not node.explicit or not node.text:
            return None
        path = joined(node.place.file, node.text)
        text = self.read(path)
        return None if text is None else Source(path, text)

    def _extended(
        self,
        name: str,
        services: Mapping[str, Table],
        around: Mapping[str, str | None],
        chain: tuple[tuple[str, str], ...],
    ) -> Table:
        service = services[name]
        extends = service.get("extends")
        if extends is None:
            return service
        here = (service.place.file, name)
        if here in chain or len(chain) > DEEPEST:
            self.fail_at(service.place_of("extends"), "extends itself", "cut the circle")
            self.cut = True
            return service
        told = len(self.gaps)
        others, base = self._base(service, extends, services, around)
        if len(self.gaps) > told:
            self.open.add(chain[0][1] if chain else name)
        if base not in others:
            where = service.place_of("extends")
            self.fail_at(where, f"there is no service `{base}` to extend", "name one that is there")
            self.cut = True
            return service
        return merged(self._extended(base, others, around, (*chain, here)), service)

    def _base(
        self,
        service: Table,
        extends: Node,
        services: Mapping[str, Table],
        around: Mapping[str, str | None],
    ) -> tuple[Mapping[str, Table], str]:
        """Return the services among which the extended one is, and its name."""
        if not isinstance(extends, Table):
            return services, extends.text if isinstance(extends, Scalar) else ""
        file = extends.get("file")
        if file is None:
            return services, extends.text("service")
        source = self._source(file)
        if source is None:
            where = service.place_of("extends")
            self.gaps.append(
                NotJudged(
                    file=where.file,
                    line=where.line,
                    reason=f"`{extends.text('file')}` is not at hand",
                    hint="check where the file is at hand, or write the service out",
                    part="what a service extends",
                )
            )
            return {extends.text("service"): Table({}, service.place)}, extends.text("service")
        tables = self._tree(source, around).table("services").entries
        return {n: s for n, s in tables.items() if isinstance(s, Table)}, extends.text("service")


def load_project(
    sources: Sequence[Source],
    loader: Loader,
    order: Order | None = None,
    glance: Callable[[str], str | None] = lambda _: None,
) -> Project:
    """Return the project of `sources`, as `order` has it read where there is one.

    What fills an image in may be told by a sample, at which `glance` looks.
    Raises ProfileError with every Problem of all its files where they leave no service, or one of
    which a part is missing.
    """
    project = None
    try:
        around = loader.ordered(order) if order else {}
        if not (order and order.env_files):
            around = {**images_told(sources, glance), **loader.beside(sources[0].path, around)}
        project = loader.load(sources, around)
    except ProfileError as error:
        loader.problems += error.problems
    except RecursionError:
        loader.problems.append(Problem("", "is nested too deeply", "nothing needs that depth"))
    if project is None or loader.cut or (loader.problems and not project.services):
        raise ProfileError(sources[0].path, tuple(dict.fromkeys(loader.problems)))
    return project


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables that a service names: `raw` is taken as it stands, letter by letter.

    `optional`: nothing is wrong where it is not there.
    """

    path: Scalar
    raw: bool = False
    optional: bool = False


def files_of(table: Table) -> Iterator[EnvFile]:
    """Yield the files of `env_file`, in short form and in long."""
    for node in table.items("env_file"):
        path = node.scalar("path") if isinstance(node, Table) else node
        if isinstance(path, Scalar) and isinstance(node, Table):
            raw, needed = node.text("format") == "raw", node.text("required")
            yield EnvFile(path, raw, needed == "false")
        elif isinstance(path, Scalar):
            yield EnvFile(path)


def joined(file: str, path: str) -> str:
    """Return the path that `path` is, seen from the directory of `file`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def _pair(item: Scalar) -> tuple[str, Scalar]:
    """Take `KEY=value` apart; a lone `KEY` is a variable of whoever runs Compose."""
    name, equals, value = item.text.partition("=")
    written = item.written.partition("=")
    if not item.explicit:
        return written[0] or item.text, replace(item, text="", written=written[2])
    if not equals:
        return name, Scalar("", item.place, "null")
    return name, replace(item, text=value, written=written[2], kind="str")


def merged(base: Table, over: Table) -> Table:
    """Return `base` with `over` laid over it, as Compose merges files and extended services."""
    entries, places = dict(base.entries), dict(base.places)
    for key, value in over.entries.items():
        old = entries.get(key)
        places[key] = over.place_of(key)
        if value.tag == "!reset":
            entries.pop(key, None)
        elif old is None or value.tag == "!override" or key in REPLACED:
            entries[key] = value
        else:
            entries[key] = _merged_value(old, value)
    return Table(entries, over.place, places)


def _merged_value(old: Node, new: Node) -> Node:
    if isinstance(old, Table) and isinstance(new, Table):
        return merged(old, new)
    if isinstance(old, Items) or isinstance(new, Items):
        several = (one.items if isinstance(one, Items) else (one,) for one in (old, new))
        return Items(tuple(chain(*several)), new.place)
    return new
