"""The Ollama that is installed: its release, who installed it, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.detect.detected import Install

if TYPE_CHECKING:
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
_VERSION: Final = re.compile(r"version is v?(\d{1,4}\.\d{1,4}\.\d{1,4}(?:-rc\d{1,3})?)")


def read_ollama(root: Root) -> Install:
    """Return what is installed; all empty: nothing."""
    printed = root.tool("ollama.txt")
    found = _VERSION.search(printed)
    if found is None:
        root.strange("ollama.txt", printed)
    version = found[1] if found else ""
    for path, kind in _BINARIES:
        if root.exists(path):
            # Old installers put the program into /usr/bin, beside a unit of their own.
            by_script = kind == "package" and root.exists(_UNIT)
            return Install(version, "script" if by_script else kind, path)
    return Install(version, "other" if version else "")
