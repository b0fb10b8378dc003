"""Resources beside the pods of some files, found by kind and name, and by what they select."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DATA: Final = ("data", "stringData", "binaryData")


class Beside:
    """The resources of some files; `bare` takes from a name what kustomize puts around it."""

    def __init__(self, tables: Sequence[Table], bare: Callable[[str], str]) -> None:
        self._bare = bare
        self._of_kind: dict[str, list[Table]] = {}
        for table in tables:
            self._of_kind.setdefault(table.text("kind"), []).append(table)
        self._named: dict[tuple[str, str], Table] = {}
        self._twice: set[tuple[str, str]] = set()
        for kind in ("ConfigMap", "Secret"):
            for table in self.of(kind):
                named = kind, bare(table.text("metadata", "name"))
                if self._named.setdefault(named, table) is not table:
                    self._twice.add(named)
        self._by_label: dict[tuple[str, str] | None, list[int]] = {}
        for at, service in enumerate(self.of("Service")):
            self._by_label.setdefault(_first_label(service), []).append(at)

    def of(self, *kinds: str) -> list[Table]:
        """Return the resources of some kinds, one kind behind the other."""
        return [table for kind in kinds for table in self._of_kind.get(kind, ())]

    def data(self, kind: str, name: str) -> Table | None:
        """Return the ConfigMap or the Secret of a name."""
        return self._named.get((kind, self._bare(name)))

    def lacks(self, kind: str, name: str, key: str, namespace: str) -> bool:
        """Return whether a ConfigMap or a Secret is there without a key, and has all that it says.

        What is generated, empty, annotated or there twice may get keys of somebody else.
        """
        found = self.data(kind, name)
        if found is None or not name or (kind, self._bare(name)) in self._twice:
            return False
        own = found.text("metadata", "namespace")
        parts = [found.table(part).entries for part in _DATA]
        if not key or not any(parts) or any(key in part for part in parts):
            return False
        told = (one for part in parts for one in part)
        left_open = any("{" in one or "$" in one for one in (key, name, *told))
        elsewhere = namespace and own and namespace != own
        more = left_open or elsewhere or found.table("metadata", "annotations").entries
        return bool(found.text("apiVersion")) and not more

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
