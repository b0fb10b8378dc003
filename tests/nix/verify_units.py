"""Ask systemd about directories of units: `python -m tests.nix.verify_units DIRECTORY...`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.consumers import systemd


def complaints(directory: Path) -> list[str]:
    """Return what systemd has to say about the services of `directory` and of its drop-ins."""
    units = {path.name.removesuffix(".d") for path in directory.iterdir()}
    return systemd.verify(directory, sorted(name for name in units if name.endswith(".service")))


def main(directories: list[str]) -> int:
    """Print the complaints; return whether there are any."""
    found = {name: lines for name in directories if (lines := complaints(Path(name)))}
    for name, lines in found.items():
        sys.stdout.write("\n".join([f"{name}:", *lines, ""]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
