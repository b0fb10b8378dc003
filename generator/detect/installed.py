"""What is installed: Ollama, and container engines with how they hand GPUs to containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.detected import Containers, Engine, Install
from generator.detect.root import first_match, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.detected import Installer
    from generator.detect.root import Root

# The installer of ollama.com, then distributions. The first that is there counts.
_BINARIES: Final[tuple[tuple[str, Installer], ...]] = (
    ("/usr/local/bin/ollama", "script"),
    ("/run/current-system/sw/bin/ollama", "nixos"),
    ("/usr/bin/ollama", "package"),
    ("/snap/bin/ollama", "snap"),
)
_UNIT: Final = "/etc/systemd/system/ollama.service"
# With a server that runs: `ollama version is 0.32.15`; without: `Warning: client version is …`.
_OLLAMA: Final = r"version is v?(\d{1,4}\.\d{1,4}\.\d{1,4}(?:-rc\d{1,3})?)"
_ENGINES: Final[tuple[Literal["docker", "podman"], ...]] = ("docker", "podman")
_CDI: Final = ("/etc/cdi", "/var/run/cdi")
_NUMBER: Final = r"\d{1,4}(?:\.\d{1,4}){1,3}"


def read_ollama(root: Root) -> Install:
    """Return the Ollama that is installed, who installed it and where; all empty: none is."""
    version = root.tool_version("ollama.txt", _OLLAMA)
    for path, kind in _BINARIES:
        if root.exists(path):
            # Old installers put the program into /usr/bin, beside a unit of their own.
            by_script = kind == "package" and root.exists(_UNIT)
            return Install(version, "script" if by_script else kind, path)
    return Install(version, "other" if version else "")


def read_containers(root: Root) -> Containers:
    """Return the engines that are installed, the NVIDIA toolkit, and the CDI specifications."""
    return Containers(
        engines=tuple(
            Engine(
                name,
                nvidia_runtime=name == "docker" and "nvidia" in _runtimes(root),
                version=root.tool_version(f"{name}.txt", _NUMBER),
            )
            for name in _ENGINES
            if root.tool(f"{name}.txt")
        ),
        toolkit=first_match(_NUMBER, root.tool("nvidia-ctk.txt")),
        cdi=tuple(_specifications(root)),
    )


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
        root.strange("docker-runtimes.json", text, "is not a JSON object")
        return ()
    return tuple(runtimes)


def _specifications(root: Root) -> Iterator[str]:
    for folder in _CDI:
        for name in root.names(folder):
            path = f"{folder}/{one_line(name, 80)}"
            if name.endswith((".yaml", ".yml", ".json")) and root.exists(path):
                yield path
