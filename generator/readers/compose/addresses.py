"""What the services of a project are told to ask, wherever that is written.

That is their `environment`, their files of variables, and the samples of what is not at hand.
"""

from __future__ import annotations

import functools
import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.compose.project import files_of, joined
from generator.readers.compose.variables import parse_dotenv
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.base import Context
    from generator.readers.compose.project import Project

_ENDS: Final = (".example", ".sample", ".template", ".dist")
_ALSO: Final = ("env.example", "example.env", "sample.env")
_ONE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)(?::?-[^{}]*)?\}?")


class Addresses:
    """The variables of the services of a project, whose first file is at `place`."""

    def __init__(self, project: Project, place: str, context: Context) -> None:
        self.project, self.place, self.context = project, place, context

    def of(self, service: Table) -> dict[str, Scalar]:
        """Return the variables of a service; what nobody tells has no value."""
        found: dict[str, Scalar] = {}
        for named in files_of(service):
            if named.path.explicit and self._files.count(named.path.text) == 1:
                found |= self._in(joined(named.path.place.file, named.path.text))
        for key, node in service.table("environment").entries.items():
            if isinstance(node, Scalar):
                found[key] = self._told(key, node)
        return found

    @functools.cached_property
    def _files(self) -> list[str]:
        """The files of variables that services are given; what several have is not for all."""
        every = (files_of(service) for service in self.project.services.values())
        return [one.path.text for files in every for one in files]

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
        for name in _names(path):
            text = self.context.glance(name)
            if text is not None:
                return dict(_entries(name, text))
        return {}


def _names(path: str) -> Iterator[str]:
    """Yield the names of a file of variables, and of what may be a sample of it."""
    yield path
    yield from (f"{path}{end}" for end in _ENDS)
    if posixpath.basename(path) == ".env":
        yield from (posixpath.join(posixpath.dirname(path), name) for name in _ALSO)


def _entries(path: str, text: str) -> Iterator[tuple[str, Scalar]]:
    """Yield what a file of variables says; one that Compose would refuse says nothing."""
    try:
        entries = parse_dotenv(text, {})
    except ValueError:
        return
    for one in entries:
        if one.value is not None:
            yield one.name, Scalar(one.value, Place(path, one.line), written=one.written)
