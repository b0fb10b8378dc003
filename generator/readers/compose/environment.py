"""Variables of the services of a project: what sets them, and what is not at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.base import Context, Source
from generator.readers.beside import missing
from generator.readers.compose.container import all_words
from generator.readers.compose.project import Loader, Project, files_of, joined
from generator.readers.environment.dotenv import asked_in, is_dead, unpassed, variables_of
from generator.readers.environment.read import container_file
from generator.readers.given import given_by
from generator.readers.layers import Said, overruled
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.records import replace
from generator.view import Line, NotJudged, Overruled, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.dockerfile.built import Built


class Environment:
    """The variables of the services of a project, at the `place` of its first file."""

    def __init__(self, project: Project, loader: Loader, context: Context, place: str) -> None:
        self.project, self.loader, self.context, self.place = project, loader, context, place
        self.engine = context.engine

    def variables(
        self, name: str, service: Table, built: Built | None
    ) -> list[tuple[Variable, str]]:
        """Return what sets variables of a service, each with its file; of each the last counts."""
        node = service.get("environment")
        if isinstance(node, Scalar) and node.kind == "null":
            place = service.place_of("environment")
            message = f"`services.{name}.environment` is empty, which Compose refuses"
            self.loader.fail_at(place, message, "take the key out, or write variables below it")
        below = [(one, one.place.file) for one in (built.variables if built else ())]
        told = all_words(service)
        by_command = ((one, one.place.file) for one in given_by(told, self.engine))
        return [*below, *self._from_files(service), *self._own(name, service), *by_command]

    def around(self) -> tuple[Overruled, ...]:
        """Return what the `.env` of the project says twice of the engine."""
        file = joined(self.place, ".env")
        entries = self.loader.variables(file, {})
        ours = (e for e in entries if e.name.startswith(self.engine.prefixes) and e.value)
        every = (Said(e.name, e.value or "", Place(file, e.line, e.name), file) for e in ours)
        return overruled(every, {})

    def unpassed(self) -> Iterator[Line]:
        """Yield what stands in the `.env` of the project, and reaches nothing."""
        path = joined(self.place, ".env")
        source = Source(path, self.context.read(path) or "")
        if self.context.order is None:
            yield from unpassed(source, variables_of(source), self.context)

    def _own(self, name: str, service: Table) -> Iterator[tuple[Variable, str]]:
        """Yield what `environment` sets: of each variable what counts, last."""
        for key, node in service.table("environment").entries.items():
            if isinstance(node, Scalar):
                for each in (*self.loader.said_before.get(id(node), ()), node):
                    yield self._variable(name, key, each), each.place.file

    def _variable(self, name: str, key: str, node: Scalar) -> Variable:
        passed = node.kind == "null"
        value = self.project.around.get(key) if passed else node.text
        return Variable(
            name=key,
            value=value or "",
            place=replace(node.place, key=f"services.{name}.environment.{key}"),
            written="" if passed else node.replaceable,
            unresolved=value is None or not node.explicit,
        )

    def _from_files(self, service: Table) -> Iterator[tuple[Variable, str]]:
        """Yield what the files of `env_file` set, beside the file that names each."""
        for named in files_of(service):
            path = named.path
            file = joined(path.place.file, path.text)
            if named.raw and path.explicit:
                source = Source(file, self.context.read(file) or "")
                yield from ((one, path.place.file) for one in container_file(source))
            if named.raw or not path.explicit:
                continue
            asked = asked_in(self.context.read(path.place.file) or "")
            for entry in self.loader.variables(file, self.project.around):
                filled_in = entry.name in asked and is_dead(entry.name, self.context)
                variable = Variable(
                    name=entry.name,
                    value=entry.value or "",
                    place=Place(file, entry.line, entry.name),
                    written=entry.written,
                    unresolved=entry.value is None,
                    reach="client" if filled_in else "server",
                )
                yield variable, path.place.file

    def gaps(self, service: Table) -> Iterator[NotJudged]:
        """Yield the files of variables that are not at hand."""
        for named in files_of(service):
            path = named.path
            if not path.explicit or self.loader.read(joined(path.place.file, path.text)) is None:
                gap = missing(f"env_file: {path.written or path.text}", path.place)
                optional = "it is optional and not at hand; where there is one, what it sets wins"
                reason = optional if named.optional else gap.reason
                yield replace(gap, reason=reason, variables=not named.optional)
