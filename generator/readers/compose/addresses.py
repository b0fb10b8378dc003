"""What the services of a project are told to ask, wherever that is written.

That is their `environment`, their files of variables, and the samples of what is not at hand.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from generator.readers.compose.project import files_of, joined
from generator.readers.compose.samples import told_beside
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.readers.base import Context
    from generator.readers.compose.project import Project

_ONE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)(?::?-[^{}]*)?\}?")


class Addresses:
    """The variables of the services of a project, whose first file is at `place`."""

    def __init__(self, project: Project, place: str, context: Context) -> None:
        self.project, self.place, self.context = project, place, context
        self._known: dict[int, Mapping[str, Scalar]] = {}

    def of(self, service: Table) -> Mapping[str, Scalar]:
        """Return the variables of a service; what nobody tells has no value."""
        if id(service) not in self._known:
            self._known[id(service)] = self._told_to(service)
        return self._known[id(service)]

    def _told_to(self, service: Table) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for named in files_of(service):
            if named.path.explicit and self._files[named.path.text] == 1:
                found |= self._in(joined(named.path.place.file, named.path.text))
        for key, node in service.table("environment").entries.items():
            if isinstance(node, Scalar):
                found[key] = self._told(key, node)
        return found

    @functools.cached_property
    def _files(self) -> Counter[str]:
        """How many services have each file of variables; what several have is not for all."""
        every = (files_of(service) for service in self.project.services.values())
        return Counter(one.path.text for files in every for one in files)

    def is_whole(self, service: Table) -> bool:
        """Return whether all files of variables of a service are at hand, or a sample of each."""
        paths = [one.path for one in files_of(service)]
        return all(p.explicit and self._in(joined(p.place.file, p.text)) for p in paths)

    def _told(self, key: str, node: Scalar) -> Scalar:
        """Return a value, that of the sample where the file itself leaves it to a `.env`."""
        if node.kind == "null":
            return self._sample.get(key, node)
        one = _ONE.fullmatch(node.written.strip("\"'"))
        return self._sample.get(one[1], node) if one else node

    @functools.cached_property
    def _sample(self) -> Mapping[str, Scalar]:
        """What the sample of a `.env` that is not at hand says beside the project."""
        path = joined(self.place, ".env")
        return {} if self.context.glance(path) is not None else self._in(path)

    def _in(self, path: str) -> dict[str, Scalar]:
        told = told_beside(path, self.context.glance)
        return {
            one.name: Scalar(one.value, Place(told.path, one.line), written=one.written)
            for one in told.entries
            if one.value is not None
        }
