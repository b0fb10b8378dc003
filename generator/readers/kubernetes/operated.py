"""A pod that an operator makes of a resource of its own kind, as KServe does.

The template of the pod is the resource's own, without metadata, and laid over one that no file here
has: what it does not say is not missing. The command of that hands the arguments to a shell, which
reads each once more: `eval "exec … $@"`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from generator.readers.kubernetes.pods import Pod
from generator.readers.syntax.yaml_tree import Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.signs import Operated
    from generator.readers.kubernetes.beside import Beside
    from generator.readers.kubernetes.resources import Resources
    from generator.view import Place, View


class OperatedPod(Pod):
    """The pod that an operator makes of a resource, and the resources beside it."""

    def __init__(
        self, owner: Table, operated: Operated, beside: Beside, resources: Resources
    ) -> None:
        template = owner.table("spec", "template")
        super().__init__(owner, replace(template, entries={"spec": template}), beside, resources)
        self.operated = operated

    def views(self) -> Iterator[View]:
        """Yield the server, which is there though the resource says nothing of its container."""
        found = [*super().views()]
        if not found and self.owner.scalar("spec", "model", "uri") is not None:
            found = [self._view(replace(self.spec, entries={}, place=self.owner.place), ())]
        yield from found

    def _is_server(self, box: Table) -> bool:
        return box.text("name") == self.operated.container

    def _is_whole(self, box: Table) -> bool:  # noqa: ARG002 -- of every Pod
        return False

    def _told(self, box: Table) -> list[Scalar]:
        """Return what the server gets, as a shell reads it; another `command` as it stands."""
        if "command" in box.entries:
            return super()._told(box)
        return [*self._options(), *self._added(box), *self._given(box)]

    def _options(self) -> Iterator[Scalar]:
        for key, option in self.operated.options:
            found = self.owner.scalar("spec", *key.split("."))
            if found is not None:
                yield replace(found, text=option)
                yield found

    def _added(self, box: Table) -> Iterator[Scalar]:
        for entry in box.items("env"):
            if isinstance(entry, Table) and entry.text("name") == self.operated.more:
                yield from _words(entry.scalar("value"))

    def _given(self, box: Table) -> Iterator[Scalar]:
        for item in box.items("args"):
            yield from _words(item if isinstance(item, Scalar) else None)

    def _arguments(self, box: Table) -> Iterator[tuple[str, Place]]:
        for word in () if "command" in box.entries else self._told(box):
            yield word.text, replace(word.place, key="args")


def _words(said: Scalar | None) -> Iterator[Scalar]:
    """Yield the words that a shell makes of a text; one that it cannot read is one word."""
    if said is None:
        return
    try:
        several = shlex.split(said.text)
    except ValueError:
        several = [said.text]
    for text in several:
        whole = text == said.text
        yield said if whole else replace(said, text=text, written="")
