"""Gateways of a project that stand before a server, and what their health checks ask of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.compose.container import reference, texts_of
from generator.readers.compose.project import Project, joined
from generator.readers.syntax.yaml_tree import Items, Scalar
from generator.records import replace
from generator.view import ASKS_ALL, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context

_GATEWAY: Final = re.compile(r"(?:.*/)?litellm(?:[-_](?:database|non_root))?")
_HEALTH: Final = re.compile(r"https?://[^\s/\"']+/health/?(?=[\s\"'\\)|;]|$)")
_CACHED: Final = re.compile(r"(?m)^[ \t]+background_health_checks:[ \t]*[Tt]rue\b")


def asks_all(project: Project, context: Context, *, serves: bool) -> Iterator[Line]:
    """Yield the health checks of LiteLLM that have it ask every model, of which some are ours."""
    for name, service in project.services.items():
        repository = image_name(reference(service, project.around)).repository
        test = service.table("healthcheck").get("test")
        if test is None or not _GATEWAY.fullmatch(repository):
            continue
        words = test.items if isinstance(test, Items) else (test,)
        told = " ".join(one.text for one in words if isinstance(one, Scalar))
        if not _HEALTH.search(told):
            continue
        files = [text.split(":")[0] for text in texts_of(service.items("volumes"))]
        texts = [context.read(joined(service.place.file, f)) or "" for f in files if ".y" in f]
        ours = serves or any(context.engine.name in text for text in texts)
        if ours and not any(_CACHED.search(text) for text in texts):
            place = service.table("healthcheck").place_of("test")
            key = f"services.{name}.healthcheck.test"
            yield Line(section=ASKS_ALL, name=name, value=told, place=replace(place, key=key))
