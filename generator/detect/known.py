"""Facts about hardware by the names that the kernel has for it: `data/hardware.toml`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from generator.catalogue.datafile import DataFile, once, parse
from generator.catalogue.tables import Fact, Text
from generator.errors import CatalogueError

FILE: Final = "hardware.toml"
_PATH: Final = Path(__file__).parent.parent / "catalogue/data" / FILE


class Core(Fact):
    """The cores of one implementer, by part number."""

    implementer: int
    name: Text
    parts: dict[str, Text]
    source: Text


class Radeon(Fact):
    """AMD GPU targets that are alike for Ollama."""

    targets: tuple[Text, ...]
    rocm: bool = False
    integrated: bool = False
    needs_opt_in: bool = False
    source: Text


class Hypervisor(Fact):
    """A hypervisor, by how DMI texts start in its guests."""

    name: Text
    starts: tuple[Text, ...]
    source: Text


class Hardware(DataFile):
    """The whole file."""

    core: tuple[Core, ...]
    radeon: tuple[Radeon, ...]
    hypervisor: tuple[Hypervisor, ...]

    def core_name(self, implementer: int, part: int) -> str:
        """Return the name of an Arm core; empty: not known."""
        for core in self.core:
            if core.implementer == implementer:
                return core.parts.get(f"0x{part:03x}", "")
        return ""

    def radeon_of(self, target: str) -> Radeon | None:
        """Return what is known of a target like `gfx1100`; None: not in the list."""
        return next((r for r in self.radeon if target in r.targets), None)

    def hypervisor_of(self, *texts: str) -> str:
        """Return the hypervisor that one of the DMI texts names; empty: none."""
        for known in self.hypervisor:
            if any(text.startswith(known.starts) for text in texts if text):
                return known.name
        return ""


@functools.cache
def hardware() -> Hardware:
    """Read the file. Raises CatalogueError that names file and key."""
    try:
        text = _PATH.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"data/{FILE}: {error}", hint="install Hostwright again") from error
    found = parse(Hardware, FILE, {FILE: text})
    once(target for radeon in found.radeon for target in radeon.targets)
    return found
