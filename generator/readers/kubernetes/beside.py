"""Resources beside the pods of some files, found by kind and name, and by what they select."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.syntax.yaml_tree import Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Beside:
    """The resources of some files; `bare` takes from a name what kustomize puts around it."""

    def __init__(self, tables: Sequence[Table], bare: Callable[[str], str]) -> None:
        self._bare = bare
        self._of_kind: dict[str, list[Table]] = {}
        for table in tables:
            self._of_kind.setdefault(table.text("kind"), []).append(table)
        self._named: dict[tuple[str, str], Table] = {}
        for kind in ("ConfigMap", "Secret"):
            for table in self.of(kind):
                self._named.setdefault((kind, bare(table.text("metadata", "name"))), table)
        self._by_label: dict[tuple[str, str] | None, list[int]] = {}
        for at, service in enumerate(self.of("Service")):
            self._by_label.setdefault(_first_label(service), []).append(at)

    def of(self, *kinds: str) -> list[Table]:
        """Return the resources of some kinds, one kind behind the other."""
        return [table for kind in kinds for table in self._of_kind.get(kind, ())]

    def data(self, kind: str, name: str) -> Table | None:
        """Return the ConfigMap or the Secret of a name."""
        return self._named.get((kind, self._bare(name)))

    def selecting(self, labels: Table) -> list[Table]:
        """Return the Services that select the pods with some labels."""
        keys = [None, *((name, labels.text(name)) for name in labels.entries)]
        found = {at for key in keys for at in self._by_label.get(key, ())}
        services = self.of("Service")
        return [services[at] for at in sorted(found) if _selects(services[at], labels)]


def _first_label(service: Table) -> tuple[str, str] | None:
    """Return one label that a pod of a Service has; None: any pod may be one."""
    wanted = service.table("spec", "selector")
    told = ((n, v.text) for n, v in wanted.entries.items() if isinstance(v, Scalar) and v.text)
    return next(told, None)


def _selects(service: Table, labels: Table) -> bool:
    wanted = service.table("spec", "selector").entries
    return bool(wanted) and all(
        isinstance(value, Scalar) and labels.text(key) == value.text
        for key, value in wanted.items()
    )
