"""Views of Compose files that stand in memory."""

from collections.abc import Mapping
from typing import Any

from generator.catalogue.catalogue import load_catalogue
from generator.readers.base import Context, Source
from generator.readers.compose.read import read
from generator.view import View

MAIN = "compose.yaml"


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
