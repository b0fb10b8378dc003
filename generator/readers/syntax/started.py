"""What a script starts beside the service of an engine: projects of Compose, and other units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.engines.signs import Signs as Engine

_COMPOSE_UP: Final = re.compile(
    r"\b(?:docker|podman)(?:-compose|[ ]compose)\b[^#;&|]{0,200}?\bup\b"
)
_ENABLES: Final = re.compile(
    r"\bsystemctl\s[^#;&|]{0,80}?\b(?:enable|start|restart)\b(?:\s+-[\w=-]+)*\s+([\w@.-]+)"
)


def started_beside(
    texts: Iterable[tuple[int, list[str]]], engine: Engine
) -> Iterable[tuple[int, str]]:
    """Yield the lines that start a project of Compose, or a unit, and which one that is."""
    for first, lines in texts:
        for number, line in enumerate(lines, first):
            if line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            if _COMPOSE_UP.search(line):
                yield number, "compose"
            elif found := _ENABLES.search(line):
                name = found[1].removesuffix(".service")
                if name != engine.name or "--user" in line:
                    yield number, f"unit {name}"
