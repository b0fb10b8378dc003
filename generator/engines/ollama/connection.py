"""The variables that tell the server of its place on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.plan import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case
    from generator.plan import Group, Source


def connection(case: Case) -> Iterator[Setting]:
    """Yield them; a container expresses them by ports and mounts."""
    table = case.profile.ollama
    if case.home:
        yield _of_host(
            "HOME", case.home, "Where the server keeps its keys.", "service.home", "service"
        )
    told: Source = "profile" if table.model_fields_set & {"host", "port"} else "default"
    yield _of_host(
        case.listen.variable, case.listen.address, case.listen.reason, "ollama.host", source=told
    )
    if table.models_dir:
        where, reason = "ollama.models_dir", "Where models are stored."
        yield _of_host("OLLAMA_MODELS", table.models_dir, reason, where)


def _of_host(
    name: str,
    value: str,
    reason: str,
    key: str,
    group: Group = "server",
    source: Source = "profile",
) -> Setting:
    return Setting(
        name=name, value=value, reason=reason, source=source, group=group, key=key, scope="host"
    )
