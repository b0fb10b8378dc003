"""Compose files that stand in memory: the Views of them, and what Compose makes of them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from generator.catalogue.catalogue import load_catalogue
from generator.readers.base import Context, Source
from generator.readers.compose.read import read
from generator.view import View
from tests.consumers import compose

MAIN = "compose.yaml"
UNSET = re.compile(r'level=warning msg="The \\".*\\" variable is not set')
FEW = settings(
    # Shrinking a batch costs a run of Compose for each step of hundreds.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def context(files: Mapping[str, str] | None = None, folder: str = "") -> Context:
    told = {f"{folder}{path}": text for path, text in (files or {}).items()}
    return Context(load_catalogue(), read=told.get)


def views(files: Mapping[str, str] | str, *paths: str) -> tuple[View, ...]:
    found = {MAIN: files} if isinstance(files, str) else dict(files)
    return read([Source(path, found[path]) for path in paths or (MAIN,)], context(found))


def one(files: Mapping[str, str] | str) -> View:
    (found,) = views(files)
    return found


def told(view: View) -> dict[str, str]:
    return {v.name: v.value for v in view.variables if not v.unresolved}


def limit(view: View, name: str) -> Any:
    bound = view.bound(name)
    return None if bound is None else "infinity" if bound.value is None else bound.value


def config(files: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the labels of service `s` in Compose's answer, and what it complains of."""
    with TemporaryDirectory(prefix="hostwright-") as name:
        for path, text in files.items():
            (Path(name) / path).write_text(text, encoding="utf-8", newline="")
        answer, complaints = compose._config(Path(name) / "compose.yaml")
    complaints = [line for line in complaints if not UNSET.search(line)]
    if complaints:
        return {}, complaints
    service = compose._undo_dollars(json.loads(answer))["services"]["s"]
    return service.get("labels") or service["environment"], []
