"""Container engines, and how they hand GPUs to containers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.detected import Containers, Engine
from generator.detect.root import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.root import Root

_ENGINES: Final[tuple[Literal["docker", "podman"], ...]] = ("docker", "podman")
_CDI: Final = ("/etc/cdi", "/var/run/cdi")
_NUMBER: Final = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}")


def read_containers(root: Root) -> Containers:
    """Return the engines that are installed, the NVIDIA toolkit, and the CDI specifications."""
    return Containers(
        engines=tuple(_engines(root)),
        toolkit=_version(root.tool("nvidia-ctk.txt")),
        cdi=tuple(_specifications(root)),
    )


def _engines(root: Root) -> Iterator[Engine]:
    for name in _ENGINES:
        printed = root.tool(f"{name}.txt")
        if printed:
            runtimes = _runtimes(root) if name == "docker" else ()
            version = _version(printed)
            if not version:
                root.strange(f"{name}.txt", printed)
            yield Engine(name, version, nvidia_runtime="nvidia" in runtimes)


def _runtimes(root: Root) -> tuple[str, ...]:
    """Return Docker's runtimes; none where its daemon does not answer."""
    text = root.tool("docker-runtimes.json")
    if text in {"", "null"}:
        return ()
    try:
        runtimes = json.loads(text)
    except (ValueError, RecursionError):
        runtimes = None
    if not isinstance(runtimes, dict):
        root.warn("docker-runtimes.json", f"`{one_line(text, 40)}` is not a JSON object")
        return ()
    return tuple(runtimes)


def _specifications(root: Root) -> Iterator[str]:
    for folder in _CDI:
        for name in root.names(folder):
            path = f"{folder}/{one_line(name, 80)}"
            if name.endswith((".yaml", ".yml", ".json")) and root.exists(path):
                yield path


def _version(text: str) -> str:
    found = _NUMBER.search(text)
    return found[0] if found else ""
