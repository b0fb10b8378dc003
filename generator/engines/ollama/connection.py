"""The variables for where the server is on the host: its home, its address, its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.plan import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case
    from generator.plan import Group, Source


def connection(case: Case) -> Iterator[Setting]:
    """Yield them; a container expresses them by ports and mounts."""
    table, listen = case.profile.ollama, case.listen
    source: Source = "profile" if table.model_fields_set & {"host", "port"} else "default"
    keys, stored = "Where the server keeps its keys.", "Where models are stored."
    found: tuple[tuple[str, str | None, str, str, Group, Source], ...] = (
        ("HOME", case.home, keys, "service.home", "service", "profile"),
        (listen.variable, listen.address, listen.reason, "ollama.host", "server", source),
        ("OLLAMA_MODELS", table.models_dir, stored, "ollama.models_dir", "server", "profile"),
    )
    for name, value, reason, key, group, origin in found:
        if value:
            yield Setting(
                name=name,
                value=value,
                reason=reason,
                source=origin,
                group=group,
                key=key,
                scope="host",
            )
