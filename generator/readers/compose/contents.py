"""Files whose text stands in a project, below `configs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.embedded import embedded, with_gaps
from generator.readers.passed import uses_an_engine
from generator.readers.syntax.yaml_tree import Scalar, Table, plain
from generator.records import replace
from generator.view import NotJudged, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context
    from generator.readers.compose.project import Project


class Contents:
    """The files that stand in a project and are given to its services, each taken in once."""

    def __init__(self, project: Project, context: Context) -> None:
        self.project, self.context = project, context
        self.taken: set[str] = set()

    def with_files(self, server: View, service: Table) -> tuple[View, ...]:
        """Return a server, and what the files say that it is given by `configs`, each once."""
        found, gaps = [server], []
        for name, target, content in self._contents(service):
            at, line = content.place.file, content.starts
            views, unread = embedded(content.text, target, at, line, self.context)
            told = (server.release, server.release_told)
            found += [replace(v, release=told[0], release_told=told[1]) for v in views]
            gaps += unread
            if not views and not unread and uses_an_engine(content.text):
                part = f"configs.{name}.content"
                reason, hint = "it is of no kind that is checked", "check what it sets by hand"
                gaps.append(NotJudged(file=at, reason=reason, hint=hint, part=part, line=line))
        return with_gaps(found, gaps)

    def around(self) -> Iterator[View]:
        """Yield the proxies and what else stands around a server, by files of their `configs`."""
        for service in self.project.services.values():
            for name, target, content in self.given(service):
                if name not in self.taken:
                    self.taken.add(name)
                    at, line = content.place.file, content.starts
                    views, _ = embedded(content.text, target, at, line, self.context)
                    yield from (v for v in views if v.hops or v.gateway or v.watched)

    def _contents(self, service: Table) -> Iterator[tuple[str, str, Scalar]]:
        """Yield the files whose text stands in the project, each once."""
        for name, target, content in self.given(service):
            if name not in self.taken:
                self.taken.add(name)
                yield name, target, content

    def given(self, service: Table) -> Iterator[tuple[str, str, Scalar]]:
        """Yield the files that a service is given by their text: name, path in it, content."""
        for node in service.items("configs"):
            name = node.text("source") if isinstance(node, Table) else plain(node)
            target = (node.text("target") if isinstance(node, Table) else "") or f"/{name}"
            content = self.project.top.table("configs").scalar(name, "content")
            if content is not None:
                yield name, target, content
